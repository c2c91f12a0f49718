/* Sources and sinks, rules across keys, trust, order and number of problems, comparing, help, and
 * real files. */
#include "tests/support/config_expect.h"

#include <sys/stat.h>
#include <unistd.h>

static void
test_names_and_types(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {GOOD_SINK "sources:\n  a-b_9: {type: full}\n  0: {type: full}\n", ""},
        {GOOD_SINK "sources:\n  abcdefghijklmnopqrstuvwxyz012345: {type: full}\n", ""},
#define NAME                                                                                       \
    "a name that cannot be used (allowed: a-z, 0-9, and behind the first also _ and -, at most "   \
    "32)\n"
        {GOOD_SINK "sources:\n  abcdefghijklmnopqrstuvwxyz0123456: {type: full}\n",
            "3:3: sources.abcdefghijklmnopqrstuvwxyz0123456: " NAME},
        {GOOD_SINK "sources:\n  Ab: {type: full}\n", "3:3: sources.Ab: " NAME},
        {GOOD_SINK "sources:\n  -b: {type: full}\n", "3:3: sources.-b: " NAME},
        {GOOD_SINK "sources:\n  a.b: {type: full}\n", "3:3: sources.a.b: " NAME},
        {GOOD_SINK "sources:\n  ä: {type: full}\n", "3:3: sources.ä: " NAME},
        {GOOD_SOURCE "sinks:\n  P: {type: print, path: x}\n", "3:3: sinks.P: " NAME},
        {GOOD_SINK "sources:\n  a: {interval: 5s}\n",
            "3:3: sources.a.type: this key is required (allowed: full | strict)\n"},
        {GOOD_SINK "sources:\n  a: {type: strct, any: thing, interval: x}\n",
            "3:13: sources.a.type: unknown type 'strct' (allowed: full | strict); did you mean "
            "'strict'?\n"
            "3:42: sources.a.interval: 'x' cannot stand here (allowed: a duration in ms, s, m, h "
            "or d, 100ms to 1d)\n"},
        {GOOD_SINK "sources:\n  a: {type: print}\n",
            "3:13: sources.a.type: unknown type 'print' (allowed: full | strict)\n"},
        {GOOD_SINK "sources:\n  a: {type: [full]}\n",
            "3:13: sources.a.type: no type (allowed: full | strict)\n"},
        {GOOD_SINK "sources:\n  a:\n  b: full\n  c: [full]\n",
            "3:5: sources.a: keys are expected below this name (allowed: at least 'type')\n"
            "4:6: sources.b: keys are expected below this name (allowed: at least 'type')\n"
            "5:6: sources.c: keys are expected below this name (allowed: at least 'type')\n"},
        {GOOD_SINK "sources: [full]\n",
            "2:10: sources: names are expected below it (allowed: lines "
            "such as 'name: {type: …}')\n"},
        {GOOD_SINK "sources: {}\n",
            "2:10: sources: none, nothing would be watched (allowed: at least one, as in 'local: "
            "{type: samba}')\n"},
        {GOOD_SOURCE "sinks:\n", "warning: 2:7: sinks: none, events stay in the journal (as in "
                                 "'print: {type: file, path: \"-\"}')\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_across_keys(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    interval: 5s\n    timeout: 6s\n"),
            "5:14: sources.s.timeout: above interval, for a source of type full\n"},
        {FULL("    interval: 5s\n"),
            "3:3: sources.s.timeout: above interval, for a source of type full\n"},
        {FULL("    text: forbidden\n    login: {user: u}\n"),
            "4:11: sources.s.text: 'forbidden' is not wanted\n"
            "warning: 5:19: sources.s.login.user: is not looked at\n"},
        /* A key nobody knows does not keep the rules from being told in the same go. */
        {FULL("    timeout: 1h\n    letter: [a]\n"),
            "4:14: sources.s.timeout: above interval, for a source of type full\n"
            "5:5: sources.s.letter: unknown key (allowed: type, interval, timeout, baseline, "
            "changed, ignore, text, path, program, password, flag, number, size, wait, word, "
            "command, letters, borders, login, rate, signing, headers, tags, auth, vault); did you "
            "mean 'letters'?\n"},
        /* A wrong value does: the rule would speak of the default. */
        {FULL("    interval: 1x\n    timeout: 1h\n"),
            "4:15: sources.s.interval: '1x' cannot stand here (allowed: a duration in ms, s, m, h "
            "or d, 100ms to 1d)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_trust(void **state)
{
    (void)state;
    static const struct fixture_entry files[] = {{.name = "/good", .text = ""},
        {.name = "/bad", .text = "", .is_untrusted = true},
        {.name = "/etc/sw/rel", .text = "", .is_untrusted = true}, {.name = NULL}};
    static const struct expect_case cases[] = {
        {FULL("    program: /good\n    command: [/good, /bad]\n    path: /bad\n"), ""},
        {FULL("    program: /bad\n"),
            "4:14: sources.s.program: /bad: others can write it: chmod go-w /bad\n"},
        {FULL("    program: rel\n"),
            "4:14: sources.s.program: /etc/sw/rel: others can write it: chmod go-w /etc/sw/rel\n"},
        {FULL("    command: [/bad, x]\n"),
            "4:15: sources.s.command[0]: /bad: others can write it: chmod go-w /bad\n"},
        {FULL("    command: [not-absolute]\n"), ""},
        {FULL("    program: /none\n    command: [/none]\n"),
            "warning: 4:14: sources.s.program: /none is not there\n"
            "warning: 5:15: sources.s.command[0]: /none is not there\n"},
    };
    struct fixture_host host;
    fixture_host_init(&host, files, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        expect_said(SW_CONFIG_RUN, sw_str_of(cases[i].yaml), cases[i].said, &host);
        expect_said(SW_CONFIG_CHECK, sw_str_of(cases[i].yaml), cases[i].said, &host);
    }
}

/* In the order of the file, whatever the order in which they are found. */
static void
test_all_at_once(void **state)
{
    (void)state;
    expect_said(SW_CONFIG_RUN,
        SW_STR("sinks: {P: {type: prnt}}\n"
               "agent: {log_level: loud, agent: *x}\n"
               "sources:\n"
               "  a: {type: full, wait: x, wiat: 1, flag: 1}\n"
               "  a: {type: strict}\n"
               "  b: {type: strict, target: 't${env:NOPE}'}\n"),
        "1:9: sinks.P: " NAME
        "1:19: sinks.P.type: unknown type 'prnt' (allowed: print); did you mean 'print'?\n"
        "2:20: agent.log_level: 'loud' cannot stand here (allowed: error | warn | info | debug)\n"
        "2:26: agent.agent: unknown key (allowed: state_dir, journal_max, on_full, stop_timeout, "
        "heartbeat, log_level)\n"
        "2:33: agent.agent: aliases are not supported (write the value out)\n"
        "4:25: sources.a.wait: 'x' cannot stand here (allowed: a duration in ms, s, m, h or d, 0 "
        "or 1s to 1d)\n"
        "4:28: sources.a.wiat: unknown key (allowed: type, interval, timeout, baseline, changed, "
        "ignore, text, path, program, password, flag, number, size, wait, word, command, letters, "
        "borders, login, rate, signing, headers, tags, auth, vault); did you mean 'wait'?\n"
        "4:43: sources.a.flag: '1' cannot stand here (allowed: true or false)\n"
        "5:3: sources.a: duplicate key (first in line 4)\n"
        "6:3: sources.b.command: this key is required (allowed: a list of texts such as [a, b], 1 "
        "or more items)\n"
        "6:29: sources.b.target: ${env:NOPE}: this variable is not set\n",
        NULL);
}

static void
test_many_problems(void **state)
{
    (void)state;
    struct fixture_load load;
    struct sw_buf yaml;
    sw_buf_init(&yaml, (size_t)1 << 20);
    sw_buf_add_text(&yaml, GOOD_SINK "sources:\n");
    for (int i = 0; i < 120; i++) {
        sw_buf_printf(&yaml, "  w%d: {type: full, program: /none}\n", i);
    }
    for (int i = 0; i < 90; i++) {
        sw_buf_printf(&yaml, "  e%d: {type: nope}\n", i);
    }
    fixture_parse(&load, SW_CONFIG_RUN, (struct sw_str){sw_buf_text(&yaml), yaml.size}, NULL);
    assert_null(load.config);
    assert_int_equal(load.problems.errors, 90);
    assert_int_equal(load.problems.warnings, 120);
    assert_int_equal(load.problems.count, SW_PROBLEMS_MAX);
    const char *said = sw_buf_text(&load.said);
    /* No error is hidden by warnings, and what is kept is what comes first. */
    assert_contains(said, "warning: /etc/sw/c.yaml:3:29: sources.w0.program: /none is not there\n");
    assert_contains(said, "sources.w9.program");
    assert_null(strstr(said, "sources.w10.program"));
    assert_contains(said, "/etc/sw/c.yaml:123:14: sources.e0.type: unknown type");
    assert_contains(said, "/etc/sw/c.yaml:212:15: sources.e89.type: unknown type");
    assert_contains(said, "\nwarning: /etc/sw/c.yaml: 110 more problems not shown\n");
    fixture_fini(&load);
    sw_buf_fini(&yaml);
}

static void
test_many_parts(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct fixture_load load;
        struct sw_buf yaml;
        sw_buf_init(&yaml, (size_t)1 << 20);
        sw_buf_add_text(&yaml, GOOD_SINK "sources:\n");
        for (size_t i = 0; i < SW_CONFIG_PARTS_MAX + extra; i++) {
            sw_buf_printf(&yaml, "  s%zu: {type: full}\n", i);
        }
        fixture_parse(&load, SW_CONFIG_RUN, (struct sw_str){sw_buf_text(&yaml), yaml.size}, NULL);
        assert_string_equal(sw_buf_text(&load.said),
            extra > 0 ? "/etc/sw/c.yaml:2:1: sources: 257 sources (allowed: at most 256)\n" : "");
        if (extra == 0) {
            assert_int_equal(load.config->source_count, SW_CONFIG_PARTS_MAX);
            assert_string_equal(load.config->sources[255].name, "s255");
        }
        fixture_fini(&load);
        sw_buf_fini(&yaml);
    }
}

