/* The contract's face: takes the mutex, asks the implementation, tells those who wait. */
#include "agent/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/journal/journal_private.h"
#include "agent/platform/platform.h"

void
journal_init(struct sw_journal *journal, const struct journal_class *class,
    const struct sw_journal_options *options)
{
    journal->class = class;
    journal->log = options->log;
    journal->max_size = options->max_size;
    journal->on_full = options->on_full;
    journal->first_seq = 1;
    journal->acks_written_ns = SW_TIME_NONE;
    pthread_mutex_init(&journal->mutex, NULL);
    pthread_mutex_init(&journal->wait.mutex, NULL);
    sw_cond_init(&journal->wait.cond);
}

void
journal_fini(struct sw_journal *journal)
{
    while (journal->sink_count > 0) {
        journal_sink_remove(journal, journal->sinks);
    }
    free(journal->sinks);
    pthread_mutex_destroy(&journal->mutex);
    pthread_mutex_destroy(&journal->wait.mutex);
    pthread_cond_destroy(&journal->wait.cond);
}

void
sw_journal_close(struct sw_journal *journal, bool clean)
{
    if (journal != NULL) {
        journal->class->close(journal, clean);
        journal_fini(journal);
        free(journal);
    }
}

struct sw_uuid
sw_journal_epoch(const struct sw_journal *journal)
{
    return journal->epoch;
}

void
sw_journal_set_cap(struct sw_journal *journal, uint64_t max_size, enum sw_on_full on_full)
{
    pthread_mutex_lock(&journal->mutex);
    journal->max_size = max_size;
    journal->on_full = on_full;
    if (journal->class->cap_changed != NULL) {
        journal->class->cap_changed(journal);
    }
    pthread_mutex_unlock(&journal->mutex);
}

bool
journal_lock(struct sw_journal *journal, bool writes, struct sw_err *err)
{
    pthread_mutex_lock(&journal->mutex);
    bool ok = true;
    if (journal->damaged) {
        ok = sw_err_set(err, "the journal is damaged: it is replaced when it is opened again");
    } else if (writes && journal->read_only) {
        ok = sw_err_set(err, "the journal was opened for reading only");
    }
    if (!ok) {
        pthread_mutex_unlock(&journal->mutex);
    }
    return ok;
}

bool
journal_unlock(struct sw_journal *journal, bool ok)
{
    pthread_mutex_unlock(&journal->mutex);
    return ok;
}

bool
sw_journal_is_damaged(struct sw_journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    return journal_unlock(journal, journal->damaged);
}

static bool
journal_check_sizes(const struct sw_journal_write *write, struct sw_err *err)
{
    for (size_t i = 0; i < write->event_count; i++) {
        if (write->events[i].size > SW_JOURNAL_EVENT_MAX) {
            return sw_err_set(err, "an event has %zu bytes: the journal takes at most %zu",
                write->events[i].size, SW_JOURNAL_EVENT_MAX);
        }
    }
    for (size_t i = 0; i < write->row_count; i++) {
        if (write->rows[i].body.size > SW_JOURNAL_EVENT_MAX) {
            return sw_err_set(err, "a session has %zu bytes: the journal takes at most %zu",
                write->rows[i].body.size, SW_JOURNAL_EVENT_MAX);
        }
    }
    if (write->source == NULL && (write->row_count > 0 || write->replace_rows)) {
        return sw_err_set(err, "sessions were to be stored without their source");
    }
    return true;
}

static void
journal_announce(struct sw_journal *journal, uint64_t last_seq)
{
    pthread_mutex_lock(&journal->wait.mutex);
    if (last_seq > journal->wait.last) {
        journal->wait.last = last_seq;
        pthread_cond_broadcast(&journal->wait.cond);
    }
    pthread_mutex_unlock(&journal->wait.mutex);
}

bool
sw_journal_append(struct sw_journal *journal, const struct sw_journal_write *write,
    uint64_t *last_seq, struct sw_err *err)
{
    if (!journal_check_sizes(write, err) || !journal_lock(journal, true, err)) {
        return false;
    }
    struct journal_step step;
    journal_step_begin(journal, &step, write);
    bool ok = journal->class->append(journal, write, &step, err);
    if (ok) {
        journal_step_commit(journal, &step);
        if (last_seq != NULL) {
            *last_seq = step.last_seq;
        }
    }
    journal_unlock(journal, ok);
    if (ok && write->event_count > 0) {
        journal_announce(journal, step.last_seq);
    }
    return ok;
}

bool
sw_journal_load_source(struct sw_journal *journal, const char *name, struct sw_source_state *state,
    bool *found, struct sw_err *err)
{
    *found = false;
    return journal_lock(journal, false, err) &&
           journal_unlock(journal, journal->class->load_source(journal, name, state, found, err));
}

bool
sw_journal_load_rows(struct sw_journal *journal, const char *source,
    bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *err),
    void *context, struct sw_err *err)
{
    return journal_lock(journal, false, err) &&
           journal_unlock(journal, journal->class->load_rows(journal, source, each, context, err));
}

bool
sw_journal_keep_sources(
    struct sw_journal *journal, const char *const *names, size_t count, struct sw_err *err)
{
    return journal_lock(journal, true, err) &&
           journal_unlock(journal, journal->class->keep_sources(journal, names, count, err));
}

