/* References inside values, and that no secret is ever shown. */
#include "tests/support/config_expect.h"

#define SECRET "hunter2"

static char large_file[SW_CONFIG_REFERENCE_MAX + 2];

static const struct fixture_entry env[] = {
    {.name = "TOKEN", .text = SECRET},
    {.name = "EMPTY", .text = ""},
    {.name = "WAIT", .text = "20s"},
    {.name = "NUMBER", .text = "12"},
    {.name = "FLAG", .text = "false"},
    {.name = "NULL_WORD", .text = "null"},
    {.name = "REF", .text = "${env:TOKEN}"},
    {.name = "FORBIDDEN", .text = "forbidden"},
    {.name = "LINES", .text = SECRET "\nx"},
    {.name = "LATIN", .text = SECRET "\xE4"},
    {.name = "LONG", .text = "123456789012345678901234567890123456789012345"},
    {.name = "CREDENTIALS_DIRECTORY", .text = "/creds"},
    {.name = NULL},
};

static const struct fixture_entry files[] = {
    {.name = "/etc/sw/token", .text = SECRET},
    {.name = "/run/one", .text = SECRET "\n"},
    {.name = "/run/two", .text = SECRET "\n\n"},
    {.name = "/run/crlf", .text = SECRET "\r\n"},
    {.name = "/run/cr", .text = SECRET "\rx"},
    {.name = "/run/nul", .text = SECRET "\0x", .size = 9},
    {.name = "/run/open", .text = SECRET, .is_untrusted = true},
    {.name = "/run/empty", .text = ""},
    {.name = "/run/latin", .text = SECRET "\xE4"},
    {.name = "/run/large", .text = large_file},
    {.name = "/creds/db.pass-1", .text = SECRET "\n"},
    {.name = "/c", .text = ""},
    {.name = NULL},
};

static struct fixture_host host;

static int
set_up(void **state)
{
    (void)state;
    memset(large_file, 'x', sizeof(large_file) - 1);
    fixture_host_init(&host, files, env);
    return 0;
}

static void
expect_password(const char *written, const char *value)
{
    struct fixture_load load;
    struct sw_buf yaml;
    sw_buf_init(&yaml, 4096);
    sw_buf_printf(&yaml, FULL("    password: %s\n"), written);
    expect_good(&load, sw_buf_text(&yaml), &host);
    assert_string_equal(
        ((const struct fixture_full *)load.config->sources[0].conf)->password, value);
    assert_int_equal(load.said.size, 0);
    fixture_fini(&load);
    sw_buf_fini(&yaml);
}

static void
test_replaced(void **state)
{
    (void)state;
    expect_password("${env:TOKEN}", SECRET);
    expect_password("'${env:TOKEN}'", SECRET);
    expect_password("a-${env:TOKEN}${env:WAIT}-b", "a-" SECRET "20s-b");
    expect_password("${env:NOT_SET:-plan b}", "plan b");
    expect_password("${env:NOT_SET:-}", "");
    expect_password("${env:EMPTY:-plan b}", "plan b");
    expect_password("${env:EMPTY}", "");
    expect_password("${env:TOKEN:-plan b}", SECRET);
    expect_password("${env:NOT_SET:-a:-b}", "a:-b");
    expect_password("${file:/run/one}", SECRET);
    expect_password("${file:/run/crlf}", SECRET);
    expect_password("${file:token}", SECRET);
    expect_password("${file:/run/empty}", "");
    expect_password("${credential:db.pass-1}", SECRET);
    expect_password("$${env:TOKEN}", "${env:TOKEN}");
    expect_password("'$$${env:TOKEN}'", "$${env:TOKEN}");
    expect_password("pa$$word$", "pa$$word$");
    expect_password("$$$", "$$$");
    expect_password("'{a}$x'", "{a}$x");
    /* What a reference brings is not looked at again. */
    expect_password("${env:REF}", "${env:TOKEN}");
    expect_password("${env:NULL_WORD}", "null");
}

