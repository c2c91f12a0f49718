#include "agent/base/json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What may stand at json->at. */
enum json_expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* after [ */
    EXPECT_KEY_OR_END,   /* after { */
    EXPECT_COMMA_OR_END,
    EXPECT_NOTHING, /* the document is whole */
};

void
sw_json_init(struct sw_json *json, const char *data, size_t size)
{
    *json = (struct sw_json){.data = data, .size = size, .expect = EXPECT_VALUE};
    sw_buf_init(&json->scratch, size);
}

void
sw_json_fini(struct sw_json *json)
{
    sw_buf_fini(&json->scratch);
}

static enum sw_json_token
json_token(struct sw_json *json, enum sw_json_token token)
{
    json->token = token;
    return token;
}

static enum sw_json_token
json_fail(struct sw_json *json, const char *problem)
{
    json->problem = problem;
    return json_token(json, SW_JSON_ERROR);
}

static bool
json_in_object(const struct sw_json *json)
{
    return json->depth > 0 && (json->is_object >> (json->depth - 1) & 1u) != 0;
}

static void
json_skip_blanks(struct sw_json *json)
{
    while (json->at < json->size) {
        char c = json->data[json->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            break;
        }
        json->at++;
    }
}

static int
json_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits at json->at, or -1. */
static int32_t
json_hex4(const struct sw_json *json, size_t at)
{
    int32_t value = 0;
    if (json->size - at < 4) {
        return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        int digit = json_hex_digit(json->data[at + i]);
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

/* json->at is behind `\u`. A high surrogate takes the low one that follows with it (RFC 8259 §7).
 */
static bool
json_read_unicode(struct sw_json *json)
{
    int32_t unit = json_hex4(json, json->at);
    if (unit < 0) {
        return false;
    }
    json->at += 4;
    uint32_t code_point = (uint32_t)unit;
    if (code_point >= 0xD800 && code_point <= 0xDBFF && json->size - json->at >= 6 &&
        json->data[json->at] == '\\' && json->data[json->at + 1] == 'u') {
        int32_t low = json_hex4(json, json->at + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            code_point = 0x10000 + ((code_point - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            json->at += 6;
        }
    }
    sw_utf8_add(&json->scratch, code_point);
    return true;
}

static bool
json_read_escape(struct sw_json *json)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (json->at >= json->size) {
        return false;
    }
    char c = json->data[json->at++];
    if (c == 'u') {
        return json_read_unicode(json);
    }
    const char *known = c != '\0' ? strchr(from, c) : NULL;
    if (known == NULL) {
        return false;
    }
    sw_buf_add_char(&json->scratch, to[known - from]);
    return true;
}

/* json->at is behind the opening quote. Most strings have no escape and are borrowed as they are.
 */
static bool
json_read_string(struct sw_json *json)
{
    size_t from = json->at;
    bool plain = true;
    sw_buf_clear(&json->scratch);
    while (json->at < json->size) {
        char c = json->data[json->at];
        if (c == '"') {
            if (plain) {
                json->text = (struct sw_str){json->data + from, json->at - from};
            } else {
                sw_buf_add(&json->scratch, json->data + from, json->at - from);
                json->text = (struct sw_str){sw_buf_text(&json->scratch), json->scratch.size};
            }
            json->at++;
            if (json->scratch.failed) {
                json_fail(json, "out of memory");
                return false;
            }
            return true;
        }
        if (c != '\\') {
            json->at++;
            continue;
        }
        plain = false;
        sw_buf_add(&json->scratch, json->data + from, json->at - from);
        json->at++;
        if (!json_read_escape(json)) {
            json_fail(json,
                "unknown escape in a string (allowed: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)");
            return false;
        }
        from = json->at;
    }
    json_fail(json, "the document ends inside a string");
    return false;
}

static size_t
json_digits(const struct sw_json *json, size_t at)
{
    size_t from = at;
    while (at < json->size && json->data[at] >= '0' && json->data[at] <= '9') {
        at++;
    }
    return at - from;
}

/* RFC 8259 §6: -? (0 | [1-9][0-9]*) (.[0-9]+)? ([eE][+-]?[0-9]+)? */
static enum sw_json_token
json_read_number(struct sw_json *json)
{
    size_t from = json->at;
    size_t at = from;
    at += json->data[at] == '-';
    size_t digits = json_digits(json, at);
    if (digits == 0 || (digits > 1 && json->data[at] == '0')) {
        return json_fail(json, "not a number");
    }
    at += digits;
    if (at < json->size && json->data[at] == '.') {
        digits = json_digits(json, at + 1);
        if (digits == 0) {
            return json_fail(json, "not a number");
        }
        at += 1 + digits;
    }
    if (at < json->size && (json->data[at] == 'e' || json->data[at] == 'E')) {
        at++;
        at += at < json->size && (json->data[at] == '+' || json->data[at] == '-');
        digits = json_digits(json, at);
        if (digits == 0) {
            return json_fail(json, "not a number");
        }
        at += digits;
    }
    json->text = (struct sw_str){json->data + from, at - from};
    json->at = at;
    return json_token(json, SW_JSON_NUMBER);
}

static enum sw_json_token
json_read_word(struct sw_json *json, const char *word, enum sw_json_token token)
{
    size_t size = strlen(word);
    if (json->size - json->at < size || memcmp(json->data + json->at, word, size) != 0) {
        return json_fail(json, "value expected");
    }
    json->at += size;
    return json_token(json, token);
}

static enum sw_json_token
json_open(struct sw_json *json, bool object)
{
    if (json->depth == SW_JSON_MAX_DEPTH) {
        return json_fail(json, "nested too deep (at most 32)");
    }
    json->at++;
    uint32_t bit = (uint32_t)1 << json->depth++;
    json->is_object = object ? json->is_object | bit : json->is_object & ~bit;
    json->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return json_token(json, object ? SW_JSON_OBJECT : SW_JSON_ARRAY);
}

static void
json_value_done(struct sw_json *json)
{
    json->expect = json->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

static enum sw_json_token
json_close(struct sw_json *json)
{
    bool object = json_in_object(json);
    json->at++;
    json->depth--;
    json_value_done(json);
    return json_token(json, object ? SW_JSON_OBJECT_END : SW_JSON_ARRAY_END);
}

static enum sw_json_token
json_read_value(struct sw_json *json)
{
    enum sw_json_token token;
    switch (json->data[json->at]) {
    case '{':
        return json_open(json, true);
    case '[':
        return json_open(json, false);
    case '"':
        json->at++;
        token = json_read_string(json) ? json_token(json, SW_JSON_STRING) : SW_JSON_ERROR;
        break;
    case 't':
        token = json_read_word(json, "true", SW_JSON_TRUE);
        break;
    case 'f':
        token = json_read_word(json, "false", SW_JSON_FALSE);
        break;
    case 'n':
        token = json_read_word(json, "null", SW_JSON_NULL);
        break;
    default:
        token = json_read_number(json);
        break;
    }
    json_value_done(json);
    return token;
}

static enum sw_json_token
json_read_key(struct sw_json *json)
{
    if (json->data[json->at] != '"') {
        return json_fail(json, "a member's name in double quotes expected");
    }
    json->at++;
    if (!json_read_string(json)) {
        return SW_JSON_ERROR;
    }
    json_skip_blanks(json);
    if (json->at >= json->size || json->data[json->at] != ':') {
        return json_fail(json, "':' expected");
    }
    json->at++;
    json->expect = EXPECT_VALUE;
    return json_token(json, SW_JSON_KEY);
}

enum sw_json_token
sw_json_next(struct sw_json *json)
{
    if (json->problem != NULL) {
        return SW_JSON_ERROR;
    }
    json_skip_blanks(json);
    if (json->expect == EXPECT_NOTHING) {
        return json->at < json->size ? json_fail(json, "more follows after the document's end")
                                     : json_token(json, SW_JSON_END);
    }
    if (json->at >= json->size) {
        return json_fail(json, json->at == 0 ? "nothing there" : "the document ends too early");
    }
    char c = json->data[json->at];
    bool is_end = c == (json_in_object(json) ? '}' : ']');
    switch (json->expect) {
    case EXPECT_COMMA_OR_END:
        if (is_end) {
            return json_close(json);
        }
        if (c != ',') {
            return json_fail(json, "',' or the container's end expected");
        }
        json->at++;
        json_skip_blanks(json);
        if (json->at >= json->size) {
            return json_fail(json, "the document ends too early");
        }
        return json_in_object(json) ? json_read_key(json) : json_read_value(json);
    case EXPECT_KEY_OR_END:
        return is_end ? json_close(json) : json_read_key(json);
    case EXPECT_VALUE_OR_END:
        return is_end ? json_close(json) : json_read_value(json);
    default:
        return json_read_value(json);
    }
}

bool
sw_json_skip(struct sw_json *json)
{
    unsigned depth = json->depth;
    do {
        enum sw_json_token token = sw_json_next(json);
        if (token == SW_JSON_ERROR || token == SW_JSON_END) {
            return false;
        }
    } while (json->depth > depth || json->expect == EXPECT_VALUE);
    return true;
}

bool
sw_json_next_key(struct sw_json *json)
{
    return sw_json_next(json) == SW_JSON_KEY;
}

bool
sw_json_error(const struct sw_json *json, struct sw_err *err)
{
    return sw_err_set(err, "byte %zu: %s", json->at + 1,
        json->problem != NULL ? json->problem : "value of another type expected");
}

bool
sw_json_to_int(struct sw_str number, int64_t *value)
{
    /* int64_t has 19 digits; nothing longer than this is a sensible count of seconds. */
    char text[48];
    if (number.size >= sizeof(text)) {
        return false;
    }
    memcpy(text, number.data, number.size);
    text[number.size] = '\0';

    char *end;
    errno = 0;
    long long whole = strtoll(text, &end, 10);
    if (*end == '\0') {
        *value = whole;
        return errno == 0;
    }
    double real = strtod(text, NULL);
    if (!(real > -9.2e18 && real < 9.2e18)) {
        return false;
    }
    *value = (int64_t)real;
    return true;
}
