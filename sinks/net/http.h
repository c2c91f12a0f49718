/*
 * A client for POST requests to one URL over one kept connection. libcurl does the work; here is
 * what must hold whatever a receiver does: certificates are always verified, redirects are not
 * followed, the environment (proxies, .netrc) does not count, an answer is read to 64 KiB at most,
 * and every wait ends at a deadline or when somebody else says so.
 *
 * Life: init, then connect and post as often as you like, disconnect, connect again …, fini. All
 * but interrupt belong to one thread. Options are borrowed until fini.
 */
#ifndef SW_NET_HTTP_H
#define SW_NET_HTTP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/string.h"
#include "sinks/net/curl_class.h"
#include "sinks/net/http_answer.h"

#define SW_HTTP_HEADERS_MAX 96
#define SW_HTTP_BODY_MAX    ((size_t)64 << 10) /* bytes of an answer that are read */
#define SW_HTTP_TEXT_SIZE   1024

struct sw_http_options {
    const char *url;         /* accepted by sw_http_url_parse */
    const char *proxy;       /* http(s)://host:port; NULL: none */
    const char *ca_file;     /* PEM, instead of the system's; NULL: the system's */
    const char *client_cert; /* PEM; NULL: none */
    const char *client_key;  /* PEM; NULL: in the file of the certificate */
};

struct sw_http_request {
    const char *const *headers; /* "Name: value", or "Name;" for an empty value */
    size_t header_count;        /* at most SW_HTTP_HEADERS_MAX */
    struct sw_str body;
    int64_t deadline_ns; /* boot clock */
    int64_t wall_ns;     /* now, for the dates of an answer */
};

struct sw_http_answer {
    enum sw_http_class class;
    int status; /* of ANSWERED; with is_proxy what a proxy said instead of the receiver */
    bool is_proxy;
    int64_t retry_after_ms; /* 0: not asked for */
    /* ANSWERED: the beginning of the body, raw. Otherwise what went wrong, in libcurl's words.
     * Bytes from strangers in both. */
    char text[SW_HTTP_TEXT_SIZE];
    size_t text_size;
    bool is_cut; /* there was more */
};

struct sw_http {
    const struct sw_http_options *options;
    const struct sw_curl_table *curl; /* NULL before the first connect */
    void *easy;                       /* kept for good */
    void *share;                      /* TLS sessions, kept for good as well */
    pthread_mutex_t mutex;            /* of these: */
    void *multi;                      /* the connection; NULL: not connected */
    bool is_interrupted;
};

void sw_http_init(struct sw_http *http, const struct sw_http_options *options);

/* Loads what is needed, opens no connection: the first post does. */
bool sw_http_connect(struct sw_http *http, struct sw_err *err);

/* Connected. answer->class says what became of it; the body is borrowed for the call. */
void sw_http_post(
    struct sw_http *http, const struct sw_http_request *request, struct sw_http_answer *answer);

/* Any thread between init and fini; never blocks; for good. */
void sw_http_interrupt(struct sw_http *http);

/* Closes the connection; fine when there is none. */
void sw_http_disconnect(struct sw_http *http);
void sw_http_fini(struct sw_http *http);

#endif
