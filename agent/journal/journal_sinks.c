/* Which sink is where, what all have passed, and what the cap takes from whom. No I/O. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/journal/journal_private.h"

struct journal_sink *
journal_sink_find(struct sw_journal *journal, const char *name)
{
    for (size_t i = 0; i < journal->sink_count; i++) {
        if (strcmp(journal->sinks[i].state.name, name) == 0) {
            return &journal->sinks[i];
        }
    }
    return NULL;
}

struct journal_sink *
journal_sink_add(struct sw_journal *journal, const struct sw_sink_state *state)
{
    journal->sinks =
        sw_realloc(journal->sinks, journal->sink_count + 1, sizeof(struct journal_sink));
    struct journal_sink *sink = &journal->sinks[journal->sink_count++];
    *sink = (struct journal_sink){0};
    sw_sink_state_copy(&sink->state, state);
    return sink;
}

void
journal_sink_remove(struct sw_journal *journal, struct journal_sink *sink)
{
    sw_sink_state_fini(&sink->state);
    *sink = journal->sinks[--journal->sink_count];
}

bool
journal_sinks_forget(struct sw_journal *journal, int64_t now_ns, struct sw_err *err)
{
    for (size_t i = journal->sink_count; i-- > 0;) {
        struct journal_sink *sink = &journal->sinks[i];
        int64_t absent_ns = sink->state.absent_since_ns;
        if (absent_ns == SW_TIME_NONE || now_ns - absent_ns <= JOURNAL_SINK_KEEP_NS) {
            continue;
        }
        if (!journal->class->remove_sink(journal, sink->state.name, err)) {
            return false;
        }
        journal_sink_remove(journal, sink);
    }
    return true;
}

static bool
sinks_is_attached(const struct journal_sink *sink)
{
    return sink->state.absent_since_ns == SW_TIME_NONE;
}

uint64_t
journal_passed(const struct sw_journal *journal)
{
    uint64_t passed = journal->last_seq;
    for (size_t i = 0; i < journal->sink_count; i++) {
        const struct journal_sink *sink = &journal->sinks[i];
        if (sinks_is_attached(sink) && sink->state.position < passed) {
            passed = sink->state.position;
        }
    }
    return passed;
}

static void
sinks_drops_told(struct journal_drops *drops, uint64_t told_last)
{
    if (drops->count == 0 || told_last < drops->first) {
        return;
    }
    if (told_last >= drops->last) {
        drops->first = drops->last = drops->count = 0;
    } else {
        uint64_t told = told_last - drops->first + 1;
        drops->count = drops->count > told ? drops->count - told : 1;
        drops->first = told_last + 1;
    }
}

void
journal_step_begin(
    struct sw_journal *journal, struct journal_step *step, const struct sw_journal_write *told)
{
    *step = (struct journal_step){journal->first_seq, journal->last_seq};
    for (size_t i = 0; i < journal->sink_count; i++) {
        struct journal_sink *sink = &journal->sinks[i];
        const struct sw_sink_state *state = &sink->state;
        sink->next = (struct journal_drops){
            state->dropped, state->drop_first, state->drop_last, state->drop_count};
        if (told != NULL && told->drops_told != NULL &&
            strcmp(told->drops_told, state->name) == 0) {
            sinks_drops_told(&sink->next, told->drops_told_last);
            sink->dirty = true;
        }
    }
}

void
journal_step_cut(struct sw_journal *journal, struct journal_step *step, uint64_t last)
{
    for (size_t i = 0; i < journal->sink_count; i++) {
        struct journal_sink *sink = &journal->sinks[i];
        uint64_t position = sink->state.position;
        if (!sinks_is_attached(sink) || position >= last) {
            continue;
        }
        uint64_t first = position >= step->first_seq ? position + 1 : step->first_seq;
        uint64_t count = last - first + 1;
        if (sink->next.count == 0) {
            sink->next.first = first;
        }
        sink->next.last = last;
        sink->next.count += count;
        sink->next.total += count;
        sink->dirty = true;
    }
    step->first_seq = last + 1;
}

void
journal_step_commit(struct sw_journal *journal, const struct journal_step *step)
{
    journal->first_seq = step->first_seq;
    journal->last_seq = step->last_seq;
    for (size_t i = 0; i < journal->sink_count; i++) {
        struct journal_sink *sink = &journal->sinks[i];
        sink->state.dropped = sink->next.total;
        sink->state.drop_first = sink->next.first;
        sink->state.drop_last = sink->next.last;
        sink->state.drop_count = sink->next.count;
        sink->dirty = false;
    }
}

bool
journal_store_sinks(struct sw_journal *journal, struct sw_err *err)
{
    struct journal_step step;
    journal_step_begin(journal, &step, NULL);
    if (!journal->class->store_sinks(journal, &step, err)) {
        return false;
    }
    journal_step_commit(journal, &step);
    return true;
}

bool
journal_full_error(const struct sw_journal *journal, uint64_t used, struct sw_err *err)
{
    if (journal->on_full == SW_ON_FULL_NEWEST) {
        return sw_err_set(err,
            "the journal is full (%" PRIu64 " of %" PRIu64
            " bytes): newest events are not taken (on_full: newest); they fit again when sinks "
            "catch up or journal_max is raised",
            used, journal->max_size);
    }
    return sw_err_set(err,
        "the journal is full (%" PRIu64 " of %" PRIu64
        " bytes) without any event in it to drop: raise journal_max",
        used, journal->max_size);
}