static void
expect_frozen(const char *a, const char *b, bool equal)
{
    static const struct fixture_entry env[] = {
        {.name = "A", .text = "hunter2"}, {.name = "B", .text = "hunter3"}, {.name = NULL}};
    struct fixture_host host;
    struct fixture_load loads[2];
    struct sw_buf yamls[2];
    const char *keys[] = {a, b};
    fixture_host_init(&host, NULL, env);
    for (int i = 0; i < 2; i++) {
        sw_buf_init(&yamls[i], 4096);
        sw_buf_printf(&yamls[i], GOOD_SINK "sources:\n  s: {type: full, %s}\n", keys[i]);
        expect_good(&loads[i], sw_buf_text(&yamls[i]), &host);
    }
    const char *frozen[] = {loads[0].config->sources[0].frozen, loads[1].config->sources[0].frozen};
    if ((strcmp(frozen[0], frozen[1]) == 0) != equal) {
        fail_msg("'%s' and '%s':\n%s\n%s", a, b, frozen[0], frozen[1]);
    }
    for (int i = 0; i < 2; i++) {
        fixture_fini(&loads[i]);
        sw_buf_fini(&yamls[i]);
    }
}

static void
test_frozen(void **state)
{
    (void)state;
    static const char *const equal[][2] = {
        {"", "interval: 30s"},
        {"login: {user: x}",
            "number: 445, letters: [a, b], borders: [900s, 60m], login: {user: x}, changed: "},
        {"number: 1, flag: false", "flag: false, number: 1"},
        {"login: {user: u, deep: {token: t}}", "login: {deep: {token: 't'}, user: \"u\"}"},
        {"wait: 60s", "wait: 1m"},
        {"path: /etc/sw/x", "path: x"},
        {"", "rate: 2000/s, headers: {X-Team: 'storage'}, tags: {}, signing: []"},
        {"rate: 0", "rate: 0/s"},
        {"signing: '${env:A}'", "signing: [hunter2]"},
        {"tags: {A: '${env:A}'}", "tags: {'A': hunter2}"},
        {"password: '${env:A}'", "password: hunter2"},
    };
    static const char *const different[][2] = {
        {"", "interval: 31s"},
        {"", "changed: {flags: false}"},
        {"", "text: \"--\""},
        {"letters: [a, b]", "letters: [b, a]"},
        {"letters: ['a\"\"b']", "letters: [a, b]"},
        {"letters: []", "letters: ['']"},
        {"borders: [1m]", "borders: []"},
        {"password: hunter2", "password: hunter3"},
        {"password: '${env:A}'", "password: '${env:B}'"},
        {"", "password: ''"},
        {"login: {user: u, deep: {token: a}}", "login: {user: u, deep: {token: b}}"},
        {"flag: true", "flag: false"},
        {"", "rate: 2001/s"},
        {"signing: hunter2", "signing: hunter3"},
        {"signing: [hunter2, hunter3]", "signing: [hunter3, hunter2]"},
        {"signing: '${env:A}'", "signing: '${env:B}'"},
        {"", "signing: hunter2"},
        {"", "headers: {x-team: storage}"},
        {"headers: {A: '${env:A}'}", "headers: {A: '${env:B}'}"},
        {"tags: {A: x, B: y}", "tags: {B: y, A: x}"},
        {"tags: {A: x}", "tags: {A: x, B: ''}"},
        {"tags: {A: x, B: y}", "tags: {A: y, B: x}"},
        {"auth: {bearer: token1}", "auth: {bearer: token2}"},
        {"auth: {basic: {user: u}}", "auth: {basic: {user: u, password: p}}"},
        {"word: auto", "word: ntlm"},
        {"size: 2KiB", "size: 2KB"},
        {"text: \"ab\", path: \"c\"", "text: \"ab\\\"\\tpath=\\\"c\", path: \"c\""},
    };
    for (size_t i = 0; i < COUNT_OF(equal); i++) {
        expect_frozen(equal[i][0], equal[i][1], true);
    }
    for (size_t i = 0; i < COUNT_OF(different); i++) {
        expect_frozen(different[i][0], different[i][1], false);
    }
}

