/* What every unit test begins with: cmocka with the headers it wants before itself, and a few
 * checks it lacks. */
#ifndef SW_TESTS_SUPPORT_UNIT_H
#define SW_TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buffer.h"
#include "agent/base/string.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The buffer's bytes, NUL and all, against a literal. */
#define assert_buf(buf, literal)                                                                   \
    do {                                                                                           \
        assert_int_equal((buf)->size, sizeof(literal) - 1);                                        \
        assert_memory_equal(sw_buf_text(buf), literal, sizeof(literal) - 1);                       \
    } while (0)

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (strstr((text), (part)) == NULL) {                                                      \
            fail_msg("'%s' is not in '%s'", (part), (text));                                       \
        }                                                                                          \
    } while (0)

#endif
