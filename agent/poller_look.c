#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/poller_private.h"

#define LOOK_STATE_EVERY_NS   (60 * SW_NS_PER_S)
#define LOOK_FLOOD_FROM       500
#define LOOK_FLOOD_UNTIL      250
#define LOOK_CHANGES_PER_HOUR 3

/* Everything about one look, so that nothing of the poller changes before the journal has it. */
struct look {
    struct sw_look_facts facts;
    int64_t boot_ns; /* when it ended */
    int64_t wall_ns;
    struct sw_snapshot *snapshot;
    bool repeated;
    bool dated; /* the look came with a time of its own */
    bool first; /* a new baseline: nothing to compare with */
    bool pointed_elsewhere;
    bool several_servers; /* answer to the name: more looks would not make it surer */
    struct sw_diff diff;
    struct sw_row_writes writes;
    struct sw_source_state state; /* as it will be */
    struct sw_poll_policy policy; /* as it will be */
};

static void
look_fini(struct look *look)
{
    sw_snapshot_free(look->snapshot);
    sw_diff_fini(&look->diff);
    sw_row_writes_fini(&look->writes);
    sw_source_state_fini(&look->state);
}

static bool
look_is_recorded(const struct sw_poller *poller)
{
    return poller->options.class->is_recorded;
}

static int64_t
look_wall_now(const struct sw_poller *poller)
{
    return poller->options.wall_ns != NULL ? poller->options.wall_ns(poller->options.clock)
                                           : sw_clock_wall_ns();
}

static bool
look_append(struct sw_poller *poller, const struct sw_source_state *state,
    const struct sw_row_writes *writes, bool replace_rows, struct sw_err *err)
{
    struct sw_str *events = sw_tell_events(&poller->tell);
    struct sw_journal_write write = {
        .source = state,
        .replace_rows = replace_rows,
        .rows = writes != NULL ? writes->rows : NULL,
        .row_count = writes != NULL ? writes->count : 0,
        .events = events,
        .event_count = poller->tell.count,
    };
    bool stored = sw_journal_append(poller->options.journal, &write, NULL, err);
    free(events);
    if (!stored) {
        unsigned suppressed;
        if (sw_log_limit_allows(&poller->journal_log, sw_clock_boot_ns(), 3, &suppressed)) {
            sw_log(poller->options.log, SW_LOG_ERROR, poller->part,
                "%s; the change is told when the journal takes it", err->text);
        }
    }
    return stored;
}

/* The look is done with: a source that has to begin anew begins behind it. */
static void
look_set_done(struct sw_poller *poller, const struct look *look)
{
    sw_source_state_copy(&poller->state, &look->state);
    if (look->facts.position >= 0) {
        poller->source.position = look->facts.position;
    }
}

/* ---- looks that failed */

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

static void
look_set_status(struct look *look, enum sw_source_status status, const char *error)
{
    if (look->state.status != status) {
        look->state.status = status;
        look->state.since_ns = look->facts.taken_at_ns;
    }
    sw_state_set(&look->state.error, error);
}

/* A position without its identity is none: a restart reads those looks once more, and must not
 * count them twice. */
static bool
look_can_be_stored(const struct sw_poller *poller, const struct sw_source_state *state)
{
    return !look_is_recorded(poller) || strcmp(state->identity, poller->identity) == 0;
}

static bool
look_failed_is_due(const struct sw_poller *poller, const struct look *look, bool new_words)
{
    return poller->tell.count > 0 ||
           (look_can_be_stored(poller, &look->state) &&
               (new_words || look_is_recorded(poller) ||
                   look->wall_ns - poller->written_ns >= LOOK_STATE_EVERY_NS));
}

static enum sw_looked
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
            "unreachable after %u failed looks; nobody is reported as gone", look->policy.failures);
    }
    poller->policy = look->policy;
    look_set_done(poller, look);
    if (!poller->policy.unreachable && poller->state.status == SW_SOURCE_UNREACHABLE) {
        poller->state.status = SW_SOURCE_FAILING;
    }
    return SW_LOOKED;
}

/* ---- complete looks */

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

static enum sw_looked
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

/* ---- asking */

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

void
sw_poller_store_state(struct sw_poller *poller)
{
    struct sw_err err;
    if (poller->state.status != SW_SOURCE_NEW && look_can_be_stored(poller, &poller->state)) {
        sw_tell_clear(&poller->tell);
        (void)look_append(poller, &poller->state, NULL, false, &err);
    }
}
