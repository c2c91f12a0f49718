/* smbstatus' numeric table: a recording of a real Samba, and damage of every kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/platform/platform.h"
#include "agent/sources/samba/smbstatus.h"

#define HEAD                                                                                       \
    "\nSamba version 4.17.12\nPID     Username     Group        Machine      Protocol Version\n"   \
    "-------------------------------------------\n"

struct look {
    struct sw_builder *builder;
    struct sw_snapshot *snapshot; /* NULL: the table was refused */
    struct sw_uid_names names;
    struct sw_smbstatus_counts counts;
    struct sw_err err;
};

static int lookups;

static bool
name_of_uid(uint32_t uid, struct sw_buf *name)
{
    lookups++;
    if (uid != 1001) {
        sw_buf_add_text(name, "half a na");
        return false;
    }
    sw_buf_add_text(name, "alice");
    return true;
}

static void
look_again(struct look *look, const char *text, size_t size)
{
    struct sw_globs none = {0};
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    sw_snapshot_free(look->snapshot);
    look->snapshot = NULL;
    sw_builder_clear(look->builder);
    if (sw_smbstatus_read_text(
            (struct sw_str){copy, size}, &look->names, look->builder, &look->counts, &look->err)) {
        look->snapshot = sw_builder_finish(look->builder, none, none, NULL, &look->err);
        assert_non_null(look->snapshot);
    }
    free(copy);
}

static void
look_at(struct look *look, const char *text, size_t size)
{
    *look = (struct look){.builder = sw_builder_new()};
    look->names.lookup = name_of_uid;
    lookups = 0;
    look_again(look, text, size);
}

static void
look_at_text(struct look *look, const char *text)
{
    look_at(look, text, strlen(text));
}

static void
look_end(struct look *look)
{
    sw_snapshot_free(look->snapshot);
    sw_builder_free(look->builder);
    sw_uid_names_fini(&look->names);
}

static struct sw_buf
recording(const char *name)
{
    struct sw_buf text;
    struct sw_err err;
    char path[512];
    sw_buf_init(&text, 1 << 20);
    snprintf(path, sizeof(path), "%s/smbstatus/%s", SW_TEST_DATA, name);
    assert_true(sw_file_read(path, 1 << 20, &text, &err));
    return text;
}

static void
test_recording(void **state)
{
    struct look look;
    struct sw_buf text = recording("four-sessions-one-half-open.txt");
    (void)state;
    look_at(&look, text.data, text.size);
    assert_non_null(look.snapshot);
    assert_int_equal(look.counts.rows, 5);
    assert_int_equal(look.counts.half_open, 1);
    assert_int_equal(look.snapshot->count, 4);
    assert_int_equal(look.snapshot->reported & SW_REPORTED_ID, 0);
    const struct sw_row *rows = look.snapshot->rows;
    for (size_t i = 0; i < 4; i++) {
        assert_null(rows[i].id.data);
        assert_int_equal(rows[i].active, SW_UNKNOWN);
        assert_false(sw_str_is(rows[i].transport, "ipv4:127.0.0.1:42420"));
    }
    assert_true(sw_str_is(rows[3].client, "::1"));
    assert_true(sw_str_is(rows[3].transport, "ipv6:::1:48468"));
    assert_true(sw_str_is(rows[3].user, "1002"));
    assert_int_equal(lookups, 3); /* 1001 once, though it has two rows */
    look_end(&look);
    sw_buf_fini(&text);
}

static void
test_nobody(void **state)
{
    struct look look;
    struct sw_buf text = recording("no-sessions.txt");
    (void)state;
    look_at(&look, text.data, text.size);
    assert_non_null(look.snapshot);
    assert_int_equal(look.counts.rows, 0);
    look_end(&look);
    sw_buf_fini(&text);
}

/* A cut at a line's end cannot be told from a shorter list: that is the exit status' part. */
static void
test_cut_inside_a_line_is_no_table(void **state)
{
    struct sw_buf text = recording("four-sessions-one-half-open.txt");
    size_t head = 0;
    (void)state;
    for (int lines = 0; lines < 4; head++) {
        lines += text.data[head] == '\n';
    }
    for (size_t size = 0; size < text.size; size++) {
        struct look look;
        look_at(&look, text.data, size);
        bool at_line_end = size >= head && text.data[size - 1] == '\n';
        assert_int_equal(look.snapshot != NULL, at_line_end);
        look_end(&look);
    }
    sw_buf_fini(&text);
}

static void
test_names_come_from_json_first(void **state)
{
    struct look look;
    (void)state;
    look_at_text(&look, HEAD "1  1001  5  h (ipv4:1)  SMB3 -  -\n");
    assert_true(sw_str_is(look.snapshot->rows[0].user, "alice"));
    sw_uid_names_learn(&look.names, 1001, SW_STR("DOM\\alice"));
    look_again(&look, HEAD "1  1001  5  h (ipv4:1)  SMB3 -  -\n",
        strlen(HEAD "1  1001  5  h (ipv4:1)  SMB3 -  -\n"));
    assert_true(sw_str_is(look.snapshot->rows[0].user, "DOM\\alice"));
    assert_int_equal(lookups, 1);
    look_end(&look);
}

