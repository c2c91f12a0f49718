/* What a YAML text can get wrong before any key is looked at. */
#include "tests/support/config_expect.h"

#include "config/node.h"

#define NO_SOURCE                                                                                  \
    "sources: none, nothing would be watched (allowed: at least one, as in "                       \
    "'local: {type: samba}')\n"
#define NO_SINK                                                                                    \
    "sinks: none, events stay in the journal (as in 'print: {type: file, path: \"-\"}')\n"
#define TOP "unknown key (allowed: agent, sources, sinks)\n"

static void
test_syntax(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {"agent:\n\tlog_level: info\n", "2:1: a tab in the indentation (use spaces)\n"},
        {"agent:\n  log_level: info\n \theartbeat: 0\n",
            "3:2: a tab in the indentation (use spaces)\n"},
        {"a: b\n c: d\n",
            "2:3: a ':' cannot stand here (check the indentation and the line above, or use "
            "quotes)\n"},
        {"agent: {log_level: info}\nsources\nsinks: {}\n",
            "2:1: a ':' is missing behind this key\n"},
        {"agent: {a: b\nsources: {}\n",
            "2:8: ',' or '}' expected (put values that hold { } [ ] , or # in quotes)\n"},
        {"sinks: {x: ${env:X}}\n",
            "1:13: ',' or '}' expected (put values that hold { } [ ] , or # in quotes)\n"},
        {"a: [1, 2\nb: c\n",
            "2:2: ',' or ']' expected (put values that hold { } [ ] , or # in quotes)\n"},
        {"# ä\nagent: \"foo\nx\n", "2:8: this quote is never closed\n"},
        {"a: 'b\n", "1:4: this quote is never closed\n"},
        {"user: \"EXAMPLE\\svc\"\n",
            "1:15: unknown escape in double quotes (write \\\\ for a backslash, or use single "
            "quotes)\n"},
        {"a: @foo\n", "1:4: a value cannot begin with this character (put it in quotes)\n"},
        {"a: - b\n", "1:4: a list cannot stand here (begin it on a line of its own)\n"},
        {"  a: b\n c: d\n", "2:2: this does not line up with what stands above it\n"},
        {"%YAML 3.0\n---\na: b\n",
            "1:1: this version of YAML is not supported (leave out the %YAML line)\n"},
        {"# x\n%TAG !x! y\n---\n", "2:1: tags are not supported (leave out this line)\n"},
        {"%YAML 1.2\n---\n" GOOD_BOTH, ""},
        {"a: !x!y z\n", "1:4: tags are not supported (leave out the '!')\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_structure(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {"", "1:1: " NO_SOURCE "warning: 1:1: " NO_SINK},
        {"# only a comment\n", "1:1: " NO_SOURCE "warning: 1:1: " NO_SINK},
        {"foo\n", "1:1: a value where keys are expected (allowed: lines such as 'key: value' below "
                  "it)\n"},
        {"- a\n- b\n",
            "1:1: a list where keys are expected (allowed: lines such as 'key: value' below it)\n"},
        {GOOD_BOTH "---\n" GOOD_BOTH, "3:1: a second document begins here (allowed: one in a "
                                      "file)\n"},
        {GOOD_BOTH "agent: {log_level: info, on_full: oldest, log_level: info}\n",
            "3:43: agent.log_level: duplicate key (first in line 3)\n"},
        {GOOD_BOTH "agent:\nsinks:\n  x: {}\n", "4:1: sinks: duplicate key (first in line 2)\n"},
        {GOOD_BOTH "\"agent\": {}\nagent: {}\n", "4:1: agent: duplicate key (first in line 3)\n"},
        {GOOD_BOTH "agent: {log_level: &x info, on_full: *x}\n",
            "3:38: agent.on_full: aliases are not supported (write the value out)\n"},
        {GOOD_BOTH "agent: {log_level: &unused info}\n", ""},
        {GOOD_BOTH "agent: {<<: {log_level: info}}\n",
            "3:9: agent.<<: merge keys are not supported (write the keys out)\n"},
        {GOOD_BOTH "agent: {<<: *base}\n",
            "3:9: agent.<<: merge keys are not supported (write the keys out)\n"},
        {GOOD_BOTH "*x : 1\n", "3:1: a key must be one word, not a list, a map or an alias\n"},
        {GOOD_BOTH "? [a, {b: c}]\n: d\n",
            "3:3: a key must be one word, not a list, a map or an alias\n"},
        {GOOD_BOTH "? \"a\\0b\"\n: d\n", "3:3: a key of 3 bytes (allowed: 1 to 128, no NUL)\n"},
        {GOOD_BOTH "? \"\"\n: d\n", "3:3: a key of 0 bytes (allowed: 1 to 128, no NUL)\n"},
        {GOOD_BOTH "agent: {log_level: !!int 5}\n",
            "3:20: agent.log_level: tags are not supported (leave out the '!')\n"
            "3:20: agent.log_level: '5' cannot stand here (allowed: error | warn | info | "
            "debug)\n"},
        {GOOD_BOTH "agent: !!map {log_level: !!str info}\n", ""},
        {GOOD_BOTH "agent: !x {}\n", "3:8: agent: tags are not supported (leave out the '!')\n"},
        {GOOD_BOTH "x: 1\nagent:\n  y: [2]\n",
            "3:1: x: " TOP "5:3: agent.y: unknown key (allowed: state_dir, "
            "journal_max, on_full, stop_timeout, heartbeat, "
            "log_level)\n"},
        {GOOD_BOTH "\"a\\e[31m\\u202e\": 1\n", "3:1: a\\u{1B}[31m\\u{202E}: " TOP},
    };
    expect_cases(cases, COUNT_OF(cases));
}

