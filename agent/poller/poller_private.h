/* Inside of the poller: poller.c has its life and thread, poller_look.c asks, poller_complete.c and
 * poller_failed.c judge, poller_rows.c and poller_store.c write. */
#ifndef SW_POLLER_PRIVATE_H
#define SW_POLLER_PRIVATE_H

#include <stdatomic.h>

#include "agent/base/backoff.h"
#include "agent/baseline.h"
#include "agent/poller.h"
#include "agent/poller/poll_policy.h"
#include "agent/tell.h"

/* What the journal holds of a row's age: enough to know when a restart would get it wrong. */
struct sw_stored_age {
    int64_t seen_ns;
    uint32_t active;
};

struct sw_poller {
    struct sw_poller_options options;
    struct sw_source source;
    struct sw_poll_policy policy;
    struct sw_source_state state;
    struct sw_baseline baseline;
    struct sw_stored_age *stored; /* one a row of the baseline */
    int64_t written_ns;           /* wall time of the state's last write */
    bool fresh;                   /* no complete look since the start of the program */
    bool suspected; /* the last look that answered showed a sudden loss, not yet believed … */
    int64_t suspected_ns; /* … and was taken then, wall clock */
    char *identity;
    char boot_id[SW_BOOT_ID_SIZE];
    struct sw_diff_rules rules;
    struct sw_uuid_source ids;
    struct sw_builder *builder;
    struct sw_tell tell;
    struct sw_latch stop;
    struct sw_backoff retry; /* recorded looks that the journal did not take */
    struct sw_log_limit clock_log;
    struct sw_log_limit journal_log;
    char part[48]; /* "source NAME" for the log */
    pthread_t thread;
    bool started;
    atomic_bool refused; /* read by the agent's thread */
    bool source_ready;   /* init was called */
};

/* The rows that a transaction writes for a diff, with their stored forms. */
struct sw_row_writes {
    struct sw_journal_row *rows;
    size_t count;
    struct sw_buf bytes;
    struct sw_stored_age *stored; /* for the next baseline; moved out on success */
};

/* all: every row of the next baseline, whatever the journal has. false: over 1 GiB. */
bool sw_row_writes_make(struct sw_row_writes *writes, const struct sw_diff *diff,
    const struct sw_baseline *old, const struct sw_stored_age *old_stored, bool all,
    struct sw_err *err);
void sw_row_writes_fini(struct sw_row_writes *writes);

enum sw_looked {
    SW_LOOKED,       /* done, whatever came of it */
    SW_LOOKED_AGAIN, /* look once more before believing it */
    SW_LOOKED_RETRY, /* recorded looks only: the journal did not take it */
    SW_LOOKED_END,
};

/* One look. repeated: what it shows is believed. */
enum sw_looked sw_poller_look(struct sw_poller *poller, bool repeated);

/* Writes the source's state if it is not written yet. */
void sw_poller_store_state(struct sw_poller *poller);

#endif
