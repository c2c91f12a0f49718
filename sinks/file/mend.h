/* What to do about a file whose last line has no end: pure. */
#ifndef SW_MEND_H
#define SW_MEND_H

#include "agent/base/string.h"

#define SW_MEND_LOOK_BACK ((size_t)1 << 20) /* bytes of the end of a file that are looked at */

enum sw_mend {
    SW_MEND_NOTHING,
    SW_MEND_CUT,    /* the last line was ours and never acknowledged: it will be sent again */
    SW_MEND_NEWLINE /* it is not ours: it stays, our next record begins on a line of its own */
};

/* tail: the last bytes of the file; is_whole: they are all of it. *cut: bytes at the end that go.
 */
enum sw_mend sw_mend_decide(struct sw_str tail, bool is_whole, size_t *cut);

#endif