/* Quotes are often needed around a reference, so they do not make its value a text. */
static void
test_typed(void **state)
{
    (void)state;
    struct fixture_load load;
    expect_good(&load,
        FULL("    number: \"${env:NUMBER}\"\n    flag: '${env:FLAG}'\n"
             "    wait: ${env:WAIT}\n    word: ${env:NOT_SET:-ntlm}\n"
             "    letters: ['${env:TOKEN}', x]\n"),
        &host);
    const struct fixture_full *full = load.config->sources[0].conf;
    assert_int_equal(full->number, 12);
    assert_false(full->flag);
    assert_int_equal(full->wait_ns, INT64_C(20000000000));
    assert_int_equal(full->word, 2);
    assert_string_equal(full->letters.items[0], SECRET);
    fixture_fini(&load);
    expect_good(&load,
        FULL("    rate: ${env:NUMBER}/s\n    signing: ['${file:/run/one}', '${env:TOKEN}-2']\n"
             "    headers: {X-Key: 'k ${env:TOKEN}', '${env:TOKEN}': x}\n"
             "    auth: {bearer: '${env:TOKEN}'}\n"),
        &host);
    full = load.config->sources[0].conf;
    assert_int_equal(full->rate, 12);
    assert_string_equal(full->signing.items[0], SECRET);
    assert_string_equal(full->signing.items[1], SECRET "-2");
    assert_string_equal(full->headers.items[0].value, "k " SECRET);
    /* Values only: a name is what is written. */
    assert_string_equal(full->headers.items[1].name, "${env:TOKEN}");
    assert_string_equal(full->auth.bearer, SECRET);
    fixture_fini(&load);
    expect_good(&load, GOOD_SINK "sources: {s: {type: \"${env:NOT_SET:-full}\"}}\n", &host);
    fixture_fini(&load);
}

#define ALLOWED                                                                                    \
    "unknown reference (allowed: ${env:NAME}, ${env:NAME:-default}, ${file:PATH}, "                \
    "${credential:NAME}; write $${ for a literal ${)\n"

