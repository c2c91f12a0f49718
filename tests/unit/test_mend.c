#include "sinks/file/mend.h"
#include "tests/support/unit.h"

static void
what_is_done_about_a_tail(void **state)
{
    (void)state;
    static const struct {
        struct sw_str tail;
        bool is_whole;
        enum sw_mend what;
        size_t cut;
    } cases[] = {
        {{NULL, 0}, true, SW_MEND_NOTHING, 0},
        {{"a\n", 2}, true, SW_MEND_NOTHING, 0},
        {{"{\"@timestamp\":\"2026\"}\n", 22}, true, SW_MEND_NOTHING, 0},
        {{"a\n{", 3}, true, SW_MEND_CUT, 1},
        {{"a\n{\"@timestamp\":\"2026", 22}, true, SW_MEND_CUT, 20},
        {{"a\n{\"@timestamp\":\"2026", 22}, false, SW_MEND_CUT, 20},
        {{"{\"@timestamp\":\"2026", 19}, true, SW_MEND_CUT, 19},
        {{"a\n\0\0\0", 5}, true, SW_MEND_CUT, 3},
        /* Somebody else's words stay. */
        {{"a\n{\"@timesta!", 13}, true, SW_MEND_NEWLINE, 0},
        {{"a\n{\"time\":1", 11}, true, SW_MEND_NEWLINE, 0},
        {{"a\nNov 22", 8}, true, SW_MEND_NEWLINE, 0},
        {{"a\n\0\0x", 5}, true, SW_MEND_NEWLINE, 0},
        /* A line that begins before what was read may be anybody's. */
        {{"{\"@timestamp\":\"2026", 19}, false, SW_MEND_NEWLINE, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t cut = 99;
        assert_int_equal(sw_mend_decide(cases[i].tail, cases[i].is_whole, &cut), cases[i].what);
        assert_int_equal(cut, cases[i].cut);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_about_a_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
