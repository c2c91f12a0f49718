/* RFC 5424 against golden files, and what a strict reader finds in them. */
#include "agent/base/time_text.h"
#include "sinks/format/syslog.h"
#include "tests/golden/cases.h"
#include "tests/support/rfc5424_reader.h"
#include "tests/support/unit.h"

static const struct sw_syslog_options usual = {
    .facility = 16, .enterprise_id = 32473, .max_size = 2048};

static void
records_are_as_they_were(void **state)
{
    (void)state;
    golden_compare("rfc5424", ".txt", &sw_format_rfc5424, &usual);
}

static void
read_strictly(struct rfc5424_message *message, const struct sw_buf *buf, const char *name)
{
    const char *wrong = rfc5424_read(message, (struct sw_str){buf->data, buf->size});
    if (wrong != NULL) {
        fail_msg("%s: %s: %s", name, wrong, buf->data);
    }
}

static void
headers_say_what_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < golden_cases_count; i++) {
        struct rfc5424_message message;
        struct sw_buf buf;
        struct sw_event event = golden_cases[i].event();
        const struct sw_event_kind_info *kind = sw_event_kind_info((int)event.kind);
        (void)golden_format(i, &sw_format_rfc5424, &usual, &buf);
        read_strictly(&message, &buf, golden_cases[i].name);
        assert_int_equal(message.facility, 16);
        assert_int_equal(message.severity, kind->severity);
        assert_true(sw_str_is(message.timestamp, "2026-11-22T16:26:17.724Z"));
        assert_true(sw_str_is(message.host, "fs01"));
        assert_true(sw_str_is(message.app, "sharewatch"));
        assert_true(sw_str_is(message.procid, "-"));
        assert_true(sw_str_is(message.msgid, kind->msgid));
        assert_true(sw_str_is(rfc5424_find(&message, "sequenceId")->id, "meta"));
        assert_true(sw_str_is(rfc5424_find(&message, "id")->id, "sharewatch@32473"));
        rfc5424_fini(&message);
        sw_buf_fini(&buf);
    }
}

/* Every case but the one made for it fits 2 KiB. */
static void
only_what_is_too_long_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < golden_cases_count; i++) {
        struct sw_buf buf;
        bool is_long = strcmp(golden_cases[i].name, "hostile_long") == 0;
        assert_int_equal(golden_format(i, &sw_format_rfc5424, &usual, &buf), !is_long);
        sw_buf_fini(&buf);
    }
}

static void
assert_param(const char *name, const char *param, const char *expected)
{
    struct rfc5424_message message;
    struct sw_buf buf;
    (void)golden_format(golden_find(name), &sw_format_rfc5424, &usual, &buf);
    read_strictly(&message, &buf, name);
    const struct rfc5424_param *found = rfc5424_find(&message, param);
    if ((found != NULL) != (expected != NULL) ||
        (found != NULL && !sw_str_is(found->value, expected))) {
        fail_msg("%s: %s is not '%s': %s", name, param, expected, buf.data);
    }
    rfc5424_fini(&message);
    sw_buf_fini(&buf);
}

