#include "agent/base/time_text.h"
#include "agent/forwarder/forward_policy.h"
#include "agent/journal.h"
#include "tests/support/unit.h"

#define HALF 0x80000000u

static struct sw_forward_policy policy;

static int
setup(void **state)
{
    (void)state;
    sw_forward_policy_init(&policy, 0);
    return 0;
}

static struct sw_forward_decision
after(size_t sent, size_t done, size_t refused, enum sw_outcome outcome)
{
    struct sw_forward_tally tally = {
        .sent = sent, .done = done, .refused = refused, .outcome = outcome};
    return sw_forward_decide(&policy, &tally, HALF);
}

static void
a_sink_may_want_fewer_records_than_a_batch_has(void **state)
{
    (void)state;
    assert_int_equal(policy.limit, SW_BATCH_RECORDS_MAX);
    sw_forward_policy_init(&policy, 7);
    assert_int_equal(policy.limit, 7);
    sw_forward_policy_init(&policy, 100000);
    assert_int_equal(policy.limit, SW_BATCH_RECORDS_MAX);
}

static void
what_goes_well_goes_on_at_once(void **state)
{
    (void)state;
    struct sw_forward_decision d =
        after(SW_BATCH_RECORDS_MAX, SW_BATCH_RECORDS_MAX, 0, SW_OUTCOME_OK);
    assert_int_equal(d.wait_ns, 0);
    assert_false(d.disconnect);
    d = after(SW_BATCH_RECORDS_MAX, 1, 0, SW_OUTCOME_OK);
    assert_int_equal(d.wait_ns, 0);
}

static void
trouble_waits_twice_as_long_each_time_up_to_five_minutes(void **state)
{
    (void)state;
    static const int64_t halves_ms[] = {
        500, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 150000, 150000};
    for (size_t i = 0; i < COUNT_OF(halves_ms); i++) {
        struct sw_forward_decision d = after(10, 0, 0, SW_OUTCOME_LATER);
        assert_int_equal(d.wait_ns, halves_ms[i] * SW_NS_PER_MS);
        assert_false(d.disconnect);
    }
    after(10, 1, 0, SW_OUTCOME_OK);
    assert_int_equal(after(10, 0, 0, SW_OUTCOME_LATER).wait_ns, 500 * SW_NS_PER_MS);
}

static void
a_wait_is_never_next_to_nothing(void **state)
{
    (void)state;
    struct sw_forward_tally tally = {.sent = 1, .outcome = SW_OUTCOME_LATER};
    assert_int_equal(sw_forward_decide(&policy, &tally, 0).wait_ns, 100 * SW_NS_PER_MS);
}

static void
broken_disconnects(void **state)
{
    (void)state;
    struct sw_forward_decision d = after(10, 4, 0, SW_OUTCOME_BROKEN);
    assert_true(d.disconnect);
    assert_int_equal(d.wait_ns, 500 * SW_NS_PER_MS);
    assert_false(policy.paused);
}

static void
a_failed_connect_waits_too(void **state)
{
    (void)state;
    assert_int_equal(after(0, 0, 0, SW_OUTCOME_BROKEN).wait_ns, 500 * SW_NS_PER_MS);
    assert_int_equal(after(0, 0, 0, SW_OUTCOME_OK).wait_ns, 0);
}

static void
the_receivers_wish_is_a_lower_bound_and_capped(void **state)
{
    (void)state;
    struct sw_forward_tally tally = {
        .sent = 1, .outcome = SW_OUTCOME_LATER, .retry_after_ms = 30000};
    assert_int_equal(sw_forward_decide(&policy, &tally, HALF).wait_ns, 30 * SW_NS_PER_S);
    tally.retry_after_ms = INT64_MAX;
    assert_int_equal(sw_forward_decide(&policy, &tally, HALF).wait_ns, 3600 * SW_NS_PER_S);
    tally.retry_after_ms = -5;
    assert_int_equal(sw_forward_decide(&policy, &tally, 0).wait_ns, 100 * SW_NS_PER_MS);
}

static void
paused_waits_one_to_thirty_minutes_and_sets_nothing_aside(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60, 60, 120, 240, 480, 900, 900};
    for (size_t i = 0; i < COUNT_OF(seconds); i++) {
        struct sw_forward_decision d = after(1, 0, 1, SW_OUTCOME_PAUSED);
        assert_int_equal(d.wait_ns, seconds[i] * SW_NS_PER_S);
        assert_true(d.disconnect && !d.set_aside && policy.paused);
    }
    after(1, 1, 0, SW_OUTCOME_OK);
    assert_false(policy.paused);
    assert_int_equal(after(1, 0, 0, SW_OUTCOME_PAUSED).wait_ns, 60 * SW_NS_PER_S);
}

