/* The tests' own reader refuses what RFC 5424 does not allow: else it would prove nothing. */
#include "tests/support/rfc5424_reader.h"
#include "tests/support/unit.h"

#define BOM    "\xEF\xBB\xBF"
#define HEADER "<133>1 2026-01-02T03:04:05.678901Z fs01 sharewatch - SESSION_OPENED "

static void
assert_read(struct sw_str bytes, const char *wrong)
{
    struct rfc5424_message message;
    const char *said = rfc5424_read(&message, bytes);
    if ((said != NULL) != (wrong != NULL) || (said != NULL && strstr(said, wrong) == NULL)) {
        fail_msg("'%s', not '%s': %.*s", said != NULL ? said : "right",
            wrong != NULL ? wrong : "right", (int)bytes.size, bytes.data);
    }
    rfc5424_fini(&message);
}

static void
right_messages_are_taken_apart(void **state)
{
    struct rfc5424_message message;
    (void)state;
    assert_null(rfc5424_read(
        &message, SW_STR(HEADER "[meta sequenceId=\"7\"][sharewatch@32473 user=\"EX\\\\al\\]ice\" "
                                "note=\"q\\\"q\" empty=\"\"] " BOM "caf\xC3\xA9")));
    assert_int_equal(message.facility, 16);
    assert_int_equal(message.severity, 5);
    assert_true(sw_str_is(message.timestamp, "2026-01-02T03:04:05.678901Z"));
    assert_true(sw_str_is(message.host, "fs01"));
    assert_true(sw_str_is(message.app, "sharewatch"));
    assert_true(sw_str_is(message.procid, "-"));
    assert_true(sw_str_is(message.msgid, "SESSION_OPENED"));
    assert_int_equal(message.count, 4);
    assert_true(sw_str_is(rfc5424_find(&message, "user")->value, "EX\\al]ice"));
    assert_true(sw_str_is(rfc5424_find(&message, "user")->raw, "user=\"EX\\\\al\\]ice\""));
    assert_true(sw_str_is(rfc5424_find(&message, "user")->id, "sharewatch@32473"));
    assert_true(sw_str_is(rfc5424_find(&message, "note")->value, "q\"q"));
    assert_true(sw_str_is(rfc5424_find(&message, "empty")->value, ""));
    assert_null(rfc5424_find(&message, "nobody"));
    assert_true(message.has_msg);
    assert_true(sw_str_is(message.msg, "caf\xC3\xA9"));
    rfc5424_fini(&message);
    assert_read(SW_STR("<0>1 - - - - - -"), NULL);
    assert_read(SW_STR("<191>1 2026-01-02T03:04:05-23:59 - - - - [meta]"), NULL);
}

static void
wrong_messages_are_refused(void **state)
{
    static const struct {
        struct sw_str bytes;
        const char *wrong;
    } rows[] = {
#define ROW(text, wrong) {{text, sizeof(text) - 1}, wrong}
        ROW("", "PRI"),
        ROW("133>1 - - - - - -", "PRI"),
        ROW("<192>1 - - - - - -", "PRI"),
        ROW("<013>1 - - - - - -", "PRI"),
        ROW("<00>1 - - - - - -", "PRI"),
        ROW("<>1 - - - - - -", "PRI"),
        ROW("<13>2 - - - - - -", "VERSION"),
        ROW("<13>1  - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-13-02T03:04:05Z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-32T03:04:05Z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02T24:04:05Z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02T03:04:60Z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02 03:04:05Z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02T03:04:05z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02T03:04:05.Z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02T03:04:05.1234567Z - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02T03:04:05+0100 - - - - -", "TIMESTAMP"),
        ROW("<13>1 2026-01-02T03:04:05 - - - - -", "TIMESTAMP"),
        ROW("<13>1 -  sharewatch - - -", "HOSTNAME"),
        ROW("<13>1 - h\xC3\xB6st - - - -", "HOSTNAME"),
        ROW("<13>1 - - 1234567890123456789012345678901234567890123456789 - - -", "APP-NAME"),
        ROW("<13>1 - - -  - -", "PROCID"),
        ROW("<13>1 - - - - 123456789012345678901234567890123 -", "MSGID"),
        ROW("<13>1 - - - - -", "MSGID"),
        ROW("<13>1 - - - - - ", "STRUCTURED-DATA"),
        ROW("<13>1 - - - - - x", "STRUCTURED-DATA"),
        ROW("<13>1 - - - - - -x", "behind"),
        ROW(HEADER "[]", "SD-NAME"),
        ROW(HEADER "[ meta]", "SD-NAME"),
        ROW(HEADER "[mine x=\"\"]", "registered"),
        ROW(HEADER "[a@ x=\"\"]", "enterprise"),
        ROW(HEADER "[a@1b x=\"\"]", "enterprise"),
        ROW(HEADER "[@1 x=\"\"]", "enterprise"),
        ROW(HEADER "[a@1][a@1]", "twice"),
        ROW(HEADER "[sharewatch@1234567890123456789012]", "SD-NAME"),
        ROW(HEADER "[meta x]", "="),
        ROW(HEADER "[meta x=1]", "\""),
        ROW(HEADER "[meta x=\"1]", "] without"),
        ROW(HEADER "[meta x=\"1", "no end"),
        ROW(HEADER "[meta x=\"1\"", "no end"),
        ROW(HEADER "[meta x=\"1\"y=\"2\"]", "no end"),
        ROW(HEADER "[meta x=\"\\n\"]", "backslash"),
        ROW(HEADER "[meta x=\"\\", "backslash"),
        ROW(HEADER "[meta x=\"\xFF\"]", "UTF-8"),
        ROW(HEADER "[meta x=\"\xC0\xAF\"]", "UTF-8"),
        ROW(HEADER "[meta x=\"a" BOM "\"]", "byte order mark"),
        ROW(HEADER "[meta] [a@1]", "byte order mark"),
        ROW(HEADER "- ", "byte order mark"),
        ROW(HEADER "- text", "byte order mark"),
        ROW(HEADER "- " BOM "\xE2\x82", "UTF-8"),
#undef ROW
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_read(rows[i].bytes, rows[i].wrong);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_messages_are_taken_apart),
        cmocka_unit_test(wrong_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
