/* What keys of several values take: lists, free names with texts, maps. */
#include "tests/support/config_expect.h"

#define BORDERS  "(allowed: an ascending list of durations such as [5m, 1h], at most 3 items)\n"
#define SECRETS  "(allowed: a secret, or a list of secrets, at most 2 items)\n"
#define PAIRS    "(allowed: names with texts such as {name: text}, 1 to 3 pairs)\n"
#define LIST     "(allowed: a list of texts such as [a, b])\n"
#define ONE_LINE "holds a line break or NUL (allowed: one line of text)\n"

static void
test_lists(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    letters: []\n    borders: []\n"), ""},
        {FULL("    letters: a\n"), "4:14: sources.s.letters: 'a' is no list " LIST},
        {FULL("    letters:\n"), "4:13: sources.s.letters: a value is missing " LIST},
        {FULL("    letters: {a: b}\n"), "4:14: sources.s.letters: a map is no list " LIST},
        {FULL("    letters: [a, [b], ~, \"c\\n\"]\n"),
            "4:18: sources.s.letters[1]: a list cannot stand in this list " LIST
            "4:23: sources.s.letters[2]: a value is missing " LIST
            "4:26: sources.s.letters[3]: " ONE_LINE},
        {FULL("    command: []\n"), "4:14: sources.s.command: 0 items (allowed: 1 to 3)\n"},
        {FULL("    command:\n    - a\n    - b\n    - c\n    - d\n"),
            "5:5: sources.s.command: 4 items (allowed: 1 to 3)\n"},
        {FULL("    borders: [1m, 1h, 1d]\n"), ""},
        {FULL("    borders: [1m, 1m]\n"),
            "4:19: sources.s.borders[1]: '1m' is not above the one before it " BORDERS},
        {FULL("    borders: [1h, 5m]\n"),
            "4:19: sources.s.borders[1]: '5m' is not above the one before it " BORDERS},
        {FULL("    borders: [1, x, 0]\n"),
            "4:15: sources.s.borders[0]: '1' has no unit (allowed: a duration in ms, s, m, h or d, "
            "1 or more)\n"
            "4:18: sources.s.borders[1]: 'x' cannot stand here (allowed: a duration in ms, s, m, h "
            "or d, 1 or more)\n"
            "4:21: sources.s.borders[2]: '0' is out of range (allowed: a duration in ms, s, m, h "
            "or d, 1 or more)\n"},
        {FULL("    borders: [1s, 2s, 3s, 4s]\n"),
            "4:14: sources.s.borders: 4 items (allowed: 0 to 3)\n"},
        {FULL("    changed: {idle: [[1h]]}\n"),
            "4:22: sources.s.changed.idle[0]: a list cannot stand here (allowed: a duration in ms, "
            "s, m, h or d, 1 or more)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_secrets(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    signing: a\n"), ""},
        {FULL("    signing: []\n"), ""},
        {FULL("    signing:\n      - a\n      - b\n"), ""},
        {FULL("    signing: [a, b, c]\n"), "4:14: sources.s.signing: 3 items (allowed: 0 to 2)\n"},
        {FULL("    signing:\n"), "4:13: sources.s.signing: a value is missing " SECRETS},
        {FULL("    signing: ''\n"), "4:14: sources.s.signing: the secret is empty " SECRETS},
        {FULL("    signing: [a, '']\n"),
            "4:18: sources.s.signing[1]: the secret is empty " SECRETS},
        {FULL("    signing: {a: b}\n"), "4:14: sources.s.signing: a map is no list " SECRETS},
        {FULL("    signing: [[a], ~]\n"),
            "4:15: sources.s.signing[0]: a list cannot stand in this list " SECRETS
            "4:20: sources.s.signing[1]: a value is missing " SECRETS},
        {FULL("    signing: \"a\\nb\"\n"), "4:14: sources.s.signing: " ONE_LINE},
        {FULL("    signing: [\"a\\0b\", a]\n"), "4:15: sources.s.signing[0]: " ONE_LINE},
    };
    expect_cases(cases, COUNT_OF(cases));
}

