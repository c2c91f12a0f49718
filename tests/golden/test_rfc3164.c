/* RFC 3164 against golden files, and its header: what the format leaves to the reader's guess. */
#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "sinks/format/syslog.h"
#include "tests/golden/cases.h"
#include "tests/support/unit.h"

#include <time.h>

#define HALF_PAST_FIVE (5 * 3600 + 1800)

static void
records_are_as_they_were(void **state)
{
    static const struct sw_syslog_options options = {
        .facility = 16, .enterprise_id = 32473, .max_size = 1024, .zone_s = HALF_PAST_FIVE};
    (void)state;
    golden_compare("rfc3164", ".txt", &sw_format_rfc3164, &options);
}

static void
write_alive(struct sw_buf *buf, struct sw_str host, const char *at, int64_t zone_s)
{
    const struct sw_syslog_options options = {
        .facility = 4, .enterprise_id = 32473, .max_size = 1024, .zone_s = zone_s};
    struct sw_format_context context = golden_context();
    struct sw_event event = golden_cases[golden_find("agent_alive")].event();
    const struct sw_format_record record = {&event, 1, 1};
    context.agent_name = host;
    event.created_ns = SW_EVENT_NONE;
    assert_true(at == NULL || sw_time_parse(sw_str_of(at), &event.created_ns));
    sw_buf_init(buf, 65536);
    assert_true(sw_format_rfc3164.write(&record, &options, &context, buf));
}

static void
assert_header(struct sw_str host, const char *at, int64_t zone_s, const char *expected)
{
    struct sw_buf buf;
    write_alive(&buf, host, at, zone_s);
    if (!sw_str_starts((struct sw_str){buf.data, buf.size}, expected)) {
        fail_msg("not '%s': %s", expected, buf.data);
    }
    sw_buf_fini(&buf);
}

/* §4.1.2: English months, the day padded with a blank, no year, the zone that was asked for. */
static void
times_are_in_the_zone(void **state)
{
    struct sw_str host = SW_STR("fs01");
    (void)state;
    assert_header(host, "2026-11-22T14:26:17.999Z", 0, "<38>Nov 22 14:26:17 fs01 sharewatch: ");
    assert_header(host, "2026-01-01T00:00:00Z", -1, "<38>Dec 31 23:59:59 fs01 sharewatch: ");
    assert_header(host, "2028-02-28T20:00:00Z", HALF_PAST_FIVE, "<38>Feb 29 01:30:00 fs01 ");
    assert_header(host, "2026-09-09T09:09:09Z", 0, "<38>Sep  9 09:09:09 fs01 ");
    assert_header(host, NULL, 0, "<38>Jan  1 00:00:00 fs01 ");
    assert_header(host, "2261-12-31T00:00:00Z", 86400, "<38>Jan  1 00:00:00 fs01 ");
}

static void
every_month_has_its_name(void **state)
{
    static const char *const months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(months); i++) {
        char at[32];
        char expected[32];
        snprintf(at, sizeof(at), "2026-%02zu-15T01:02:03Z", i + 1);
        snprintf(expected, sizeof(expected), "<38>%s 15 01:02:03 fs01 ", months[i]);
        assert_header(SW_STR("fs01"), at, 0, expected);
    }
}

/* A zone that is one hour east of UTC in winter and two in summer. */
static void
local_zone_knows_summer(void **state)
{
    int64_t winter_ns;
    int64_t summer_ns;
    (void)state;
    assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
    tzset();
    assert_true(sw_time_parse(SW_STR("2026-01-10T12:00:00Z"), &winter_ns));
    assert_true(sw_time_parse(SW_STR("2026-07-10T12:00:00Z"), &summer_ns));
    assert_int_equal(sw_clock_local_offset_s(winter_ns), 3600);
    assert_int_equal(sw_clock_local_offset_s(summer_ns), 7200);
    assert_header(SW_STR("fs01"), "2026-01-10T12:00:00Z", SW_SYSLOG_ZONE_LOCAL, "<38>Jan 10 13:");
    assert_header(SW_STR("fs01"), "2026-07-10T12:00:00Z", SW_SYSLOG_ZONE_LOCAL, "<38>Jul 10 14:");
    /* Just before summer time begins, and at that moment. */
    assert_header(
        SW_STR("fs01"), "2026-03-29T00:59:59.9Z", SW_SYSLOG_ZONE_LOCAL, "<38>Mar 29 01:59:59 ");
    assert_header(
        SW_STR("fs01"), "2026-03-29T01:00:00Z", SW_SYSLOG_ZONE_LOCAL, "<38>Mar 29 03:00:00 ");
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void
hosts_have_no_domain(void **state)
{
    const char *at = "2026-11-22T14:26:17Z";
    (void)state;
    assert_header(SW_STR("fs01.example.com"), at, 0, "<38>Nov 22 14:26:17 fs01 sharewatch: ");
    assert_header(SW_STR("10.0.0.5"), at, 0, "<38>Nov 22 14:26:17 10.0.0.5 sharewatch: ");
    assert_header(SW_STR("fe80::1"), at, 0, "<38>Nov 22 14:26:17 fe80::1 sharewatch: ");
    assert_header(SW_STR(""), at, 0, "<38>Nov 22 14:26:17 - sharewatch: ");
    assert_header(SW_STR("my host\n"), at, 0, "<38>Nov 22 14:26:17 my_host_ sharewatch: ");
}

/* Who looks for user="…" must find ours first, whatever a name holds. */
static void
sentences_forge_no_pairs(void **state)
{
    static const struct sw_syslog_options options = {.facility = 16, .max_size = 4096};
    struct sw_format_context context = golden_context();
    struct sw_event event = golden_cases[golden_find("session_opened")].event();
    struct sw_buf buf;
    (void)state;
    event.user = SW_STR("x user=\"root\" id=\"1\" client=10.9.9.9");
    const struct sw_format_record record = {&event, 1, 1};
    sw_buf_init(&buf, 65536);
    assert_true(sw_format_rfc3164.write(&record, &options, &context, &buf));
    assert_contains(buf.data, "sharewatch: x user:'root' id:'1' client:10.9.9.9 opened a session");
    assert_contains(buf.data,
        " user=\"x user=\\\"root\\\" id=\\\"1\\\" client=10.9.9.9\" client=\"10.0.0.5\" ");
    const char *first = strchr(buf.data, '=');
    assert_int_equal(strncmp(first - 3, " id=\"10111213-", 14), 0);
    sw_buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_as_they_were),
        cmocka_unit_test(times_are_in_the_zone),
        cmocka_unit_test(every_month_has_its_name),
        cmocka_unit_test(local_zone_knows_summer),
        cmocka_unit_test(hosts_have_no_domain),
        cmocka_unit_test(sentences_forge_no_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
