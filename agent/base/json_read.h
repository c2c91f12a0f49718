/*
 * A pull reader of JSON (RFC 8259): the caller asks for token after token, so that a document
 * with a million rows costs no tree. It is strict about structure and numbers and lenient inside
 * strings, because names come from strangers and a row must never refuse a look: bytes that are
 * no UTF-8, raw control characters, \u0000 and lone surrogates come out as the bytes that
 * sw_utf8_add would make of them, to be repaired when shown. Depth is limited, time is linear.
 */
#ifndef SW_BASE_JSON_READ_H
#define SW_BASE_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buffer.h"
#include "agent/base/error.h"
#include "agent/base/string.h"

#define SW_JSON_MAX_DEPTH 32

enum sw_json_token {
    SW_JSON_OBJECT, /* { */
    SW_JSON_OBJECT_END,
    SW_JSON_ARRAY, /* [ */
    SW_JSON_ARRAY_END,
    SW_JSON_KEY,    /* a member's name in text; the next token is or begins its value */
    SW_JSON_STRING, /* in text */
    SW_JSON_NUMBER, /* as written in text */
    SW_JSON_TRUE,
    SW_JSON_FALSE,
    SW_JSON_NULL,
    SW_JSON_END,   /* one whole value was read and only blanks follow */
    SW_JSON_ERROR, /* sticky; see sw_json_error */
};

struct sw_json {
    const char *data;
    size_t size;
    size_t at;
    /* Of the last KEY, STRING or NUMBER; borrowed until the next call. */
    struct sw_str text;
    enum sw_json_token token; /* the last one */
    unsigned depth;
    uint32_t is_object; /* bit d: the container at depth d + 1 is an object */
    uint8_t expect;
    const char *problem;
    struct sw_buf scratch; /* strings with escapes */
};

/* data is borrowed for the reader's life. */
void sw_json_init(struct sw_json *json, const char *data, size_t size);
void sw_json_fini(struct sw_json *json);

enum sw_json_token sw_json_next(struct sw_json *json);

/* Reads over one value: call it when the next token would be or begin that value. false on a
 * damaged document. */
bool sw_json_skip(struct sw_json *json);

/* After OBJECT: true with the next member's name in json->text, false at its end or on damage
 * (ask json->token). */
bool sw_json_next_key(struct sw_json *json);

/* Where and why reading stopped: "byte 17: number expected …". Returns false. */
bool sw_json_error(const struct sw_json *json, struct sw_err *err);

/* The whole seconds of a NUMBER's text: fractions and exponents are cut towards zero. false when
 * it does not fit int64_t. */
bool sw_json_to_int(struct sw_str number, int64_t *value);

#endif
