/* Complete looks: whose are they, what changed, tell it, store it, and only then believe it. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/poller/poller_look.h"

#define LOOK_FLOOD_FROM       500
#define LOOK_FLOOD_UNTIL      250
#define LOOK_CHANGES_PER_HOUR 3

static bool
look_hour_of_changes_is_over(const struct look *look)
{
    int64_t since_ns;
    return __builtin_sub_overflow(
               look->snapshot->taken_at_ns, look->state.changes_from_ns, &since_ns) ||
           since_ns < 0 || since_ns >= 3600 * SW_NS_PER_S;
}

/* The baseline belongs to what the source was pointed at: if that differs, nothing is compared.
 * After too many changes the answers of none of the servers are believed until the hour is over:
 * believing one of them would tell unreachable and recovered by turns. */
static bool
look_check_identity(struct sw_poller *poller, struct look *look, struct sw_err *err)
{
    const struct sw_source_state *state = &poller->state;
    struct sw_str server = look->snapshot->server;
    look->first = !state->has_baseline;
    if (look->first) {
        return true;
    }
    bool same = strcmp(state->identity, poller->identity) == 0 && sw_str_is(server, state->server);
    bool too_many = look->state.changes_count > LOOK_CHANGES_PER_HOUR;
    bool over = look_hour_of_changes_is_over(look);
    if (same && (!too_many || over)) {
        return true;
    }
    look->first = true;
    look->pointed_elsewhere = true;
    if (over) {
        look->state.changes_from_ns = look->snapshot->taken_at_ns;
        look->state.changes_count = 0;
        too_many = false;
    }
    if (!too_many && ++look->state.changes_count <= LOOK_CHANGES_PER_HOUR) {
        return true;
    }
    look->several_servers = true;
    return sw_err_set(err,
        "several servers answer to this name: '%s' and others by turns, more than %d times in an "
        "hour; give each server a source of its own",
        state->server, LOOK_CHANGES_PER_HOUR);
}

static enum sw_close_reason
look_close_reason(
    const struct sw_poller *poller, const struct look *look, const struct sw_elapsed *elapsed)
{
    if (look->facts.server_stopped) {
        return SW_SERVER_STOPPED;
    }
    return sw_poll_is_gap(&poller->policy, elapsed->max_ns) ? SW_NOTICED_AFTER_GAP : SW_GONE;
}

static void
look_compare(struct sw_poller *poller, struct look *look)
{
    bool recorded = look_is_recorded(poller);
    struct sw_diff_input input = {
        .old = look->first ? NULL : &poller->baseline,
        .boot_ns = recorded ? SW_TIME_NONE : look->boot_ns,
        .rules = &poller->rules,
        .ids = &poller->ids,
    };
    if (input.old != NULL) {
        const struct sw_snapshot *old = poller->baseline.snapshot;
        input.elapsed = sw_elapsed_between(poller->baseline.boot_ns, old->taken_at_ns, old->took_ns,
            input.boot_ns, look->snapshot->taken_at_ns, look->snapshot->took_ns);
        input.close_reason = look_close_reason(poller, look, &input.elapsed);
    }
    sw_diff_run(&look->diff, &input, &look->snapshot);
}

static void
look_tell_source(struct sw_poller *poller, const struct look *look, enum sw_event_kind kind)
{
    struct sw_event event;
    const struct sw_snapshot *next = look->diff.next.snapshot;
    sw_event_init(&event, kind);
    event.created_ns = next->taken_at_ns;
    event.source = sw_str_of(poller->options.name);
    event.server = next->server;
    event.count = (int64_t)next->count;
    if (kind == SW_EVENT_SOURCE_RECOVERED) {
        event.start_ns = poller->state.last_look_ns;
        event.end_ns = next->taken_at_ns;
        if (event.start_ns != SW_TIME_NONE && event.end_ns >= event.start_ns) {
            event.duration_ns = event.end_ns - event.start_ns;
        }
    } else if (kind == SW_EVENT_SOURCE_CHANGED) {
        event.old_server = sw_str_of(poller->state.server);
        event.reason = sw_str_is(next->server, poller->state.server) ? SW_STR("configuration")
                                                                     : SW_STR("server");
    } else {
        event.reason = SW_STR("half_open");
        event.count = (int64_t)look->facts.half_open;
    }
    sw_tell_add(&poller->tell, &event);
}

static void
look_judge_flood(struct sw_poller *poller, struct look *look)
{
    bool was = poller->state.flooded;
    if (!was && look->facts.half_open > LOOK_FLOOD_FROM) {
        look->state.flooded = true;
        look_tell_source(poller, look, SW_EVENT_SOURCE_FLOODED);
        sw_log(poller->options.log, SW_LOG_WARN, poller->part,
            "%llu connections are open without a session: somebody may be flooding the server",
            (unsigned long long)look->facts.half_open);
    } else if (was && look->facts.half_open < LOOK_FLOOD_UNTIL) {
        look->state.flooded = false;
    }
}

