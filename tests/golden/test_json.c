/* The JSON format against golden files, and what its members say. */
#include "agent/base/json_read.h"
#include "tests/golden/cases.h"
#include "tests/support/unit.h"

static void
records_are_as_they_were(void **state)
{
    (void)state;
    golden_compare("json", ".json", &sw_format_json, NULL);
}

/* Whatever the names: one line, one object, no bytes that a reader may stumble over. */
static void
records_are_one_clean_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < golden_cases_count; i++) {
        struct sw_buf buf;
        struct sw_json json;
        assert_true(golden_format(i, &sw_format_json, NULL, &buf));
        for (size_t at = 0; at < buf.size; at++) {
            unsigned char byte = (unsigned char)buf.data[at];
            assert_true(byte >= 0x20 && byte != 0x7F);
        }
        assert_true(sw_utf8_is_valid((struct sw_str){buf.data, buf.size}));
        assert_int_equal(strncmp(buf.data, "{\"@timestamp\":\"", 15), 0);
        sw_json_init(&json, buf.data, buf.size);
        assert_true(sw_json_skip(&json));
        assert_int_equal(sw_json_next(&json), SW_JSON_END);
        sw_json_fini(&json);
        sw_buf_fini(&buf);
    }
}

/* The value of a member by its path ("source.ip"); false when it is not there. */
static bool
find_member(const struct sw_buf *buf, const char *path, struct sw_buf *value)
{
    struct sw_json json;
    bool found = false;
    sw_buf_clear(value);
    sw_json_init(&json, buf->data, buf->size);
    assert_int_equal(sw_json_next(&json), SW_JSON_OBJECT);
    while (!found && sw_json_next_key(&json)) {
        size_t size = strcspn(path, ".");
        if (!sw_str_equal(json.text, (struct sw_str){path, size})) {
            assert_true(sw_json_skip(&json));
        } else if (path[size] == '.') {
            path += size + 1;
            assert_int_equal(sw_json_next(&json), SW_JSON_OBJECT);
        } else {
            found = true;
            if (sw_json_next(&json) == SW_JSON_STRING) {
                sw_buf_add(value, json.text.data, json.text.size);
            }
        }
    }
    sw_json_fini(&json);
    return found;
}

static void
assert_member(const char *name, const char *path, const char *expected)
{
    struct sw_buf buf;
    struct sw_buf value;
    golden_format(golden_find(name), &sw_format_json, NULL, &buf);
    sw_buf_init(&value, 4096);
    bool found = find_member(&buf, path, &value);
    if (found != (expected != NULL) || (found && strcmp(sw_buf_text(&value), expected) != 0)) {
        fail_msg("%s: %s is '%s', not '%s'", name, path, found ? sw_buf_text(&value) : "missing",
            expected != NULL ? expected : "missing");
    }
    sw_buf_fini(&buf);
    sw_buf_fini(&value);
}

static void
members_mean_what_the_readme_says(void **state)
{
    (void)state;
    assert_member("session_opened", "event.action", "session-opened");
    assert_member("session_opened", "user.name", "alice");
    assert_member("session_opened", "user.domain", "EXAMPLE");
    assert_member("session_opened", "sharewatch.session.user", "EXAMPLE\\alice");
    assert_member("session_opened", "source.ip", "10.0.0.5");
    assert_member("session_opened", "source.domain", NULL);
    assert_member("session_opened", "observer.hostname", NULL);
    assert_member("session_opened", "network.protocol", "smb");
    assert_member("session_opened_bare", "source.domain", "WS-07");
    assert_member("session_opened_bare", "source.ip", NULL);
    assert_member("session_opened_bare", "user.domain", "example.com");
    assert_member("session_opened_bare", "host.name", "nas7.example.com");
    assert_member("session_opened_bare", "observer.hostname", "fs01");
    assert_member("session_opened_bare", "sharewatch.session.opens", NULL);
    /* Elasticsearch takes no scope in an ip; FS01.Example.COM is the fs01 we run on. */
    assert_member("session_opened_scope", "source.ip", "fe80::1");
    assert_member("session_opened_scope", "source.address", "fe80::1%eth0");
    assert_member("session_opened_scope", "observer.hostname", NULL);
    assert_member("session_opened_scope", "user.name", NULL);
    assert_member("session_opened_scope", "sharewatch.session.user", "");
    assert_member("source_unreachable", "error.code", "5");
    assert_member("source_unreachable", "network.protocol", NULL);
    assert_member("source_unreachable", "sharewatch.session.id", NULL);
    assert_member("source_unreachable_new", "host.name", NULL);
    assert_member("source_unreachable_new", "observer.hostname", "fs01");
    assert_member("agent_started", "host.name", "fs01");
    assert_member("agent_started", "agent.name", "fs01");
    assert_member("agent_reloaded", "event.outcome", "success");
    assert_member("agent_reloaded_bad", "event.outcome", "failure");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_as_they_were),
        cmocka_unit_test(records_are_one_clean_line),
        cmocka_unit_test(members_mean_what_the_readme_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
