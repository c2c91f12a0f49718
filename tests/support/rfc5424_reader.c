#include "tests/support/rfc5424_reader.h"

#include <string.h>

#define READER_IDS_MAX 16

struct reader {
    struct rfc5424_message *message;
    struct sw_str rest;
    const char *wrong; /* the first thing that is; everything fails from then on */
    struct sw_str ids[READER_IDS_MAX];
    size_t ids_count;
};

static bool
reader_fail(struct reader *reader, const char *what)
{
    if (reader->wrong == NULL) {
        reader->wrong = what;
    }
    return false;
}

static bool
reader_take(struct reader *reader, char c)
{
    if (reader->rest.size == 0 || reader->rest.data[0] != c) {
        return false;
    }
    reader->rest.data++;
    reader->rest.size--;
    return true;
}

static bool
reader_want(struct reader *reader, char c, const char *what)
{
    return reader_take(reader, c) || reader_fail(reader, what);
}

/* min to max digits; no leading zero where a number may have several sizes. */
static bool
reader_number(struct reader *reader, size_t min, size_t max, uint64_t *number)
{
    size_t size = 0;
    while (size < reader->rest.size && size < max && reader->rest.data[size] >= '0' &&
           reader->rest.data[size] <= '9') {
        size++;
    }
    struct sw_str digits = {reader->rest.data, size};
    reader->rest.data += size;
    reader->rest.size -= size;
    return size >= min && sw_parse_uint(digits, UINT64_MAX, number) &&
           (min == max || size == 1 || digits.data[0] != '0');
}

/* `size` digits from low to high. */
static bool
reader_digits(struct reader *reader, size_t size, uint64_t low, uint64_t high)
{
    uint64_t number = 0;
    return (reader_number(reader, size, size, &number) && number >= low && number <= high) ||
           reader_fail(reader, "TIMESTAMP: a number");
}

static bool
reader_pri(struct reader *reader)
{
    uint64_t pri;
    if (!reader_take(reader, '<') || !reader_number(reader, 1, 3, &pri) || pri > 191 ||
        !reader_take(reader, '>')) {
        return reader_fail(reader, "PRI");
    }
    reader->message->facility = (int)pri / 8;
    reader->message->severity = (int)pri % 8;
    return reader_want(reader, '1', "VERSION") && reader_want(reader, ' ', "blank after VERSION");
}

static bool
reader_offset(struct reader *reader)
{
    if (reader_take(reader, 'Z')) {
        return true;
    }
    if (!reader_take(reader, '+') && !reader_take(reader, '-')) {
        return reader_fail(reader, "TIMESTAMP: offset");
    }
    return reader_digits(reader, 2, 0, 23) && reader_want(reader, ':', "TIMESTAMP: colon") &&
           reader_digits(reader, 2, 0, 59);
}

/* §6.2.3 */
static bool
reader_timestamp(struct reader *reader)
{
    const char *begin = reader->rest.data;
    uint64_t fraction;
    if (!reader_take(reader, '-')) {
        if (!reader_digits(reader, 4, 0, 9999) || !reader_want(reader, '-', "TIMESTAMP: -") ||
            !reader_digits(reader, 2, 1, 12) || !reader_want(reader, '-', "TIMESTAMP: -") ||
            !reader_digits(reader, 2, 1, 31) || !reader_want(reader, 'T', "TIMESTAMP: T") ||
            !reader_digits(reader, 2, 0, 23) || !reader_want(reader, ':', "TIMESTAMP: colon") ||
            !reader_digits(reader, 2, 0, 59) || !reader_want(reader, ':', "TIMESTAMP: colon") ||
            !reader_digits(reader, 2, 0, 59)) {
            return false;
        }
        if (reader_take(reader, '.')) {
            struct sw_str before = reader->rest;
            (void)reader_number(reader, 0, 6, &fraction);
            if (reader->rest.size == before.size) {
                return reader_fail(reader, "TIMESTAMP: fraction");
            }
        }
        if (!reader_offset(reader)) {
            return false;
        }
    }
    reader->message->timestamp = (struct sw_str){begin, (size_t)(reader->rest.data - begin)};
    return reader_want(reader, ' ', "blank after TIMESTAMP");
}

/* 1 to max of PRINTUSASCII and a blank. */
static bool
reader_field(struct reader *reader, size_t max, struct sw_str *field, const char *what)
{
    size_t size = 0;
    while (size < reader->rest.size && reader->rest.data[size] >= 33 &&
           reader->rest.data[size] <= 126) {
        size++;
    }
    *field = (struct sw_str){reader->rest.data, size};
    reader->rest.data += size;
    reader->rest.size -= size;
    return (size >= 1 && size <= max && reader_take(reader, ' ')) || reader_fail(reader, what);
}

static bool
reader_name(struct reader *reader, struct sw_str *name)
{
    size_t size = 0;
    while (size < reader->rest.size && reader->rest.data[size] >= 33 &&
           reader->rest.data[size] <= 126 && strchr("=]\"", reader->rest.data[size]) == NULL) {
        size++;
    }
    *name = (struct sw_str){reader->rest.data, size};
    reader->rest.data += size;
    reader->rest.size -= size;
    return (size >= 1 && size <= 32) || reader_fail(reader, "SD-NAME");
}

