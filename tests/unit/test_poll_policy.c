#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/poller/poll_policy.h"

#define S INT64_C(1000000000)

static struct sw_poll_policy
policy(int64_t interval_s)
{
    return (struct sw_poll_policy){
        .interval_ns = interval_s * S, .unreachable_after = 2, .tick_ns = 1000 * S};
}

static void
first_tick_is_jittered_by_a_tenth_and_a_second_at_most(void **state)
{
    (void)state;
    struct sw_poll_policy p = policy(5);
    sw_poll_start(&p, 100 * S, 0);
    assert_int_equal(p.tick_ns, 100 * S);
    sw_poll_start(&p, 100 * S, UINT32_MAX);
    assert_true(p.tick_ns > 100 * S + 499 * S / 1000 && p.tick_ns < 100 * S + 500 * S / 1000);
    p = policy(3600);
    sw_poll_start(&p, 100 * S, UINT32_MAX);
    assert_true(p.tick_ns > 100 * S + 999 * S / 1000 && p.tick_ns < 101 * S);
}

static void
ticks_stay_on_the_grid_and_missed_ones_are_skipped(void **state)
{
    (void)state;
    struct sw_poll_policy p = policy(10);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_COMPLETE, 1003 * S), SW_POLL_TELL_NOTHING);
    assert_int_equal(p.tick_ns, 1010 * S);
    sw_poll_judge(&p, SW_POLL_COMPLETE, 1045 * S);
    assert_int_equal(p.tick_ns, 1050 * S);
    /* A look that ends on a tick does not overlap it. */
    sw_poll_judge(&p, SW_POLL_COMPLETE, 1060 * S);
    assert_int_equal(p.tick_ns, 1070 * S);
}

static void
unreachable_is_told_once_after_the_given_number(void **state)
{
    (void)state;
    struct sw_poll_policy p = policy(10);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_FAILED, 1001 * S), SW_POLL_TELL_NOTHING);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_FAILED, 1011 * S), SW_POLL_TELL_UNREACHABLE);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_FAILED, 1031 * S), SW_POLL_TELL_NOTHING);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_COMPLETE, 1071 * S), SW_POLL_TELL_RECOVERED);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_COMPLETE, 1081 * S), SW_POLL_TELL_NOTHING);
}

static void
a_single_failure_between_good_looks_tells_nothing(void **state)
{
    (void)state;
    struct sw_poll_policy p = policy(10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(sw_poll_judge(&p, SW_POLL_FAILED, p.tick_ns), SW_POLL_TELL_NOTHING);
        assert_int_equal(sw_poll_judge(&p, SW_POLL_COMPLETE, p.tick_ns), SW_POLL_TELL_NOTHING);
    }
}

static void
unreachable_from_before_a_restart_is_not_told_again(void **state)
{
    (void)state;
    struct sw_poll_policy p = policy(10);
    p.unreachable = true;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sw_poll_judge(&p, SW_POLL_FAILED, p.tick_ns), SW_POLL_TELL_NOTHING);
    }
    assert_int_equal(sw_poll_judge(&p, SW_POLL_COMPLETE, p.tick_ns), SW_POLL_TELL_RECOVERED);
}

static void
failures_double_the_wait_up_to_five_minutes(void **state)
{
    (void)state;
    static const int64_t waits[] = {30, 60, 120, 240, 300, 300, 300};
    struct sw_poll_policy p = policy(30);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        int64_t before = p.tick_ns;
        sw_poll_judge(&p, SW_POLL_FAILED, before + S);
        assert_int_equal(p.tick_ns - before, waits[i] * S);
    }
    /* An interval above the cap stays what it is. */
    p = policy(3600);
    for (int i = 0; i < 5; i++) {
        int64_t before = p.tick_ns;
        sw_poll_judge(&p, SW_POLL_FAILED, before + S);
        assert_int_equal(p.tick_ns - before, 3600 * S);
    }
}

static void
a_refused_account_waits_a_quarter_then_hours(void **state)
{
    (void)state;
    struct sw_poll_policy p = policy(10);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_REFUSED, 1001 * S), SW_POLL_TELL_UNREACHABLE);
    assert_int_equal(p.tick_ns, (1001 + 900) * S);
    assert_int_equal(sw_poll_judge(&p, SW_POLL_REFUSED, 2000 * S), SW_POLL_TELL_NOTHING);
    assert_int_equal(p.tick_ns, (2000 + 3600) * S);
    sw_poll_judge(&p, SW_POLL_REFUSED, 6000 * S);
    assert_int_equal(p.tick_ns, (6000 + 3600) * S);
    sw_poll_judge(&p, SW_POLL_COMPLETE, 10000 * S);
    assert_int_equal(p.refusals, 0);
    assert_true(p.tick_ns <= 10010 * S);
}

static void
sudden_losses(void **state)
{
    (void)state;
    assert_true(sw_poll_is_sudden_loss(1, 1, 0));
    assert_true(sw_poll_is_sudden_loss(5, 5, 0));
    assert_false(sw_poll_is_sudden_loss(0, 0, 0));
    assert_false(sw_poll_is_sudden_loss(19, 18, 1));
    assert_true(sw_poll_is_sudden_loss(20, 11, 9));
    assert_false(sw_poll_is_sudden_loss(20, 10, 10));
    /* As many new ones as gone: still more than half of those we knew. */
    assert_true(sw_poll_is_sudden_loss(100, 51, 100));
}

static void
gaps(void **state)
{
    (void)state;
    struct sw_poll_policy p = policy(10);
    assert_false(sw_poll_is_gap(&p, 30 * S));
    assert_true(sw_poll_is_gap(&p, 31 * S));
    p.failures = 1;
    assert_true(sw_poll_is_gap(&p, 10 * S));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_tick_is_jittered_by_a_tenth_and_a_second_at_most),
        cmocka_unit_test(ticks_stay_on_the_grid_and_missed_ones_are_skipped),
        cmocka_unit_test(unreachable_is_told_once_after_the_given_number),
        cmocka_unit_test(a_single_failure_between_good_looks_tells_nothing),
        cmocka_unit_test(unreachable_from_before_a_restart_is_not_told_again),
        cmocka_unit_test(failures_double_the_wait_up_to_five_minutes),
        cmocka_unit_test(a_refused_account_waits_a_quarter_then_hours),
        cmocka_unit_test(sudden_losses),
        cmocka_unit_test(gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
