/* From a look to the journal and to the poller's memory. */
#include <stdlib.h>
#include <string.h>

#include "agent/poller/poller_look.h"

bool
look_is_recorded(const struct sw_poller *poller)
{
    return poller->options.class->is_recorded;
}

bool
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

void
look_set_done(struct sw_poller *poller, const struct look *look)
{
    sw_source_state_copy(&poller->state, &look->state);
    if (look->facts.position >= 0) {
        poller->source.position = look->facts.position;
    }
}

void
look_set_status(struct look *look, enum sw_source_status status, const char *error)
{
    if (look->state.status != status) {
        look->state.status = status;
        look->state.since_ns = look->facts.taken_at_ns;
    }
    sw_state_set(&look->state.error, error);
}

bool
look_can_be_stored(const struct sw_poller *poller, const struct sw_source_state *state)
{
    return !look_is_recorded(poller) || strcmp(state->identity, poller->identity) == 0;
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