/* §6.3.2: registered, or name@number(.number)*; never twice. */
static bool
reader_id(struct reader *reader, struct sw_str *id)
{
    if (!reader_name(reader, id)) {
        return false;
    }
    const char *at = memchr(id->data, '@', id->size);
    if (at == NULL) {
        if (!sw_str_is(*id, "timeQuality") && !sw_str_is(*id, "origin") &&
            !sw_str_is(*id, "meta")) {
            return reader_fail(reader, "SD-ID is not registered");
        }
    } else {
        struct sw_str number = {at + 1, id->size - (size_t)(at + 1 - id->data)};
        uint64_t ignored;
        if (at == id->data || !sw_parse_uint(number, UINT64_MAX, &ignored)) {
            return reader_fail(reader, "SD-ID: enterprise number");
        }
    }
    for (size_t i = 0; i < reader->ids_count; i++) {
        if (sw_str_equal(reader->ids[i], *id)) {
            return reader_fail(reader, "SD-ID twice");
        }
    }
    if (reader->ids_count == READER_IDS_MAX) {
        return reader_fail(reader, "more SD-ELEMENTs than this reader takes");
    }
    reader->ids[reader->ids_count++] = *id;
    return true;
}

/* §6.3.3: between the quotes. */
static bool
reader_value(struct reader *reader, struct sw_str *value)
{
    struct sw_buf *values = &reader->message->values;
    size_t from = values->size;
    for (;;) {
        if (reader->rest.size == 0) {
            return reader_fail(reader, "PARAM-VALUE has no end");
        }
        if (reader_take(reader, '"')) {
            break;
        }
        if (reader->rest.data[0] == ']') {
            return reader_fail(reader, "PARAM-VALUE: ] without a backslash");
        }
        if (reader_take(reader, '\\') &&
            (reader->rest.size == 0 || strchr("\"\\]", reader->rest.data[0]) == NULL ||
                reader->rest.data[0] == '\0')) {
            return reader_fail(reader, "PARAM-VALUE: a backslash before nothing special");
        }
        sw_buf_add_char(values, reader->rest.data[0]);
        reader->rest.data++;
        reader->rest.size--;
    }
    *value = (struct sw_str){values->data + from, values->size - from};
    if (!sw_utf8_is_valid(*value)) {
        return reader_fail(reader, "PARAM-VALUE is not UTF-8");
    }
    for (size_t i = 0; i + 3 <= value->size; i++) {
        if (memcmp(value->data + i, "\xEF\xBB\xBF", 3) == 0) {
            return reader_fail(reader, "PARAM-VALUE has a byte order mark");
        }
    }
    return true;
}

static bool
reader_element(struct reader *reader)
{
    struct rfc5424_message *message = reader->message;
    struct sw_str id;
    if (!reader_id(reader, &id)) {
        return false;
    }
    while (reader_take(reader, ' ')) {
        if (message->count == RFC5424_PARAMS_MAX) {
            return reader_fail(reader, "more SD-PARAMs than this reader takes");
        }
        struct rfc5424_param *param = &message->params[message->count++];
        param->id = id;
        if (!reader_name(reader, &param->name) || !reader_want(reader, '=', "SD-PARAM: =") ||
            !reader_want(reader, '"', "SD-PARAM: \"") || !reader_value(reader, &param->value)) {
            return false;
        }
        param->raw.data = param->name.data;
        param->raw.size = (size_t)(reader->rest.data - param->raw.data);
    }
    return reader_want(reader, ']', "SD-ELEMENT has no end");
}

/* §6.4 */
static bool
reader_msg(struct reader *reader)
{
    struct rfc5424_message *message = reader->message;
    if (reader->rest.size == 0) {
        return true;
    }
    if (!reader_take(reader, ' ')) {
        return reader_fail(reader, "something behind STRUCTURED-DATA");
    }
    if (!sw_str_starts(reader->rest, "\xEF\xBB\xBF")) {
        return reader_fail(reader, "MSG without byte order mark");
    }
    message->has_msg = true;
    message->msg = (struct sw_str){reader->rest.data + 3, reader->rest.size - 3};
    return sw_utf8_is_valid(message->msg) || reader_fail(reader, "MSG is not UTF-8");
}

const char *
rfc5424_read(struct rfc5424_message *message, struct sw_str bytes)
{
    struct reader reader = {.message = message, .rest = bytes};
    memset(message, 0, sizeof(*message));
    /* All values together are shorter than the message: the buffer never moves. */
    sw_buf_init(&message->values, bytes.size + 1);
    if (sw_buf_reserve(&message->values, bytes.size) == NULL) {
        return "no memory";
    }
    if (!reader_pri(&reader) || !reader_timestamp(&reader) ||
        !reader_field(&reader, 255, &message->host, "HOSTNAME") ||
        !reader_field(&reader, 48, &message->app, "APP-NAME") ||
        !reader_field(&reader, 128, &message->procid, "PROCID") ||
        !reader_field(&reader, 32, &message->msgid, "MSGID")) {
        return reader.wrong;
    }
    if (!reader_take(&reader, '-')) {
        if (!reader_want(&reader, '[', "STRUCTURED-DATA")) {
            return reader.wrong;
        }
        do {
            if (!reader_element(&reader)) {
                return reader.wrong;
            }
        } while (reader_take(&reader, '['));
    }
    (void)reader_msg(&reader);
    return reader.wrong;
}

void
rfc5424_fini(struct rfc5424_message *message)
{
    sw_buf_fini(&message->values);
}

const struct rfc5424_param *
rfc5424_find(const struct rfc5424_message *message, const char *name)
{
    for (size_t i = 0; i < message->count; i++) {
        if (sw_str_is(message->params[i].name, name)) {
            return &message->params[i];
        }
    }
    return NULL;
}