static void
test_forms_of_a_row(void **state)
{
    static const struct {
        const char *row;
        const char *client;
        const char *transport;
    } cases[] = {
        {"1:25648 7  8  h (ipv4:10.0.0.1:5)  SMB3_11  -  -  ", "h", "ipv4:10.0.0.1:5"},
        {"25648.3 7  -1  h (ipv4:1) SMB3_11", "h", "ipv4:1"},
        {"9  7  8  a name (with) blanks (ipv6:fe80::1%eth0:5)  X", "a name (with) blanks",
            "ipv6:fe80::1%eth0:5"},
        {"9  7  8   (ipv4:1)  X", "", "ipv4:1"},
        {"9  7  8  h (unix:/x)  Unknown (0x0000)  -  -", "h", "unix:/x"},
        {"9  7  8  \?\?\? (ipv4:1)  X", "\?\?\?", "ipv4:1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct look look;
        char text[512];
        snprintf(text, sizeof(text), HEAD "%s\n\n", cases[i].row);
        look_at_text(&look, text);
        assert_non_null(look.snapshot);
        assert_int_equal(look.snapshot->count, 1);
        assert_true(sw_str_is(look.snapshot->rows[0].client, cases[i].client));
        assert_true(sw_str_is(look.snapshot->rows[0].transport, cases[i].transport));
        look_end(&look);
    }
}

static void
test_half_open_forms(void **state)
{
    struct look look;
    (void)state;
    look_at_text(&look, HEAD "9 -1 -1 h (ipv4:1) X\n9 4294967295 4294967295 h (ipv4:1) X\n");
    assert_non_null(look.snapshot);
    assert_int_equal(look.snapshot->count, 0);
    assert_int_equal(look.counts.half_open, 2);
    look_end(&look);
}

static void
test_damage_is_no_table(void **state)
{
    static const char *const cases[] = {
        "",
        "\n",
        "smbstatus only works as root!\n",
        "PID     Username     Group        Machine \nno dashes\n",
        HEAD "9 7 8 h (ipv4:1) X",
        HEAD "9 7 8 h (ipv4:1)   \n",
        HEAD "9 7 8 h (ipv4:1\n",
        HEAD "9 7 8 h\n",
        HEAD "9 7\n",
        HEAD "x 7 8 h (ipv4:1) X\n",
        HEAD "9 alice 8 h (ipv4:1) X\n",
        HEAD "9 4294967296 8 h (ipv4:1) X\n",
        HEAD "9 7 8 h (ipv4:1) X\n\nService pid\n",
        HEAD "9 7 8 h (ipv4:1) X - \?\?\?\n",
        "(null)\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct look look;
        look_at_text(&look, cases[i]);
        assert_null(look.snapshot);
        assert_true(look.err.text[0] != '\0');
        look_end(&look);
    }
}

static void
test_counting_needs_no_builder(void **state)
{
    struct sw_uid_names names = {0};
    struct sw_smbstatus_counts counts;
    (void)state;
    assert_true(
        sw_smbstatus_read_text(SW_STR(HEAD "9 7 8 h (ipv4:1) X\n"), &names, NULL, &counts, NULL));
    assert_int_equal(counts.rows, 1);
    assert_int_equal(names.count, 0);
}

static void
test_uid_names_are_bounded(void **state)
{
    struct sw_uid_names names = {0};
    struct sw_buf buf;
    (void)state;
    for (uint32_t uid = 0; uid < SW_UID_NAMES_MAX + 10; uid++) {
        sw_uid_names_learn(&names, UINT32_MAX - 1 - uid * 3, SW_STR("n"));
    }
    assert_int_equal(names.count, SW_UID_NAMES_MAX);
    for (size_t i = 1; i < names.count; i++) {
        assert_true(names.items[i - 1].uid < names.items[i].uid);
    }
    sw_buf_init(&buf, 64);
    sw_uid_names_add(&names, 5, &buf);
    assert_string_equal(sw_buf_text(&buf), "5");
    sw_buf_fini(&buf);
    sw_uid_names_fini(&names);
    assert_int_equal(names.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_cut_inside_a_line_is_no_table),
        cmocka_unit_test(test_names_come_from_json_first),
        cmocka_unit_test(test_forms_of_a_row),
        cmocka_unit_test(test_half_open_forms),
        cmocka_unit_test(test_damage_is_no_table),
        cmocka_unit_test(test_counting_needs_no_builder),
        cmocka_unit_test(test_uid_names_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
