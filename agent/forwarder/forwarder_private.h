/* A forwarder's insides, shared by forwarder.c (life, waiting) and forward_batch.c (the batch in
 * hand). Everything but the part under the mutex belongs to the forwarder's own thread. */
#ifndef SW_FORWARDER_PRIVATE_H
#define SW_FORWARDER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/base/time_text.h"
#include "agent/forwarder.h"
#include "agent/forwarder/forward_pace.h"
#include "agent/forwarder/forward_policy.h"

/* Before a journal that failed is asked again. */
#define FORWARD_JOURNAL_WAIT_NS (5 * SW_NS_PER_S)

/* The batch in hand: read from the journal, sent in one or more goes. */
struct forward_batch {
    struct sw_journal_batch read;
    size_t first;  /* records before it are done with */
    bool *is_done; /* of each record of read: results come in any order */
    /* Of the send at hand. */
    size_t *index; /* which record of read */
    struct sw_event *events;
    struct sw_record *records;
    enum sw_result *results;
    size_t capacity; /* of all these arrays */
    struct sw_buf bytes;
};

enum forward_mood { FORWARD_NEW, FORWARD_WELL, FORWARD_TROUBLED, FORWARD_PAUSED };

struct sw_forwarder {
    struct sw_forwarder_options options;
    struct sw_sink sink;
    struct sw_uuid_source ids;
    char *log_part; /* "sink NAME" */

    struct sw_sink_state state; /* our copy; the journal's has the drops */
    struct sw_forward_policy policy;
    struct sw_forward_pace pace;
    struct sw_format_choice format;
    uint64_t number; /* of the last record that was sent; counts from 1 since we are here */
    struct forward_batch batch;
    bool connected;
    int64_t retry_at_ns;   /* boot clock: nothing is tried before; 0: at once */
    bool ack_failed;       /* the journal does not know our position yet */
    int64_t flush_at_ns;   /* INT64_MAX: no acknowledgement is waiting to be written */
    int64_t idle_until_ns; /* drops could not be told: try again then; INT64_MAX */
    uint64_t wakes;
    enum forward_mood mood;
    struct sw_log_limit log_limit;

    pthread_t thread;
    bool started;
    atomic_bool reopen;
    atomic_uint_fast64_t passed; /* state.position, for other threads */

    pthread_mutex_t mutex; /* of these: */
    pthread_cond_t changed;
    bool draining;
    bool ended;
    int64_t until_ns;
};

int64_t forward_boot_ns(const struct sw_forwarder *forwarder);
int64_t forward_wall_ns(const struct sw_forwarder *forwarder);
/* When what is begun now must be over: 30 s, or the end of draining. */
int64_t forward_deadline_ns(struct sw_forwarder *forwarder);
void forward_disconnect(struct sw_forwarder *forwarder);

/* Logs "what: text", a few times an hour. */
void forward_say(
    struct sw_forwarder *forwarder, enum sw_log_level level, const char *what, const char *text);

/* Notes what the receiver answered, and the mood, speaking when the mood changes. */
void forward_note(struct sw_forwarder *forwarder, enum forward_mood mood, const char *text);

/* Tells the journal how far we are. */
void forward_ack(struct sw_forwarder *forwarder);

/* ---- forward_drops.c */

/* Appends events.dropped for an open episode of drops and closes the episode, in one transaction;
 * true: so there is something new to send. */
bool forward_tell_dropped(struct sw_forwarder *forwarder);

/* ---- forward_batch.c */

bool forward_batch_is_empty(const struct forward_batch *batch);
/* Reads the next records behind the position. */
bool forward_batch_read(struct sw_forwarder *forwarder, struct sw_err *err);
/* Sends what is in hand, once; connected. false: the journal failed. */
bool forward_batch_send(struct sw_forwarder *forwarder, struct sw_err *err);
/* Gives back memory that a flood of events needed. */
void forward_batch_shrink(struct forward_batch *batch);
void forward_batch_fini(struct forward_batch *batch);

#endif