/* Same keys, another type: another part. */
static void
test_frozen_type_and_agent(void **state)
{
    (void)state;
    struct fixture_load a;
    struct fixture_load b;
    expect_good(&a, GOOD_BOTH "agent: {heartbeat: 60m}\n", NULL);
    expect_good(&b, GOOD_BOTH, NULL);
    assert_string_equal(a.config->agent_frozen, b.config->agent_frozen);
    assert_contains(a.config->sources[0].frozen, "type=strict\n");
    assert_string_equal(a.config->folder, "/etc/sw");
    assert_string_equal(a.config->path, "/etc/sw/c.yaml");
    assert_null(sw_config_source(a.config, "p"));
    assert_null(sw_config_sink(a.config, "s"));
    fixture_fini(&b);
    expect_good(&b, GOOD_BOTH "agent: {heartbeat: 61m}\n", NULL);
    assert_string_not_equal(a.config->agent_frozen, b.config->agent_frozen);
    fixture_fini(&a);
    fixture_fini(&b);
}

static void
test_order(void **state)
{
    (void)state;
    struct fixture_load load;
    expect_good(&load,
        GOOD_SINK "sources:\n  z: {type: full}\n  a: {type: full}\n  m: {type: full}\n", NULL);
    assert_int_equal(load.config->source_count, 3);
    assert_string_equal(load.config->sources[0].name, "z");
    assert_string_equal(load.config->sources[1].name, "a");
    assert_string_equal(load.config->sources[2].name, "m");
    fixture_fini(&load);
}

