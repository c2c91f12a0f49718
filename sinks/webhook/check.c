/* What the table of keys cannot say. No message holds a value of a secret key. */
#include <string.h>

#include "agent/base/memory.h"
#include "sinks/net/curl_table.h"
#include "sinks/webhook/webhook.h"

/* In check a reference without a value leaves an empty text, which was told already. */
static bool
check_is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *
sw_webhook_proxy(const struct sw_webhook_conf *conf)
{
    return check_is_set(conf->proxy) && strcmp(conf->proxy, "none") != 0 ? conf->proxy : NULL;
}

static bool
check_is_same_name(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        int lower_a = *a >= 'A' && *a <= 'Z' ? *a - 'A' + 'a' : *a;
        int lower_b = *b >= 'A' && *b <= 'Z' ? *b - 'A' + 'a' : *b;
        if (lower_a != lower_b) {
            return false;
        }
        a++;
        b++;
    }
    return *a == *b;
}

static bool
check_is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && !check_is_same_name(name, *names)) {
        names++;
    }
    return *names != NULL;
}

/* Whether what the header carries is likely to be a secret, as in X-Auth-Token; X-Team is none. */
static bool
check_is_secret_name(const char *name)
{
    static const char *const patterns[] = {"*auth*", "*token*", "*key*", "*secret*", "*cookie*",
        "*password*", "*credential*", "*signature*"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (sw_glob_match(sw_str_of(patterns[i]), sw_str_of(name))) {
            return true;
        }
    }
    return false;
}

static bool
check_has_secret_header(const struct sw_webhook_conf *conf)
{
    for (size_t i = 0; i < conf->headers.count; i++) {
        if (check_is_secret_name(conf->headers.items[i].name)) {
            return true;
        }
    }
    return false;
}

static void
check_in_the_clear(
    const struct sw_webhook_conf *conf, const struct sw_http_url *url, struct sw_problems *problems)
{
    bool has_secret = conf->auth.bearer != NULL || conf->auth.basic.user != NULL ||
                      conf->signing_secret.count > 0 || conf->client_cert != NULL ||
                      check_has_secret_header(conf);
    /* What a proxy is given leaves this machine, whatever host the URL names. */
    bool stays_here = sw_http_url_is_loopback(url) && sw_webhook_proxy(conf) == NULL;
    if (url->is_https || stays_here) {
        return;
    }
    if (has_secret) {
        sw_problems_add(problems, "url",
            "http:// would send a secret in the clear (allowed with auth, signing_secret, "
            "client_cert or a header for such: https://, or http:// to 127.0.0.0/8, "
            "[::1] or localhost without a proxy)");
    } else {
        sw_problems_warn(problems, "url",
            "http:// sends events in the clear, and whatever the URL itself keeps secret");
    }
}

static void
check_url(const struct sw_webhook_conf *conf, struct sw_problems *problems)
{
    struct sw_http_url url;
    if (!check_is_set(conf->url)) {
        return;
    }
    if (!sw_http_url_parse(&url, sw_str_of(conf->url))) {
        sw_problems_add(problems, "url", "the URL %s", url.problem);
        return;
    }
    check_in_the_clear(conf, &url, problems);
}

static void
check_proxy(const struct sw_webhook_conf *conf, struct sw_problems *problems)
{
    struct sw_http_url url;
    const char *proxy = sw_webhook_proxy(conf);
    if (proxy != NULL &&
        (!sw_http_url_parse(&url, sw_str_of(proxy)) || url.port.size == 0 || url.target.size > 0)) {
        sw_problems_add(problems, "proxy",
            "this is no proxy (allowed: none, http://HOST:PORT, https://HOST:PORT)");
    }
}

/* RFC 9110 §5.6.2 */
static bool
check_is_token(const char *name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (const char *c = name; *c != '\0'; c++) {
        bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!is_letter && !(*c >= '0' && *c <= '9') && strchr(others, *c) == NULL) {
            return false;
        }
    }
    return name[0] != '\0';
}

