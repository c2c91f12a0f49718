#include "tests/support/unit.h"

#include "agent/base/time_text.h"
#include "agent/base/uuid.h"

/* Milliseconds since 1970, as another implementation (Python's datetime) counts them. */
static const struct {
    const char *text;
    int64_t ms;
} known[] = {
    {"1678-01-01T00:00:00.000Z", INT64_C(-9214560000000)},
    {"1699-12-31T23:59:59.999Z", INT64_C(-8520336000001)},
    {"1700-03-01T00:00:00.000Z", INT64_C(-8515238400000)},
    {"1900-02-28T23:59:59.999Z", INT64_C(-2203891200001)},
    {"1900-03-01T00:00:00.000Z", INT64_C(-2203891200000)},
    {"1969-12-31T23:59:59.999Z", INT64_C(-1)},
    {"1970-01-01T00:00:00.000Z", INT64_C(0)},
    {"1972-02-29T12:00:00.001Z", INT64_C(68212800001)},
    {"2000-02-29T00:00:00.000Z", INT64_C(951782400000)},
    {"2000-12-31T23:59:59.999Z", INT64_C(978307199999)},
    {"2024-02-29T23:59:59.500Z", INT64_C(1709251199500)},
    {"2026-11-22T14:26:17.724Z", INT64_C(1795357577724)},
    {"2038-01-19T03:14:08.000Z", INT64_C(2147483648000)},
    {"2100-02-28T00:00:00.000Z", INT64_C(4107456000000)},
    {"2100-03-01T00:00:00.000Z", INT64_C(4107542400000)},
    {"2261-12-31T23:59:59.999Z", INT64_C(9214646399999)},
};

static void
check_text(int64_t at_ns, const char *text)
{
    struct sw_buf buf;
    sw_buf_init(&buf, 30);
    sw_time_add(&buf, at_ns);
    assert_string_equal(sw_buf_text(&buf), text);
    sw_buf_fini(&buf);
}

static void
test_known_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        int64_t at_ns = 0;
        check_text(known[i].ms * SW_NS_PER_MS, known[i].text);
        check_text(known[i].ms * SW_NS_PER_MS + SW_NS_PER_MS - 1, known[i].text);
        assert_true(sw_time_parse(sw_str_of(known[i].text), &at_ns));
        assert_true(at_ns == known[i].ms * SW_NS_PER_MS);
    }
}

/* Day after day over the whole range, against a calendar that only counts. */
static void
test_every_day(void **state)
{
    (void)state;
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -106650; /* 1678-01-01 */
    for (int year = 1678; year <= 2261; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (leap && month == 2);
            for (int day = 1; day <= 31; day++) {
                char text[40];
                int64_t at_ns = 0;
                snprintf(text, sizeof(text), "%04d-%02d-%02dT06:07:08.009Z", year, month, day);
                bool good = sw_time_parse(sw_str_of(text), &at_ns);
                assert_int_equal(good, day <= length);
                if (good) {
                    assert_true(at_ns == (days * 86400 + 22028) * SW_NS_PER_S + 9 * SW_NS_PER_MS);
                    check_text(at_ns, text);
                    days++;
                }
            }
        }
    }
}

static void
test_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        int64_t at_ns;
        int64_t back_ns = 0;
        struct sw_buf buf;
        sw_uuid_seeded_random(&seed, (uint8_t *)&at_ns, sizeof(at_ns));
        at_ns = at_ns / 10 * 9; /* within the years that can be read */
        sw_buf_init(&buf, 30);
        sw_time_add(&buf, at_ns);
        assert_true(sw_time_parse((struct sw_str){buf.data, buf.size}, &back_ns));
        assert_true(back_ns <= at_ns && at_ns - back_ns < SW_NS_PER_MS);
        sw_buf_fini(&buf);
    }
}

static void
test_accepted_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at_ns; /* after 2026-11-22T14:26:17Z */
    } rows[] = {
        {"2026-11-22T14:26:17Z", 0},
        {"2026-11-22t14:26:17z", 0},
        {"2026-11-22 14:26:17Z", 0},
        {"2026-11-22T14:26:17+00:00", 0},
        {"2026-11-22T14:26:17-00:00", 0},
        {"2026-11-22T16:26:17+02:00", 0},
        {"2026-11-22T16:26:17+0200", 0},
        {"2026-11-22T08:56:17-05:30", 0},
        {"2026-11-23T00:11:17+09:45", 0},
        {"2026-11-21T14:27:17-23:59", 0},
        {"2026-11-23T14:25:17+23:59", 0},
        {"2026-11-22T14:26:17.7Z", 700000000},
        {"2026-11-22T14:26:17.724Z", 724000000},
        {"2026-11-22T14:26:17.123456789Z", 123456789},
        {"2026-11-22T14:26:17.1234567899999Z", 123456789},
        {"2026-11-22T14:26:17.000000000000000000000001+00:00", 0},
        {"2026-11-22T16:26:17.123456+0200", 123456000},
    };
    int64_t base_ns = INT64_C(1795357577) * SW_NS_PER_S;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t at_ns = 0;
        if (!sw_time_parse(sw_str_of(rows[i].text), &at_ns) || at_ns != base_ns + rows[i].at_ns) {
            fail_msg("%s: %lld", rows[i].text, (long long)(at_ns - base_ns));
        }
    }
    int64_t leap_ns = 0;
    int64_t before_ns = 1;
    assert_true(sw_time_parse(SW_STR("2016-12-31T23:59:60.5Z"), &leap_ns));
    assert_true(sw_time_parse(SW_STR("2016-12-31T23:59:59.5Z"), &before_ns));
    assert_true(leap_ns == before_ns);
}