static void
test_refused(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    text: ${foo:bar}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${env:}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${env:1A}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${env:A B}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${ENV:A}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${file:}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${credential:../x}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${credential:..}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: ${env:A:-${env:B}}\n"), "4:11: sources.s.text: " ALLOWED},
        {FULL("    text: x${" SECRET "\n"),
            "4:11: sources.s.text: a '${' without '}' (write $${ for a literal ${)\n"},
        {FULL("    text: ${env:LINES}\n"), "4:11: sources.s.text: ${env:LINES}: holds a line break "
                                           "or NUL (allowed: one line of text)\n"},
        {FULL("    text: ${env:LATIN}\n"), "4:11: sources.s.text: ${env:LATIN}: is not UTF-8\n"},
        {FULL("    text: ${file:/run/two}\n"), "4:11: sources.s.text: ${file:/run/two}: holds a "
                                               "line break or NUL (allowed: one line of text)\n"},
        {FULL("    text: ${file:/run/cr}\n"), "4:11: sources.s.text: ${file:/run/cr}: holds a "
                                              "line break or NUL (allowed: one line of text)\n"},
        {FULL("    text: ${file:/run/nul}\n"), "4:11: sources.s.text: ${file:/run/nul}: holds a "
                                               "line break or NUL (allowed: one line of text)\n"},
        {FULL("    text: ${file:/run/latin}\n"),
            "4:11: sources.s.text: ${file:/run/latin}: is not UTF-8\n"},
        {FULL("    text: ${file:/run/large}\n"), "4:11: sources.s.text: ${file:/run/large}: "
                                                 "/run/large: larger than 65536 bytes\n"},
        {FULL("    text: ${file:/run/none}\n"), "4:11: sources.s.text: ${file:/run/none}: open "
                                                "/run/none: No such file or directory\n"},
        {FULL("    text: ${file:/run/open}\n"),
            "4:11: sources.s.text: ${file:/run/open}: /run/open: others can write it: chmod go-w "
            "/run/open\n"},
        /* Both are told, and what the value would have been is nobody's business then. */
        {FULL("    number: ${env:1}${file:/run/open}\n"),
            "4:13: sources.s.number: " ALLOWED
            "4:13: sources.s.number: ${file:/run/open}: /run/open: others can write it: chmod go-w "
            "/run/open\n"},
        /* Whoever writes the message: neither a check of the type nor a path says the value. */
        {FULL("    text: ${env:FORBIDDEN}\n"),
            "warning: 3:3: sources.s.login.user: is not looked at\n"
            "4:11: sources.s.text: '${env:FORBIDDEN}' is not wanted\n"},
        {FULL("    text: x${env:BIDDEN:-orbidden}\n    program: ${env:TOKEN}\n"),
            "warning: 5:14: sources.s.program: /etc/sw/${env:TOKEN} is not there\n"},
        {FULL("    number: ${env:TOKEN}\n"),
            "4:13: sources.s.number: the value of ${env:TOKEN} cannot stand here (allowed: a whole "
            "number, -5 to 65535)\n"},
        {FULL("    rate: ${env:TOKEN}\n"),
            "4:11: sources.s.rate: the value of ${env:TOKEN} cannot stand here (allowed: a rate "
            "such as 2000/s, 0 or 10/s to 1000000/s)\n"},
        {FULL("    signing: ${env:EMPTY}\n    headers: ${env:TOKEN}\n"),
            "4:14: sources.s.signing: the value of ${env:EMPTY} is empty (allowed: a secret, or a "
            "list of secrets, at most 2 items)\n"
            "5:14: sources.s.headers: the value of ${env:TOKEN} is no map (allowed: names with "
            "texts such as {name: text}, 1 to 3 pairs)\n"},
        {FULL("    headers: {X-Key: '${env:LINES}'}\n"),
            "4:22: sources.s.headers.X-Key: ${env:LINES}: holds a line break or NUL (allowed: one "
            "line of text)\n"},
        {FULL("    text: ${env:LONG:-x}\n"),
            "4:11: sources.s.text: the value of ${env:LONG} is too "
            "long (allowed: text, 2 to 40 bytes)\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        expect_said(SW_CONFIG_RUN, sw_str_of(cases[i].yaml), cases[i].said, &host);
        expect_said(SW_CONFIG_CHECK, sw_str_of(cases[i].yaml), cases[i].said, &host);
    }
}

