/* smbstatus' JSON: recordings of a real Samba, and what strangers and accidents can make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "agent/sources/samba/smbstatus.h"

#define NOW_NS (INT64_C(1795359421) * SW_NS_PER_S) /* 2026-11-22T14:57:01Z */

struct look {
    struct sw_builder *builder;
    struct sw_snapshot *snapshot; /* NULL: the list was refused */
    struct sw_uid_names names;
    struct sw_smbstatus_counts counts;
    struct sw_err err;
};

static void
look_at(struct look *look, const char *text, size_t size)
{
    struct sw_globs none = {0};
    /* A copy of exactly this size, so that the sanitizer sees a byte too far. */
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    *look = (struct look){.builder = sw_builder_new()};
    if (sw_smbstatus_read_json((struct sw_str){copy, size}, NOW_NS, &look->names, look->builder,
            &look->counts, &look->err)) {
        sw_builder_facts(look->builder)->taken_at_ns = NOW_NS;
        look->snapshot = sw_builder_finish(look->builder, none, none, NULL, &look->err);
    } else {
        assert_true(look->err.text[0] != '\0');
    }
    free(copy);
}

static void
look_end(struct look *look)
{
    sw_snapshot_free(look->snapshot);
    sw_builder_free(look->builder);
    sw_uid_names_fini(&look->names);
}

static void
look_at_file(struct look *look, const char *name)
{
    struct sw_buf text;
    struct sw_err err = {0};
    char path[512];
    sw_buf_init(&text, 1 << 20);
    snprintf(path, sizeof(path), "%s/smbstatus/%s", SW_TEST_DATA, name);
    assert_true(sw_file_read(path, 1 << 20, &text, &err));
    look_at(look, text.data, text.size);
    sw_buf_fini(&text);
}

static const struct sw_row *
find_user(const struct look *look, const char *user, const char *client)
{
    for (size_t i = 0; i < look->snapshot->count; i++) {
        const struct sw_row *row = &look->snapshot->rows[i];
        if (sw_str_is(row->user, user) && sw_str_is(row->client, client)) {
            return row;
        }
    }
    return NULL;
}

static void
test_recording_has_all_sessions(void **state)
{
    struct look look;
    (void)state;
    look_at_file(&look, "four-sessions-ipv4-ipv6-guest.json");
    assert_non_null(look.snapshot);
    assert_int_equal(look.snapshot->count, 4);
    assert_int_equal(look.counts.rows, 4);
    assert_int_equal(look.counts.half_open, 0);
    const struct sw_row *row = find_user(&look, "alice", "::1");
    assert_non_null(row);
    assert_true(sw_str_is(row->id, "3743877467/9610966752707806764"));
    assert_true(sw_str_is(row->transport, "ipv6:::1:52026"));
    assert_int_equal(row->active, SW_UNKNOWN);
    assert_int_equal(row->guest, -1);
    assert_non_null(find_user(&look, "alice", "127.0.0.1"));
    assert_non_null(find_user(&look, "bob", "127.0.0.1"));
    assert_non_null(find_user(&look, "nobody", "127.0.0.1"));
    look_end(&look);
}

