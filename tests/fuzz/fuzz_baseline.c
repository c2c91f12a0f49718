/* Stored rows of a baseline: there is one form of each row, so what is decoded must encode to the
 * very same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sw_row row;
    struct sw_track track;
    int64_t seen_ns;
    struct sw_err err = {0};
    if (!sw_baseline_decode_row(
            &row, &track, &seen_ns, (struct sw_str){(const char *)data, size}, &err)) {
        if (err.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    struct sw_buf buf;
    sw_buf_init(&buf, 65536);
    sw_baseline_encode_row(&row, &track, seen_ns, &buf);
    if (buf.size != size || memcmp(buf.data, data, size) != 0) {
        abort();
    }
    sw_buf_fini(&buf);
    return 0;
}
