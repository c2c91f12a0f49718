/*
 * The journal: the one place where something is promised to last.
 *
 * What is atomic: one sw_journal_append is one transaction. A source's new baseline rows, its
 * state row and the events that tell the change are there together or not at all, also after
 * power loss (SQLite, WAL, synchronous=FULL). Readers see committed events only.
 *
 * What is durable later: acknowledgements. They ride on the next append or go alone, once a
 * second at most; a crash before that sends events again, with the same ids.
 *
 * Sequence numbers ascend by 1 and are never used twice under one epoch (a random id made with
 * the journal). The oldest events go when all attached sinks have passed them, or at the cap;
 * always some at a time, so that a few that are passed may lie there still.
 *
 * Threads: any thread may call any function; one mutex inside. No call but sw_journal_wait blocks
 * for longer than one transaction.
 *
 * Two implementations behind one contract (tests/conformance/test_journal.c): journal/,
 * SQLite, and RAM for `replay` and for tests, which can be told to fail.
 */
#ifndef SW_JOURNAL_H
#define SW_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buffer.h"
#include "agent/base/error.h"
#include "agent/base/log.h"
#include "agent/base/string.h"
#include "agent/base/uuid.h"

struct sw_journal; /* opaque */

enum sw_source_status {
    SW_SOURCE_NEW, /* never looked */
    SW_SOURCE_OK,
    SW_SOURCE_FAILING,     /* not yet unreachable */
    SW_SOURCE_UNREACHABLE, /* told */
};

/* One source's row: what a restart and `status` need. Strings are owned by the struct. */
struct sw_source_state {
    char *name;
    char *type;
    char *identity; /* what its baseline belongs to: type, target, filters, ignore list */
    char *server;   /* as the last complete look reported; "" before */
    enum sw_source_status status;
    int64_t since_ns;     /* when status began */
    int64_t last_look_ns; /* end of the last complete look, wall clock; SW_TIME_NONE: never */
    int64_t last_boot_ns; /* the same on the clock that counts sleep; SW_TIME_NONE */
    char *boot_id;        /* of the boot that last_boot_ns belongs to; "" */
    int64_t last_took_ns;
    unsigned reported; /* of the last complete look: SW_REPORTED_* */
    int level;         /* -1 */
    int64_t sessions;
    bool has_baseline;
    int64_t position;        /* replay: byte to go on at; -1 */
    bool flooded;            /* source.flooded was told and has not passed */
    int64_t changes_from_ns; /* source.changed in the hour that began here … */
    int64_t changes_count;   /* … so many */
    char *error;             /* of the last failed look; "" */
};

void sw_source_state_init(struct sw_source_state *state, const char *name, const char *type);
void sw_source_state_fini(struct sw_source_state *state);
void sw_source_state_copy(struct sw_source_state *to, const struct sw_source_state *from);
/* Replaces an owned string. */
void sw_state_set(char **member, const char *text);

/* One session of a baseline: its stored form (baseline.h) under its session id. */
struct sw_journal_row {
    struct sw_uuid id;
    struct sw_str body; /* data == NULL: the row goes */
};

/* One transaction. */
struct sw_journal_write {
    const struct sw_source_state *source; /* NULL: none */
    bool replace_rows;                    /* all rows of the source go first */
    const struct sw_journal_row *rows;
    size_t row_count;
    const struct sw_str *events; /* stored forms (event.h), in order */
    size_t event_count;
    /* The sink whose episode of drops these events tell, up to and with drops_told_last: it is
     * closed with them (what was dropped since stays open). NULL: none. */
    const char *drops_told;
    uint64_t drops_told_last;
};

#define SW_JOURNAL_EVENT_MAX ((size_t)1 << 20) /* bytes of one event or row; more is refused */

/* How far one sink is, and what `status` says of it. Strings are owned by the struct. */
struct sw_sink_state {
    char *name;
    char *type;
    uint64_t
        position; /* sequence of the last event that is done with (sent, rejected, passed over) */
    uint64_t sent;
    uint64_t rejected;
    uint64_t passed_over; /* older than max_age */
    uint64_t cut;         /* of sent: shortened to the size that the sink's format allows */
    /* These four are the journal's own: it counts them as it drops, sw_journal_ack leaves them
     * alone (but takes back what was dropped while the sink had it in hand), sw_journal_get_sink
     * tells them. */
    uint64_t dropped; /* lost at the cap before this sink had passed them */
    /* The open episode of drops (first and last sequence, how many); count 0: none. Closed by
     * sw_journal_write.drops_told. */
    uint64_t drop_first, drop_last, drop_count;
    int64_t last_sent_ns; /* SW_TIME_NONE */
    char *answer;         /* last answer or trouble, "" */
    int64_t answer_ns;
    bool paused;
    int64_t absent_since_ns; /* left the configuration then; SW_TIME_NONE: attached */
};