static void
params_mean_what_the_header_says(void **state)
{
    (void)state;
    assert_param("session_opened", "id", "10111213-1415-1617-1819-1a1b1c1d1e1f");
    assert_param("session_opened", "seq", "42");
    assert_param("session_opened", "journal", "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
    assert_param("session_opened", "session", "80818283-8485-8687-8889-8a8b8c8d8e8f");
    assert_param("session_opened", "sequenceId", "1");
    assert_param("session_opened", "source", "local");
    assert_param("session_opened", "server", "fs01");
    assert_param("session_opened", "user", "alice");
    assert_param("session_opened", "domain", "EXAMPLE");
    assert_param("session_opened", "client", "10.0.0.5");
    assert_param("session_opened", "start", "2026-11-22T15:24:12.724Z");
    assert_param("session_opened", "end", NULL);
    assert_param("session_opened", "opens", "2");
    assert_param("session_opened", "idle", "0");
    assert_param("session_opened", "guest", "false");
    assert_param("session_opened", "baseline", "true");
    assert_param("session_opened", "start_from", "server");
    assert_param("session_opened", "native_id", "186162");
    assert_param("session_opened", "client_type", "SMB3_11");
    assert_param("session_opened", "transport", "");
    assert_param("session_opened", "outcome", NULL);
    assert_param("session_opened_bare", "user", "bob");
    assert_param("session_opened_bare", "domain", "example.com");
    assert_param("session_opened_bare", "transport", NULL);
    assert_param("session_opened_scope", "client", "fe80::1%eth0");
    assert_param("session_opened_scope", "user", NULL);
    assert_param("session_opened_scope", "guest", "true");
    assert_param("session_closed", "end", "2026-11-22T16:25:47.724Z");
    assert_param("session_closed", "duration", "3695000000000");
    assert_param("session_closed", "reason", "gone");
    assert_param("session_closed", "gone_by", "2026-11-22T16:26:17.724Z");
    assert_param("session_changed", "changed", "opens,idle");
    assert_param("session_changed", "idle", "600");
    assert_param("source_unreachable", "error", "access denied");
    assert_param("source_unreachable", "error_code", "5");
    assert_param("source_unreachable", "session", NULL);
    assert_param("source_unreachable_new", "server", NULL);
    assert_param("source_changed", "old_server", "fs00");
    assert_param("source_changed", "count", "17");
    assert_param("source_flooded", "opened", "4000");
    assert_param("source_flooded", "closed", "1");
    assert_param("source_flooded", "altered", "0");
    assert_param("agent_started", "clean_stop", "false");
    assert_param("agent_reloaded", "outcome", "success");
    assert_param("agent_reloaded_bad", "outcome", "failure");
    assert_param("agent_reloaded_bad", "error",
        "/etc/sharewatch/sharewatch.yaml:3:5: sources.x: unknown key");
    assert_param("events_dropped", "sink", "siem");
    assert_param("events_dropped", "first_sequence", "5");
    assert_param("events_dropped", "last_sequence", "1238");
    assert_param("hostile_quotes", "user", "c]d|e=f{g}<!channel> \\u0041 ${env:HOME} %n");
    assert_param("hostile_quotes", "domain", "a\"b");
    assert_param("hostile_bytes", "server",
        "fs01\xEF\xBF\xBD"
        "fs02\xEF\xBF\xBD");
}

/* One record as the caller wants it. */
static void
write_record(struct sw_buf *buf, const struct sw_format_record *record,
    const struct sw_syslog_options *options, struct sw_str host)
{
    struct sw_format_context context = golden_context();
    context.agent_name = host;
    sw_buf_init(buf, 65536);
    sw_format_rfc5424.write(record, options, &context, buf);
    assert_false(buf->failed);
}

static void
options_are_followed(void **state)
{
    (void)state;
    struct sw_event event = golden_cases[golden_find("journal_replaced")].event();
    const struct sw_format_record record = {&event, 1, 1};
    const struct sw_syslog_options options = {.facility = 0, .enterprise_id = 7, .max_size = 480};
    struct sw_buf buf;
    write_record(&buf, &record, &options, SW_STR("fs01"));
    assert_true(sw_str_starts((struct sw_str){buf.data, buf.size}, "<3>1 2026-"));
    assert_contains(buf.data, "[sharewatch@7 id=\"");
    sw_buf_fini(&buf);
}

/* §7.3.1: 1 to 2147483647, then 1 again. */
static void
sequence_ids_wrap(void **state)
{
    static const struct {
        uint64_t number;
        const char *text;
    } rows[] = {{1, "[meta sequenceId=\"1\"]"}, {2147483647, "\"2147483647\"]"},
        {2147483648, "[meta sequenceId=\"1\"]"}, {4294967294, "\"2147483647\"]"},
        {4294967295, "[meta sequenceId=\"1\"]"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sw_event event = golden_cases[golden_find("agent_alive")].event();
        const struct sw_format_record record = {&event, 1, rows[i].number};
        struct sw_buf buf;
        write_record(&buf, &record, &usual, SW_STR("fs01"));
        assert_contains(buf.data, rows[i].text);
        sw_buf_fini(&buf);
    }
}

static void
assert_header(struct sw_str host, int64_t created_ns, const char *expected)
{
    struct sw_event event = golden_cases[golden_find("agent_alive")].event();
    event.created_ns = created_ns;
    const struct sw_format_record record = {&event, 1, 1};
    struct rfc5424_message message;
    struct sw_buf buf;
    write_record(&buf, &record, &usual, host);
    read_strictly(&message, &buf, expected);
    if (!sw_str_starts((struct sw_str){buf.data, buf.size}, expected)) {
        fail_msg("not %s: %s", expected, buf.data);
    }
    rfc5424_fini(&message);
    sw_buf_fini(&buf);
}

static void
hosts_and_times_may_be_odd(void **state)
{
    static const char name[300] = {0};
    (void)state;
    assert_header(SW_STR(""), 0, "<134>1 1970-01-01T00:00:00.000Z - sharewatch - AGENT_ALIVE ");
    assert_header(SW_STR("a b\n\xC3\xA9\x7F"), 1999999,
        "<134>1 1970-01-01T00:00:00.001Z a_b____ sharewatch - AGENT_ALIVE ");
    assert_header(SW_STR("fs01.example.com"), SW_EVENT_NONE,
        "<134>1 - fs01.example.com sharewatch - AGENT_ALIVE ");
    assert_header((struct sw_str){name, sizeof(name)}, INT64_MAX,
        "<134>1 2262-04-11T23:47:16.854Z ______________________________________");
    assert_header(SW_STR("x"), INT64_MIN + 1, "<134>1 1677-09-21T00:12:43.145Z x sharewatch ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_as_they_were),
        cmocka_unit_test(headers_say_what_and_where),
        cmocka_unit_test(only_what_is_too_long_is_cut),
        cmocka_unit_test(params_mean_what_the_header_says),
        cmocka_unit_test(options_are_followed),
        cmocka_unit_test(sequence_ids_wrap),
        cmocka_unit_test(hosts_and_times_may_be_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
