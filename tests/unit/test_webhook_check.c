/* What `check` says about a webhook, to the letter, and what it must never say. */
#include "config/problems.h"
#include "sinks/webhook/webhook.h"
#include "tests/support/unit.h"

#define SECRET "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

#define IN_THE_CLEAR                                                                               \
    "configuration: url: http:// would send a secret in the clear (allowed with auth, "            \
    "signing_secret, client_cert or a header for such: https://, or http:// to "                   \
    "127.0.0.0/8, [::1] or localhost without a proxy)\n"
#define WARNING                                                                                    \
    "warning: configuration: url: http:// sends events in the clear, and whatever the URL itself " \
    "keeps secret\n"

static struct sw_webhook_conf
good(void)
{
    return (struct sw_webhook_conf){.url = "https://hooks.example.com/URLSECRET", .proxy = "none"};
}

static void
expect(const struct sw_webhook_conf *conf, const char *expected)
{
    struct sw_problems problems;
    struct sw_buf said;
    sw_problems_init(&problems);
    sw_buf_init(&said, 1 << 16);
    sw_webhook_check(conf, &problems);
    sw_problems_write(&problems, &said);
    assert_string_equal(sw_buf_text(&said), expected);
    assert_null(strstr(sw_buf_text(&said), "SECRET"));
    sw_buf_fini(&said);
    sw_problems_fini(&problems);
}

static void
test_good(void **state)
{
    (void)state;
    const struct sw_key_pair pairs[] = {{"X-Team", "SECRETstorage"}, {"x-other", ""}};
    const char *const secrets[] = {SECRET, SECRET};
    struct sw_webhook_conf conf = good();
    expect(&conf, "");
    conf.headers = (struct sw_key_pairs){pairs, 2};
    conf.auth.bearer = "SECRET.a-b_c~d+e/f==";
    conf.signing_secret = (struct sw_key_strings){secrets, 2};
    conf.client_cert = "/c.pem";
    conf.client_key = "/k.pem";
    conf.proxy = "https://proxy.example.com:3128";
    expect(&conf, "");
}

static void
test_url(void **state)
{
    (void)state;
    struct sw_webhook_conf conf = good();
    conf.url = "https://user:SECRET@h/";
    expect(&conf, "configuration: url: the URL holds a user or password in front of the host "
                  "(allowed: in auth)\n");
    conf.url = "https://h/SECRET#SECRET";
    expect(&conf, "configuration: url: the URL holds a fragment (#…), which is never sent\n");
    conf.url = "SECRET";
    expect(&conf, "configuration: url: the URL does not begin with https:// or http://\n");
    conf.url = ""; /* of a reference without a value */
    expect(&conf, "");
    conf.url = NULL;
    expect(&conf, "");
}

static void
test_secrets_in_the_clear(void **state)
{
    (void)state;
    const struct sw_key_pair pairs[] = {
        {"X-Team", "SECRET"}, {"authorization", "Token SECRET"}, {"X-Auth-Token", "SECRET"}};
    const char *const secrets[] = {SECRET};
    struct sw_webhook_conf conf = good();
    conf.url = "http://hooks.example.com/";
    expect(&conf, WARNING);
    conf.auth.bearer = "SECRET";
    expect(&conf, IN_THE_CLEAR);
    conf.url = "http://127.0.0.1.example.com/";
    expect(&conf, IN_THE_CLEAR);
    conf.url = "http://127.0.0.1:80/";
    expect(&conf, "");
    conf.url = "http://[::1]/";
    expect(&conf, "");
    conf.proxy = "http://proxy.example.com:3128";
    expect(&conf, IN_THE_CLEAR);
    conf = good();
    conf.url = "http://h/";
    conf.auth.basic = (struct sw_webhook_basic){"user", "SECRET"};
    expect(&conf, IN_THE_CLEAR);
    conf = good();
    conf.url = "http://h/";
    conf.signing_secret = (struct sw_key_strings){secrets, 1};
    expect(&conf, IN_THE_CLEAR);
    conf = good();
    conf.url = "http://h/";
    conf.headers = (struct sw_key_pairs){pairs, 1};
    expect(&conf, WARNING);
    conf.headers = (struct sw_key_pairs){pairs + 1, 1};
    expect(&conf, IN_THE_CLEAR);
    conf.headers = (struct sw_key_pairs){pairs, 3};
    expect(&conf, IN_THE_CLEAR);
    conf = good();
    conf.url = "http://h/";
    conf.client_cert = "/c.pem";
    expect(&conf, IN_THE_CLEAR);
}

static void
test_headers(void **state)
{
    (void)state;
    const struct sw_key_pair pairs[] = {{"X Team", "SECRET"}, {"content-LENGTH", "SECRET"},
        {"Webhook-Id", "SECRET"}, {"Authorization", "SECRET"}, {"X-A", "SECRET\x01"},
        {"x-a", "SECRET"}, {"X-B", "t\tab \xc3\xa9"}, {"X:C", "SECRET"}};
    struct sw_webhook_conf conf = good();
    conf.headers = (struct sw_key_pairs){pairs, COUNT_OF(pairs)};
    conf.auth.bearer = "SECRET";
    expect(&conf,
        "configuration: headers: 'X Team' is no header's name (allowed: letters, digits and "
        "!#$%&'*+-.^_`|~)\n"
        "configuration: headers: content-LENGTH is ours to set\n"
        "configuration: headers: Webhook-Id is ours to set\n"
        "configuration: headers: Authorization comes from auth already\n"
        "configuration: headers: the value of 'X-A' holds a control character\n"
        "configuration: headers: 'X-A' and 'x-a' are the same header (allowed: each once)\n"
        "configuration: headers: 'X:C' is no header's name (allowed: letters, digits and "
        "!#$%&'*+-.^_`|~)\n");
    conf.headers = (struct sw_key_pairs){&pairs[3], 1};
    conf.auth.bearer = NULL;
    expect(&conf, "");
}

static void
test_the_rest(void **state)
{
    (void)state;
    const char *const secrets[] = {SECRET, "whsec_SECRET"};
    struct sw_webhook_conf conf = good();
    conf.signing_secret = (struct sw_key_strings){secrets, 2};
    expect(&conf, "configuration: signing_secret: the second secret is none (allowed: whsec_ and "
                  "the base 64 of 24 to 64 bytes)\n");
    conf = good();
    conf.client_key = "/k.pem";
    expect(&conf, "configuration: client_key: a key without its certificate: set client_cert\n");
    conf = good();
    conf.auth.bearer = "two words";
    expect(&conf, "configuration: auth.bearer: the token holds a blank\n");
    conf = good();
    conf.auth.basic = (struct sw_webhook_basic){"a:b", "SECRET"};
    expect(&conf, "configuration: auth.basic.user: the user holds a colon\n");
    static const char *const proxies[] = {
        "http://h", "http://h:80/", "http://u:p@h:80", "socks5://h:80", "h:80", "http://h:0"};
    for (size_t i = 0; i < COUNT_OF(proxies); i++) {
        conf = good();
        conf.proxy = proxies[i];
        expect(&conf, "configuration: proxy: this is no proxy (allowed: none, http://HOST:PORT, "
                      "https://HOST:PORT)\n");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_secrets_in_the_clear),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
