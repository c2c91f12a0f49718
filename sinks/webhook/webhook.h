/* The webhook's configuration, shared by webhook.c (life), keys.c (the table) and check.c. */
#ifndef SW_WEBHOOK_H
#define SW_WEBHOOK_H

#include "sinks/net/http_url.h"
#include "sinks/sink.h"
#include "sinks/webhook/envelope.h"
#include "sinks/webhook/sign.h"

struct sw_webhook_conf {
    const char *url;
    int body; /* enum sw_envelope */
    struct sw_key_pairs headers;
    struct sw_webhook_auth {
        const char *bearer;
        struct sw_webhook_basic {
            const char *user; /* NULL: not given */
            const char *password;
        } basic;
    } auth;
    const char *ca_file;
    const char *client_cert;
    const char *client_key;
    const char *proxy;
    int64_t timeout_ns;
    int compress; /* 0: none, 1: gzip */
    struct sw_webhook_batch {
        int64_t events;
        int64_t wait_ns;
    } batch;
    struct sw_key_strings signing_secret;
};

extern const struct sw_key sw_webhook_keys[];

void sw_webhook_check(const void *conf, struct sw_problems *problems);

/* The proxy as libcurl wants it: NULL for none. */
const char *sw_webhook_proxy(const struct sw_webhook_conf *conf);

#endif
