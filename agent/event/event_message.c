/* One sentence a kind: who or what first, the reason last. */
#include "agent/base/time_text.h"
#include "agent/event.h"

static void
message_add(struct sw_buf *buf, const char *literal, struct sw_str text)
{
    sw_buf_add_text(buf, literal);
    sw_buf_add(buf, text.data, text.size);
}

/* 1,234,567 */
static void
message_add_count(struct sw_buf *buf, int64_t count)
{
    char digits[27];
    size_t at = sizeof(digits);
    uint64_t rest = count > 0 ? (uint64_t)count : 0;
    for (int written = 0; rest > 0 || written == 0; written++) {
        if (written > 0 && written % 3 == 0) {
            digits[--at] = ',';
        }
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    }
    sw_buf_add(buf, digits + at, sizeof(digits) - at);
}

static void
message_add_counted(
    struct sw_buf *buf, const char *before, int64_t count, const char *one, const char *many)
{
    if (count != SW_EVENT_NONE) {
        sw_buf_add_text(buf, before);
        message_add_count(buf, count);
        sw_buf_add_text(buf, count == 1 ? one : many);
    }
}

static void
message_add_detail(const struct sw_event *event, struct sw_buf *buf)
{
    if (event->detail.size > 0) {
        message_add(buf, ": ", event->detail);
    }
}

static void
message_add_who(const struct sw_event *event, struct sw_buf *buf)
{
    if (event->user.size > 0) {
        sw_buf_add(buf, event->user.data, event->user.size);
    } else {
        sw_buf_add_text(buf, "somebody without a name");
    }
}

static void
message_add_where(const struct sw_event *event, struct sw_buf *buf)
{
    if (event->server.size > 0) {
        message_add(buf, " on ", event->server);
    }
    if (event->client.size > 0) {
        message_add(buf, " from ", event->client);
    }
}

static void
message_opened(const struct sw_event *event, struct sw_buf *buf)
{
    message_add_who(event, buf);
    sw_buf_add_text(buf, " opened a session");
    message_add_where(event, buf);
    if (event->guest == 1) {
        sw_buf_add_text(buf, " as guest");
    }
    if (event->baseline == 1) {
        sw_buf_add_text(buf, " (found by the first look)");
    }
}

static void
message_closed(const struct sw_event *event, struct sw_buf *buf)
{
    message_add_who(event, buf);
    sw_buf_add_text(buf, " closed a session");
    message_add_where(event, buf);
    if (event->duration_ns != SW_EVENT_NONE) {
        sw_buf_add_text(buf, " after ");
        sw_duration_add(buf, event->duration_ns);
    }
    if (sw_str_is(event->reason, "server_stopped")) {
        sw_buf_add_text(buf, " (the file server stopped)");
    } else if (sw_str_is(event->reason, "noticed_after_gap")) {
        sw_buf_add_text(buf, " (noticed after a time without looks)");
    } else if (sw_str_is(event->reason, "user_changed")) {
        sw_buf_add_text(buf, " (another user took it over)");
    }
}

static void
message_changed(const struct sw_event *event, struct sw_buf *buf)
{
    message_add_who(event, buf);
    sw_buf_add_text(buf, " has a changed session");
    message_add_where(event, buf);
    message_add(buf, ": ", event->changed);
    message_add_counted(buf, "; ", event->opens, " open file", " open files");
    if (event->idle_s >= 0 && event->idle_s < INT64_MAX / SW_NS_PER_S) {
        sw_buf_add_text(buf, "; idle for ");
        sw_duration_add(buf, event->idle_s * SW_NS_PER_S);
    }
}

static void
message_unreachable(const struct sw_event *event, struct sw_buf *buf)
{
    message_add(buf, "source ", event->source);
    sw_buf_add_text(buf, " is unreachable");
    if (event->error_text.size > 0) {
        message_add(buf, ": ", event->error_text);
    }
    if (event->start_ns != SW_EVENT_NONE) {
        sw_buf_add_text(buf, " (last complete look ");
        sw_time_add(buf, event->start_ns);
        sw_buf_add_char(buf, ')');
    } else {
        sw_buf_add_text(buf, " (no complete look so far)");
    }
}

static void
message_recovered(const struct sw_event *event, struct sw_buf *buf)
{
    message_add(buf, "source ", event->source);
    sw_buf_add_text(buf, " answers again");
    if (event->duration_ns != SW_EVENT_NONE) {
        sw_buf_add_text(buf, " after ");
        sw_duration_add(buf, event->duration_ns);
    }
    message_add_detail(event, buf);
}

