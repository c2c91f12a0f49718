/*
 * One event as one JSON object of the Elastic Common Schema on one line. The order of members is
 * fixed: `@timestamp` comes first, and the file sink recognises its own records by that.
 */
#include <string.h>

#include "agent/base/json_write.h"
#include "agent/base/time_text.h"
#include "sinks/format/format.h"

#define JSON_ECS_VERSION "9.4.0"

/* Two data sets, so that session traffic and the agent's own health can be kept apart. */
#define JSON_DATASET_SESSION "sharewatch.session"
#define JSON_DATASET_AGENT   "sharewatch.agent"

#define JSON_MESSAGE_MAX SW_EVENT_SIZE_MAX

/* A literal whose size the compiler knows; a member's name with what stands before its value. */
#define JSON_ADD(buf, literal) sw_buf_add((buf), (literal), sizeof(literal) - 1)
#define JSON_KEY(name)         SW_STR(",\"" name "\":")

/* What an event tells about names, worked out once. */
struct json_names {
    struct sw_str user;
    struct sw_str domain; /* of the user */
    struct sw_str address;
    struct sw_str host;
    struct sw_str observer; /* empty where the agent runs on the host itself */
};

/* The members of `event` that are the same for every event of a kind. */
static const char *
json_event_constants(const struct sw_event_kind_info *info)
{
    static const char *const constants[] = {
#define X(name, number, text, action, msgid, severity, categories, types, outcome)                 \
    [number] = "\"kind\":\"event\",\"module\":\"sharewatch\",\"action\":\"" action                 \
               "\",\"category\":" categories ",\"type\":" types ",\"severity\":" #severity,
        SW_EVENT_KINDS(X)
#undef X
    };
    return constants[info->kind];
}

static bool
json_is_session(const struct sw_event *event)
{
    return event->kind == SW_EVENT_SESSION_OPENED || event->kind == SW_EVENT_SESSION_CLOSED ||
           event->kind == SW_EVENT_SESSION_CHANGED;
}

static void
json_add_member(struct sw_buf *buf, struct sw_str key, struct sw_str text)
{
    sw_buf_add(buf, key.data, key.size);
    sw_json_add_string(buf, text);
}

static void
json_add_time(struct sw_buf *buf, struct sw_str key, int64_t at_ns)
{
    if (at_ns != SW_EVENT_NONE) {
        sw_buf_add(buf, key.data, key.size);
        sw_buf_add_char(buf, '"');
        sw_time_add(buf, at_ns);
        sw_buf_add_char(buf, '"');
    }
}

static void
json_add_int(struct sw_buf *buf, struct sw_str key, int64_t number)
{
    if (number != SW_EVENT_NONE) {
        sw_buf_add(buf, key.data, key.size);
        sw_buf_add_int(buf, number);
    }
}

static void
json_add_bool(struct sw_buf *buf, struct sw_str key, int64_t number)
{
    if (number != SW_EVENT_NONE) {
        sw_buf_add(buf, key.data, key.size);
        sw_buf_add_text(buf, number != 0 ? "true" : "false");
    }
}

static void
json_add_uuid(struct sw_buf *buf, struct sw_str key, const struct sw_uuid *uuid)
{
    if (!sw_uuid_is_nil(uuid)) {
        sw_buf_add(buf, key.data, key.size);
        sw_buf_add_char(buf, '"');
        sw_uuid_add(buf, uuid);
        sw_buf_add_char(buf, '"');
    }
}

static void
json_add_str(struct sw_buf *buf, struct sw_str key, struct sw_str text)
{
    if (text.data != NULL) {
        json_add_member(buf, key, text);
    }
}

static void
json_add_nonempty(struct sw_buf *buf, struct sw_str key, struct sw_str text)
{
    if (text.size > 0) {
        json_add_member(buf, key, text);
    }
}

/* The literals of an object's members begin with a comma; the first one's becomes the brace. */
static size_t
json_begin(struct sw_buf *buf, struct sw_str key)
{
    sw_buf_add(buf, key.data, key.size);
    return buf->size;
}

static void
json_end(struct sw_buf *buf, struct sw_str key, size_t first)
{
    if (buf->failed) {
        return;
    }
    if (buf->size == first) {
        sw_buf_truncate(buf, first - key.size);
    } else {
        buf->data[first] = '{';
        sw_buf_add_char(buf, '}');
    }
}

static unsigned char
json_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* fs01 of FS01.example.com; an address has no parts. */
static struct sw_str
json_short_name(struct sw_str name)
{
    const char *dot = name.size > 0 ? memchr(name.data, '.', name.size) : NULL;
    if (dot != NULL && !sw_event_client_is_ip(name)) {
        name.size = (size_t)(dot - name.data);
    }
    return name;
}