void sw_sink_state_init(struct sw_sink_state *state, const char *name, const char *type);
void sw_sink_state_fini(struct sw_sink_state *state);
void sw_sink_state_copy(struct sw_sink_state *to, const struct sw_sink_state *from);

/* Copied records. Zeroed is empty; buffers are reused between reads. */
struct sw_journal_record {
    uint64_t seq;
    struct sw_str body; /* into bytes; valid until the next read or fini */
};
struct sw_journal_batch {
    struct sw_journal_record *records;
    size_t count;
    size_t capacity;
    struct sw_buf bytes;
    uint64_t first_available; /* oldest event in the journal at the time of the read; 0: none */
    uint64_t last;            /* newest sequence ever given */
};
#define SW_BATCH_RECORDS_MAX 1024
#define SW_BATCH_BYTES_MAX   ((size_t)512 << 10)

void sw_journal_batch_fini(struct sw_journal_batch *batch);

enum sw_on_full { SW_ON_FULL_OLDEST, SW_ON_FULL_NEWEST };

struct sw_journal_options {
    const char *path;  /* of the file; for RAM: NULL */
    uint64_t max_size; /* bytes of the file and its -wal */
    enum sw_on_full on_full;
    const struct sw_log *log;
    const char *vfs;            /* SQLite VFS; NULL: the default. Tests inject faults here. */
    int64_t now_ns;             /* wall clock, for names and for forgetting absent sinks */
    struct sw_uuid_source *ids; /* makes the epoch of a new journal */
};

/* What opening found out. */
struct sw_journal_opened {
    bool is_new;
    bool clean_stop;       /* the last user closed it properly; true for a new one */
    bool replaced;         /* it was damaged and has been moved away … */
    uint64_t saved_events; /* … and so much was copied over from it */
    uint64_t saved_sinks;
    char damaged_path[512];
};

/* Opens or makes the journal. Refuses one that a newer sharewatch wrote, migrates an older one
 * (the old file is kept once), and moves a damaged one (SQLITE_CORRUPT, SQLITE_NOTADB) to
 * PATH.damaged-TIME with -wal and -shm (three are kept). NULL with err otherwise. */
struct sw_journal *sw_journal_open(
    const struct sw_journal_options *options, struct sw_journal_opened *opened, struct sw_err *err);

/* The RAM twin. fail_at: the call (append, read, ack counted together from 1) that fails once; 0
 * is none. */
struct sw_journal *
sw_journal_open_ram(const struct sw_journal_options *options, uint64_t fail_at, struct sw_err *err);

/* Opens an existing journal for `status`: nothing is written, moved or migrated. */
struct sw_journal *sw_journal_open_readonly(const char *path, struct sw_err *err);

/* Writes what is not yet durable and, when clean is true, that the stop was clean. NULL is fine. */
void sw_journal_close(struct sw_journal *journal, bool clean);

struct sw_uuid sw_journal_epoch(const struct sw_journal *journal);

/* Another cap (bytes, as in sw_journal_options) and what goes at it, from the next append on. That
 * one takes its time where a much lower cap makes much go. */
void sw_journal_set_cap(struct sw_journal *journal, uint64_t max_size, enum sw_on_full on_full);

/* A call has met damage (SQLITE_CORRUPT, SQLITE_NOTADB) since the journal was opened: from then on
 * every call fails. Closing it and opening it again replaces it, as at a start. */
bool sw_journal_is_damaged(struct sw_journal *journal);

/* false: nothing of it is stored (err says why), and the same write may be tried again. *last_seq
 * (may be NULL): of the last event written.
 * One thing only a crash can bring out: where the failure was that of a sync, and the process dies
 * before the next write, the next start may find the failed write there after all, whole. Then its
 * baseline is there with its events, and nothing is told twice.
 * A full disk: what all attached sinks have passed makes room inside the file; what one has not is
 * never dropped for it. */
