/*
 * One source's life: look, judge, compare, store. The poller owns the source's thread, timer,
 * deadline and backoff; poll_policy.h holds its decisions as pure code.
 *
 * A look that is complete is compared with the baseline and stored with its events in one
 * transaction; only then does the baseline in memory move on. A look that is not, or a journal
 * that will not take it, leaves everything as it was: the net change is told later.
 */
#ifndef SW_POLLER_H
#define SW_POLLER_H

#include "agent/diff.h"
#include "agent/journal.h"
#include "agent/source.h"

enum sw_baseline_mode { SW_BASELINE_SILENT, SW_BASELINE_EMIT };

/* Configuration of every source, whatever its type (its keys are in poller/poller_keys.c). */
struct sw_source_settings {
    int64_t interval_ns;
    int64_t timeout_ns; /* 0: left out, see sw_source_timeout_ns */
    int baseline;       /* enum sw_baseline_mode */
    int64_t unreachable_after;
    int64_t max_events;
    struct {
        int64_t opens;
        struct sw_key_durations idle;
        bool flags;
    } changed;
    struct {
        struct sw_key_strings users;
        struct sw_key_strings clients;
    } ignore;
};

extern const struct sw_key sw_source_settings_keys[];

/* How long a look may take. */
int64_t sw_source_timeout_ns(const struct sw_source_settings *settings);

struct sw_poller; /* opaque */

struct sw_poller_options {
    const char *name;
    const struct sw_source_class *class;
    const void *conf;
    const struct sw_source_settings *settings;
    struct sw_journal *journal;
    const struct sw_log *log;
    const char *host_name; /* the server's name when no look says otherwise */
    bool from_start;       /* a recording is read from its beginning whatever the journal says */
    bool tell_baseline;    /* the first look is told whatever the settings say: the journal that
                              held the last one was lost */
    int64_t repeat_ns;     /* before a look with a sudden loss is repeated; 0: a second */
    /* What `replay` and tests replace; NULL: the system's. */
    int64_t (*wall_ns)(void *clock); /* when a look without time of its own was taken */
    void *clock;
    void (*random)(void *seed, uint8_t *bytes, size_t size);
    void *seed;
    /* Called on the poller's thread after every look (answered or not) and at END; may be NULL. */
    void (*looked)(void *context, bool ended);
    void *context;
};

/* Makes and frees the source alone: whether it could begin now. Touches no state, and does not
 * disturb a poller of the same name that runs. */
bool sw_poller_try(const struct sw_poller_options *options, struct sw_err *err);
/* Loads the baseline; no thread yet. Options' pointers must outlive the poller. */
struct sw_poller *sw_poller_new(const struct sw_poller_options *options, struct sw_err *err);
bool sw_poller_start(struct sw_poller *poller, struct sw_err *err);
/* Asks the thread to end; does not wait. */
void sw_poller_interrupt(struct sw_poller *poller);
/* Waits for the thread (after sw_poller_interrupt), and stores what the journal does not know yet
 * of an unchanged baseline. */
void sw_poller_stop(struct sw_poller *poller);
void sw_poller_free(struct sw_poller *poller);

/* Its account was refused and waits for a long time: a reload starts it anew. */
bool sw_poller_is_refused(const struct sw_poller *poller);

/* One look at once, on the caller's thread, started or not does not matter as long as it is not
 * both: for tests and bench. Returns false at END. */
bool sw_poller_step(struct sw_poller *poller);

/* End of the last complete look, wall clock; SW_TIME_NONE: none so far. For whoever steps. */
int64_t sw_poller_last_look_ns(const struct sw_poller *poller);

#endif
