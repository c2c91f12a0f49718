/*
 * A strict reader of RFC 5424 messages, written from the ABNF of §6 and independent of the writer:
 * what a receiver may forgive (a backslash before nothing special, a leap second, an SD-ID that
 * IANA has not registered, a MSG without byte order mark) is an error here.
 */
#ifndef SW_TESTS_RFC5424_READER_H
#define SW_TESTS_RFC5424_READER_H

#include "agent/base/buffer.h"
#include "agent/base/string.h"

#define RFC5424_PARAMS_MAX 64

struct rfc5424_param {
    struct sw_str id; /* of the SD-ELEMENT */
    struct sw_str name;
    struct sw_str raw;   /* with name, quotes and escapes, without the blank before it */
    struct sw_str value; /* without escapes */
};

/* All borrowed from the bytes that were read, but the values, which are in `values`. */
struct rfc5424_message {
    int facility;
    int severity;
    struct sw_str timestamp;
    struct sw_str host;
    struct sw_str app;
    struct sw_str procid;
    struct sw_str msgid;
    struct rfc5424_param params[RFC5424_PARAMS_MAX];
    size_t count;
    bool has_msg;
    struct sw_str msg; /* without the byte order mark */
    struct sw_buf values;
};

/* NULL, or what is wrong. The message is given to rfc5424_fini in both cases. */
const char *rfc5424_read(struct rfc5424_message *message, struct sw_str bytes);
void rfc5424_fini(struct rfc5424_message *message);

/* The first parameter of that name in any element; NULL. */
const struct rfc5424_param *rfc5424_find(const struct rfc5424_message *message, const char *name);

#endif
