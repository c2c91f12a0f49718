#include "agent/event.h"
#include "tests/support/unit.h"

static struct sw_buf buf;
static struct sw_err err;

static int
setup(void **state)
{
    (void)state;
    sw_buf_init(&buf, (size_t)1 << 20);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    sw_buf_fini(&buf);
    return 0;
}

static struct sw_str
stored(const struct sw_event *event)
{
    sw_buf_clear(&buf);
    sw_event_encode(event, &buf);
    assert_false(buf.failed);
    return (struct sw_str){buf.data, buf.size};
}

static struct sw_event
full_event(void)
{
    struct sw_event event;
    int64_t number = 1;
    sw_event_init(&event, SW_EVENT_SESSION_CHANGED);
#define FILL_STR(member)     event.member = SW_STR(#member);
#define FILL_INT(member)     event.member = (number = -7 * number);
#define FILL_UUID(member)    memset(event.member.bytes, sizeof(#member), sizeof(event.member.bytes));
#define X(tag, type, member) FILL_##type(member)
    SW_EVENT_FIELDS(X)
#undef X
    return event;
}

static void
assert_same(const struct sw_event *a, const struct sw_event *b)
{
    assert_int_equal(a->kind, b->kind);
#define SAME_STR(member)                                                                           \
    assert_true(sw_str_equal(a->member, b->member));                                               \
    assert_true((a->member.data == NULL) == (b->member.data == NULL));
#define SAME_INT(member)     assert_int_equal(a->member, b->member);
#define SAME_UUID(member)    assert_int_equal(sw_uuid_compare(&a->member, &b->member), 0);
#define X(tag, type, member) SAME_##type(member)
    SW_EVENT_FIELDS(X)
#undef X
}

static void
every_field_comes_back(void **state)
{
    (void)state;
    struct sw_event event = full_event();
    struct sw_event back;
    assert_true(sw_event_decode(&back, stored(&event), &err));
    assert_same(&event, &back);
}

static void
missing_stays_missing_and_empty_stays_empty(void **state)
{
    (void)state;
    struct sw_event event;
    struct sw_event back;
    sw_event_init(&event, SW_EVENT_AGENT_ALIVE);
    event.user = SW_STR("");
    event.opens = 0;
    assert_int_equal(stored(&event).size, 2 + 2 + 3);
    assert_true(sw_event_decode(&back, (struct sw_str){buf.data, buf.size}, &err));
    assert_same(&event, &back);
    assert_non_null(back.user.data);
    assert_null(back.client.data);
    assert_int_equal(back.idle_s, SW_EVENT_NONE);
}

static void
extreme_numbers_come_back(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN + 1};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct sw_event event;
        struct sw_event back;
        sw_event_init(&event, SW_EVENT_EVENTS_DROPPED);
        event.count = numbers[i];
        assert_true(sw_event_decode(&back, stored(&event), &err));
        assert_int_equal(back.count, numbers[i]);
    }
}

/* Written by version 1; changing how it looks makes stored journals unreadable. */
static void
the_stored_form_never_changes(void **state)
{
    (void)state;
    struct sw_event event;
    sw_event_init(&event, SW_EVENT_SESSION_OPENED);
    event.created_ns = 1000;
    event.source = SW_STR("local");
    event.old_server = SW_STR("x");
    stored(&event);
    assert_buf(&buf, "\x01\x01\x02\x02\xD0\x0F\x03\x05local\x21\x01x");
}

static void
strings_are_cut_at_a_code_point(void **state)
{
    (void)state;
    char text[SW_EVENT_STRING_MAX + 1];
    struct sw_event event;
    struct sw_event back;
    memset(text, 'a', sizeof(text));
    memcpy(text + SW_EVENT_STRING_MAX - 1, "\xC3\xA9", 2);
    sw_event_init(&event, SW_EVENT_SESSION_OPENED);
    event.user = (struct sw_str){text, SW_EVENT_STRING_MAX};
    assert_true(sw_event_decode(&back, stored(&event), &err));
    assert_int_equal(back.user.size, SW_EVENT_STRING_MAX);
    event.user.size = sizeof(text);
    assert_true(sw_event_decode(&back, stored(&event), &err));
    assert_int_equal(back.user.size, SW_EVENT_STRING_MAX - 1);
}

static void
an_event_never_passes_its_maximum(void **state)
{
    (void)state;
    static char text[SW_EVENT_STRING_MAX];
    struct sw_event event = full_event();
    struct sw_event back;
    memset(text, 'a', sizeof(text));
#define LONG_STR(member) event.member = (struct sw_str){text, sizeof(text)};
#define LONG_INT(member)
#define LONG_UUID(member)
#define X(tag, type, member) LONG_##type(member)
    SW_EVENT_FIELDS(X)
#undef X
    assert_true(stored(&event).size <= SW_EVENT_SIZE_MAX);
    assert_true(sw_event_decode(&back, (struct sw_str){buf.data, buf.size}, &err));
    /* Names (snapshot.h keeps up to 4 KiB of them) are whole even then. */
    assert_true(back.user.size >= 4096 && back.old_server.size >= 4096);
}