/* RFC 9110 §5.5 */
static bool
check_is_field_value(const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7F) {
            return false;
        }
    }
    return true;
}

static void
check_header(const struct sw_webhook_conf *conf, size_t at, struct sw_problems *problems)
{
    static const char *const ours[] = {"Host", "Content-Length", "Content-Type", "Content-Encoding",
        "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "TE", "Trailer", "Expect",
        "Proxy-Authorization", "Proxy-Connection", "webhook-id", "webhook-timestamp",
        "webhook-signature", NULL};
    const struct sw_key_pair *pair = &conf->headers.items[at];
    bool has_auth = conf->auth.bearer != NULL || conf->auth.basic.user != NULL;
    if (!check_is_token(pair->name)) {
        sw_problems_add(problems, "headers",
            "'%s' is no header's name (allowed: letters, digits and !#$%%&'*+-.^_`|~)", pair->name);
    } else if (check_is_one_of(pair->name, ours)) {
        sw_problems_add(problems, "headers", "%s is ours to set", pair->name);
    } else if (has_auth && check_is_same_name(pair->name, "Authorization")) {
        sw_problems_add(problems, "headers", "Authorization comes from auth already");
    }
    if (!check_is_field_value(pair->value)) {
        sw_problems_add(
            problems, "headers", "the value of '%s' holds a control character", pair->name);
    }
    for (size_t i = 0; i < at; i++) {
        if (check_is_same_name(conf->headers.items[i].name, pair->name)) {
            sw_problems_add(problems, "headers",
                "'%s' and '%s' are the same header (allowed: each once)",
                conf->headers.items[i].name, pair->name);
        }
    }
}

static void
check_auth(const struct sw_webhook_auth *auth, struct sw_problems *problems)
{
    if (auth->bearer != NULL && strpbrk(auth->bearer, " \t") != NULL) {
        sw_problems_add(problems, "auth.bearer", "the token holds a blank");
    } else if (auth->bearer != NULL && !check_is_field_value(auth->bearer)) {
        sw_problems_add(problems, "auth.bearer", "the token holds a control character");
    }
    /* RFC 7617 §2 */
    if (auth->basic.user != NULL && strchr(auth->basic.user, ':') != NULL) {
        sw_problems_add(problems, "auth.basic.user", "the user holds a colon");
    }
}

static void
check_signing(const struct sw_key_strings *secrets, struct sw_problems *problems)
{
    struct sw_buf key;
    sw_buf_init(&key, SW_SIGN_KEYS_MAX * SW_SIGN_KEY_SIZE_MAX * 64);
    for (size_t i = 0; i < secrets->count; i++) {
        sw_buf_clear(&key);
        if (check_is_set(secrets->items[i]) && !sw_sign_key(sw_str_of(secrets->items[i]), &key)) {
            sw_problems_add(problems, "signing_secret",
                "%s is none (allowed: whsec_ and the base 64 of %d to %d bytes)",
                secrets->count > 1 ? (i == 0 ? "the first secret" : "the second secret")
                                   : "the secret",
                SW_SIGN_KEY_SIZE_MIN, SW_SIGN_KEY_SIZE_MAX);
        }
    }
    sw_wipe(key.data, key.size);
    sw_buf_fini(&key);
}

void
sw_webhook_check(const void *conf, struct sw_problems *problems)
{
    const struct sw_webhook_conf *webhook = conf;
    struct sw_err err;
    check_url(webhook, problems);
    check_proxy(webhook, problems);
    for (size_t i = 0; i < webhook->headers.count; i++) {
        check_header(webhook, i, problems);
    }
    check_auth(&webhook->auth, problems);
    check_signing(&webhook->signing_secret, problems);
    if (webhook->client_key != NULL && webhook->client_cert == NULL) {
        sw_problems_add(problems, "client_key", "a key without its certificate: set client_cert");
    }
    /* The one look at the machine: better said now than by the first event. */
    if (!sw_curl_is_there(&err)) {
        sw_problems_warn(problems, "type", "%s", err.text);
    }
}
