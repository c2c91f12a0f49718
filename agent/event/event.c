#include "agent/event.h"

#include <string.h>

/*
 * The stored form:
 *   version   1 byte, 1
 *   kind      1 byte
 *   field     tag (1 byte, ascending), size of the value (varint), value
 * Strings and ids are their bytes, numbers a zig-zag varint. Varints are the shortest form, least
 * significant 7 bits first. A missing field is not written, so new fields cost old events nothing
 * and old versions pass over them.
 */
#define EVENT_VERSION 1

#define VARINT_MAX 10 /* bytes of 64 bits */

enum {
    EVENT_STR_COUNT = 0
#define EVENT_COUNT_STR      +1
#define EVENT_COUNT_INT      +0
#define EVENT_COUNT_UUID     +0
#define X(tag, type, member) EVENT_COUNT_##type
    SW_EVENT_FIELDS(X)
#undef X
};

/* What everything but the bytes of strings can need; the strings share the rest of the maximum. */
#define EVENT_OVERHEAD    1024
#define EVENT_STRINGS_MAX (SW_EVENT_SIZE_MAX - EVENT_OVERHEAD)

const struct sw_event_kind_info *
sw_event_kind_info(int kind)
{
    static const struct sw_event_kind_info kinds[] = {
#define X(name, number, text, action, msgid, severity, categories, types, outcome)                 \
    [number] = {SW_EVENT_##name, text, action, msgid, severity, categories, types, outcome},
        SW_EVENT_KINDS(X)
#undef X
    };
    if (kind < 1 || (size_t)kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[kind].name == NULL) {
        return NULL;
    }
    return &kinds[kind];
}

const char *
sw_event_outcome(const struct sw_event *event)
{
    if (event->kind == SW_EVENT_AGENT_RELOADED && event->error_text.data != NULL) {
        return "failure";
    }
    return sw_event_kind_info((int)event->kind)->outcome;
}

void
sw_event_init(struct sw_event *event, enum sw_event_kind kind)
{
    memset(event, 0, sizeof(*event));
    event->kind = kind;
#define EVENT_CLEAR_STR(member)
#define EVENT_CLEAR_INT(member) event->member = SW_EVENT_NONE;
#define EVENT_CLEAR_UUID(member)
#define X(tag, type, member) EVENT_CLEAR_##type(member)
    SW_EVENT_FIELDS(X)
#undef X
}

static char *
event_put_varint(char *at, uint64_t number)
{
    while (number >= 0x80) {
        *at++ = (char)(number | 0x80);
        number >>= 7;
    }
    *at++ = (char)number;
    return at;
}

static char *
event_put_str(char *at, int tag, const struct sw_str *value, size_t max)
{
    if (value->data == NULL) {
        return at;
    }
    size_t size = value->size <= max ? value->size : sw_utf8_cut(value->data, value->size, max);
    *at++ = (char)tag;
    at = event_put_varint(at, size);
    memcpy(at, value->data, size);
    return at + size;
}

static char *
event_put_int(char *at, int tag, const int64_t *value, size_t max)
{
    (void)max;
    if (*value == SW_EVENT_NONE) {
        return at;
    }
    uint64_t sign = *value < 0 ? UINT64_MAX : 0;
    *at = (char)tag;
    char *end = event_put_varint(at + 2, (uint64_t)*value << 1 ^ sign);
    at[1] = (char)(end - (at + 2));
    return end;
}

static char *
event_put_uuid(char *at, int tag, const struct sw_uuid *value, size_t max)
{
    (void)max;
    if (sw_uuid_is_nil(value)) {
        return at;
    }
    *at++ = (char)tag;
    *at++ = (char)sizeof(value->bytes);
    memcpy(at, value->bytes, sizeof(value->bytes));
    return at + sizeof(value->bytes);
}

/* Bytes of strings that the event can take; *max is what one of them may have. */
static size_t
event_strings_size(const struct sw_event *event, size_t *max)
{
    size_t size = 0;
    *max = SW_EVENT_STRING_MAX;
#define EVENT_SIZE_STR(member)                                                                     \
    size += event->member.size <= SW_EVENT_STRING_MAX ? event->member.size : SW_EVENT_STRING_MAX;
#define EVENT_SIZE_INT(member)
#define EVENT_SIZE_UUID(member)
#define X(tag, type, member) EVENT_SIZE_##type(member)
    SW_EVENT_FIELDS(X)
#undef X
    if (size > EVENT_STRINGS_MAX) {
        *max = EVENT_STRINGS_MAX / EVENT_STR_COUNT;
        size = EVENT_STRINGS_MAX;
    }
    return size;
}

void
sw_event_encode(const struct sw_event *event, struct sw_buf *buf)
{
    size_t max;
    char *begin = sw_buf_reserve(buf, event_strings_size(event, &max) + EVENT_OVERHEAD);
    if (begin == NULL) {
        return;
    }
    char *at = begin;
    *at++ = EVENT_VERSION;
    *at++ = (char)event->kind;
#define EVENT_PUT_STR        event_put_str
#define EVENT_PUT_INT        event_put_int
#define EVENT_PUT_UUID       event_put_uuid
#define X(tag, type, member) at = EVENT_PUT_##type(at, tag, &event->member, max);
    SW_EVENT_FIELDS(X)
#undef X
    *at = '\0';
    buf->size += (size_t)(at - begin);
}

static bool
event_take_varint(struct sw_str *bytes, uint64_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes->size && i < VARINT_MAX; i++) {
        unsigned char byte = (unsigned char)bytes->data[i];
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            /* Only the shortest form is ours, and the tenth byte holds one bit. */
            bool is_ours = (byte != 0 || i == 0) && (i < VARINT_MAX - 1 || byte == 1);
            bytes->data += i + 1;
            bytes->size -= i + 1;
            *number = value;
            return is_ours;
        }
    }
    return false;
}

