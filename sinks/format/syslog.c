/* The parts of a message that both formats have, and what is left out of it. */
#include <string.h>

#include "agent/base/time_text.h"
#include "sinks/format/syslog_private.h"

#define SYSLOG_HOST_MAX  255
#define SYSLOG_VALUE_MAX SIZE_MAX

/* Of a small message a long name of our own machine may take so much, or the rest had no room. */
#define SYSLOG_HOST_SHARE 6

/* Keys are copied whole, unused bytes and all: a fixed size is a few instructions. */
#define SYSLOG_KEY_SIZE 24

/* A value that is a number, a time, a flag or an id. */
#define SYSLOG_FIXED_MAX SW_UUID_TEXT_SIZE

/* The values of strangers that are never left out, only shortened. */
enum { NAME_SOURCE, NAME_SERVER, NAME_USER, NAME_CLIENT, NAME_COUNT };

struct syslog_names {
    struct sw_str texts[NAME_COUNT];
    struct sw_str domain;
    size_t sizes[NAME_COUNT]; /* as they stand in the message, whole */
};

enum syslog_type {
    TYPE_TEXT,  /* told when not empty */
    TYPE_GIVEN, /* told also when the server said that it is empty */
    TYPE_NUMBER,
    TYPE_FLAG,
    TYPE_TIME,
};

/* A parameter's name with what stands before its value. */
struct syslog_key {
    char text[SYSLOG_KEY_SIZE];
    size_t size;
};

struct syslog_field {
    struct syslog_key key;
    enum syslog_type type;
    size_t offset; /* in struct sw_event */
};

#define KEY(name)                                                                                  \
    {                                                                                              \
        " " name "=\"", sizeof(" " name "=\"") - 1                                                 \
    }
#define FIELD(name, type, member)                                                                  \
    {                                                                                              \
        KEY(name), type, offsetof(struct sw_event, member)                                         \
    }

static const struct syslog_key key_id = KEY("id");
static const struct syslog_key key_seq = KEY("seq");
static const struct syslog_key key_journal = KEY("journal");
static const struct syslog_key key_session = KEY("session");
static const struct syslog_key key_domain = KEY("domain");
static const struct syslog_key key_outcome = KEY("outcome");

static const struct syslog_key key_names[NAME_COUNT] = {
    [NAME_SOURCE] = KEY("source"),
    [NAME_SERVER] = KEY("server"),
    [NAME_USER] = KEY("user"),
    [NAME_CLIENT] = KEY("client"),
};

/* What may be left out, most important first; long texts late. */
static const struct syslog_field syslog_fields[] = {
    FIELD("reason", TYPE_TEXT, reason),
    FIELD("start", TYPE_TIME, start_ns),
    FIELD("end", TYPE_TIME, end_ns),
    FIELD("duration", TYPE_NUMBER, duration_ns),
    FIELD("sink", TYPE_TEXT, sink),
    FIELD("count", TYPE_NUMBER, count),
    FIELD("first_sequence", TYPE_NUMBER, first_sequence),
    FIELD("last_sequence", TYPE_NUMBER, last_sequence),
    FIELD("opened", TYPE_NUMBER, opened),
    FIELD("closed", TYPE_NUMBER, closed),
    FIELD("altered", TYPE_NUMBER, altered),
    FIELD("error_code", TYPE_NUMBER, error_code),
    FIELD("clean_stop", TYPE_FLAG, clean_stop),
    FIELD("baseline", TYPE_FLAG, baseline),
    FIELD("changed", TYPE_TEXT, changed),
    FIELD("opens", TYPE_NUMBER, opens),
    FIELD("idle", TYPE_NUMBER, idle_s),
    FIELD("guest", TYPE_FLAG, guest),
    FIELD("gone_by", TYPE_TIME, gone_by_ns),
    FIELD("start_from", TYPE_GIVEN, start_from),
    FIELD("old_server", TYPE_TEXT, old_server),
    FIELD("client_type", TYPE_GIVEN, client_type),
    FIELD("native_id", TYPE_GIVEN, native_id),
    FIELD("transport", TYPE_GIVEN, transport),
    FIELD("error", TYPE_TEXT, error_text),
};