/* Columns count characters, not bytes. */
static void
test_columns(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {GOOD_BOTH "agent: {state_dir: \"/ä€😀\", log_level: x}\n",
            "3:39: agent.log_level: 'x' cannot stand here (allowed: error | warn | info | "
            "debug)\n"},
        {"\xEF\xBB\xBF" GOOD_BOTH "x: 1\n", "3:1: x: " TOP},
        {"\xEF\xBB\xBFx: 1\n" GOOD_BOTH, "1:1: x: " TOP},
        {GOOD_SOURCE "sinks: {p: {type: print, path: '-'}}\r\nx: 1\r\n", "3:1: x: " TOP},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_bytes(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {"\xFF\xFEx", "1:1: the file is UTF-16 (save it as UTF-8)\n"},
        {"\xFE\xFFx", "1:1: the file is UTF-16 (save it as UTF-8)\n"},
        {"a: b\nag: \xC3\xA4\xC3\xA4\xFF", "2:7: not UTF-8 (save the file as UTF-8)\n"},
        {"a: \xED\xA0\x80", "1:4: not UTF-8 (save the file as UTF-8)\n"},
        {"# \x01", "1:3: the character U+0001 cannot stand here\n"},
        {"# \x7F", "1:3: the character U+007F cannot stand here\n"},
        {"# \xC2\x80", "1:3: the character U+0080 cannot stand here\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
    expect_said(
        SW_CONFIG_RUN, SW_STR("a: \0b"), "1:4: the character U+0000 cannot stand here\n", NULL);
}

static char *
repeat(const char *before, const char *text, size_t count, const char *behind)
{
    struct sw_buf buf;
    sw_buf_init(&buf, (size_t)8 << 20);
    sw_buf_add_text(&buf, before);
    for (size_t i = 0; i < count; i++) {
        sw_buf_add_text(&buf, text);
    }
    sw_buf_add_text(&buf, behind);
    assert_false(buf.failed);
    return sw_buf_take(&buf);
}

static void
expect_repeat(
    const char *before, const char *text, size_t count, const char *behind, const char *said)
{
    char *yaml = repeat(before, text, count, behind);
    expect_said(SW_CONFIG_RUN, sw_str_of(yaml), said, NULL);
    free(yaml);
}

static void
test_limits(void **state)
{
    (void)state;
    /* The top mapping is the first of 16. */
    expect_repeat(GOOD_BOTH "x: ", "[", 15, "]]]]]]]]]]]]]]]\n", "3:1: x: " TOP);
    expect_repeat(GOOD_BOTH "x: ", "[", 16, "]]]]]]]]]]]]]]]]\n",
        "3:19: x[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested too deep (allowed: 16)\n");
    expect_repeat("", "[", 1000000, "",
        "1:17: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested too deep (allowed: 16)\n");
    expect_repeat(GOOD_BOTH "x: [", "a,", 1000, "]\n", "3:1: x: " TOP);
    expect_repeat(
        GOOD_BOTH "x: [", "a,", 1001, "]\n", "3:4: x: 1001 entries (allowed: at most 1000)\n");
    char *key = repeat("", "k", 129, "");
    char *yaml = repeat(GOOD_BOTH "? ", key, 1, "\n: 1\n");
    expect_said(SW_CONFIG_RUN, sw_str_of(yaml),
        "3:3: a key of 129 bytes (allowed: 1 to 128, no NUL)\n", NULL);
    free(yaml);
    free(key);
}

static void
test_size(void **state)
{
    (void)state;
    const size_t rest = SW_CONFIG_SIZE_MAX - strlen(GOOD_BOTH "#");
    expect_repeat(GOOD_BOTH "#", "x", rest, "", "");
    expect_repeat(
        GOOD_BOTH "#", "x", rest + 1, "", "1:1: the file is too large (allowed: at most 1MiB)\n");
}

/* Nine lists of nine references to the one above: 9^9 values if anybody expanded them. */
static void
test_alias_bomb(void **state)
{
    (void)state;
    struct fixture_load load;
    struct sw_buf yaml;
    sw_buf_init(&yaml, 4096);
    sw_buf_add_text(&yaml, GOOD_BOTH "a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (char c = 'b'; c <= 'i'; c++) {
        sw_buf_printf(&yaml, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1,
            c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    }
    fixture_parse(&load, SW_CONFIG_RUN, (struct sw_str){sw_buf_text(&yaml), yaml.size}, NULL);
    assert_int_equal(load.problems.errors, 9 + 8 * 9);
    assert_contains(sw_buf_text(&load.said),
        "/etc/sw/c.yaml:4:8: b[0]: aliases are not supported (write the value out)\n");
    fixture_fini(&load);
    sw_buf_fini(&yaml);
}

static void
test_find(void **state)
{
    (void)state;
    struct sw_arena arena;
    struct sw_problems problems;
    sw_arena_init(&arena, SW_NODE_MEMORY_MAX);
    sw_problems_init(&problems);
    struct sw_node *root =
        sw_node_parse(SW_STR("a: {b: {c: '~', d: ~}}\ne: ~\nf: null\ng:\n"), &arena, &problems);
    assert_non_null(root);
    assert_int_equal(sw_node_find(root, "a.b.c")->column, 12);
    assert_false(sw_node_is_null(sw_node_find(root, "a.b.c")));
    assert_true(sw_node_is_null(sw_node_find(root, "a.b.d")));
    assert_true(sw_node_is_null(sw_node_find(root, "e")));
    assert_true(sw_node_is_null(sw_node_find(root, "f")));
    assert_true(sw_node_is_null(sw_node_find(root, "g")));
    assert_null(sw_node_find(root, "a.b.c.d"));
    assert_null(sw_node_find(root, "a.x"));
    assert_null(sw_node_find(root, "b"));
    assert_null(sw_node_find(NULL, "a"));
    sw_arena_fini(&arena);
    sw_problems_fini(&problems);
}

/* Memory is bounded by the arena even when a text would need more. */
static void
test_small_arena(void **state)
{
    (void)state;
    struct sw_arena arena;
    struct sw_problems problems;
    for (size_t max = 0; max < 2000; max += 16) {
        sw_arena_init(&arena, max);
        sw_problems_init(&problems);
        struct sw_node *root = sw_node_parse(SW_STR("a: {b: [c, d]}\n"), &arena, &problems);
        assert_true(arena.used <= max);
        assert_int_equal(root == NULL, problems.errors > 0);
        sw_problems_fini(&problems);
        sw_arena_fini(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_alias_bomb),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_small_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