static bool
event_get_str(struct sw_str *value, struct sw_str bytes)
{
    *value = bytes;
    return bytes.size <= SW_EVENT_STRING_MAX;
}

static bool
event_get_int(int64_t *value, struct sw_str bytes)
{
    uint64_t number;
    if (!event_take_varint(&bytes, &number) || bytes.size != 0) {
        return false;
    }
    uint64_t sign = (number & 1) != 0 ? UINT64_MAX : 0;
    *value = (int64_t)(number >> 1 ^ sign);
    return *value != SW_EVENT_NONE;
}

static bool
event_get_uuid(struct sw_uuid *value, struct sw_str bytes)
{
    if (bytes.size != sizeof(value->bytes)) {
        return false;
    }
    memcpy(value->bytes, bytes.data, sizeof(value->bytes));
    return !sw_uuid_is_nil(value);
}

static bool
event_get_field(struct sw_event *event, unsigned tag, struct sw_str value)
{
    switch (tag) {
#define EVENT_GET_STR  event_get_str
#define EVENT_GET_INT  event_get_int
#define EVENT_GET_UUID event_get_uuid
#define X(tag, type, member)                                                                       \
    case tag:                                                                                      \
        return EVENT_GET_##type(&event->member, value);
        SW_EVENT_FIELDS(X)
#undef X
    default:
        return true;
    }
}

bool
sw_event_decode(struct sw_event *event, struct sw_str bytes, struct sw_err *err)
{
    const char *begin = bytes.data;
    if (bytes.size < 2 || bytes.size > SW_EVENT_SIZE_MAX) {
        return sw_err_set(
            err, "stored event has %zu bytes (2 to %d)", bytes.size, SW_EVENT_SIZE_MAX);
    }
    if (bytes.data[0] != EVENT_VERSION) {
        return sw_err_set(err, "stored event has version %u (known: %d)",
            (unsigned)(unsigned char)bytes.data[0], EVENT_VERSION);
    }
    unsigned kind = (unsigned char)bytes.data[1];
    if (sw_event_kind_info((int)kind) == NULL) {
        return sw_err_set(err, "stored event has the unknown kind %u", kind);
    }
    sw_event_init(event, (enum sw_event_kind)kind);
    bytes.data += 2;
    bytes.size -= 2;
    for (unsigned last = 0; bytes.size > 0;) {
        unsigned tag = (unsigned char)bytes.data[0];
        struct sw_str rest = {bytes.data + 1, bytes.size - 1};
        uint64_t size;
        if (tag <= last || !event_take_varint(&rest, &size) || size > rest.size ||
            !event_get_field(event, tag, (struct sw_str){rest.data, (size_t)size})) {
            return sw_err_set(err, "stored event is damaged at byte %zu (field %u)",
                (size_t)(bytes.data - begin), tag);
        }
        last = tag;
        bytes = (struct sw_str){rest.data + size, rest.size - (size_t)size};
    }
    return true;
}