struct syslog_message
syslog_message_of(const struct sw_format_record *record, const void *options,
    const struct sw_format_context *context, struct sw_buf *buf)
{
    const struct sw_syslog_options *syslog = options;
    return (struct syslog_message){
        .record = record,
        .options = syslog,
        .context = context,
        .buf = buf,
        .begin = buf->size,
        .limit =
            syslog->max_size > SW_SYSLOG_SIZE_MIN ? (size_t)syslog->max_size : SW_SYSLOG_SIZE_MIN,
    };
}

char *
syslog_put_pri(char *at, const struct syslog_message *message)
{
    int severity = sw_event_kind_info((int)message->record->event->kind)->severity;
    *at++ = '<';
    at = sw_uint_put(at, (uint64_t)(message->options->facility * 8 + severity));
    *at++ = '>';
    return at;
}

char *
syslog_put_host(char *at, struct syslog_message *message, struct sw_str name)
{
    size_t max = message->limit / SYSLOG_HOST_SHARE;
    max = max < SYSLOG_HOST_MAX ? max : SYSLOG_HOST_MAX;
    if (name.size > max) {
        name.size = max;
        message->is_cut = true;
    }
    for (size_t i = 0; i < name.size; i++) {
        *at++ = name.data[i] > 0x20 && name.data[i] < 0x7F ? name.data[i] : '_';
    }
    if (name.size == 0) {
        *at++ = '-';
    }
    return at;
}

/* Room for a parameter with a value of at most `size` bytes; NULL when there is none. */
static char *
syslog_begin_param(struct sw_buf *buf, const struct syslog_key *key, size_t size)
{
    size_t needed = SYSLOG_KEY_SIZE + size + 1;
    bool fits = !buf->failed && needed < buf->capacity - buf->size;
    char *at = fits ? buf->data + buf->size : sw_buf_reserve(buf, needed);
    if (at == NULL) {
        return NULL;
    }
    memcpy(at, key->text, sizeof(key->text));
    return at + key->size;
}

static void
syslog_end_param(struct sw_buf *buf, char *at)
{
    *at++ = '"';
    *at = '\0';
    buf->size = (size_t)(at - buf->data);
}

/* Returns the bytes of the value, before it was shortened to max. */
static size_t
syslog_add_text(struct sw_buf *buf, const struct syslog_key *key, struct sw_str text,
    const struct syslog_style *style, size_t max)
{
    char *value = syslog_begin_param(buf, key, SYSLOG_GROWTH * text.size + SYSLOG_CUT_SIZE);
    if (value == NULL) {
        return 0;
    }
    size_t size = (size_t)(syslog_put_text(value, text, style) - value);
    syslog_end_param(buf, value + (size <= max ? size : syslog_cut(value, size, max)));
    return size;
}

static void
syslog_add_uuid(struct sw_buf *buf, const struct syslog_key *key, const struct sw_uuid *uuid)
{
    char *at = syslog_begin_param(buf, key, SYSLOG_FIXED_MAX);
    if (at != NULL && !sw_uuid_is_nil(uuid)) {
        sw_uuid_put(at, uuid);
        syslog_end_param(buf, at + SW_UUID_TEXT_SIZE);
    }
}

/* What is never left out; names longer than max are shortened. */
static void
syslog_add_required(struct syslog_message *message, struct syslog_names *names,
    const struct syslog_style *style, size_t max)
{
    struct sw_buf *buf = message->buf;
    syslog_add_uuid(buf, &key_id, &message->record->event->id);
    char *at = syslog_begin_param(buf, &key_seq, SYSLOG_FIXED_MAX);
    if (at != NULL) {
        syslog_end_param(buf, sw_uint_put(at, message->record->seq));
    }
    syslog_add_uuid(buf, &key_journal, &message->context->journal);
    for (int i = 0; i < NAME_COUNT; i++) {
        if (names->texts[i].size > 0) {
            names->sizes[i] = syslog_add_text(buf, &key_names[i], names->texts[i], style, max);
        }
    }
    syslog_add_uuid(buf, &key_session, &message->record->event->session_id);
}

/* The size to which the longest names are to be shortened, so that all have `room`. */
static size_t
syslog_level(const size_t sizes[NAME_COUNT], size_t room)
{
    size_t level = room / NAME_COUNT;
    /* What short names leave is shared by the others; each pass finds at least one more short. */
    for (int pass = 0; pass < NAME_COUNT; pass++) {
        size_t left = room;
        size_t longer = 0;
        for (int i = 0; i < NAME_COUNT; i++) {
            longer += sizes[i] > level;
            left -= sizes[i] > level ? 0 : sizes[i];
        }
        level = longer > 0 ? left / longer : level;
    }
    return level;
}