static void
message_source_changed(const struct sw_event *event, struct sw_buf *buf)
{
    message_add(buf, "source ", event->source);
    sw_buf_add_text(buf, " is pointed elsewhere");
    if (event->server.size > 0 && event->old_server.size > 0 &&
        !sw_str_equal(event->server, event->old_server)) {
        message_add(buf, ": ", event->server);
        message_add(buf, " instead of ", event->old_server);
    } else {
        message_add_detail(event, buf);
    }
    message_add_counted(buf, "; new baseline of ", event->count, " session", " sessions");
}

static void
message_flooded(const struct sw_event *event, struct sw_buf *buf)
{
    message_add(buf, "source ", event->source);
    sw_buf_add_text(buf, " is flooded");
    if (event->opened == SW_EVENT_NONE) {
        message_add_counted(
            buf, ": ", event->count, " connection is half open", " connections are half open");
    } else {
        message_add_counted(buf, ": not told one by one: ", event->opened, " opened", " opened");
        message_add_counted(buf, ", ", event->closed, " closed", " closed");
        message_add_counted(buf, ", ", event->altered, " changed", " changed");
    }
    message_add_detail(event, buf);
}

static void
message_started(const struct sw_event *event, struct sw_buf *buf)
{
    sw_buf_add_text(buf, "sharewatch started");
    if (event->clean_stop == 0) {
        sw_buf_add_text(buf, "; it had not been stopped cleanly");
    }
    message_add_detail(event, buf);
}

static void
message_reloaded(const struct sw_event *event, struct sw_buf *buf)
{
    if (event->error_text.data != NULL) {
        message_add(buf, "sharewatch could not take the new configuration: ", event->error_text);
    } else {
        sw_buf_add_text(buf, "sharewatch took a new configuration");
    }
    message_add_detail(event, buf);
}

static void
message_replaced(const struct sw_event *event, struct sw_buf *buf)
{
    sw_buf_add_text(buf, "the journal was damaged and has been replaced");
    message_add_counted(buf, "; ", event->count, " event was saved", " events were saved");
    message_add_detail(event, buf);
}

static void
message_dropped(const struct sw_event *event, struct sw_buf *buf)
{
    message_add_count(buf, event->count);
    message_add(buf, event->count == 1 ? " event of sink " : " events of sink ", event->sink);
    sw_buf_add_text(buf, event->count == 1 ? " was dropped" : " were dropped");
    if (event->first_sequence != SW_EVENT_NONE && event->last_sequence != SW_EVENT_NONE) {
        sw_buf_add_text(buf, " (sequence ");
        sw_buf_add_int(buf, event->first_sequence);
        sw_buf_add_text(buf, " to ");
        sw_buf_add_int(buf, event->last_sequence);
        sw_buf_add_char(buf, ')');
    }
    message_add_detail(event, buf);
}

static void
message_plain(const char *text, const struct sw_event *event, struct sw_buf *buf)
{
    sw_buf_add_text(buf, text);
    message_add_detail(event, buf);
}

void
sw_event_message(const struct sw_event *event, struct sw_buf *buf)
{
    switch (event->kind) {
    case SW_EVENT_SESSION_OPENED:
        message_opened(event, buf);
        break;
    case SW_EVENT_SESSION_CLOSED:
        message_closed(event, buf);
        break;
    case SW_EVENT_SESSION_CHANGED:
        message_changed(event, buf);
        break;
    case SW_EVENT_SOURCE_UNREACHABLE:
        message_unreachable(event, buf);
        break;
    case SW_EVENT_SOURCE_RECOVERED:
        message_recovered(event, buf);
        break;
    case SW_EVENT_SOURCE_CHANGED:
        message_source_changed(event, buf);
        break;
    case SW_EVENT_SOURCE_FLOODED:
        message_flooded(event, buf);
        break;
    case SW_EVENT_AGENT_STARTED:
        message_started(event, buf);
        break;
    case SW_EVENT_AGENT_STOPPED:
        message_plain("sharewatch stopped", event, buf);
        break;
    case SW_EVENT_AGENT_RELOADED:
        message_reloaded(event, buf);
        break;
    case SW_EVENT_AGENT_ALIVE:
        message_plain("sharewatch is alive", event, buf);
        break;
    case SW_EVENT_JOURNAL_REPLACED:
        message_replaced(event, buf);
        break;
    case SW_EVENT_EVENTS_DROPPED:
        message_dropped(event, buf);
        break;
    }
}
