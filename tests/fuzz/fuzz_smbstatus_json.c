/* Any bytes as smbstatus' JSON. A list that is read must make a snapshot, or fail with words. */
#include <stdint.h>
#include <stdlib.h>

#include "agent/sources/samba/smbstatus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sw_builder *builder = sw_builder_new();
    struct sw_uid_names names = {0};
    struct sw_smbstatus_counts counts;
    struct sw_globs none = {0};
    struct sw_err err = {0};
    if (sw_smbstatus_read_json((struct sw_str){(const char *)data, size},
            INT64_C(1795359421000000000), &names, builder, &counts, &err)) {
        if (counts.rows - counts.half_open != sw_builder_count(builder)) {
            abort();
        }
        sw_builder_facts(builder)->taken_at_ns = 0;
        struct sw_snapshot *snapshot = sw_builder_finish(builder, none, none, NULL, &err);
        if (snapshot == NULL && err.text[0] == '\0') {
            abort();
        }
        sw_snapshot_free(snapshot);
    } else if (err.text[0] == '\0') {
        abort();
    }
    sw_builder_free(builder);
    sw_uid_names_fini(&names);
    return 0;
}
