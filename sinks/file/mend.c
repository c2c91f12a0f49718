#include "sinks/file/mend.h"

#include <string.h>

/* How every record of the format begins (sinks/format/json.c). */
static const char mend_begin[] = "{\"@timestamp\":\"";

/* A crash can leave the beginning of a record, or, where the file had grown but its bytes had not
 * reached the disk, NULs. */
static bool
mend_is_ours(struct sw_str line)
{
    size_t size = line.size < sizeof(mend_begin) - 1 ? line.size : sizeof(mend_begin) - 1;
    if (memcmp(line.data, mend_begin, size) == 0) {
        return true;
    }
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] != '\0') {
            return false;
        }
    }
    return true;
}

enum sw_mend
sw_mend_decide(struct sw_str tail, bool is_whole, size_t *cut)
{
    size_t begin = tail.size;
    while (begin > 0 && tail.data[begin - 1] != '\n') {
        begin--;
    }
    *cut = 0;
    if (begin == tail.size) {
        return SW_MEND_NOTHING;
    }
    /* Where the line begins before what was read, nobody can say whose it is. */
    struct sw_str line = {tail.data + begin, tail.size - begin};
    if ((begin > 0 || is_whole) && mend_is_ours(line)) {
        *cut = line.size;
        return SW_MEND_CUT;
    }
    return SW_MEND_NEWLINE;
}
