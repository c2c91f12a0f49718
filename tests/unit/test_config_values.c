/* What keys of one value take, with its limits; what is left out, what nobody knows. */
#include "tests/support/config_expect.h"

#include "agent/platform/platform.h"
#include "config/key_text.h"
#include "config/value.h"

#define SECOND INT64_C(1000000000)

#define NUMBER   "(allowed: a whole number, -5 to 65535)\n"
#define SIZE     "(allowed: a size in B, KB, MB, GB, KiB, MiB or GiB, 1KiB to 2GiB)\n"
#define WAIT     "(allowed: a duration in ms, s, m, h or d, 0 or 1s to 1d)\n"
#define DURATION "(allowed: a duration in ms, s, m, h or d)\n"
#define RATE     "(allowed: a rate such as 2000/s, 0 or 10/s to 1000000/s)\n"
#define ONE_LINE "holds a line break or NUL (allowed: one line of text)\n"

static void
test_numbers(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    number: 65535\n"), ""},
        {FULL("    number: -5\n"), ""},
        {FULL("    number: 65536\n"), "4:13: sources.s.number: '65536' is out of range " NUMBER},
        {FULL("    number: -6\n"), "4:13: sources.s.number: '-6' is out of range " NUMBER},
        {FULL("    number: 99999999999999999999\n"),
            "4:13: sources.s.number: '99999999999999999999' is out of range " NUMBER},
        {FULL("    number: '12'\n"),
            "4:13: sources.s.number: '12' is text (leave out the quotes) " NUMBER},
        {FULL("    number: 010\n"), "4:13: sources.s.number: '010' cannot stand here " NUMBER},
        {FULL("    number: 1.5\n"), "4:13: sources.s.number: '1.5' cannot stand here " NUMBER},
        {FULL("    number: +5\n"), "4:13: sources.s.number: '+5' cannot stand here " NUMBER},
        {FULL("    number: 0x1F\n"), "4:13: sources.s.number: '0x1F' cannot stand here " NUMBER},
        {FULL("    number:\n"), "4:12: sources.s.number: a value is missing " NUMBER},
        {FULL("    number: ~\n"), "4:13: sources.s.number: a value is missing " NUMBER},
        {FULL("    number: [1]\n"), "4:13: sources.s.number: a list cannot stand here " NUMBER},
        {FULL("    number: {a: 1}\n"), "4:13: sources.s.number: a map cannot stand here " NUMBER},
        {FULL("    flag: false\n"), ""},
        {FULL("    flag: yes\n"),
            "4:11: sources.s.flag: 'yes' cannot stand here (allowed: true or false)\n"},
        {FULL("    flag: True\n"),
            "4:11: sources.s.flag: 'True' cannot stand here (allowed: true or false)\n"},
        {FULL("    flag: \"true\"\n"),
            "4:11: sources.s.flag: 'true' is text (leave out the quotes) (allowed: true or "
            "false)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_units(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    wait: \"10s\"\n"), ""},
        {FULL("    wait: 0\n"), ""},
        {FULL("    wait: 1d\n"), ""},
        {FULL("    wait: 1000ms\n"), ""},
        {FULL("    wait: 999ms\n"), "4:11: sources.s.wait: '999ms' is out of range " WAIT},
        {FULL("    wait: 25h\n"), "4:11: sources.s.wait: '25h' is out of range " WAIT},
        {FULL("    wait: 10\n"), "4:11: sources.s.wait: '10' has no unit " WAIT},
        {FULL("    wait: 10 s\n"), "4:11: sources.s.wait: '10 s' cannot stand here " WAIT},
        {FULL("    wait: 1h30m\n"), "4:11: sources.s.wait: '1h30m' cannot stand here " WAIT},
        {FULL("    wait: -1s\n"), "4:11: sources.s.wait: '-1s' cannot stand here " WAIT},
        {FULL("    wait: 1.5s\n"), "4:11: sources.s.wait: '1.5s' cannot stand here " WAIT},
        {FULL("    wait: s\n"), "4:11: sources.s.wait: 's' cannot stand here " WAIT},
        {FULL("    wait: 10S\n"), "4:11: sources.s.wait: '10S' cannot stand here " WAIT},
        {FULL("    wait: 999999999999d\n"),
            "4:11: sources.s.wait: '999999999999d' is out of range " WAIT},
        {FULL("    size: 1024B\n"), ""},
        {FULL("    size: 2GiB\n"), ""},
        {FULL("    size: 1KB\n"), "4:11: sources.s.size: '1KB' is out of range " SIZE},
        {FULL("    size: 3GB\n"), "4:11: sources.s.size: '3GB' is out of range " SIZE},
        {FULL("    size: 0\n"), "4:11: sources.s.size: '0' is out of range " SIZE},
        {FULL("    size: 4096\n"), "4:11: sources.s.size: '4096' has no unit " SIZE},
        {FULL("    size: 64kib\n"), "4:11: sources.s.size: '64kib' cannot stand here " SIZE},
        {FULL("    interval: 99ms\n"),
            "4:15: sources.s.interval: '99ms' is out of range (allowed: a duration in ms, s, m, h "
            "or d, 100ms to 1d)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_rates(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    rate: 10/s\n"), ""},
        {FULL("    rate: '1000000/s'\n"), ""},
        {FULL("    rate: 0\n"), ""},
        {FULL("    rate: 0/s\n"), ""},
        {FULL("    rate: 9/s\n"), "4:11: sources.s.rate: '9/s' is out of range " RATE},
        {FULL("    rate: 1000001/s\n"), "4:11: sources.s.rate: '1000001/s' is out of range " RATE},
        {FULL("    rate: 99999999999999999999/s\n"),
            "4:11: sources.s.rate: '99999999999999999999/s' is out of range " RATE},
        {FULL("    rate: 2000\n"), "4:11: sources.s.rate: '2000' has no unit " RATE},
        {FULL("    rate: 2000/m\n"), "4:11: sources.s.rate: '2000/m' cannot stand here " RATE},
        {FULL("    rate: 2000 /s\n"), "4:11: sources.s.rate: '2000 /s' cannot stand here " RATE},
        {FULL("    rate: -1/s\n"), "4:11: sources.s.rate: '-1/s' cannot stand here " RATE},
        {FULL("    rate: 2k/s\n"), "4:11: sources.s.rate: '2k/s' cannot stand here " RATE},
        {FULL("    rate: /s\n"), "4:11: sources.s.rate: '/s' cannot stand here " RATE},
        {FULL("    rate: 2000/s2\n"), "4:11: sources.s.rate: '2000/s2' cannot stand here " RATE},
        {FULL("    rate:\n"), "4:10: sources.s.rate: a value is missing " RATE},
        {FULL("    rate: [1/s]\n"), "4:11: sources.s.rate: a list cannot stand here " RATE},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_texts(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    text: yes\n"), ""},
        {FULL("    text: 'null'\n"), ""},
        {FULL("    text: 123456789012345678901234567890äääää\n"), ""},
        {FULL("    text: 123456789012345678901234567890ääääää\n"),
            "4:11: sources.s.text: '123456789012345678901234567890ääääää' is too long (allowed: "
            "text, 2 to 40 bytes)\n"},
        {FULL("    text: x\n"),
            "4:11: sources.s.text: 'x' is too short (allowed: text, 2 to 40 bytes)\n"},
        {FULL("    text: null\n"),
            "4:11: sources.s.text: a value is missing (allowed: text, 2 to 40 bytes)\n"},
        {FULL("    text: \"a\\nb\"\n"), "4:11: sources.s.text: " ONE_LINE},
        {FULL("    text: \"a\\rb\"\n"), "4:11: sources.s.text: " ONE_LINE},
        {FULL("    text: \"a\\0b\"\n"), "4:11: sources.s.text: " ONE_LINE},
        {FULL("    text: |\n      ab\n"), "4:11: sources.s.text: " ONE_LINE},
        {FULL("    text: |-\n      ab\n"), ""},
        {FULL("    text: {a: b}\n"),
            "4:11: sources.s.text: a map cannot stand here (allowed: text, 2 to 40 bytes)\n"},
        {FULL("    path: ''\n"), "4:11: sources.s.path: '' is empty (allowed: a path)\n"},
        {FULL("    word: Auto\n"), "4:11: sources.s.word: 'Auto' cannot stand here (allowed: auto "
                                   "| kerberos | ntlm); did you mean 'auto'?\n"},
        {FULL("    word: \"ntlm\"\n"), ""},
        {FULL("    text: [\"\\e\\u202Ex\"]\n    word: \"\\e\\u202Ex\"\n"),
            "4:11: sources.s.text: a list cannot stand here (allowed: text, 2 to 40 bytes)\n"
            "5:11: sources.s.word: '\\u{1B}\\u{202E}x' cannot stand here (allowed: auto | kerberos "
            "| ntlm)\n"},
        {FULL("    word: 0123456789012345678901234567890123456789012345678901234567890123456789\n"),
            "4:11: sources.s.word: '0123456789012345678901234567890123456789012345678901234567890"
            "123…' cannot stand here (allowed: auto | kerberos | ntlm)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

#define FULL_KEYS                                                                                  \
    "(allowed: type, interval, timeout, baseline, changed, ignore, text, path, program, "          \
    "password, flag, number, size, wait, word, command, letters, borders, login, rate, signing, "  \
    "headers, tags, auth, vault)"

static void
test_unknown(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    intervall: 5s\n"),
            "4:5: sources.s.intervall: unknown key " FULL_KEYS "; did you mean 'interval'?\n"},
        {FULL("    Password: x\n"),
            "4:5: sources.s.Password: unknown key " FULL_KEYS "; did you mean 'password'?\n"},
        {FULL("    brodres: []\n"),
            "4:5: sources.s.brodres: unknown key " FULL_KEYS "; did you mean 'borders'?\n"},
        {FULL("    zzz: x\n"), "4:5: sources.s.zzz: unknown key " FULL_KEYS "\n"},
        {GOOD_BOTH "source: {}\n",
            "3:1: source: unknown key (allowed: agent, sources, sinks); did you mean "
            "'sources'?\n"},
        {GOOD_BOTH "agent: {journal_maxx: 1GiB}\n",
            "3:9: agent.journal_maxx: unknown key (allowed: state_dir, journal_max, on_full, "
            "stop_timeout, heartbeat, log_level); did you mean 'journal_max'?\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_agent(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {GOOD_BOTH "agent:\n  journal_max: 1023KiB\n",
            "4:16: agent.journal_max: '1023KiB' is out of range (allowed: a size in B, KB, MB, GB, "
            "KiB, MiB or GiB, 1MiB to 1024GiB)\n"},
        {GOOD_BOTH "agent:\n  heartbeat: 1ms\n",
            "4:14: agent.heartbeat: '1ms' is out of range (allowed: a duration in ms, s, m, h or "
            "d, 0 or 1s to 366d)\n"},
        {GOOD_BOTH "agent:\n  on_full: newst\n",
            "4:12: agent.on_full: 'newst' cannot stand here (allowed: oldest | newest); did you "
            "mean 'newest'?\n"},
        {GOOD_BOTH "agent:\n  stop_timeout: 11m\n",
            "4:17: agent.stop_timeout: '11m' is out of range (allowed: a duration in ms, s, m, h "
            "or d, 0 to 10m)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_everything_read(void **state)
{
    (void)state;
    static const struct fixture_entry files[] = {{.name = "/c", .text = ""}, {.name = NULL}};
    struct fixture_host host;
    struct fixture_load load;
    fixture_host_init(&host, files, NULL);
    expect_good(&load,
        FULL("    interval: 20s\n    timeout: 1500ms\n    baseline: emit\n"
             "    changed: {opens: 7, idle: [1m, 2h], flags: false}\n"
             "    ignore: {users: ['a*', b]}\n"
             "    text: some text\n    path: rel/x\n    program: ../c\n    password: ' p '\n"
             "    flag: false\n    number: 8\n    size: 1MB\n    wait: 0\n    word: ntlm\n"
             "    command: [/c, '', x y]\n    letters: [q]\n    borders: [1ms]\n"
             "    login: {user: u, deep: {token: t}}\n    rate: 77/s\n    signing: one\n"
             "    headers: {X-B: '', X-A: ' a '}\n    tags: {t: 0}\n"
             "    auth: {basic: {user: v, password: w}}\n") "agent: {state_dir: st, journal_max: "
                                                            "1MiB, "
                                                            "on_full: newest, stop_timeout: 7s,\n"
                                                            "  heartbeat: 0, log_level: error}\n",
        &host);
    const struct sw_config_part *part = sw_config_source(load.config, "s");
    const struct fixture_full *full = part->conf;
    const struct fixture_settings *settings = part->settings;
    assert_string_equal(part->part->name, "full");
    assert_int_equal(settings->interval_ns, 20 * SECOND);
    assert_int_equal(settings->timeout_ns, 1500 * SECOND / 1000);
    assert_int_equal(settings->baseline, 1);
    assert_int_equal(settings->changed.opens, 7);
    assert_int_equal(settings->changed.idle.count, 2);
    assert_int_equal(settings->changed.idle.items_ns[1], 7200 * SECOND);
    assert_false(settings->changed.flags);
    assert_int_equal(settings->ignore.users.count, 2);
    assert_string_equal(settings->ignore.users.items[0], "a*");
    assert_string_equal(full->text, "some text");
    assert_string_equal(full->path, "/etc/sw/rel/x");
    assert_string_equal(full->password, " p ");
    assert_false(full->flag);
    assert_int_equal(full->number, 8);
    assert_int_equal(full->size, 1000000);
    assert_int_equal(full->wait_ns, 0);
    assert_int_equal(full->word, 2);
    assert_int_equal(full->command.count, 3);
    assert_string_equal(full->command.items[1], "");
    assert_string_equal(full->command.items[2], "x y");
    assert_string_equal(full->letters.items[0], "q");
    assert_int_equal(full->borders.items_ns[0], SECOND / 1000);
    assert_string_equal(full->login.user, "u");
    assert_string_equal(full->login.deep.token, "t");
    assert_int_equal(full->rate, 77);
    assert_int_equal(full->signing.count, 1);
    assert_string_equal(full->signing.items[0], "one");
    assert_int_equal(full->headers.count, 2);
    assert_string_equal(full->headers.items[0].name, "X-B");
    assert_string_equal(full->headers.items[0].value, "");
    assert_string_equal(full->headers.items[1].name, "X-A");
    assert_string_equal(full->headers.items[1].value, " a ");
    assert_int_equal(full->tags.count, 1);
    assert_string_equal(full->tags.items[0].value, "0");
    assert_null(full->auth.bearer);
    assert_string_equal(full->auth.basic.user, "v");
    assert_string_equal(full->auth.basic.password, "w");
    assert_string_equal(load.config->agent.state_dir, "/etc/sw/st");
    assert_int_equal(load.config->agent.journal_max, 1 << 20);
    assert_int_equal(load.config->agent.on_full, SW_CONFIG_ON_FULL_NEWEST);
    assert_int_equal(load.config->agent.stop_timeout_ns, 7 * SECOND);
    assert_int_equal(load.config->agent.heartbeat_ns, 0);
    assert_int_equal(load.config->agent.log_level, 0);
    const struct fixture_print *print = sw_config_sink(load.config, "p")->conf;
    assert_string_equal(print->path, "-");
    fixture_fini(&load);
}

static void
test_defaults(void **state)
{
    (void)state;
    struct fixture_load load;
    expect_good(&load, FULL(""), NULL);
    const struct fixture_full *full = load.config->sources[0].conf;
    const struct fixture_settings *settings = load.config->sources[0].settings;
    assert_int_equal(load.said.size, 0);
    assert_int_equal(settings->interval_ns, 30 * SECOND);
    assert_int_equal(settings->timeout_ns, 10 * SECOND);
    assert_true(settings->changed.flags);
    assert_int_equal(settings->changed.idle.count, 0);
    assert_string_equal(settings->ignore.users.items[0], "*$");
    assert_null(full->text);
    assert_null(full->password);
    assert_true(full->flag);
    assert_int_equal(full->number, 445);
    assert_int_equal(full->size, 2048);
    assert_int_equal(full->wait_ns, 3600 * SECOND);
    assert_int_equal(full->letters.count, 2);
    assert_string_equal(full->letters.items[1], "b");
    assert_int_equal(full->borders.items_ns[1], 3600 * SECOND);
    assert_null(full->login.user);
    assert_int_equal(full->rate, 2000);
    assert_int_equal(full->signing.count, 0);
    assert_int_equal(full->headers.count, 1);
    assert_string_equal(full->headers.items[0].name, "X-Team");
    assert_string_equal(full->headers.items[0].value, "storage");
    assert_int_equal(full->tags.count, 0);
    assert_null(full->auth.bearer);
    assert_null(full->auth.basic.user);
    assert_null(full->vault.key.id);
    assert_string_equal(load.config->agent.state_dir, SW_DEFAULT_STATE_DIR);
    assert_int_equal(load.config->agent.journal_max, 1 << 30);
    assert_int_equal(load.config->agent.on_full, SW_CONFIG_ON_FULL_OLDEST);
    assert_int_equal(load.config->agent.stop_timeout_ns, 5 * SECOND);
    assert_int_equal(load.config->agent.heartbeat_ns, 3600 * SECOND);
    assert_int_equal(load.config->agent.log_level, 2);
    fixture_fini(&load);
}

static void
test_largest(void **state)
{
    (void)state;
    int64_t number;
    uint64_t size;
    assert_int_equal(sw_value_duration(SW_STR("106751d"), &number), SW_VALUE_OK);
    assert_int_equal(number, INT64_C(106751) * 86400 * SECOND);
    assert_int_equal(sw_value_duration(SW_STR("106752d"), &number), SW_VALUE_OUT_OF_RANGE);
    assert_int_equal(sw_value_size(SW_STR("8589934591GiB"), &size), SW_VALUE_OK);
    assert_int_equal(sw_value_size(SW_STR("8589934592GiB"), &size), SW_VALUE_OUT_OF_RANGE);
    assert_int_equal(sw_value_int(SW_STR("9223372036854775807"), &number), SW_VALUE_OK);
    assert_int_equal(number, INT64_MAX);
    assert_int_equal(sw_value_int(SW_STR("9223372036854775808"), &number), SW_VALUE_OUT_OF_RANGE);
    assert_int_equal(sw_value_rate(SW_STR("9223372036854775807/s"), &number), SW_VALUE_OK);
    assert_int_equal(number, INT64_MAX);
    assert_int_equal(
        sw_value_rate(SW_STR("9223372036854775808/s"), &number), SW_VALUE_OUT_OF_RANGE);
    assert_int_equal(sw_value_int(SW_STR("-"), &number), SW_VALUE_WRONG);
    assert_int_equal(sw_value_int(SW_STR(""), &number), SW_VALUE_WRONG);
    assert_int_equal(sw_value_int(SW_STR("-0"), &number), SW_VALUE_OK);
}

/* What is printed can be written into a configuration again. */
static void
test_text_and_back(void **state)
{
    (void)state;
    static const int64_t durations[] = {0, 1, 999, 1000, 1500, 60000, 90000, 3600000, 86400000};
    static const uint64_t sizes[] = {0, 1, 1000, 1024, 1000000, 1536, 1u << 20, 1u << 30, 3000000};
    for (size_t i = 0; i < COUNT_OF(durations); i++) {
        struct sw_buf buf;
        int64_t back = -1;
        uint64_t size = 1;
        sw_buf_init(&buf, 100);
        sw_key_add_duration(&buf, durations[i] * 1000000);
        assert_int_equal(sw_value_duration(sw_str_of(sw_buf_text(&buf)), &back), SW_VALUE_OK);
        assert_int_equal(back, durations[i] * 1000000);
        sw_buf_clear(&buf);
        sw_key_add_size(&buf, sizes[i]);
        assert_int_equal(sw_value_size(sw_str_of(sw_buf_text(&buf)), &size), SW_VALUE_OK);
        assert_int_equal(size, sizes[i]);
        sw_buf_clear(&buf);
        sw_key_add_rate(&buf, durations[i]);
        assert_int_equal(sw_value_rate(sw_str_of(sw_buf_text(&buf)), &back), SW_VALUE_OK);
        assert_int_equal(back, durations[i]);
        sw_buf_fini(&buf);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_everything_read),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_text_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
