#include "agent/base/time_text.h"
#include "agent/event.h"
#include "tests/support/unit.h"

static void
users_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text, *user, *domain;
    } cases[] = {
        {"alice", "alice", ""},
        {"EXAMPLE\\alice", "alice", "EXAMPLE"},
        {"alice@example.com", "alice", "example.com"},
        {"EXAMPLE\\alice@home", "alice@home", "EXAMPLE"},
        {"a@b@example.com", "a@b", "example.com"},
        {"a\\b\\c", "b\\c", "a"},
        {"\\alice", "alice", ""},
        {"EXAMPLE\\", "EXAMPLE\\", ""},
        {"\\", "\\", ""},
        {"@example.com", "@example.com", ""},
        {"alice@", "alice@", ""},
        {"@", "@", ""},
        {"", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sw_str user;
        struct sw_str domain;
        sw_event_split_user(sw_str_of(cases[i].text), &user, &domain);
        assert_true(sw_str_is(user, cases[i].user));
        assert_true(sw_str_is(domain, cases[i].domain));
    }
}

static void
clients_are_normalised(void **state)
{
    (void)state;
    static const struct {
        const char *text, *client;
    } cases[] = {
        {"10.0.0.5", "10.0.0.5"},
        {"\\\\10.0.0.5", "10.0.0.5"},
        {"\\\\[fe80::1%4]", "fe80::1%4"},
        {"[2001:db8::5]", "2001:db8::5"},
        {"  \\\\WS-07\t ", "WS-07"},
        {"[half", "[half"},
        {"half]", "half]"},
        {"a b", "a b"},
        {"\\\\", ""},
        {"[]", ""},
        {" ", ""},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(sw_str_is(sw_event_normal_client(sw_str_of(cases[i].text)), cases[i].client));
    }
}

static void
addresses_are_told_from_names(void **state)
{
    (void)state;
    static const char *const addresses[] = {"0.0.0.0", "10.0.0.5", "255.255.255.255", "::", "::1",
        "1::", "fe80::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "2001:DB8::A",
        "::ffff:10.0.0.5", "1:2:3:4:5:6:10.0.0.5", "::10.0.0.5"};
    static const char *const names[] = {"", "ws-07", "10.0.0", "10.0.0.5.6", "10.0.0.256",
        "10.0.0.05", "10.0.0.", ".10.0.0", "10..0.5", "10.0.0.5 ", "+1.0.0.5", "1.2.3.4567", ":",
        ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
        "12345::", "g::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "10.0.0.5::", "::10.0.0.256",
        "1:2:3:4:5:6:7:10.0.0.5", "fe80::1%", "10.0.0.5%eth0", "%eth0", "face", "1:::2"};
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        struct sw_str address = sw_str_of(addresses[i]);
        if (!sw_str_equal(sw_event_client_address(address), address)) {
            fail_msg("'%s' is an address", addresses[i]);
        }
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (sw_event_client_is_ip(sw_str_of(names[i]))) {
            fail_msg("'%s' is no address", names[i]);
        }
    }
}

static void
a_scope_is_no_part_of_the_address(void **state)
{
    (void)state;
    assert_true(sw_str_is(sw_event_client_address(SW_STR("fe80::1%eth0")), "fe80::1"));
    assert_true(sw_event_client_is_ip(SW_STR("fe80::1%4")));
}

#define AT(s) (INT64_C(1795364777724000000) + (s)*SW_NS_PER_S)

static struct sw_event
event_of(enum sw_event_kind kind)
{
    struct sw_event event;
    sw_event_init(&event, kind);
    event.created_ns = AT(0);
    event.source = SW_STR("local");
    event.server = SW_STR("fs01");
    return event;
}

static void
check_message(const struct sw_event *event, const char *expected)
{
    struct sw_buf buf;
    sw_buf_init(&buf, SW_EVENT_SIZE_MAX);
    sw_event_message(event, &buf);
    assert_string_equal(sw_buf_text(&buf), expected);
    sw_buf_fini(&buf);
}

