/* Telling what the journal had to drop: one event an episode, when the sink has caught up. */
#include <inttypes.h>

#include "agent/forwarder/forwarder_private.h"

/* Appends what the journal had to drop before we had it, and closes the episode with it. */
static bool
forward_append_dropped(
    struct sw_forwarder *forwarder, const struct sw_sink_state *drops, struct sw_err *err)
{
    struct sw_buf stored;
    struct sw_event event;
    sw_event_init(&event, SW_EVENT_EVENTS_DROPPED);
    event.created_ns = forward_wall_ns(forwarder);
    event.id = sw_uuid_make(&forwarder->ids, event.created_ns);
    event.sink = sw_str_of(forwarder->options.name);
    event.first_sequence = (int64_t)drops->drop_first;
    event.last_sequence = (int64_t)drops->drop_last;
    event.count = (int64_t)drops->drop_count;
    event.reason = SW_STR("journal_max");
    event.detail = SW_STR("journal_max was reached before the sink had taken them");
    sw_buf_init(&stored, SW_EVENT_SIZE_MAX);
    sw_event_encode(&event, &stored);
    struct sw_str body = {stored.data, stored.size};
    struct sw_journal_write write = {.events = &body,
        .event_count = 1,
        .drops_told = forwarder->options.name,
        .drops_told_last = drops->drop_last};
    bool done = sw_journal_append(forwarder->options.journal, &write, NULL, err);
    sw_buf_fini(&stored);
    return done;
}

bool
forward_tell_dropped(struct sw_forwarder *forwarder)
{
    struct sw_err err;
    struct sw_sink_state drops;
    bool found;
    bool told = false;
    sw_sink_state_init(&drops, forwarder->options.name, forwarder->options.class->part.name);
    forwarder->idle_until_ns = INT64_MAX;
    if (!sw_journal_get_sink(
            forwarder->options.journal, forwarder->options.name, &drops, &found, &err)) {
        found = false;
    }
    if (found && drops.drop_count > 0) {
        told = forward_append_dropped(forwarder, &drops, &err);
        if (told) {
            sw_log(forwarder->options.log, SW_LOG_WARN, forwarder->log_part,
                "%" PRIu64 " events (%" PRIu64 " to %" PRIu64
                ") were dropped: journal_max was reached",
                drops.drop_count, drops.drop_first, drops.drop_last);
        } else {
            forward_say(forwarder, SW_LOG_ERROR, "cannot tell what was dropped", err.text);
            forwarder->idle_until_ns = forward_boot_ns(forwarder) + FORWARD_JOURNAL_WAIT_NS;
        }
    }
    sw_sink_state_fini(&drops);
    return told;
}