/* ---- real files */

static char folder[] = "/tmp/sw-config-XXXXXX";
static char file[sizeof(folder) + 16];

static int
make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(file, sizeof(file), "%s/c.yaml", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static void
write_file(const char *text, mode_t mode)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(file, mode), 0);
}

static bool
load_file(enum sw_config_mode mode, struct sw_buf *said)
{
    const struct sw_config_options options = {.mode = mode, .types = &fixture_types};
    struct sw_problems problems;
    sw_problems_init(&problems);
    sw_buf_init(said, (size_t)1 << 20);
    struct sw_config *config = sw_config_load(file, &options, &problems);
    sw_problems_write(&problems, said);
    sw_problems_fini(&problems);
    bool good = config != NULL;
    sw_config_free(config);
    return good;
}

static void
test_file(void **state)
{
    (void)state;
    struct sw_buf said;
    write_file(GOOD_BOTH, 0600);
    assert_true(load_file(SW_CONFIG_RUN, &said));
    assert_int_equal(said.size, 0);
    sw_buf_fini(&said);
}

static void
test_file_of_others(void **state)
{
    (void)state;
    write_file(GOOD_BOTH "x: 1\n", 0666);
    for (int mode = SW_CONFIG_RUN; mode <= SW_CONFIG_CHECK; mode++) {
        struct sw_buf said;
        assert_false(load_file((enum sw_config_mode)mode, &said));
        assert_contains(sw_buf_text(&said), "c.yaml:1:1: ");
        assert_contains(sw_buf_text(&said), "chmod");
        assert_contains(sw_buf_text(&said), "c.yaml:3:1: x: unknown key");
        sw_buf_fini(&said);
    }
}

