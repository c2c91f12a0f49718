/* Snapshot documents: whatever comes, reading ends well; what was read is written and read back
 * to an equal snapshot; and what is BAD leaves nothing behind. */
#include <stdint.h>
#include <stdlib.h>

#include "agent/document.h"
#include "tests/support/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sw_snapshot *
fuzz_finish(struct sw_builder *builder)
{
    static const struct sw_globs none = {NULL, 0};
    return sw_builder_finish(builder, none, none, NULL, NULL);
}

static void
fuzz_round_trip(struct sw_builder *builder, const struct sw_snapshot *snapshot)
{
    struct sw_buf text;
    sw_buf_init(&text, SW_DOCUMENT_MAX);
    sw_document_write(snapshot, &text);
    sw_builder_clear(builder);
    if (sw_document_read((struct sw_str){text.data, text.size}, builder, NULL) !=
        SW_DOCUMENT_SESSIONS) {
        abort();
    }
    struct sw_snapshot *again = fuzz_finish(builder);
    if (again == NULL || !rows_snapshots_equal(snapshot, again)) {
        abort();
    }
    sw_snapshot_free(again);
    sw_buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sw_err err = {0};
    struct sw_builder *builder = sw_builder_new();
    enum sw_document document =
        sw_document_read((struct sw_str){(const char *)data, size}, builder, &err);
    if (document == SW_DOCUMENT_BAD || document == SW_DOCUMENT_ERROR) {
        if (err.text[0] == '\0' || sw_builder_count(builder) != 0) {
            abort();
        }
    } else {
        struct sw_snapshot *snapshot = fuzz_finish(builder);
        if (snapshot != NULL) {
            fuzz_round_trip(builder, snapshot);
        }
        sw_snapshot_free(snapshot);
    }
    sw_builder_free(builder);
    return 0;
}
