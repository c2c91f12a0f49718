#include "tests/support/unit.h"

#include "sinks/net/redact.h"

static void
expect(const struct sw_redact *redact, const char *text, bool is_cut, const char *expected)
{
    struct sw_buf buf;
    sw_buf_init(&buf, 4096);
    sw_redact_apply(redact, sw_str_of(text), is_cut, &buf);
    assert_string_equal(sw_buf_text(&buf), expected);
    sw_buf_fini(&buf);
}

static void
test_secrets_go(void **state)
{
    (void)state;
    struct sw_redact redact = {0};
    sw_redact_add(&redact, SW_STR("tok/en-1"));
    sw_redact_add(&redact, SW_STR("tok/en-1-and-more"));
    sw_redact_add(&redact, SW_STR("abc"));
    sw_redact_add(&redact, SW_STR(""));
    assert_int_equal(redact.count, 2);
    expect(&redact, "", false, "");
    expect(&redact, "nothing here: abc", false, "nothing here: abc");
    expect(&redact, "tok/en-1", false, "***");
    expect(&redact, "bad token tok/en-1!", false, "bad token ***!");
    expect(&redact, "TOK/EN-1", false, "***");
    expect(&redact, "tok/en-1tok/en-1", false, "******");
    expect(&redact, "tok/en-1-and-more", false, "***");
    expect(&redact, "{\"t\":\"tok\\/en-1\"}", false, "{\"t\":\"***\"}");
    expect(&redact, "tok/en-", false, "tok/en-");
    sw_redact_fini(&redact);
}

/* What we have of a long answer may end in the middle of a secret. */
static void
test_cut_text(void **state)
{
    (void)state;
    struct sw_redact redact = {0};
    sw_redact_add(&redact, SW_STR("secret-token"));
    expect(&redact, "it is secret-toke", true, "it is ***");
    expect(&redact, "it is s", true, "it is ***");
    expect(&redact, "it is secret-tokx", true, "it is secret-tokx");
    expect(&redact, "it is secret-toke", false, "it is secret-toke");
    sw_redact_fini(&redact);
}

static void
test_target(void **state)
{
    (void)state;
    struct sw_redact redact = {0};
    sw_redact_add_target(&redact, SW_STR("/services/T0000/B%30%41%7a%7Aend?key=abcdef&x=1"));
    expect(
        &redact, "no /services/T0000/B%30%41%7a%7Aend?key=abcdef&x=1 here", false, "no *** here");
    expect(&redact, "no /services/T0000/B%30%41%7a%7Aend here", false, "no *** here");
    expect(&redact, "no /services/T0000/B0AzZend here", false, "no *** here");
    expect(&redact, "no hook T0000", false, "no hook ***");
    expect(&redact, "no B0AzZend", false, "no ***");
    expect(&redact, "the key abcdef is wrong", false, "the key *** is wrong");
    expect(&redact, "key=abcdef&amp;x=1", false, "key=***&amp;x=1");
    sw_redact_fini(&redact);
    sw_redact_add_target(&redact, SW_STR(""));
    sw_redact_add_target(&redact, SW_STR("/"));
    sw_redact_add_target(&redact, SW_STR("/%"));
    sw_redact_add_target(&redact, SW_STR("/%4"));
    assert_int_equal(redact.count, 0);
    sw_redact_fini(&redact);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_go),
        cmocka_unit_test(test_cut_text),
        cmocka_unit_test(test_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
