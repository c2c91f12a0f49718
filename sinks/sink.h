/*
 * THE contract of a sink: something that takes events away.
 *
 * Life: the host allocates state_size zeroed bytes and calls init once (no network, no waiting);
 * then connect and, while connected, send again and again; disconnect; connect again …; last
 * fini. All but interrupt are called on the sink's own thread, never two at a time. fini is legal
 * after a failed init, in any state, and is called exactly once.
 *
 * A sink owns its connection and nothing else. It never sees the journal, never retries, never
 * sleeps, never logs at its own initiative: the forwarder owns thread, batching, backoff,
 * deadlines, cursor, counters and words. Records are borrowed for the call; the configuration is
 * const and outlives the sink.
 *
 * send answers twice. For each record, result[i]:
 *   DONE     the receiver has it, as far as this sink promises (said in its summary: the file sink
 *            means written and synced)
 *   AGAIN    not taken; send it again. What send leaves untouched is AGAIN.
 *   REFUSED  the receiver will never take this record; it is set aside with answer->text. When it
 *            refuses several in a row and takes none, that is taken for a fault of ours: PAUSED
 *   UNFIT    this record cannot be sent at all, whoever receives; it is set aside with answer->text
 *            and says nothing about the receiver
 * For the call as a whole:
 *   OK       keep going (some records may still be AGAIN or REFUSED)
 *   LATER    the connection is fine, wait; answer->retry_after_ms is a lower bound if not 0
 *   BROKEN   disconnect, wait, connect
 *   PAUSED   the receiver refuses us, not the records (rights, address, certificate, disk): nothing
 *            is set aside; tried again slowly, 1 to 30 minutes apart; `status` says why
 * DONE results count whatever the outcome. connect answers with the same outcomes.
 *
 * Pluggable means: one folder under sinks/, one descriptor, one line in sinks/registry.c, and the
 * conformance suite (tests/conformance/test_sink.c) passed.
 */
#ifndef SW_SINK_H
#define SW_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/string.h"
#include "agent/event.h"
#include "config/part.h"
#include "sinks/format/format.h"

enum sw_result { SW_RESULT_AGAIN, SW_RESULT_DONE, SW_RESULT_REFUSED, SW_RESULT_UNFIT };

enum sw_outcome { SW_OUTCOME_OK, SW_OUTCOME_LATER, SW_OUTCOME_BROKEN, SW_OUTCOME_PAUSED };

struct sw_record {
    uint64_t seq;
    const struct sw_event *event;
    struct sw_str bytes; /* as formatted by the sink's format */
    bool is_cut;         /* shortened by the format */
};

#define SW_ANSWER_TEXT_SIZE 256

struct sw_answer {
    char text[SW_ANSWER_TEXT_SIZE]; /* what the receiver said; "" */
    char news[SW_ANSWER_TEXT_SIZE]; /* for the log, whatever the outcome; "": none */
    int64_t retry_after_ms;
};

/* How a sink wants its records. All 0: as they come, as many at once as the forwarder likes. */
struct sw_sink_pace {
    size_t records_max; /* of one send; 0: no limit of the sink's own */
    int64_t wait_ns;    /* how long an event may wait for others, until records_max are there */
    int64_t rate;       /* records a second, spread evenly; 0: no limit */
};

struct sw_sink {
    const struct sw_sink_class *class;
    const char *name;
    const void *conf;
    void *state;
};

struct sw_sink_class {
    struct sw_part part;
    size_t state_size;
    bool reopens; /* a reload disconnects and connects again whatever the configuration says */

    /* Chosen by the configuration; pure. What they answer is borrowed from it. */
    struct sw_format_choice (*format)(const void *conf);
    struct sw_sink_pace (*pace)(const void *conf); /* NULL: all 0 */

    /* May allocate and read keys. No network, no waiting. */
    bool (*init)(struct sw_sink *sink, struct sw_err *err);
    /* May block until the deadline (sw_clock_boot_ns). */
    enum sw_outcome (*connect)(struct sw_sink *sink, int64_t deadline_ns, struct sw_err *err);
    enum sw_outcome (*send)(struct sw_sink *sink, const struct sw_record *records, size_t count,
        enum sw_result *results, struct sw_answer *answer, int64_t deadline_ns, struct sw_err *err);
    /* Any thread, any time between init and fini, never blocks: makes connect or send return soon,
     * the one under way and those that still come. It is for good: after it the sink is only wound
     * up. May be NULL if neither can wait long. */
    void (*interrupt)(struct sw_sink *sink);
    /* Legal when not connected. Never blocks for longer than a second. */
    void (*disconnect)(struct sw_sink *sink);
    void (*fini)(struct sw_sink *sink);
};

/* All sink types of this build, alphabetical; ends with NULL. */
extern const struct sw_sink_class *const sw_sink_classes[];

const struct sw_sink_class *sw_sink_class_find(const char *name);

#endif
