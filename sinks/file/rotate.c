#include "sinks/file/rotate.h"

#include "agent/base/buffer.h"
#include "agent/platform/platform.h"

#define ROTATE_PATH_MAX 8192

/* PATH.number, or PATH for 0. */
static const char *
rotate_name(struct sw_buf *buf, const char *path, int64_t number)
{
    sw_buf_clear(buf);
    sw_buf_add_text(buf, path);
    if (number > 0) {
        sw_buf_add_char(buf, '.');
        sw_buf_add_int(buf, number);
    }
    return sw_buf_text(buf);
}

bool
sw_rotate_shift(const char *path, int64_t keep, struct sw_err *err)
{
    struct sw_buf from;
    struct sw_buf to;
    sw_buf_init(&from, ROTATE_PATH_MAX);
    sw_buf_init(&to, ROTATE_PATH_MAX);

    /* Only up to the gap: when renaming path itself fails every time, the old files must not
     * wander over the edge one by one. */
    int64_t last = 1;
    while (last < keep && sw_file_exists(rotate_name(&to, path, last))) {
        last++;
    }
    bool done = true;
    for (int64_t number = last; number > 0 && done; number--) {
        done = sw_file_rename(
            rotate_name(&from, path, number - 1), rotate_name(&to, path, number), err);
    }
    sw_buf_fini(&from);
    sw_buf_fini(&to);
    return done;
}