/* Writes what was too long once more, shorter. */
static void
syslog_shorten_required(struct syslog_message *message, struct syslog_names *names,
    const struct syslog_style *style, size_t from, size_t end)
{
    size_t others = message->buf->size;
    for (int i = 0; i < NAME_COUNT; i++) {
        others -= names->sizes[i];
    }
    size_t level = syslog_level(names->sizes, end > others ? end - others : 0);
    message->is_cut = true;
    sw_buf_truncate(message->buf, from);
    syslog_add_required(message, names, style, level);
}

static char *
syslog_put_number(char *at, enum syslog_type type, int64_t number)
{
    if (type == TYPE_TIME) {
        sw_time_put(at, number);
        return at + SW_TIME_TEXT_SIZE;
    }
    if (type == TYPE_FLAG) {
        const char *word = number != 0 ? "true" : "false";
        size_t size = number != 0 ? 4 : 5;
        memcpy(at, word, size);
        return at + size;
    }
    if (number < 0) {
        *at++ = '-';
        return sw_uint_put(at, (uint64_t)0 - (uint64_t)number);
    }
    return sw_uint_put(at, (uint64_t)number);
}

static void
syslog_add_field(struct sw_buf *buf, const struct syslog_field *field, const struct sw_event *event,
    const struct syslog_style *style)
{
    const void *member = (const char *)event + field->offset;
    if (field->type == TYPE_TEXT || field->type == TYPE_GIVEN) {
        const struct sw_str *text = member;
        if (text->size > 0 || (text->data != NULL && field->type == TYPE_GIVEN)) {
            syslog_add_text(buf, &field->key, *text, style, SYSLOG_VALUE_MAX);
        }
        return;
    }
    int64_t number = *(const int64_t *)member;
    if (number != SW_EVENT_NONE) {
        char *at = syslog_begin_param(buf, &field->key, SYSLOG_FIXED_MAX);
        if (at != NULL) {
            syslog_end_param(buf, syslog_put_number(at, field->type, number));
        }
    }
}

/* Takes back what was added behind `from` if it went beyond `end`. */
static void
syslog_keep_within(struct syslog_message *message, size_t from, size_t end)
{
    if (message->buf->size > end) {
        sw_buf_truncate(message->buf, from);
        message->is_cut = true;
    }
}

/* What does not fit beside what is more important is left out whole, so that a long value takes
 * nothing away but itself. */
static void
syslog_add_optional(struct syslog_message *message, const struct syslog_names *names,
    const struct syslog_style *style, size_t end)
{
    struct sw_buf *buf = message->buf;
    const struct sw_event *event = message->record->event;
    size_t from = buf->size;
    if (names->domain.size > 0) {
        syslog_add_text(buf, &key_domain, names->domain, style, SYSLOG_VALUE_MAX);
        syslog_keep_within(message, from, end);
    }
    if (event->kind == SW_EVENT_AGENT_RELOADED) {
        /* Of all other kinds the MSGID says it. */
        from = buf->size;
        syslog_add_text(
            buf, &key_outcome, sw_str_of(sw_event_outcome(event)), style, SYSLOG_VALUE_MAX);
        syslog_keep_within(message, from, end);
    }
    for (size_t i = 0; i < sizeof(syslog_fields) / sizeof(syslog_fields[0]); i++) {
        from = buf->size;
        syslog_add_field(buf, &syslog_fields[i], event, style);
        syslog_keep_within(message, from, end);
    }
}

void
syslog_add_params(struct syslog_message *message, const struct syslog_style *style, size_t end)
{
    const struct sw_event *event = message->record->event;
    struct syslog_names names = {.texts = {[NAME_SOURCE] = event->source,
                                     [NAME_SERVER] = event->server,
                                     [NAME_CLIENT] = event->client}};
    size_t from = message->buf->size;
    sw_event_split_user(event->user, &names.texts[NAME_USER], &names.domain);
    syslog_add_required(message, &names, style, SYSLOG_VALUE_MAX);
    if (message->buf->size > end) {
        syslog_shorten_required(message, &names, style, from, end);
    } else {
        syslog_add_optional(message, &names, style, end);
    }
}
