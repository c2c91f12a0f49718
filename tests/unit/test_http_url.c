#include "tests/support/unit.h"

#include "sinks/net/http_url.h"

static void
expect_str(struct sw_str part, const char *expected)
{
    if (!sw_str_is(part, expected)) {
        fail_msg("'%.*s' is not '%s'", (int)part.size, part.data, expected);
    }
}

static void
expect_good(
    const char *text, const char *origin, const char *host, const char *port, const char *target)
{
    struct sw_http_url url;
    if (!sw_http_url_parse(&url, sw_str_of(text))) {
        fail_msg("'%s' %s", text, url.problem);
    }
    assert_int_equal(url.is_https, text[4] == 's');
    expect_str(url.origin, origin);
    expect_str(url.host, host);
    expect_str(url.port, port);
    expect_str(url.target, target);
}

static void
test_parts(void **state)
{
    (void)state;
    expect_good("https://hooks.example.com/abc?k=v", "https://hooks.example.com",
        "hooks.example.com", "", "/abc?k=v");
    expect_good("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", "8080", "");
    expect_good("https://h?q", "https://h", "h", "", "?q");
    expect_good(
        "https://[2001:db8::1]:65535/", "https://[2001:db8::1]:65535", "2001:db8::1", "65535", "/");
    expect_good("https://[::1]", "https://[::1]", "::1", "", "");
    expect_good("https://h/a@b:c", "https://h", "h", "", "/a@b:c");
    expect_good("https://h/%7Ea", "https://h", "h", "", "/%7Ea");
}

static void
test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"ftp://h/", "does not begin"},
        {"HTTPS://h/", "does not begin"},
        {"https:/h", "does not begin"},
        {"h/abc", "does not begin"},
        {"", "does not begin"},
        {"https://", "no host"},
        {"https:///abc", "no host"},
        {"https://:443/", "no host"},
        {"https://?q", "no host"},
        {"https://a%2eb/", "no host"},
        {"https://a,b/", "no host"},
        {"https://[::1/", "no host"},
        {"https://[]/", "no host"},
        {"https://[", "no host"},
        {"https://[fe80::1%25eth0]/", "no host"},
        {"https://[::1]x/", "no port"},
        {"https://h:/", "no port"},
        {"https://h:0/", "no port"},
        {"https://h:65536/", "no port"},
        {"https://h:80a/", "no port"},
        {"https://h:80:80/", "no port"},
        {"https://user:secret@h/", "user or password"},
        {"https://user@h/", "user or password"},
        {"https://h/a#b", "fragment"},
        {"https://h#b", "fragment"},
        {"https://good.com\\@evil.com/", "percent-encoded"},
        {"https://h/a b", "percent-encoded"},
        {"https://h/\x7f", "percent-encoded"},
        {"https://h/\xc3\xa9", "percent-encoded"},
        {"https://b\xc3\xbc"
         "cher.example/",
            "percent-encoded"},
        {"https://h/{a}", "percent-encoded"},
        {"https://h/\t", "percent-encoded"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sw_http_url url;
        if (sw_http_url_parse(&url, sw_str_of(cases[i].text))) {
            fail_msg("'%s' was taken", cases[i].text);
        }
        assert_contains(url.problem, cases[i].problem);
    }
}

static void
expect_loopback(const char *text, bool expected)
{
    struct sw_http_url url;
    assert_true(sw_http_url_parse(&url, sw_str_of(text)));
    if (sw_http_url_is_loopback(&url) != expected) {
        fail_msg("of '%s'", text);
    }
}

static void
test_loopback(void **state)
{
    (void)state;
    expect_loopback("http://127.0.0.1/", true);
    expect_loopback("http://127.255.255.255:80/", true);
    expect_loopback("http://[::1]:80/", true);
    expect_loopback("http://localhost/", true);
    expect_loopback("http://LocalHost:80/", true);
    expect_loopback("http://128.0.0.1/", false);
    expect_loopback("http://127.0.0/", false);
    expect_loopback("http://127.0.0.1.2/", false);
    expect_loopback("http://127.0.0.256/", false);
    expect_loopback("http://127.0.0.1.example.com/", false);
    expect_loopback("http://127.0.0./", false);
    expect_loopback("http://0127.0.0.1/", false);
    expect_loopback("http://localhost.example.com/", false);
    expect_loopback("http://localhos/", false);
    expect_loopback("http://xlocalhost/", false);
    expect_loopback("http://[::2]/", false);
    expect_loopback("http://10.0.0.1/127.0.0.1", false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
