#include "agent/base/time_text.h"
#include "agent/forwarder/forward_pace.h"
#include "tests/support/unit.h"

#define NOW (1000 * SW_NS_PER_S)

/* Records that go between two times, asked for again whenever the pace says so. */
static size_t
count_sent(struct sw_forward_pace *pace, int64_t from_ns, int64_t to_ns, size_t *calls)
{
    size_t sent = 0;
    int64_t now_ns = from_ns;
    *calls = 0;
    while (now_ns < to_ns) {
        int64_t at_ns = 0;
        size_t allowed = sw_forward_pace_allow(pace, 1000, now_ns, &at_ns);
        ++*calls;
        if (allowed > 0) {
            sw_forward_pace_took(pace, allowed, now_ns);
            sent += allowed;
        } else {
            assert_true(at_ns > now_ns);
            now_ns = at_ns;
        }
    }
    return sent;
}

static void
no_rate_lets_all_go(void **state)
{
    struct sw_forward_pace pace;
    int64_t at_ns;
    (void)state;
    sw_forward_pace_init(&pace, (struct sw_sink_pace){0});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sw_forward_pace_allow(&pace, 1000000, NOW, &at_ns), 1000000);
        sw_forward_pace_took(&pace, 1000000, NOW);
    }
}

static void
rate_is_kept_over_a_minute(void **state)
{
    static const int64_t rates[] = {1, 7, 100, 2000, 50000, 1000000};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct sw_forward_pace pace;
        size_t calls;
        sw_forward_pace_init(&pace, (struct sw_sink_pace){.rate = rates[i]});
        size_t sent = count_sent(&pace, NOW, NOW + 60 * SW_NS_PER_S, &calls);
        size_t wanted = (size_t)(60 * rates[i]);
        assert_in_range(sent, wanted * 99 / 100, wanted * 101 / 100 + 64);
    }
}

static void
burst_is_small_however_long_it_was_quiet(void **state)
{
    struct sw_forward_pace pace;
    int64_t at_ns;
    (void)state;
    sw_forward_pace_init(&pace, (struct sw_sink_pace){.rate = 2000});
    assert_int_equal(sw_forward_pace_allow(&pace, 1000, NOW, &at_ns), 40);
    sw_forward_pace_took(&pace, 40, NOW);
    assert_int_equal(sw_forward_pace_allow(&pace, 1000, NOW, &at_ns), 0);
    assert_true(at_ns - NOW >= 9 * SW_NS_PER_MS && at_ns - NOW <= 11 * SW_NS_PER_MS);
    assert_int_equal(sw_forward_pace_allow(&pace, 1000, NOW + 3600 * SW_NS_PER_S, &at_ns), 40);

    sw_forward_pace_init(&pace, (struct sw_sink_pace){.rate = 1000000});
    assert_int_equal(sw_forward_pace_allow(&pace, 100000, NOW, &at_ns), 64);
}

static void
slow_rate_lets_single_records_go(void **state)
{
    struct sw_forward_pace pace;
    int64_t at_ns = 0;
    (void)state;
    sw_forward_pace_init(&pace, (struct sw_sink_pace){.rate = 1});
    assert_int_equal(sw_forward_pace_allow(&pace, 5, NOW, &at_ns), 1);
    sw_forward_pace_took(&pace, 1, NOW);
    assert_int_equal(sw_forward_pace_allow(&pace, 5, NOW, &at_ns), 0);
    assert_int_equal(at_ns, NOW + SW_NS_PER_S);
    assert_int_equal(sw_forward_pace_allow(&pace, 5, at_ns, &at_ns), 1);
}

static void
batch_waits_to_be_filled(void **state)
{
    struct sw_forward_pace pace;
    (void)state;
    sw_forward_pace_init(&pace, (struct sw_sink_pace){.records_max = 100, .wait_ns = SW_NS_PER_S});
    assert_false(sw_forward_pace_is_due(&pace, false, NOW));
    assert_int_equal(pace.go_at_ns, NOW + SW_NS_PER_S);
    /* What comes later does not make it wait longer. */
    assert_false(sw_forward_pace_is_due(&pace, false, NOW + SW_NS_PER_S / 2));
    assert_int_equal(pace.go_at_ns, NOW + SW_NS_PER_S);
    assert_true(sw_forward_pace_is_due(&pace, false, NOW + SW_NS_PER_S));
    /* The next one waits anew; a full one does not. */
    assert_false(sw_forward_pace_is_due(&pace, false, NOW + SW_NS_PER_S));
    assert_true(sw_forward_pace_is_due(&pace, true, NOW + SW_NS_PER_S));
    assert_int_equal(pace.go_at_ns, INT64_MAX);
}

static void
without_a_wish_nothing_waits(void **state)
{
    struct sw_forward_pace pace;
    (void)state;
    sw_forward_pace_init(&pace, (struct sw_sink_pace){.records_max = 100});
    assert_true(sw_forward_pace_is_due(&pace, false, NOW));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rate_lets_all_go),
        cmocka_unit_test(rate_is_kept_over_a_minute),
        cmocka_unit_test(burst_is_small_however_long_it_was_quiet),
        cmocka_unit_test(slow_rate_lets_single_records_go),
        cmocka_unit_test(batch_waits_to_be_filled),
        cmocka_unit_test(without_a_wish_nothing_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
