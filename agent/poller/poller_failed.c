/* Looks that failed: nobody is told as gone. */
#include <string.h>

#include "agent/poller/poller_look.h"

static void
look_tell_unreachable(struct sw_poller *poller, const struct look *look, const struct sw_err *err)
{
    struct sw_event event;
    sw_event_init(&event, SW_EVENT_SOURCE_UNREACHABLE);
    event.created_ns = look->facts.taken_at_ns;
    event.source = sw_str_of(poller->options.name);
    /* Before the first complete look: what the source, or else its place, is known as. */
    event.server =
        poller->state.server[0] != '\0' ? sw_str_of(poller->state.server) : look->facts.server;
    event.start_ns = poller->state.last_look_ns;
    event.error_text = sw_str_of(err->text);
    event.error_code = err->code != 0 ? err->code : SW_EVENT_NONE;
    event.count = poller->state.has_baseline ? poller->state.sessions : SW_EVENT_NONE;
    sw_tell_add(&poller->tell, &event);
}

static bool
look_failed_is_due(const struct sw_poller *poller, const struct look *look, bool new_words)
{
    return poller->tell.count > 0 ||
           (look_can_be_stored(poller, &look->state) &&
               (new_words || look_is_recorded(poller) ||
                   look->wall_ns - poller->written_ns >= LOOK_STATE_EVERY_NS));
}

enum sw_looked
look_failed(
    struct sw_poller *poller, struct look *look, enum sw_poll_result result, struct sw_err *err)
{
    look->policy = poller->policy;
    if (look->several_servers && look->policy.failures + 1 < look->policy.unreachable_after) {
        look->policy.failures = look->policy.unreachable_after - 1;
    }
    enum sw_poll_tell tell = sw_poll_judge(&look->policy, result, look->boot_ns);
    bool new_words = strcmp(poller->state.error, err->text) != 0;
    sw_log(poller->options.log, new_words ? SW_LOG_WARN : SW_LOG_DEBUG, poller->part,
        "look failed: %s", err->text);

    look_set_status(
        look, look->policy.unreachable ? SW_SOURCE_UNREACHABLE : SW_SOURCE_FAILING, err->text);
    if (look->facts.position >= 0) {
        look->state.position = look->facts.position;
    }
    sw_tell_clear(&poller->tell);
    if (tell == SW_POLL_TELL_UNREACHABLE) {
        look_tell_unreachable(poller, look, err);
    }

    struct sw_err journal_err;
    if (look_failed_is_due(poller, look, new_words)) {
        if (look_append(poller, &look->state, NULL, false, &journal_err)) {
            poller->written_ns = look->wall_ns;
        } else if (look_is_recorded(poller)) {
            return SW_LOOKED_RETRY;
        } else {
            /* The next failed look tells it. */
            look->policy.unreachable = poller->policy.unreachable;
        }
    }
    if (tell == SW_POLL_TELL_UNREACHABLE) {
        sw_log(poller->options.log, SW_LOG_ERROR, poller->part,
            "unreachable after %u failed looks; nobody is reported as gone%s",
            look->policy.failures,
            result == SW_POLL_REFUSED ? "; refused, so it is asked again in 15 minutes, then "
                                        "every hour, and at a reload"
                                      : "");
    }
    poller->policy = look->policy;
    look_set_done(poller, look);
    if (!poller->policy.unreachable && poller->state.status == SW_SOURCE_UNREACHABLE) {
        poller->state.status = SW_SOURCE_FAILING;
    }
    return SW_LOOKED;
}