static void
sessions_are_told_in_one_sentence(void **state)
{
    (void)state;
    struct sw_event event = event_of(SW_EVENT_SESSION_OPENED);
    check_message(&event, "somebody without a name opened a session on fs01");
    event.user = SW_STR("alice");
    event.client = SW_STR("10.0.0.5");
    check_message(&event, "alice opened a session on fs01 from 10.0.0.5");
    event.guest = 1;
    event.baseline = 1;
    check_message(
        &event, "alice opened a session on fs01 from 10.0.0.5 as guest (found by the first look)");

    event.kind = SW_EVENT_SESSION_CLOSED;
    event.duration_ns = 3725 * SW_NS_PER_S;
    event.reason = SW_STR("gone");
    check_message(&event, "alice closed a session on fs01 from 10.0.0.5 after 1h2m");
    event.reason = SW_STR("server_stopped");
    check_message(&event,
        "alice closed a session on fs01 from 10.0.0.5 after 1h2m (the file server stopped)");
    event.reason = SW_STR("noticed_after_gap");
    check_message(&event, "alice closed a session on fs01 from 10.0.0.5 after 1h2m (noticed after "
                          "a time without looks)");
    event.reason = SW_STR("user_changed");
    check_message(&event,
        "alice closed a session on fs01 from 10.0.0.5 after 1h2m (another user took it over)");

    event.kind = SW_EVENT_SESSION_CHANGED;
    event.changed = SW_STR("opens,idle");
    event.opens = 1;
    event.idle_s = 300;
    check_message(&event, "alice has a changed session on fs01 from 10.0.0.5: opens,idle; 1 open "
                          "file; idle for 5m");
    event.opens = 1234567;
    event.idle_s = INT64_MAX;
    check_message(&event, "alice has a changed session on fs01 from 10.0.0.5: opens,idle; "
                          "1,234,567 open files");
}

static void
sources_are_told_with_what_to_look_at(void **state)
{
    (void)state;
    struct sw_event event = event_of(SW_EVENT_SOURCE_UNREACHABLE);
    event.error_text = SW_STR("smbstatus ended with status 1");
    check_message(&event, "source local is unreachable: smbstatus ended with status 1 (no "
                          "complete look so far)");
    event.start_ns = AT(-60);
    check_message(&event, "source local is unreachable: smbstatus ended with status 1 (last "
                          "complete look 2026-11-22T16:25:17.724Z)");
    event.kind = SW_EVENT_SOURCE_RECOVERED;
    check_message(&event, "source local answers again");
    event.duration_ns = 300 * SW_NS_PER_S;
    check_message(&event, "source local answers again after 5m");

    event = event_of(SW_EVENT_SOURCE_CHANGED);
    event.old_server = SW_STR("fs00");
    event.count = 17;
    check_message(&event,
        "source local is pointed elsewhere: fs01 instead of fs00; new baseline of 17 sessions");
    event.old_server = SW_STR("fs01");
    event.detail = SW_STR("its ignore list is another one");
    check_message(&event, "source local is pointed elsewhere: its ignore list is another one; new "
                          "baseline of 17 sessions");

    event = event_of(SW_EVENT_SOURCE_FLOODED);
    event.count = 812;
    check_message(&event, "source local is flooded: 812 connections are half open");
    event.opened = 4000;
    event.closed = 1;
    event.altered = 0;
    check_message(
        &event, "source local is flooded: not told one by one: 4,000 opened, 1 closed, 0 changed");
}

static void
the_agent_tells_about_itself(void **state)
{
    (void)state;
    struct sw_event event = event_of(SW_EVENT_AGENT_STARTED);
    event.clean_stop = 1;
    check_message(&event, "sharewatch started");
    event.clean_stop = 0;
    check_message(&event, "sharewatch started; it had not been stopped cleanly");
    event = event_of(SW_EVENT_AGENT_STOPPED);
    event.detail = SW_STR("asked to");
    check_message(&event, "sharewatch stopped: asked to");
    event = event_of(SW_EVENT_AGENT_RELOADED);
    check_message(&event, "sharewatch took a new configuration");
    event.error_text = SW_STR("/etc/x:1:1: bad");
    check_message(&event,
        "sharewatch could not take the new configuration: /etc/x:1:1: bad");
    event = event_of(SW_EVENT_AGENT_ALIVE);
    check_message(&event, "sharewatch is alive");
    event = event_of(SW_EVENT_JOURNAL_REPLACED);
    event.count = 12;
    check_message(&event, "the journal was damaged and has been replaced; 12 events were saved");
}

static void
drops_are_told_with_their_range(void **state)
{
    (void)state;
    struct sw_event event = event_of(SW_EVENT_EVENTS_DROPPED);
    event.sink = SW_STR("siem");
    event.count = 1;
    check_message(&event, "1 event of sink siem was dropped");
    event.count = 1234;
    event.first_sequence = 5;
    event.last_sequence = 1238;
    event.detail = SW_STR("journal_max reached");
    check_message(
        &event, "1,234 events of sink siem were dropped (sequence 5 to 1238): journal_max reached");
    event.count = -5;
    check_message(
        &event, "0 events of sink siem were dropped (sequence 5 to 1238): journal_max reached");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_split),
        cmocka_unit_test(clients_are_normalised),
        cmocka_unit_test(addresses_are_told_from_names),
        cmocka_unit_test(a_scope_is_no_part_of_the_address),
        cmocka_unit_test(sessions_are_told_in_one_sentence),
        cmocka_unit_test(sources_are_told_with_what_to_look_at),
        cmocka_unit_test(the_agent_tells_about_itself),
        cmocka_unit_test(drops_are_told_with_their_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