static void
look_tell(struct sw_poller *poller, struct look *look, enum sw_poll_tell tell)
{
    const struct sw_snapshot *next = look->diff.next.snapshot;
    sw_tell_clear(&poller->tell);
    if (tell == SW_POLL_TELL_RECOVERED) {
        look_tell_source(poller, look, SW_EVENT_SOURCE_RECOVERED);
    }
    if (look->pointed_elsewhere) {
        look_tell_source(poller, look, SW_EVENT_SOURCE_CHANGED);
    }
    look_judge_flood(poller, look);

    bool emit =
        poller->options.settings->baseline == SW_BASELINE_EMIT || poller->options.tell_baseline;
    if (look->first && !emit) {
        return;
    }
    struct sw_tell_look about = {
        .source = poller->options.name,
        .server = next->server,
        .taken_at_ns = next->taken_at_ns,
        .last_taken_at_ns = look->first ? SW_TIME_NONE : poller->baseline.snapshot->taken_at_ns,
        .baseline = look->first,
        .max_events = (size_t)poller->options.settings->max_events,
    };
    sw_tell_diff(&poller->tell, &about, &look->diff, look->first ? NULL : &poller->baseline);
}

static void
look_next_state(struct sw_poller *poller, struct look *look)
{
    const struct sw_snapshot *next = look->diff.next.snapshot;
    struct sw_source_state *state = &look->state;
    char *server = sw_strndup(next->server.data, next->server.size);
    sw_state_set(&state->server, server);
    free(server);
    sw_state_set(&state->identity, poller->identity);
    sw_state_set(&state->boot_id, poller->boot_id);
    state->last_look_ns = next->taken_at_ns;
    state->last_boot_ns = look_is_recorded(poller) ? SW_TIME_NONE : look->boot_ns;
    state->last_took_ns = next->took_ns;
    state->reported = look->diff.next.reported;
    state->level = next->level;
    state->sessions = (int64_t)next->count;
    state->has_baseline = true;
    if (look->facts.position >= 0) {
        state->position = look->facts.position;
    }
    look_set_status(look, SW_SOURCE_OK, "");
}

/* The journal has it, or nothing of it needs the journal: now the memory may follow. */
static void
look_accept(struct sw_poller *poller, struct look *look)
{
    poller->policy = look->policy;
    look_set_done(poller, look);
    sw_baseline_free(&poller->baseline);
    poller->baseline = sw_diff_take_baseline(&look->diff);
    free(poller->stored);
    poller->stored = look->writes.stored;
    look->writes.stored = NULL; /* moved to the poller */
    poller->fresh = false;
    poller->options.tell_baseline = false;
}

static void
look_log_clock(struct sw_poller *poller, const struct look *look)
{
    unsigned suppressed;
    if (look->diff.clock_moved > 0 &&
        sw_log_limit_allows(&poller->clock_log, look->boot_ns, 6, &suppressed)) {
        sw_log(poller->options.log, SW_LOG_INFO, poller->part,
            "a clock moved by about %lld s: %zu sessions were matched in spite of it",
            (long long)look->diff.clock_shift_s, look->diff.clock_moved);
    }
}

enum sw_looked
look_complete(struct sw_poller *poller, struct look *look, struct sw_err *err)
{
    if (!look_check_identity(poller, look, err)) {
        return look_failed(poller, look, SW_POLL_FAILED, err);
    }
    look_compare(poller, look);
    const struct sw_diff *diff = &look->diff;
    if (!look->first && !look->repeated && !look->facts.proven && !look_is_recorded(poller) &&
        !poller->suspected &&
        sw_poll_is_sudden_loss(
            poller->baseline.snapshot->count, diff->closed, diff->next.snapshot->count)) {
        /* Where the repetition fails (a document that is not newer yet), the next look repeats. */
        poller->suspected = true;
        poller->suspected_ns = diff->next.snapshot->taken_at_ns;
        return SW_LOOKED_AGAIN;
    }
    poller->suspected = false;
    look_log_clock(poller, look);

    look->policy = poller->policy;
    enum sw_poll_tell tell = sw_poll_judge(&look->policy, SW_POLL_COMPLETE, look->boot_ns);
    look_next_state(poller, look);
    look_tell(poller, look, tell);
    if (!sw_row_writes_make(&look->writes, diff, look->first ? NULL : &poller->baseline,
            poller->stored, look->first, err)) {
        sw_source_state_copy(&look->state, &poller->state);
        return look_failed(poller, look, SW_POLL_FAILED, err);
    }

    bool due = look->first || poller->fresh || look->writes.count > 0 || poller->tell.count > 0 ||
               poller->state.status != SW_SOURCE_OK ||
               look->wall_ns - poller->written_ns >= LOOK_STATE_EVERY_NS ||
               look->wall_ns < poller->written_ns;
    if (due) {
        if (!look_append(poller, &look->state, &look->writes, look->first, err)) {
            poller->policy.tick_ns = look->policy.tick_ns;
            return look_is_recorded(poller) ? SW_LOOKED_RETRY : SW_LOOKED;
        }
        poller->written_ns = look->wall_ns;
    }
    look_accept(poller, look);
    return SW_LOOKED;
}