static void
nothing_taken_without_a_reason_is_no_busy_loop(void **state)
{
    (void)state;
    assert_int_equal(after(10, 0, 0, SW_OUTCOME_OK).wait_ns, 500 * SW_NS_PER_MS);
}

static void
a_refused_batch_is_halved_until_the_record_is_alone(void **state)
{
    (void)state;
    for (size_t size = SW_BATCH_RECORDS_MAX; size > 1; size /= 2) {
        struct sw_forward_decision d = after(size, 0, size, SW_OUTCOME_OK);
        assert_int_equal(d.wait_ns, 0);
        assert_false(d.set_aside);
        assert_int_equal(policy.limit, size / 2);
    }
    struct sw_forward_decision d = after(1, 0, 1, SW_OUTCOME_OK);
    assert_true(d.set_aside);
    assert_int_equal(d.wait_ns, 0);
    assert_int_equal(policy.limit, 1);
    after(1, 1, 0, SW_OUTCOME_OK);
    assert_int_equal(policy.limit, 2);
    after(2, 2, 0, SW_OUTCOME_OK);
    assert_int_equal(policy.limit, 4);
    for (int i = 0; i < 10; i++) {
        after(policy.limit, policy.limit, 0, SW_OUTCOME_OK);
    }
    assert_int_equal(policy.limit, SW_BATCH_RECORDS_MAX);
}

/* Too large to be taken, or too slow to be answered in time: nobody says which. */
static void
a_batch_that_breaks_the_connection_thrice_is_halved(void **state)
{
    (void)state;
    sw_forward_policy_init(&policy, 100);
    after(100, 0, 0, SW_OUTCOME_BROKEN);
    after(0, 0, 0, SW_OUTCOME_BROKEN);
    after(100, 0, 0, SW_OUTCOME_BROKEN);
    assert_int_equal(policy.limit, 100);
    after(100, 0, 0, SW_OUTCOME_BROKEN);
    assert_int_equal(policy.limit, 50);
    after(50, 0, 0, SW_OUTCOME_BROKEN);
    assert_int_equal(policy.limit, 25);
    for (int i = 0; i < 10; i++) {
        assert_false(after(policy.limit, 0, 0, SW_OUTCOME_BROKEN).set_aside);
    }
    assert_int_equal(policy.limit, 1);
    after(1, 1, 0, SW_OUTCOME_OK);
    assert_int_equal(policy.limit, 2);
    after(2, 0, 0, SW_OUTCOME_BROKEN);
    assert_int_equal(policy.limit, 2);
}

static void
refused_beside_accepted_goes_aside_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct sw_forward_decision d = after(10, 8, 2, SW_OUTCOME_OK);
        assert_true(d.set_aside);
        assert_int_equal(d.wait_ns, 0);
    }
}

static void
three_refused_in_a_row_are_our_fault(void **state)
{
    (void)state;
    assert_true(after(1, 0, 1, SW_OUTCOME_OK).set_aside);
    assert_true(after(1, 0, 1, SW_OUTCOME_OK).set_aside);
    for (int i = 0; i < 5; i++) {
        struct sw_forward_decision d = after(1, 0, 1, SW_OUTCOME_OK);
        assert_false(d.set_aside);
        assert_true(d.disconnect && policy.paused);
        assert_true(d.wait_ns >= 60 * SW_NS_PER_S);
    }
    /* Accepted: it was not us. */
    after(1, 1, 0, SW_OUTCOME_OK);
    assert_false(policy.paused);
    assert_true(after(1, 0, 1, SW_OUTCOME_OK).set_aside);
}

static void
one_accepted_between_ends_the_row(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(after(1, 0, 1, SW_OUTCOME_OK).set_aside);
        assert_true(after(1, 0, 1, SW_OUTCOME_OK).set_aside);
        after(1, 1, 0, SW_OUTCOME_OK);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(a_sink_may_want_fewer_records_than_a_batch_has),
        TEST(what_goes_well_goes_on_at_once),
        TEST(trouble_waits_twice_as_long_each_time_up_to_five_minutes),
        TEST(a_wait_is_never_next_to_nothing),
        TEST(broken_disconnects),
        TEST(a_failed_connect_waits_too),
        TEST(the_receivers_wish_is_a_lower_bound_and_capped),
        TEST(paused_waits_one_to_thirty_minutes_and_sets_nothing_aside),
        TEST(nothing_taken_without_a_reason_is_no_busy_loop),
        TEST(a_refused_batch_is_halved_until_the_record_is_alone),
        TEST(a_batch_that_breaks_the_connection_thrice_is_halved),
        TEST(refused_beside_accepted_goes_aside_at_once),
        TEST(three_refused_in_a_row_are_our_fault),
        TEST(one_accepted_between_ends_the_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
