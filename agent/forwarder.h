/*
 * One sink's life: copy a batch from the journal, filter, format, send, note how far it came. The
 * forwarder owns the sink's thread, batching, backoff, deadlines, position, counters and words;
 * the sink owns its connection. Delivery is at least once: what was sent but not yet noted is sent
 * again after a crash, with the same event.id.
 *
 * A batch that the receiver refuses as a whole is halved until the record is alone and set aside;
 * three different records refused in a row, with none accepted between, is taken for a fault of
 * ours and PAUSED instead. A batch that breaks the connection several times in a row is halved,
 * too, but nothing of it is ever set aside.
 */
#ifndef SW_FORWARDER_H
#define SW_FORWARDER_H

#include "agent/base/log.h"
#include "agent/journal.h"
#include "sinks/sink.h"

enum sw_sink_start { SW_SINK_START_NOW, SW_SINK_START_OLDEST };

/* Configuration of every sink, whatever its type. */
struct sw_sink_settings {
    int start;          /* enum sw_sink_start: where a sink not seen before begins */
    int64_t max_age_ns; /* older events are passed over; 0: none are */
};

extern const struct sw_key sw_sink_settings_keys[];

struct sw_forwarder; /* opaque */

/* Time as a forwarder sees it; tests bring their own and never sleep. wait() is sw_journal_wait. */
struct sw_forwarder_clock {
    int64_t (*boot_ns)(void *context);
    int64_t (*wall_ns)(void *context);
    bool (*wait)(void *context, struct sw_journal *journal, uint64_t after, int64_t until_ns,
        uint64_t *wakes);
    void *context;
};

struct sw_forwarder_options {
    const char *name;
    const struct sw_sink_class *class;
    const void *conf;
    const struct sw_sink_settings *settings;
    struct sw_journal *journal;
    const struct sw_format_context *format;
    const struct sw_log *log;
    bool from_oldest; /* a sink not seen before begins there whatever the settings say */
    const struct sw_forwarder_clock *clock; /* NULL: the system's */
};

/* Inits and finishes the sink alone: whether it could begin now. Does not disturb a forwarder of
 * the same name that runs. */
bool sw_forwarder_try(const struct sw_forwarder_options *options, struct sw_err *err);
/* Attaches the sink to the journal and inits it; no network. */
struct sw_forwarder *
sw_forwarder_new(const struct sw_forwarder_options *options, struct sw_err *err);
bool sw_forwarder_start(struct sw_forwarder *forwarder, struct sw_err *err);

/* From now on send what is there and end when all is sent or the boot clock passes until_ns. */
void sw_forwarder_drain(struct sw_forwarder *forwarder, int64_t until_ns);

/* Disconnect and connect again before the next send (a reload of a sink that reopens). */
void sw_forwarder_reopen(struct sw_forwarder *forwarder);

/* Waits for the thread; call sw_forwarder_drain first (without it: ends at once). Interrupts the
 * sink when the time given to drain is over. Fine when it was never started. */
void sw_forwarder_stop(struct sw_forwarder *forwarder);
/* Stopped, or never started. NULL is fine. */
void sw_forwarder_free(struct sw_forwarder *forwarder);

/* Everything up to seq is done with. */
bool sw_forwarder_has_passed(struct sw_forwarder *forwarder, uint64_t seq);

#endif