static void
a_buffer_that_is_full_says_so_and_stays(void **state)
{
    (void)state;
    struct sw_event event = full_event();
    sw_buf_init(&buf, 100);
    sw_buf_add_text(&buf, "x");
    sw_event_encode(&event, &buf);
    assert_true(buf.failed);
    assert_buf(&buf, "x");
}

static void
tags_of_a_newer_version_are_passed_over(void **state)
{
    (void)state;
    struct sw_event back;
    const struct sw_str newer = SW_STR("\x01\x0B\x03\x01s\x7F\x02zz\xFF\x00");
    assert_true(sw_event_decode(&back, (struct sw_str){newer.data, newer.size}, &err));
    assert_int_equal(back.kind, SW_EVENT_AGENT_ALIVE);
    assert_true(sw_str_is(back.source, "s"));
}

static void
what_no_version_wrote_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct sw_str bytes;
        const char *why;
    } cases[] = {
        {{NULL, 0}, "0 bytes"}, {{"\x01", 1}, "1 bytes"}, {{"\x02\x01", 2}, "version 2"},
        {{"\x01\x00", 2}, "unknown kind 0"}, {{"\x01\x0E", 2}, "unknown kind 14"},
        {{"\x01\xFF", 2}, "unknown kind 255"}, {{"\x01\x01\x00\x00", 4}, "byte 2"}, /* tag 0 */
        {{"\x01\x01\x03\x00\x03\x00", 6}, "byte 4"},                                /* twice */
        {{"\x01\x01\x06\x00\x03\x00", 6}, "byte 4"},                                /* order */
        {{"\x01\x01\x03", 3}, "byte 2"},                                            /* no size */
        {{"\x01\x01\x03\x02x", 5}, "byte 2"},        /* past the end */
        {{"\x01\x01\x03\x81\x00x", 6}, "byte 2"},    /* size not in its shortest form */
        {{"\x01\x01\x02\x00", 4}, "byte 2"},         /* a number without bytes */
        {{"\x01\x01\x02\x02\x80\x00", 6}, "byte 2"}, /* not the shortest form */
        {{"\x01\x01\x02\x02\x01\x01", 6}, "byte 2"}, /* bytes left over */
        {{"\x01\x01\x01\x01x", 5}, "byte 2"},        /* a short id */
        {{"\x01\x01\x02\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 14}, "byte 2"}, /* none */
        {{"\x01\x01\x02\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x03", 14}, "byte 2"}, /* 65 bits */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sw_event back;
        assert_false(sw_event_decode(&back, cases[i].bytes, &err));
        assert_contains(err.text, cases[i].why);
    }
}

static void
a_cut_event_is_refused_or_is_shorter_by_whole_fields(void **state)
{
    (void)state;
    struct sw_event event = full_event();
    struct sw_str whole = stored(&event);
    size_t read = 0;
    for (size_t size = 0; size < whole.size; size++) {
        struct sw_event back;
        read += sw_event_decode(&back, (struct sw_str){whole.data, size}, &err);
    }
    size_t fields = 0;
#define X(tag, type, member) fields++;
    SW_EVENT_FIELDS(X)
#undef X
    assert_int_equal(read, fields);
}

static void
kinds_are_told_by_one_table(void **state)
{
    (void)state;
    const struct sw_event_kind_info *info = sw_event_kind_info(SW_EVENT_SESSION_CLOSED);
    assert_int_equal(info->kind, SW_EVENT_SESSION_CLOSED);
    assert_string_equal(info->name, "session.closed");
    assert_string_equal(info->msgid, "SESSION_CLOSED");
    assert_int_equal(info->severity, 6);
    assert_int_equal(sw_event_kind_info(SW_EVENT_EVENTS_DROPPED)->kind, SW_EVENT_EVENTS_DROPPED);
    assert_null(sw_event_kind_info(0));
    assert_null(sw_event_kind_info(-1));
    assert_null(sw_event_kind_info(14));
}

static void
a_refused_reload_is_a_failure(void **state)
{
    (void)state;
    struct sw_event event;
    sw_event_init(&event, SW_EVENT_AGENT_RELOADED);
    assert_string_equal(sw_event_outcome(&event), "success");
    event.error_text = SW_STR("bad");
    assert_string_equal(sw_event_outcome(&event), "failure");
    event.kind = SW_EVENT_SESSION_CLOSED;
    assert_string_equal(sw_event_outcome(&event), "success");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_field_comes_back),
        TEST(missing_stays_missing_and_empty_stays_empty),
        TEST(extreme_numbers_come_back),
        TEST(the_stored_form_never_changes),
        TEST(strings_are_cut_at_a_code_point),
        TEST(an_event_never_passes_its_maximum),
        TEST(a_buffer_that_is_full_says_so_and_stays),
        TEST(tags_of_a_newer_version_are_passed_over),
        TEST(what_no_version_wrote_is_refused),
        TEST(a_cut_event_is_refused_or_is_shorter_by_whole_fields),
        TEST(kinds_are_told_by_one_table),
        TEST(a_refused_reload_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
