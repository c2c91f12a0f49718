/* Asking the source, and filling in what it left open. */
#include "agent/poller/poller_look.h"

static void
look_fini(struct look *look)
{
    sw_snapshot_free(look->snapshot);
    sw_diff_fini(&look->diff);
    sw_row_writes_fini(&look->writes);
    sw_source_state_fini(&look->state);
}

static int64_t
look_wall_now(const struct sw_poller *poller)
{
    return poller->options.wall_ns != NULL ? poller->options.wall_ns(poller->options.clock)
                                           : sw_clock_wall_ns();
}

/* A document says when it was made: one that is not newer than the last is the last, once more.
 * One that showed a sudden loss counts as the last: it cannot confirm itself. */
static bool
look_is_stale(const struct sw_poller *poller, const struct look *look, struct sw_err *err)
{
    int64_t last_ns = poller->state.last_look_ns;
    if (poller->suspected && poller->suspected_ns > last_ns) {
        last_ns = poller->suspected_ns;
    }
    if (!look->dated || !poller->state.has_baseline || look->facts.taken_at_ns > last_ns) {
        return false;
    }
    struct sw_buf times;
    sw_buf_init(&times, 128);
    sw_time_add(&times, look->facts.taken_at_ns);
    sw_buf_add_text(&times, " is not later than ");
    sw_time_add(&times, last_ns);
    sw_err_set(err, "stale document: taken_at %s", sw_buf_text(&times));
    sw_buf_fini(&times);
    return true;
}

/* Fills in what the source left open. */
static void
look_fill_facts(struct sw_poller *poller, struct look *look, int64_t began_ns)
{
    struct sw_look_facts *facts = sw_builder_facts(poller->builder);
    if (facts->took_ns < 0) {
        facts->took_ns = look_is_recorded(poller) ? 0 : look->boot_ns - began_ns;
    }
    look->dated = facts->taken_at_ns != SW_TIME_NONE;
    if (!look->dated) {
        facts->taken_at_ns = look->wall_ns;
    }
    if (facts->server.size == 0) {
        sw_builder_set_server(poller->builder, sw_str_of(poller->options.host_name));
    }
    look->facts = *facts;
}

static struct sw_globs
look_globs(const struct sw_key_strings *strings)
{
    return (struct sw_globs){strings->items, strings->count};
}

enum sw_looked
sw_poller_look(struct sw_poller *poller, bool repeated)
{
    struct look look = {.repeated = repeated};
    struct sw_err err = {0};
    int64_t began_ns = sw_clock_boot_ns();
    struct sw_look_request request = {
        .deadline_ns = began_ns + sw_source_timeout_ns(poller->options.settings),
        .stop = &poller->stop,
        .occupied = poller->state.has_baseline && poller->state.sessions > 0,
    };
    sw_builder_clear(poller->builder);
    enum sw_look answer =
        poller->source.class->look(&poller->source, &request, poller->builder, &err);
    look.boot_ns = sw_clock_boot_ns();
    look.wall_ns = look_wall_now(poller);
    if (answer == SW_LOOK_END) {
        return SW_LOOKED_END;
    }
    if (sw_latch_is_set(&poller->stop) && answer != SW_LOOK_COMPLETE) {
        return SW_LOOKED; /* it was us who ended it */
    }

    sw_source_state_copy(&look.state, &poller->state);
    look_fill_facts(poller, &look, began_ns);
    bool stale = answer == SW_LOOK_COMPLETE && look_is_stale(poller, &look, &err);
    if (stale && repeated) {
        /* Documents come slower than we ask: the next look confirms the loss, or does not. */
        sw_poll_skip(&poller->policy, look.boot_ns);
        look_fini(&look);
        return SW_LOOKED;
    }
    if (answer == SW_LOOK_COMPLETE && !stale) {
        const struct sw_source_settings *settings = poller->options.settings;
        look.snapshot = sw_builder_finish(poller->builder, look_globs(&settings->ignore.users),
            look_globs(&settings->ignore.clients), NULL, &err);
    } else if (answer == SW_LOOK_PARTIAL) {
        sw_err_wrap(&err, "the look is not complete");
    }

    enum sw_looked looked = SW_LOOKED;
    if (look.snapshot != NULL) {
        looked = look_complete(poller, &look, &err);
    } else {
        looked = look_failed(
            poller, &look, answer == SW_LOOK_REFUSED ? SW_POLL_REFUSED : SW_POLL_FAILED, &err);
    }
    look_fini(&look);
    sw_builder_clear(poller->builder);
    return looked;
}