/* `check` runs outside the service and its environment: no variable, no credential. */
static void
test_unset(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    text: ${env:NOPE}\n"),
            "4:11: sources.s.text: ${env:NOPE}: this variable is not set\n"},
        {FULL("    number: ${env:NOPE}\n    borders: ['${env:NOPE}', 1h]\n"),
            "4:13: sources.s.number: ${env:NOPE}: this variable is not set\n"
            "warning: 5:15: sources.s.borders[0]: ${env:NOPE}: this variable is not set\n"},
        {FULL("    path: ${credential:x}\n"),
            "4:11: sources.s.path: ${credential:x}: CREDENTIALS_DIRECTORY is not set (the service "
            "manager sets it for LoadCredential=)\n"},
        {GOOD_SINK "sources: {s: {type: strict, target: '${env:NOPE}', command: ['${env:NOPE}']}}",
            "2:37: sources.s.target: ${env:NOPE}: this variable is not set\n"
            "warning: 2:62: sources.s.command[0]: ${env:NOPE}: this variable is not set\n"},
        {GOOD_SINK "sources: {s: {type: '${env:NOPE}', what: ever}}",
            "2:21: sources.s.type: ${env:NOPE}: this variable is not set\n"},
        {FULL("    signing: ${env:NOPE}\n    headers: {a: '${env:NOPE}'}\n    rate: ${env:NOPE}\n"
              "    auth: {bearer: '${env:NOPE}'}\n"),
            "4:14: sources.s.signing: ${env:NOPE}: this variable is not set\n"
            "warning: 5:18: sources.s.headers.a: ${env:NOPE}: this variable is not set\n"
            "warning: 6:11: sources.s.rate: ${env:NOPE}: this variable is not set\n"
            "warning: 7:20: sources.s.auth.bearer: ${env:NOPE}: this variable is not set\n"},
        /* Cross rules wait for the value. */
        {FULL("    timeout: 1h\n    text: ${env:NOPE}\n"),
            "5:11: sources.s.text: ${env:NOPE}: this variable is not set\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sw_buf warnings;
        struct sw_buf errors;
        sw_buf_init(&warnings, 4096);
        sw_buf_init(&errors, 4096);
        /* The first line is written without "warning: ", the others with it. */
        sw_buf_printf(&warnings, "warning: %s", cases[i].said);
        for (const char *at = cases[i].said; *at != '\0';) {
            size_t size = strcspn(at, "\n") + 1;
            size_t skip = strncmp(at, "warning: ", 9) == 0 ? 9 : 0;
            sw_buf_add(&errors, at + skip, size - skip);
            at += size;
        }
        expect_said(SW_CONFIG_CHECK, sw_str_of(cases[i].yaml), sw_buf_text(&warnings), NULL);
        expect_said(SW_CONFIG_RUN, sw_str_of(cases[i].yaml), sw_buf_text(&errors), NULL);
        sw_buf_fini(&warnings);
        sw_buf_fini(&errors);
    }
}