static bool
json_is_same_host(struct sw_str a, struct sw_str b)
{
    a = json_short_name(a);
    b = json_short_name(b);
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (json_lower(a.data[i]) != json_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

static struct json_names
json_names_of(const struct sw_event *event, const struct sw_format_context *context)
{
    struct json_names names = {.host = event->server};
    sw_event_split_user(event->user, &names.user, &names.domain);
    names.address = sw_event_client_address(event->client);
    /* Where the server has not said its name yet, only what is about ourselves has a host. */
    if (event->server.size == 0 && event->source.size == 0) {
        names.host = context->agent_name;
    }
    if (!json_is_same_host(names.host, context->agent_name)) {
        names.observer = context->agent_name;
    }
    return names;
}

static void
json_add_message(struct sw_buf *buf, const struct sw_event *event)
{
    struct sw_buf text;
    sw_buf_init(&text, JSON_MESSAGE_MAX);
    sw_event_message(event, &text);
    json_add_member(buf, JSON_KEY("message"), (struct sw_str){text.data, text.size});
    sw_buf_fini(&text);
}

static void
json_add_event(struct sw_buf *buf, const struct sw_event *event, uint64_t seq)
{
    JSON_ADD(buf, ",\"event\":{");
    sw_buf_add_text(buf, json_event_constants(sw_event_kind_info((int)event->kind)));
    JSON_ADD(buf, ",\"outcome\":\"");
    sw_buf_add_text(buf, sw_event_outcome(event));
    sw_buf_add_text(buf, json_is_session(event) ? "\",\"dataset\":\"" JSON_DATASET_SESSION "\""
                                                : "\",\"dataset\":\"" JSON_DATASET_AGENT "\"");
    json_add_uuid(buf, JSON_KEY("id"), &event->id);
    JSON_ADD(buf, ",\"sequence\":");
    sw_buf_add_uint(buf, seq);
    json_add_time(buf, JSON_KEY("created"), event->created_ns);
    json_add_time(buf, JSON_KEY("start"), event->start_ns);
    json_add_time(buf, JSON_KEY("end"), event->end_ns);
    json_add_int(buf, JSON_KEY("duration"), event->duration_ns);
    json_add_nonempty(buf, JSON_KEY("reason"), event->reason);
    sw_buf_add_char(buf, '}');
}

static void
json_add_user(struct sw_buf *buf, const struct json_names *names)
{
    size_t first = json_begin(buf, JSON_KEY("user"));
    json_add_nonempty(buf, JSON_KEY("name"), names->user);
    json_add_nonempty(buf, JSON_KEY("domain"), names->domain);
    json_end(buf, JSON_KEY("user"), first);
}

/* The scope of an address (fe80::1%eth0) is no part of source.ip: Elasticsearch refuses it. */
static void
json_add_source(struct sw_buf *buf, const struct sw_event *event, const struct json_names *names)
{
    if (event->client.size > 0) {
        json_add_member(buf, SW_STR(",\"source\":{\"address\":"), event->client);
        if (names->address.size > 0) {
            json_add_member(buf, JSON_KEY("ip"), names->address);
        } else {
            json_add_member(buf, JSON_KEY("domain"), event->client);
        }
        sw_buf_add_char(buf, '}');
    }
    if (json_is_session(event)) {
        JSON_ADD(buf, ",\"network\":{\"protocol\":\"smb\",\"transport\":\"tcp\"}");
    }
}

static void
json_add_places(
    struct sw_buf *buf, const struct json_names *names, const struct sw_format_context *context)
{
    if (names->host.size > 0) {
        json_add_member(buf, SW_STR(",\"host\":{\"name\":"), names->host);
        sw_buf_add_char(buf, '}');
    }
    if (names->observer.size > 0) {
        json_add_member(buf, SW_STR(",\"observer\":{\"hostname\":"), names->observer);
        json_add_member(buf, SW_STR(",\"product\":\"sharewatch\",\"type\":\"sensor\",\"version\":"),
            context->agent_version);
        sw_buf_add_char(buf, '}');
    }
    json_add_member(
        buf, SW_STR(",\"agent\":{\"type\":\"sharewatch\",\"name\":"), context->agent_name);
    json_add_member(buf, JSON_KEY("version"), context->agent_version);
    sw_buf_add_char(buf, '}');
}

static void
json_add_related(struct sw_buf *buf, const struct sw_event *event, const struct json_names *names)
{
    size_t first = json_begin(buf, JSON_KEY("related"));
    if (names->user.size > 0) {
        json_add_member(buf, SW_STR(",\"user\":["), names->user);
        sw_buf_add_char(buf, ']');
    }
    if (names->address.size > 0) {
        json_add_member(buf, SW_STR(",\"ip\":["), names->address);
        sw_buf_add_char(buf, ']');
    }
    const struct sw_str hosts[] = {names->host,
        names->address.size == 0 ? event->client : (struct sw_str){NULL, 0}, names->observer};
    struct sw_str before = SW_STR(",\"hosts\":[");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (hosts[i].size > 0) {
            json_add_member(buf, before, hosts[i]);
            before = SW_STR(",");
        }
    }
    if (before.size == 1) {
        sw_buf_add_char(buf, ']');
    }
    json_end(buf, JSON_KEY("related"), first);
}

static void
json_add_error(struct sw_buf *buf, const struct sw_event *event)
{
    size_t first = json_begin(buf, JSON_KEY("error"));
    if (event->error_code != SW_EVENT_NONE) {
        json_add_int(buf, SW_STR(",\"code\":\""), event->error_code);
        sw_buf_add_char(buf, '"');
    }
    json_add_nonempty(buf, JSON_KEY("message"), event->error_text);
    json_end(buf, JSON_KEY("error"), first);
}

/* "opens,idle" as an array. */
static void
json_add_changed(struct sw_buf *buf, struct sw_str names)
{
    if (names.size == 0) {
        return;
    }
    struct sw_str before = SW_STR(",\"changed\":[");
    while (names.data != NULL) {
        const char *comma = memchr(names.data, ',', names.size);
        size_t size = comma != NULL ? (size_t)(comma - names.data) : names.size;
        json_add_member(buf, before, (struct sw_str){names.data, size});
        before = SW_STR(",");
        names.data = comma != NULL ? comma + 1 : NULL;
        names.size -= size + (comma != NULL);
    }
    sw_buf_add_char(buf, ']');
}

static void
json_add_session(struct sw_buf *buf, const struct sw_event *event)
{
    size_t first = json_begin(buf, JSON_KEY("session"));
    json_add_uuid(buf, JSON_KEY("id"), &event->session_id);
    json_add_str(buf, JSON_KEY("native_id"), event->native_id);
    json_add_str(buf, JSON_KEY("user"), event->user);
    json_add_int(buf, JSON_KEY("opens"), event->opens);
    json_add_int(buf, JSON_KEY("idle"), event->idle_s);
    json_add_bool(buf, JSON_KEY("guest"), event->guest);
    json_add_str(buf, JSON_KEY("transport"), event->transport);
    json_add_str(buf, JSON_KEY("client_type"), event->client_type);
    json_add_time(buf, JSON_KEY("gone_by"), event->gone_by_ns);
    json_add_str(buf, JSON_KEY("start_from"), event->start_from);
    json_add_changed(buf, event->changed);
    json_end(buf, JSON_KEY("session"), first);
}

static void
json_add_own(
    struct sw_buf *buf, const struct sw_event *event, const struct sw_format_context *context)
{
    JSON_ADD(buf, ",\"sharewatch\":{\"journal\":\"");
    sw_uuid_add(buf, &context->journal);
    sw_buf_add_char(buf, '"');
    json_add_nonempty(buf, JSON_KEY("source"), event->source);
    json_add_bool(buf, JSON_KEY("baseline"), event->baseline);
    json_add_session(buf, event);
    json_add_nonempty(buf, JSON_KEY("sink"), event->sink);
    json_add_int(buf, JSON_KEY("first_sequence"), event->first_sequence);
    json_add_int(buf, JSON_KEY("last_sequence"), event->last_sequence);
    json_add_int(buf, JSON_KEY("count"), event->count);
    json_add_bool(buf, JSON_KEY("clean_stop"), event->clean_stop);
    json_add_int(buf, JSON_KEY("opened"), event->opened);
    json_add_int(buf, JSON_KEY("closed"), event->closed);
    json_add_int(buf, JSON_KEY("altered"), event->altered);
    json_add_nonempty(buf, JSON_KEY("old_server"), event->old_server);
    sw_buf_add_char(buf, '}');
}

static bool
json_write(const struct sw_format_record *record, const void *options,
    const struct sw_format_context *context, struct sw_buf *buf)
{
    const struct sw_event *event = record->event;
    struct json_names names = json_names_of(event, context);
    (void)options;
    json_add_time(buf, SW_STR("{\"@timestamp\":"),
        event->created_ns != SW_EVENT_NONE ? event->created_ns : 0);
    json_add_message(buf, event);
    json_add_event(buf, event, record->seq);
    json_add_user(buf, &names);
    json_add_source(buf, event, &names);
    json_add_places(buf, &names, context);
    json_add_related(buf, event, &names);
    json_add_error(buf, event);
    json_add_own(buf, event, context);
    JSON_ADD(buf, ",\"ecs\":{\"version\":\"" JSON_ECS_VERSION "\"}}");
    return true;
}

const struct sw_format sw_format_json = {
    .name = "json",
    .content_type = "application/json",
    .write = json_write,
};