static void
test_file_missing(void **state)
{
    (void)state;
    struct sw_buf said;
    struct sw_buf expected;
    unlink(file);
    assert_false(load_file(SW_CONFIG_RUN, &said));
    sw_buf_init(&expected, 4096);
    sw_buf_printf(&expected,
        "%s: no such file (write one, beginning with the example 'sharewatch.example.yaml', or "
        "name another with -c FILE)\n",
        file);
    assert_string_equal(sw_buf_text(&said), sw_buf_text(&expected));
    sw_buf_fini(&said);
    sw_buf_fini(&expected);
}

static void
test_file_too_large(void **state)
{
    (void)state;
    struct sw_buf said;
    write_file(GOOD_BOTH, 0600);
    assert_int_equal(truncate(file, (off_t)SW_CONFIG_SIZE_MAX + 1), 0);
    assert_false(load_file(SW_CONFIG_RUN, &said));
    assert_contains(sw_buf_text(&said), "larger than 1048576 bytes\n");
    sw_buf_fini(&said);
}

/* ---- help */

static void
test_help(void **state)
{
    (void)state;
    static const char *const shown[][2] = {
        {"full", "source of type full: keys of every kind\n"},
        {"full", "  number: a whole number, -5 to 65535; default 445\n      a number\n"},
        {"full", "  login:\n    user: text; required\n    deep:\n      token: a secret\n"},
        {"full", "\n  rate: a rate such as 2000/s, 0 or 10/s to 1000000/s; default 2000/s\n"},
        {"full", "\n  signing: a secret, or a list of secrets, at most 2 items\n"},
        {"full", "\n  headers: names with texts such as {name: text}, 1 to 3 pairs; default "
                 "{X-Team: storage}\n"},
        {"full", "\n  auth: one of bearer, basic\n      who we are\n    bearer: a secret, 4 or "
                 "more bytes\n    basic:\n      user: text; required\n"},
        {"full", "\n  vault:\n    key: keys below it; required\n      id: text; required\n"},
        {"print", "sink of type print: events to a file\n  type: print\n"},
        {"sources", "  interval: a duration in ms, s, m, h or d, 100ms to 1d; default 30s\n"
                    "      time from one look\n      to the next\n"},
        {"sources", "source of type strict: "},
        {"sinks", "  path: a path; required\n"},
        {"agent", "  on_full: oldest | newest; default oldest\n"},
        {"config", "  heartbeat: a duration in ms, s, m, h or d, 0 or 1s to 366d; default 1h\n"},
        {"config", "sink of type print"},
        {"config", "${credential:NAME}"},
    };
    struct sw_buf buf;
    sw_buf_init(&buf, (size_t)1 << 20);
    /* Cut between words. */
    assert_true(sw_config_help(&fixture_types, "strict", &buf));
    assert_contains(sw_buf_text(&buf), "      what it is that this source looks at, in words that "
                                       "are so many that one line does not\n"
                                       "      hold them\n");
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        sw_buf_clear(&buf);
        assert_true(sw_config_help(&fixture_types, shown[i][0], &buf));
        assert_contains(sw_buf_text(&buf), shown[i][1]);
        assert_null(strstr(sw_buf_text(&buf), " \n"));
    }
    sw_buf_clear(&buf);
    assert_false(sw_config_help(&fixture_types, "nonsense", &buf));
    assert_int_equal(buf.size, 0);
    sw_config_help_topics(&fixture_types, &buf);
    assert_contains(sw_buf_text(&buf), "  strict       source: keys that must be there\n");
    sw_buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_types),
        cmocka_unit_test(test_across_keys),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_many_problems),
        cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_frozen_type_and_agent),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_of_others),
        cmocka_unit_test(test_file_missing),
        cmocka_unit_test(test_file_too_large),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