static void
test_refused_forms(void **state)
{
    (void)state;
    static const struct sw_str texts[] = {
        SW_STR(""),
        SW_STR("2026"),
        SW_STR("2026-11-22"),
        SW_STR("2026-11-22T14:26:17"),
        SW_STR("2026-11-22T14:26Z"),
        SW_STR("2026-11-22T14:26:17,5Z"),
        SW_STR("2026-11-22T14:26:17.Z"),
        SW_STR("2026-11-22T14:26:17 Z"),
        SW_STR("2026-11-22T14:26:17Z "),
        SW_STR(" 2026-11-22T14:26:17Z"),
        SW_STR("2026-11-22T14:26:17ZZ"),
        SW_STR("2026-11-22T14:26:17Z\0"),
        SW_STR("2026-11-22T14:26:17UTC"),
        SW_STR("2026-11-22T14:26:17+02"),
        SW_STR("2026-11-22T14:26:17+2:00"),
        SW_STR("2026-11-22T14:26:17+24:00"),
        SW_STR("2026-11-22T14:26:17+02:60"),
        SW_STR("2026-11-22T14:26:17+02:"),
        SW_STR("2026-11-22T14:26:17+02:00:00"),
        SW_STR("2026-11-22T24:00:00Z"),
        SW_STR("2026-11-22T14:60:00Z"),
        SW_STR("2026-11-22T14:26:61Z"),
        SW_STR("2026-00-22T14:26:17Z"),
        SW_STR("2026-13-22T14:26:17Z"),
        SW_STR("2026-11-00T14:26:17Z"),
        SW_STR("2026-11-31T14:26:17Z"),
        SW_STR("2026-02-29T14:26:17Z"),
        SW_STR("2100-02-29T14:26:17Z"),
        SW_STR("1677-12-31T00:00:00Z"),
        SW_STR("2262-01-01T00:00:00Z"),
        SW_STR("0000-01-01T00:00:00Z"),
        SW_STR("9999-01-01T00:00:00Z"),
        SW_STR("-2026-11-22T14:26:17Z"),
        SW_STR("+2026-11-22T14:26:17Z"),
        SW_STR("20261-11-22T14:26:17Z"),
        SW_STR("2026-1-22T14:26:17Z"),
        SW_STR("2026/11/22T14:26:17Z"),
        SW_STR("20261122T142617Z"),
        SW_STR("2026-11-22_14:26:17Z"),
        SW_STR("2026-W47-7T14:26:17Z"),
        SW_STR("2026-11-22T-4:26:17Z"),
        SW_STR("2026-11-22T14:26:17.-5Z"),
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t at_ns = 5;
        if (sw_time_parse(texts[i], &at_ns)) {
            fail_msg("taken: %s", texts[i].data);
        }
        assert_true(at_ns == 5);
    }
}

/* The ends of what can be read, moved outwards by the largest offsets, still fit. */
static void
test_ends(void **state)
{
    (void)state;
    int64_t first_ns = 0;
    int64_t last_ns = 0;
    assert_true(sw_time_parse(SW_STR("1678-01-01T00:00:00+23:59"), &first_ns));
    assert_true(sw_time_parse(SW_STR("2261-12-31T23:59:59.999999999-23:59"), &last_ns));
    check_text(first_ns, "1677-12-31T00:01:00.000Z");
    check_text(last_ns, "2262-01-01T23:58:59.999Z");
    check_text(INT64_MAX, "2262-04-11T23:47:16.854Z");
    check_text(INT64_MIN, "1677-09-21T00:12:43.145Z");
    check_text(-1, "1969-12-31T23:59:59.999Z");
}

static void
test_durations(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "0s"}, {1, "1ms"}, {450, "450ms"}, {999, "999ms"}, {1000, "1s"}, {1999, "1s"},
        {59999, "59s"}, {60000, "1m"}, {61000, "1m1s"}, {3600000, "1h"}, {3601000, "1h"},
        {3660000, "1h1m"}, {3723000, "1h2m"}, {86400000, "1d"}, {90000000, "1d1h"},
        {86460000, "1d"}, {INT64_C(8640000000), "100d"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sw_buf buf;
        sw_buf_init(&buf, 40);
        sw_duration_add(&buf, rows[i].ms * SW_NS_PER_MS);
        assert_string_equal(sw_buf_text(&buf), rows[i].text);
        sw_buf_fini(&buf);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_times),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_accepted_forms),
        cmocka_unit_test(test_refused_forms),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