static void
test_other_recordings(void **state)
{
    static const struct {
        const char *file;
        int count; /* -1: no list */
    } cases[] = {
        {"no-sessions.json", 0},
        {"two-open-files.json", 2},
        {"two-open-files-tz-sydney.json", 2},
        {"missing-config.stdout", 0}, /* only standard error says what is wrong */
        {"not-root.stdout", -1},
        {"not-root.stderr", -1},
        {"no-sessions.txt", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct look look;
        look_at_file(&look, cases[i].file);
        assert_int_equal(look.snapshot != NULL ? (int)look.snapshot->count : -1, cases[i].count);
        look_end(&look);
    }
}

static void
test_cut_anywhere_is_no_list(void **state)
{
    struct sw_buf text;
    struct sw_err err;
    (void)state;
    sw_buf_init(&text, 1 << 20);
    assert_true(sw_file_read(
        SW_TEST_DATA "/smbstatus/four-sessions-ipv4-ipv6-guest.json", 1 << 20, &text, &err));
    size_t whole = text.size;
    while (text.data[whole - 1] == '\n') {
        whole--;
    }
    for (size_t size = 0; size < whole; size++) {
        struct look look;
        look_at(&look, text.data, size);
        assert_null(look.snapshot);
        look_end(&look);
    }
    sw_buf_fini(&text);
}

#define ROW(id, members)                                                                           \
    "\"" id "\":{\"session_id\":\"" id "\",\"server_id\":{\"pid\":\"1\",\"unique_id\":\"7\"},"     \
    "\"hostname\":\"ipv4:1\",\"remote_machine\":\"10.0.0.1\"," members "}"

static void
look_at_text(struct look *look, const char *text)
{
    look_at(look, text, strlen(text));
}

static void
test_half_open_rows_are_counted_only(void **state)
{
    struct look look;
    (void)state;
    look_at_text(&look,
        "{\"sessions\":{" ROW("1", "\"uid\":-1,\"username\":\"x\"") "," ROW("2",
            "\"uid\":4294967295") "," ROW("3", "\"username\":\"(auth in progress)\"") "," ROW("4",
            "\"uid\":5,\"username\":\"(auth in progress)\"") "}}");
    assert_non_null(look.snapshot);
    assert_int_equal(look.counts.rows, 4);
    assert_int_equal(look.counts.half_open, 3);
    assert_int_equal(look.snapshot->count, 1);
    assert_true(sw_str_is(look.snapshot->rows[0].id, "4/7"));
    look_end(&look);
}

static void
test_list_may_be_an_array(void **state)
{
    struct look look;
    (void)state;
    look_at_text(&look, "{\"a\":[{}],\"sessions\":[{\"session_id\":\"9\",\"username\":\"u\"}]}");
    assert_non_null(look.snapshot);
    assert_int_equal(look.snapshot->count, 1);
    assert_true(sw_str_is(look.snapshot->rows[0].id, "9/"));
    assert_int_equal(look.snapshot->rows[0].client.size, 0);
    look_end(&look);
}

static void
test_names_of_strangers_do_no_harm(void **state)
{
    struct look look;
    (void)state;
    look_at_text(&look,
        "{\"sessions\":{" ROW(
            "1", "\"uid\":5,\"username\":\"a\\n\\\"}]\\u0000\\ud800\xff\"") "," ROW("2",
            "\"uid\":6,\"username\":null") "," ROW("3", "\"uid\":[1,{\"a\":2}],\"username\":{"
                                                        "\"x\":[]}") "}}");
    assert_non_null(look.snapshot);
    assert_int_equal(look.snapshot->count, 3);
    struct sw_str name = look.snapshot->rows[0].user;
    assert_int_equal(name.size, 10);
    assert_memory_equal(name.data, "a\n\"}]\0\xed\xa0\x80\xff", 10);
    assert_null(look.snapshot->rows[1].user.data);
    assert_null(look.snapshot->rows[2].user.data);
    look_end(&look);
}

static void
test_name_of_64_kib(void **state)
{
    struct look look;
    struct sw_buf text;
    (void)state;
    sw_buf_init(&text, 1 << 20);
    sw_buf_add_text(&text, "{\"sessions\":{\"1\":{\"session_id\":\"1\",\"username\":\"");
    for (size_t i = 0; i < 65536; i++) {
        sw_buf_add_text(&text, i % 2 != 0 ? "n" : "\\t");
    }
    sw_buf_add_text(&text, "\"}}}");
    look_at(&look, text.data, text.size);
    assert_non_null(look.snapshot);
    assert_in_range(look.snapshot->rows[0].user.size, 1024, SW_NAME_MAX);
    look_end(&look);
    sw_buf_fini(&text);
}

static void
test_damage_is_no_list(void **state)
{
    static const char *const cases[] = {
        "(null)\n",
        "{\"sessions\":{}}{\"sessions\":{}}",
        "{\"sessions\":{},\"sessions\":{}}",
        "{\"sessions\":null}",
        "{\"sessions\":\"\"}",
        "{\"session\":{}}",
        "[]",
        "{\"sessions\":{\"1\":{\"username\":\"u\"}}}",
        "{\"sessions\":{\"1\":{\"session_id\":\"\"}}}",
        "{\"sessions\":{\"1\":[]}}",
        "{\"sessions\":[1]}",
        "{\"sessions\":{" ROW("1", "\"uid\":5") "," ROW("1", "\"uid\":5") "}}",
        "{\"sessions\":{" ROW("1", "\"signing\":{\"cipher\":\"\?\?\?\"}") "}}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct look look;
        look_at_text(&look, cases[i]);
        assert_null(look.snapshot);
        look_end(&look);
    }
}

static uint32_t
active_of(const char *creation_time)
{
    struct look look;
    char text[256];
    snprintf(text, sizeof(text),
        "{\"sessions\":{\"1\":{\"session_id\":\"1\",\"creation_time\":%s}}}", creation_time);
    look_at_text(&look, text);
    assert_non_null(look.snapshot);
    uint32_t active = look.snapshot->rows[0].active;
    look_end(&look);
    return active;
}

static void
test_creation_time_gives_active(void **state)
{
    (void)state;
    assert_int_equal(active_of("\"2026-11-22T14:56:01.000000+00:00\""), 60);
    assert_int_equal(active_of("\"2026-11-22T14:56:01.5Z\""), 59);
    assert_int_equal(active_of("\"2026-11-23T01:56:01.000000+11:00\""), 60);
    assert_int_equal(active_of("\"2026-11-23T01:56:01.000000-13:00\""), 60);
    assert_int_equal(active_of("\"2026-11-23T01:56:01.000000-1300\""), 60);
    assert_int_equal(active_of("\"2026-11-22T05:56:01.000000+15:00\""), 60);
    assert_int_equal(active_of("\"2026-11-22T02:56:01-12:00\""), 60);
    assert_int_equal(active_of("\"2026-11-23T04:56:01+14:00\""), 60);
    assert_int_equal(active_of("\"2026-11-22T14:57:02Z\""), SW_UNKNOWN);
    assert_int_equal(active_of("\"1970-01-01T00:00:00Z\""), SW_UNKNOWN);
    assert_int_equal(active_of("\"30828-09-14T02:48:05.477580+00:00\""), SW_UNKNOWN);
    assert_int_equal(active_of("\"never\""), SW_UNKNOWN);
    assert_int_equal(active_of("17"), SW_UNKNOWN);
    assert_int_equal(active_of("{\"a\":[]}"), SW_UNKNOWN);
}

static void
test_names_are_learned(void **state)
{
    struct look look;
    struct sw_buf buf;
    (void)state;
    look_at_file(&look, "four-sessions-ipv4-ipv6-guest.json");
    sw_buf_init(&buf, 64);
    sw_uid_names_add(&look.names, 1002, &buf);
    assert_string_equal(sw_buf_text(&buf), "bob");
    sw_buf_clear(&buf);
    sw_uid_names_add(&look.names, 77, &buf);
    assert_string_equal(sw_buf_text(&buf), "77");
    sw_buf_fini(&buf);
    look_end(&look);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recording_has_all_sessions),
        cmocka_unit_test(test_other_recordings),
        cmocka_unit_test(test_cut_anywhere_is_no_list),
        cmocka_unit_test(test_half_open_rows_are_counted_only),
        cmocka_unit_test(test_list_may_be_an_array),
        cmocka_unit_test(test_names_of_strangers_do_no_harm),
        cmocka_unit_test(test_name_of_64_kib),
        cmocka_unit_test(test_damage_is_no_list),
        cmocka_unit_test(test_creation_time_gives_active),
        cmocka_unit_test(test_names_are_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