/* In every place that a secret can wrongly stand, however it got there. */
static void
test_never_shown(void **state)
{
    (void)state;
    static const char *const yamls[] = {
        FULL("    password: " SECRET "\n"),
        FULL("    password: [" SECRET "]\n"),
        FULL("    password: {a: " SECRET "}\n"),
        FULL("    password: \"" SECRET "\\n\"\n"),
        FULL("    password: " SECRET "${" SECRET "\n"),
        FULL("    password: ${" SECRET "}\n"),
        FULL("    password: ${file:" SECRET "${x}\n    password: " SECRET "\n"),
        FULL("    password: ${env:X Y:-" SECRET "}\n"),
        FULL("    password: !x " SECRET "\n"),
        FULL("    pasword: " SECRET "\n"),
        FULL("    login: {deep: {token: [" SECRET "]}, tokn: " SECRET "}\n"),
        FULL("    login: {user: u, deep: " SECRET "}\n"),
        FULL("    changed: " SECRET "\n"),
        FULL("    number: ${env:TOKEN}\n    size: ${file:/run/one}\n    flag: ${env:TOKEN}\n"),
        FULL("    word: ${env:TOKEN}\n    borders: ['${env:TOKEN}']\n    text: ${env:LINES}\n"),
        FULL("    letters: ${env:TOKEN}\n    command: ${env:TOKEN}\n    login: ${env:TOKEN}\n"),
        FULL("    interval: ${env:NOPE:-" SECRET "}\n    wait: ${env:EMPTY:-" SECRET "}\n"),
        FULL("    text: ${file:/run/nul}${file:/run/cr}${file:/run/latin}${file:/run/two}\n"),
        FULL("    interval: x\n    password: " SECRET "\n"),
        FULL("    signing: " SECRET "\n    headers: {a: " SECRET "}\n    tags: {b: x" SECRET "}\n"),
        FULL("    signing: [" SECRET ", " SECRET ", " SECRET "]\n"),
        FULL("    signing: [[" SECRET "], {a: " SECRET "}, \"" SECRET "\\n\"]\n"),
        FULL("    signing: {a: " SECRET "}\n    headers: [" SECRET "]\n    tags: " SECRET "\n"),
        FULL("    headers: {a: [" SECRET "], b: {c: " SECRET "}, d: \"" SECRET "\\r\"}\n"),
        FULL("    headers: {a: !x " SECRET ", a: " SECRET ", <<: " SECRET "}\n"),
        FULL("    headers: {a: " SECRET ", b: " SECRET ", c: " SECRET ", d: " SECRET "}\n"),
        FULL("    tags: {no.dots: " SECRET "}\n"),
        FULL("    tags: {no.dots: '${env:TOKEN}'}\n"),
        FULL("    signing: '${env:TOKEN}${" SECRET "'\n    headers: {a: '${" SECRET "}'}\n"),
        FULL("    headers: '${env:TOKEN}'\n    rate: '${env:TOKEN}'\n"),
        FULL("    auth: {bearer: " SECRET ", basic: {password: " SECRET "}}\n"),
        FULL("    auth: {bearer: [" SECRET "]}\n    vault: " SECRET "\n"),
        FULL("    auth: " SECRET "\n"),
        FULL("    auth: {basic: " SECRET "}\n"),
        FULL("    auth: {basic: {user: u, password: {a: " SECRET "}}}\n"),
        GOOD_SINK "sources: {s: {type: '${env:TOKEN}', password: " SECRET "}}\n",
        GOOD_SINK "sources: {s: {type: nope, password: " SECRET "}}\n",
        GOOD_SINK "sources: {s: " SECRET "}\n",
        GOOD_SINK "sources: " SECRET "\n",
        FULL("    password: '" SECRET "\n"),
        FULL("    password: \"" SECRET "\\x\n"),
        FULL("    password: " SECRET ": x\n"),
        FULL("    password: @" SECRET "\n"),
        FULL("    password: " SECRET "\n     text: x\n"),
        FULL("    password: {" SECRET "\n"),
        FULL("    password:\n\t" SECRET "\n"),
        SECRET,
    };
    for (size_t i = 0; i < COUNT_OF(yamls); i++) {
        for (int mode = SW_CONFIG_RUN; mode <= SW_CONFIG_CHECK; mode++) {
            struct fixture_load load;
            fixture_parse(&load, (enum sw_config_mode)mode, sw_str_of(yamls[i]), &host);
            if (strstr(sw_buf_text(&load.said), SECRET) != NULL) {
                fail_msg("of:\n%s\nsaid:\n%s", yamls[i], sw_buf_text(&load.said));
            }
            for (size_t s = 0; load.config != NULL && s < load.config->source_count; s++) {
                assert_null(strstr(load.config->sources[s].frozen, SECRET));
            }
            fixture_fini(&load);
        }
    }
}

/* A file of 64 KiB named a thousand times must not cost 64 MiB. */
static void
test_bounded(void **state)
{
    (void)state;
    static char most[SW_CONFIG_REFERENCE_MAX + 1];
    memset(most, 'y', sizeof(most) - 1);
    const struct fixture_entry many[] = {{.name = "/big", .text = most}, {.name = NULL}};
    struct fixture_host big;
    struct fixture_load load;
    struct sw_buf yaml;
    fixture_host_init(&big, many, NULL);
    sw_buf_init(&yaml, (size_t)1 << 20);
    sw_buf_add_text(&yaml, "sources: {s: {type: full, letters: [");
    for (int i = 0; i < 1000; i++) {
        sw_buf_add_text(&yaml, "'${file:/big}', ");
    }
    sw_buf_add_text(&yaml, "]}}\n");
    fixture_parse(&load, SW_CONFIG_RUN, (struct sw_str){sw_buf_text(&yaml), yaml.size}, &big);
    assert_null(load.config);
    assert_contains(sw_buf_text(&load.said), "the values of the configuration are too large\n");
    fixture_fini(&load);
    sw_buf_fini(&yaml);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_typed),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unset),
        cmocka_unit_test(test_never_shown),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
