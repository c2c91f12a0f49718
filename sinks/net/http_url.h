/*
 * The parts of an http or https URL as far as a sink must know them: what may be said aloud
 * (scheme, host, port) and what is a secret (all behind them). Strict on purpose: what another
 * reader of URLs could take for something else is refused. Pure.
 */
#ifndef SW_NET_HTTP_URL_H
#define SW_NET_HTTP_URL_H

#include <stdbool.h>

#include "agent/base/string.h"

struct sw_http_url {
    bool is_https;
    struct sw_str origin; /* https://hooks.example.com:8443; borrowed from the text, as all here */
    struct sw_str host;   /* without the brackets of an IPv6 address */
    struct sw_str port;   /* empty: the scheme's */
    struct sw_str target; /* path and query, as written; perhaps empty */
    const char *problem;  /* NULL: none; never holds a part of the text */
};

/* false: url->problem says why, in words that fit behind "the URL ". */
bool sw_http_url_parse(struct sw_http_url *url, struct sw_str text);

/* 127.0.0.0/8 in four decimal numbers, ::1 or localhost: what is said there stays on this machine.
 */
bool sw_http_url_is_loopback(const struct sw_http_url *url);

#endif