bool
sw_journal_list_sources(
    struct sw_journal *journal, struct sw_source_state **states, size_t *count, struct sw_err *err)
{
    *states = NULL;
    *count = 0;
    return journal_lock(journal, false, err) &&
           journal_unlock(journal, journal->class->list_sources(journal, states, count, err));
}

bool
sw_journal_list_sinks(
    struct sw_journal *journal, struct sw_sink_state **states, size_t *count, struct sw_err *err)
{
    *states = NULL;
    *count = 0;
    if (!journal_lock(journal, false, err)) {
        return false;
    }
    if (journal->sink_count > 0) {
        *states = sw_calloc(journal->sink_count, sizeof(**states));
    }
    for (; *count < journal->sink_count; ++*count) {
        sw_sink_state_copy(&(*states)[*count], &journal->sinks[*count].state);
    }
    return journal_unlock(journal, true);
}

bool
sw_journal_get_sink(struct sw_journal *journal, const char *name, struct sw_sink_state *state,
    bool *found, struct sw_err *err)
{
    *found = false;
    if (!journal_lock(journal, false, err)) {
        return false;
    }
    struct journal_sink *sink = journal_sink_find(journal, name);
    if (sink != NULL) {
        sw_sink_state_copy(state, &sink->state);
        *found = true;
    }
    return journal_unlock(journal, true);
}

static struct journal_sink *
journal_attach_new(struct sw_journal *journal, const char *name, const char *type, bool from_oldest)
{
    struct sw_sink_state state;
    sw_sink_state_init(&state, name, type);
    state.position = from_oldest ? journal->first_seq - 1 : journal->last_seq;
    struct journal_sink *sink = journal_sink_add(journal, &state);
    sw_sink_state_fini(&state);
    return sink;
}

bool
sw_journal_attach_sink(struct sw_journal *journal, const char *name, const char *type,
    bool from_oldest, int64_t now_ns, struct sw_sink_state *state, struct sw_err *err)
{
    struct sw_sink_state before = {0};
    if (!journal_lock(journal, true, err)) {
        return false;
    }
    bool ok = journal_sinks_forget(journal, now_ns, err);
    if (ok) {
        struct journal_sink *sink = journal_sink_find(journal, name);
        bool is_new = sink == NULL;
        if (is_new) {
            sink = journal_attach_new(journal, name, type, from_oldest);
        }
        sw_sink_state_copy(&before, &sink->state);
        sw_state_set(&sink->state.type, type);
        if (sink->state.absent_since_ns != SW_TIME_NONE &&
            sink->state.position + 1 < journal->first_seq) {
            /* Nothing was held back for it while it was away: that is no loss to be told. */
            sink->state.position = journal->first_seq - 1;
        }
        sink->state.absent_since_ns = SW_TIME_NONE;
        sink->dirty = true;
        ok = journal_store_sinks(journal, err);
        if (ok) {
            sw_sink_state_copy(state, &sink->state);
        } else if (is_new) {
            journal_sink_remove(journal, sink);
        } else {
            sw_sink_state_copy(&sink->state, &before);
        }
    }
    sw_sink_state_fini(&before);
    return journal_unlock(journal, ok);
}

bool
sw_journal_detach_sink(
    struct sw_journal *journal, const char *name, int64_t now_ns, struct sw_err *err)
{
    if (!journal_lock(journal, true, err)) {
        return false;
    }
    bool ok = true;
    struct journal_sink *sink = journal_sink_find(journal, name);
    if (sink != NULL && sink->state.absent_since_ns == SW_TIME_NONE) {
        sink->state.absent_since_ns = now_ns;
        sink->dirty = true;
        ok = journal_store_sinks(journal, err);
        if (!ok) {
            sink->state.absent_since_ns = SW_TIME_NONE;
        }
    }
    ok = ok && journal_sinks_forget(journal, now_ns, err);
    return journal_unlock(journal, ok);
}

bool
sw_journal_read(struct sw_journal *journal, uint64_t after, size_t max_records,
    struct sw_journal_batch *batch, struct sw_err *err)
{
    if (max_records == 0 || max_records > SW_BATCH_RECORDS_MAX) {
        max_records = SW_BATCH_RECORDS_MAX;
    }
    batch->count = 0;
    sw_buf_clear(&batch->bytes);
    if (!journal_lock(journal, false, err)) {
        return false;
    }
    batch->first_available = journal->first_seq <= journal->last_seq ? journal->first_seq : 0;
    batch->last = journal->last_seq;
    bool ok = journal->class->read(journal, after, max_records, batch, err);
    if (!ok) {
        batch->count = 0;
    }
    journal_batch_seal(batch);
    return journal_unlock(journal, ok);
}

bool
sw_journal_get_usage(struct sw_journal *journal, struct sw_journal_usage *usage, struct sw_err *err)
{
    *usage = (struct sw_journal_usage){0};
    if (!journal_lock(journal, false, err)) {
        return false;
    }
    usage->max = journal->max_size;
    usage->events = journal->last_seq + 1 - journal->first_seq;
    usage->first_seq = usage->events > 0 ? journal->first_seq : 0;
    usage->last_seq = journal->last_seq;
    return journal_unlock(journal, journal->class->used(journal, &usage->used, err));
}

bool
sw_journal_reject(struct sw_journal *journal, const char *sink, uint64_t seq, struct sw_str body,
    const char *reason, int64_t now_ns, struct sw_err *err)
{
    return journal_lock(journal, true, err) &&
           journal_unlock(
               journal, journal->class->reject(journal, sink, seq, body, reason, now_ns, err));
}