SW_MUST_CHECK bool sw_journal_append(struct sw_journal *journal,
    const struct sw_journal_write *write, uint64_t *last_seq, struct sw_err *err);

/* The source's stored state; *found false when there is none (state stays as it was). */
SW_MUST_CHECK bool sw_journal_load_source(struct sw_journal *journal, const char *name,
    struct sw_source_state *state, bool *found, struct sw_err *err);

/* Calls each() for every stored row of the source, in no order; body is borrowed for the call. */
SW_MUST_CHECK bool sw_journal_load_rows(struct sw_journal *journal, const char *source,
    bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *err),
    void *context, struct sw_err *err);

/* Sources that are stored but not in names: their rows go (a source that left the configuration
 * tells nothing when it comes back but a new baseline). */
SW_MUST_CHECK bool sw_journal_keep_sources(
    struct sw_journal *journal, const char *const *names, size_t count, struct sw_err *err);

/* Every stored source or sink, for status. The caller frees the array with its elements. */
SW_MUST_CHECK bool sw_journal_list_sources(
    struct sw_journal *journal, struct sw_source_state **states, size_t *count, struct sw_err *err);
SW_MUST_CHECK bool sw_journal_list_sinks(
    struct sw_journal *journal, struct sw_sink_state **states, size_t *count, struct sw_err *err);

/* Makes a sink count: what it has not passed is kept. One never seen before (or forgotten after 7
 * days) starts behind the newest event, or with from_oldest before the oldest. Fills *state. */
SW_MUST_CHECK bool
sw_journal_attach_sink(struct sw_journal *journal, const char *name, const char *type,
    bool from_oldest, int64_t now_ns, struct sw_sink_state *state, struct sw_err *err);

/* The sink as the journal knows it now; *found false when there is none. */
SW_MUST_CHECK bool sw_journal_get_sink(struct sw_journal *journal, const char *name,
    struct sw_sink_state *state, bool *found, struct sw_err *err);

/* The sink left the configuration: it holds nothing back, its row is kept for 7 days. */
SW_MUST_CHECK bool sw_journal_detach_sink(
    struct sw_journal *journal, const char *name, int64_t now_ns, struct sw_err *err);

/* Copies events after `after` into the batch, at most max_records (or SW_BATCH_RECORDS_MAX) and
 * SW_BATCH_BYTES_MAX bytes, but at least one if there is one. */
SW_MUST_CHECK bool sw_journal_read(struct sw_journal *journal, uint64_t after, size_t max_records,
    struct sw_journal_batch *batch, struct sw_err *err);

/* Tells how far a sink is. In memory at once; written with the next append, or here when the last
 * write of acknowledgements is a second old (now_ns: any steady clock). *pending: something is
 * not written yet. */
SW_MUST_CHECK bool sw_journal_ack(struct sw_journal *journal, const struct sw_sink_state *state,
    int64_t now_ns, bool *pending, struct sw_err *err);

/* Writes acknowledgements that are pending. */
SW_MUST_CHECK bool sw_journal_flush(struct sw_journal *journal, int64_t now_ns, struct sw_err *err);

/* Puts a refused record aside with the reason; at most 1,000 are kept, the oldest go. */
SW_MUST_CHECK bool sw_journal_reject(struct sw_journal *journal, const char *sink, uint64_t seq,
    struct sw_str body, const char *reason, int64_t now_ns, struct sw_err *err);

/* Bytes in use (pages that hold something x page size), the cap, and events stored. */
struct sw_journal_usage {
    uint64_t used, max;
    uint64_t events;
    uint64_t first_seq, last_seq; /* 0: none stored; none ever */
};
SW_MUST_CHECK bool sw_journal_get_usage(
    struct sw_journal *journal, struct sw_journal_usage *usage, struct sw_err *err);

/* Blocks until an event after `after` is committed (true), the boot clock passes until_ns
 * (INT64_MAX: never; false), or sw_journal_wake was called after the caller last returned from
 * here with `*wakes` (false; *wakes moves on). */
bool sw_journal_wait(struct sw_journal *journal, uint64_t after, int64_t until_ns, uint64_t *wakes);

/* Makes every sw_journal_wait return, so that its caller looks at its own flags. Any thread. */
void sw_journal_wake(struct sw_journal *journal);

#endif
