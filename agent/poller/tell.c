#include "agent/tell.h"

#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"

#define TELL_BYTES_MAX ((size_t)256 << 20)

void
sw_tell_init(struct sw_tell *tell, struct sw_uuid_source *ids)
{
    *tell = (struct sw_tell){.ids = ids};
    sw_buf_init(&tell->bytes, TELL_BYTES_MAX);
}

void
sw_tell_fini(struct sw_tell *tell)
{
    free(tell->ends);
    sw_buf_fini(&tell->bytes);
    sw_tell_init(tell, tell->ids);
}

void
sw_tell_clear(struct sw_tell *tell)
{
    sw_buf_clear(&tell->bytes);
    tell->count = 0;
}

bool
sw_tell_add(struct sw_tell *tell, struct sw_event *event)
{
    size_t before = tell->bytes.size;
    event->id = sw_uuid_make(tell->ids, event->created_ns);
    sw_event_encode(event, &tell->bytes);
    if (tell->bytes.failed) {
        tell->bytes.failed = false;
        sw_buf_truncate(&tell->bytes, before);
        return false;
    }
    if (tell->count == tell->capacity) {
        tell->capacity = tell->capacity > 0 ? 2 * tell->capacity : 16;
        tell->ends = sw_realloc(tell->ends, tell->capacity, sizeof(*tell->ends));
    }
    tell->ends[tell->count++] = tell->bytes.size;
    return true;
}

struct sw_str *
sw_tell_events(const struct sw_tell *tell)
{
    struct sw_str *events = sw_calloc(tell->count, sizeof(*events));
    size_t from = 0;
    for (size_t i = 0; i < tell->count; i++) {
        events[i] = (struct sw_str){tell->bytes.data + from, tell->ends[i] - from};
        from = tell->ends[i];
    }
    return events;
}

static int64_t
tell_number(uint32_t value)
{
    return value == SW_UNKNOWN ? SW_EVENT_NONE : (int64_t)value;
}

static const char *const tell_start_from[] = {
    [SW_START_SERVER] = "server",
    [SW_START_SHARE] = "share",
    [SW_START_FIRST_SEEN] = "first_seen",
};

static const char *const tell_reason[] = {
    [SW_GONE] = "gone",
    [SW_SERVER_STOPPED] = "server_stopped",
    [SW_NOTICED_AFTER_GAP] = "noticed_after_gap",
    [SW_USER_CHANGED] = "user_changed",
};

/* What every event of a session says: who, from where, since when. */
static void
tell_session(struct sw_event *event, const struct sw_row *row, const struct sw_track *track)
{
    event->session_id = track->session_id;
    event->user = row->user;
    event->client = sw_event_normal_client(row->client);
    event->client_type = row->client_type;
    event->transport = row->transport;
    event->native_id = row->id;
    event->opens = tell_number(row->opens);
    event->idle_s = tell_number(row->idle);
    event->guest = row->guest < 0 ? SW_EVENT_NONE : row->guest;
    event->start_ns = track->start_ns;
    event->start_from = sw_str_of(tell_start_from[track->start_from]);
}

static const char *
tell_changed(unsigned fields, struct sw_buf *buf)
{
    static const struct {
        unsigned field;
        const char *name;
    } names[] = {{SW_CHANGED_OPENS, "opens"}, {SW_CHANGED_IDLE, "idle"},
        {SW_CHANGED_GUEST, "guest"}, {SW_CHANGED_CLIENT, "client"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((fields & names[i].field) != 0) {
            sw_buf_add_text(buf, buf->size > 0 ? "," : "");
            sw_buf_add_text(buf, names[i].name);
        }
    }
    return sw_buf_text(buf);
}

/* The session was there at the last complete look and not at this one: it ended between, and the
 * last moment anybody saw it is the only end that is not a guess. */
static void
tell_close(struct sw_event *event, const struct sw_change *change, const struct sw_tell_look *look)
{
    event->reason = sw_str_of(tell_reason[change->reason]);
    event->gone_by_ns = look->taken_at_ns;
    event->end_ns = look->last_taken_at_ns;
    if (event->end_ns != SW_TIME_NONE) {
        int64_t lasted = event->end_ns - event->start_ns;
        event->duration_ns = lasted > 0 ? lasted : 0;
    }
}

static bool
tell_change(struct sw_tell *tell, const struct sw_tell_look *look, const struct sw_change *change,
    const struct sw_diff *diff, const struct sw_baseline *old)
{
    static const enum sw_event_kind kinds[] = {
        [SW_CLOSED] = SW_EVENT_SESSION_CLOSED,
        [SW_OPENED] = SW_EVENT_SESSION_OPENED,
        [SW_CHANGED] = SW_EVENT_SESSION_CHANGED,
    };
    struct sw_event event;
    struct sw_buf changed;
    sw_buf_init(&changed, 64);
    sw_event_init(&event, kinds[change->kind]);
    event.created_ns = look->taken_at_ns;
    event.source = sw_str_of(look->source);
    event.server = look->server;
    if (change->kind == SW_CLOSED) {
        tell_session(&event, &old->snapshot->rows[change->old_row], &old->tracks[change->old_row]);
        tell_close(&event, change, look);
    } else {
        tell_session(&event, &diff->next.snapshot->rows[change->new_row],
            &diff->next.tracks[change->new_row]);
    }
    if (change->kind == SW_CHANGED) {
        event.changed = sw_str_of(tell_changed(change->fields, &changed));
    }
    if (change->kind == SW_OPENED && look->baseline) {
        event.baseline = 1;
    }
    bool added = sw_tell_add(tell, &event);
    sw_buf_fini(&changed);
    return added;
}

static void
tell_rest(
    struct sw_tell *tell, const struct sw_tell_look *look, const struct sw_diff *diff, size_t told)
{
    struct sw_event event;
    sw_event_init(&event, SW_EVENT_SOURCE_FLOODED);
    event.created_ns = look->taken_at_ns;
    event.source = sw_str_of(look->source);
    event.server = look->server;
    event.reason = SW_STR("max_events");
    event.opened = event.closed = event.altered = 0;
    for (size_t i = told; i < diff->count; i++) {
        event.closed += diff->changes[i].kind == SW_CLOSED;
        event.opened += diff->changes[i].kind == SW_OPENED;
        event.altered += diff->changes[i].kind == SW_CHANGED;
    }
    event.count = (int64_t)(diff->count - told);
    sw_tell_add(tell, &event);
}

void
sw_tell_diff(struct sw_tell *tell, const struct sw_tell_look *look, const struct sw_diff *diff,
    const struct sw_baseline *old)
{
    size_t told = 0;
    while (told < diff->count && told < look->max_events &&
           tell_change(tell, look, &diff->changes[told], diff, old)) {
        told++;
    }
    if (told < diff->count) {
        tell_rest(tell, look, diff, told);
    }
}
