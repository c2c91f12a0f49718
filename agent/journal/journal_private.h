/*
 * What both journals share: the mutex, the waiting, the sinks and the arithmetic of what may go.
 * journal.c takes the mutex and then calls the implementation through struct journal_class, so
 * that nothing below it locks. For the journal*.c files and their tests only.
 */
#ifndef SW_JOURNAL_PRIVATE_H
#define SW_JOURNAL_PRIVATE_H

#include <pthread.h>

#include "agent/journal.h"

#define JOURNAL_SINK_KEEP_NS    (INT64_C(7) * 24 * 3600 * 1000000000)
#define JOURNAL_ACK_INTERVAL_NS INT64_C(1000000000)
#define JOURNAL_REJECTED_MAX    1000
/* Passed events lie there until so many have come together: one deletion for many appends. */
#define JOURNAL_PASSED_KEEP 4096
/* Events deleted at a time, in whole chunks; a transaction deletes as many of these as it adds, and
 * one more. */
#define JOURNAL_TRIM_STEP 1024

struct journal_drops {
    uint64_t total;
    uint64_t first, last, count; /* the open episode */
};

struct journal_sink {
    struct sw_sink_state state;
    bool dirty; /* memory is ahead of what is stored */
    /* What the state's drops become when the transaction at hand commits. */
    struct journal_drops next;
};

/* What is on the way in one transaction; moves into the journal when it has committed. */
struct journal_step {
    uint64_t first_seq;
    uint64_t last_seq;
};

struct journal_class {
    /* Stores the write, what journal_step_begin has prepared and every dirty sink, all or nothing;
     * trims. */
    bool (*append)(struct sw_journal *journal, const struct sw_journal_write *write,
        struct journal_step *step, struct sw_err *err);
    /* Stores every dirty sink; trims. */
    bool (*store_sinks)(struct sw_journal *journal, struct journal_step *step, struct sw_err *err);
    bool (*remove_sink)(struct sw_journal *journal, const char *name, struct sw_err *err);
    bool (*read)(struct sw_journal *journal, uint64_t after, size_t max_records,
        struct sw_journal_batch *batch, struct sw_err *err);
    bool (*load_source)(struct sw_journal *journal, const char *name, struct sw_source_state *state,
        bool *found, struct sw_err *err);
    bool (*load_rows)(struct sw_journal *journal, const char *source,
        bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *err),
        void *context, struct sw_err *err);
    bool (*list_sources)(struct sw_journal *journal, struct sw_source_state **states, size_t *count,
        struct sw_err *err);
    bool (*keep_sources)(
        struct sw_journal *journal, const char *const *names, size_t count, struct sw_err *err);
    bool (*reject)(struct sw_journal *journal, const char *sink, uint64_t seq, struct sw_str body,
        const char *reason, int64_t now_ns, struct sw_err *err);
    bool (*used)(struct sw_journal *journal, uint64_t *bytes, struct sw_err *err);
    /* Called before an ack is noted; false: the ack fails. NULL: never does. */
    bool (*ack)(struct sw_journal *journal, struct sw_err *err);
    /* max_size or on_full has another value. NULL: nothing hangs on them. */
    void (*cap_changed)(struct sw_journal *journal);
    /* Frees what is the implementation's own. */
    void (*close)(struct sw_journal *journal, bool clean);
};

struct sw_journal {
    const struct journal_class *class;
    const struct sw_log *log;
    struct sw_uuid epoch;
    uint64_t max_size;
    enum sw_on_full on_full;

    pthread_mutex_t mutex;
    uint64_t first_seq; /* oldest stored event; last_seq + 1 when there is none */
    uint64_t last_seq;  /* newest ever given */
    struct journal_sink *sinks;
    size_t sink_count;
    int64_t acks_written_ns; /* SW_TIME_NONE: never */
    bool trimming;           /* the cap was met, the lower mark not yet */
    bool disk_full;          /* the last write found no space: what all have passed goes at once */
    bool damaged;
    bool read_only;

    struct {
        pthread_mutex_t mutex;
        pthread_cond_t cond;
        uint64_t last;
        uint64_t wakes;
    } wait;
};

/* Mutexes and options; the implementation sets class, epoch, sinks and sequence numbers. */
void journal_init(struct sw_journal *journal, const struct journal_class *class,
    const struct sw_journal_options *options);
/* What journal_init and the functions below made; not the memory of *journal itself. */
void journal_fini(struct sw_journal *journal);

/* Takes the mutex. false, and the mutex is free: damaged, or writes to one opened for reading. */
bool journal_lock(struct sw_journal *journal, bool writes, struct sw_err *err);
/* Gives it back and returns ok. */
bool journal_unlock(struct sw_journal *journal, bool ok);

/* ---- journal_sinks.c: which sink is where, and what they lose. Under the mutex. */

struct journal_sink *journal_sink_find(struct sw_journal *journal, const char *name);
/* Adds a copy of the state, as stored. */
struct journal_sink *
journal_sink_add(struct sw_journal *journal, const struct sw_sink_state *state);
void journal_sink_remove(struct sw_journal *journal, struct journal_sink *sink);
/* Forgets sinks that have been absent for 7 days. */
bool journal_sinks_forget(struct sw_journal *journal, int64_t now_ns, struct sw_err *err);

/* All attached sinks have passed what is up to here. */
uint64_t journal_passed(const struct sw_journal *journal);

/* Begins a step: every sink's next drops are its drops, less what `told` closes. */
void journal_step_begin(
    struct sw_journal *journal, struct journal_step *step, const struct sw_journal_write *told);
/* The step deletes the events from step->first_seq to last: counts what sinks lose by it. */
void journal_step_cut(struct sw_journal *journal, struct journal_step *step, uint64_t last);
/* The step has committed: what it made is the journal's now. */
void journal_step_commit(struct sw_journal *journal, const struct journal_step *step);

/* Stores every dirty sink in a step of its own. */
bool journal_store_sinks(struct sw_journal *journal, struct sw_err *err);

/* The implementation could not take events: says so as the user should read it. */
bool journal_full_error(const struct sw_journal *journal, uint64_t used, struct sw_err *err);

/* Copies one record into the batch; false when it would pass the limits of a batch.
 * journal_batch_seal then makes the bodies valid. */
bool journal_batch_add(struct sw_journal_batch *batch, uint64_t seq, struct sw_str body);
void journal_batch_seal(struct sw_journal_batch *batch);

#endif