static void
test_pairs(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    headers: {a: b}\n    tags: {}\n"), ""},
        {FULL("    headers:\n      a: ''\n      A: 5\n      'b c': true\n"), ""},
        {FULL("    tags:\n"), ""},
        {FULL("    headers:\n"), "4:13: sources.s.headers: 0 pairs (allowed: 1 to 3)\n"},
        {FULL("    headers: {}\n"), "4:14: sources.s.headers: 0 pairs (allowed: 1 to 3)\n"},
        {FULL("    headers: {a: 1, b: 2, c: 3, d: 4}\n"),
            "4:14: sources.s.headers: 4 pairs (allowed: 1 to 3)\n"},
        {FULL("    headers: [a]\n"), "4:14: sources.s.headers: a list is no map " PAIRS},
        {FULL("    headers: a\n"), "4:14: sources.s.headers: the value is no map " PAIRS},
        {FULL("    headers: {a: b, a: c}\n"),
            "4:21: sources.s.headers.a: duplicate key (first in line 4)\n"},
        /* What is left out is told once, not also that too little is left. */
        {FULL("    headers: {<<: {a: b}}\n"),
            "4:15: sources.s.headers.<<: merge keys are not supported (write the keys out)\n"},
        {FULL("    headers: {a: *b, c: [d], e: }\n"),
            "4:18: sources.s.headers.a: aliases are not supported (write the value out)\n"
            "4:25: sources.s.headers.c: a list cannot stand here (allowed: text)\n"
            "4:33: sources.s.headers.e: a value is missing (allowed: text)\n"},
        {FULL("    headers: {a: {b: c}}\n"),
            "4:18: sources.s.headers.a: a map cannot stand here (allowed: text)\n"},
        {FULL("    headers: {a: \"b\\r\"}\n"), "4:18: sources.s.headers.a: " ONE_LINE},
        {FULL("    headers: {\"a\\nb\": c}\n"),
            "4:15: sources.s.headers.a\\u{A}b: a name with a line break (allowed: one line of "
            "text)\n"},
        /* A check finds the name although a dot otherwise goes down. */
        {FULL("    tags: {no: {x: y}}\n"),
            "4:16: sources.s.tags.no: a map cannot stand here (allowed: text)\n"},
        {FULL("    tags: {no: a, no.dots: b}\n"),
            "4:28: sources.s.tags.no.dots: a name that cannot be used\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

/* Keys that say no number have one all the same, and a text its size. */
static void
test_pairs_limits(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct sw_buf yaml;
        sw_buf_init(&yaml, (size_t)1 << 20);
        sw_buf_add_text(&yaml, GOOD_SINK "sources:\n  s:\n    type: full\n    tags:\n");
        for (int i = 0; i < 64 + extra; i++) {
            sw_buf_printf(&yaml, "      t%d: x\n", i);
        }
        expect_said(SW_CONFIG_RUN, sw_str_of(sw_buf_text(&yaml)),
            extra > 0 ? "6:7: sources.s.tags: 65 pairs (allowed: 0 to 64)\n" : "", NULL);
        sw_buf_clear(&yaml);
        sw_buf_printf(&yaml, FULL("    headers: {a: %0*d}\n"), 4096 + extra, 0);
        expect_said(SW_CONFIG_RUN, sw_str_of(sw_buf_text(&yaml)),
            extra > 0 ? "4:18: sources.s.headers.a: 4097 bytes (allowed: at most 4096)\n" : "",
            NULL);
        sw_buf_fini(&yaml);
    }
}

static void
test_maps(void **state)
{
    (void)state;
    static const struct expect_case cases[] = {
        {FULL("    changed:\n"), ""},
        {FULL("    changed: ~\n"), ""},
        {FULL("    changed: [opens]\n"),
            "4:14: sources.s.changed: a list where keys are expected (allowed: lines such as "
            "'key: value' below it)\n"},
        {FULL("    changed: 5\n"), "4:14: sources.s.changed: a value where keys are expected "
                                   "(allowed: lines such as 'key: value' below it)\n"},
        {FULL("    changed: {open: 1, flags: 2}\n"),
            "4:15: sources.s.changed.open: unknown key (allowed: opens, idle, flags); did you mean "
            "'opens'?\n"
            "4:31: sources.s.changed.flags: '2' cannot stand here (allowed: true or false)\n"},
        {FULL("    login: {deep: {token: abc}}\n"),
            "4:5: sources.s.login.user: this key is required (allowed: text)\n"},
        {FULL("    login: {user: ''}\n"),
            "4:19: sources.s.login.user: '' is empty (allowed: text)\n"},
        {FULL("    login: {}\n"),
            "4:5: sources.s.login.user: this key is required (allowed: text)\n"},
        {GOOD_SINK "sources: {s: {type: strict}}\n",
            "2:11: sources.s.target: this key is required (allowed: text)\n"
            "2:11: sources.s.command: this key is required (allowed: a list of texts such as [a, "
            "b], 1 or more items)\n"},
        /* Whoever used what we do not have is told so once, not also of what it would bring. */
        {GOOD_SINK "sources: {s: {type: strict, <<: {target: t}}}\n",
            "2:29: sources.s.<<: merge keys are not supported (write the keys out)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

/* Either or, and what is required counts from where a map is given. */
static void
test_maps_given(void **state)
{
    (void)state;
#define ONE_OF "(allowed: one of bearer, basic)\n"
    static const struct expect_case cases[] = {
        {FULL("    auth: {bearer: token}\n"), ""},
        {FULL("    auth: {basic: {user: u}}\n"), ""},
        {FULL("    auth: {}\n"), "4:11: sources.s.auth: 0 keys " ONE_OF},
        {FULL("    auth:\n"), "4:10: sources.s.auth: 0 keys " ONE_OF},
        {FULL("    auth: {bearer: token, basic: {user: u}}\n"),
            "4:11: sources.s.auth: 2 keys " ONE_OF},
        {FULL("    auth: {bearer: token, bearer: token}\n"),
            "4:27: sources.s.auth.bearer: duplicate key (first in line 4)\n"},
        {FULL("    auth: bearer\n"), "4:11: sources.s.auth: a value where keys are expected "
                                     "(allowed: lines such as 'key: value' below it)\n"},
        {FULL("    auth: {beare: token}\n"), "4:12: sources.s.auth.beare: unknown key (allowed: "
                                             "bearer, basic); did you mean 'bearer'?\n"},
        {FULL("    auth: {bearer: ''}\n"), "4:20: sources.s.auth.bearer: the secret is too short "
                                           "(allowed: a secret, 4 or more bytes)\n"},
        {FULL("    auth: {bearer: abc}\n"), "4:20: sources.s.auth.bearer: the secret is too short "
                                            "(allowed: a secret, 4 or more bytes)\n"},
        {FULL("    auth: {bearer: }\n"), "4:20: sources.s.auth.bearer: a value is missing "
                                         "(allowed: a secret, 4 or more bytes)\n"},
        {FULL("    auth: {basic: {password: p}}\n"),
            "4:12: sources.s.auth.basic.user: this key is required (allowed: text)\n"},
        {FULL("    auth: {basic: }\n"),
            "4:12: sources.s.auth.basic.user: this key is required (allowed: text)\n"},
        {FULL("    vault: {key: {id: x}}\n"), ""},
        {FULL("    vault: {}\n"),
            "4:5: sources.s.vault.key: this key is required (allowed: keys below it)\n"},
        {FULL("    vault: ~\n"),
            "4:5: sources.s.vault.key: this key is required (allowed: keys below it)\n"},
        {FULL("    vault: {key: {}}\n"),
            "4:13: sources.s.vault.key.id: this key is required (allowed: text)\n"},
    };
    expect_cases(cases, COUNT_OF(cases));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_pairs_limits),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_maps_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
