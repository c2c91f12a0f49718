/*
 * THE contract of a source: something that can be looked at to see who is connected.
 *
 * Life: the host allocates state_size zeroed bytes, calls init once, then look again and again,
 * never two at a time, always on the source's own thread, then fini. fini is legal after a failed
 * init and is called exactly once.
 *
 * A source looks; it does not sleep, schedule, retry or log failures: the poller owns timer,
 * deadline, backoff and words. It never reads "could not look" as "nobody is there": whoever is in
 * doubt answers FAILED. Only COMPLETE looks are compared.
 *
 * Pluggable means: one file or folder under sources/, one descriptor, one line in sources/
 * registry.c.
 */
#ifndef SW_SOURCE_H
#define SW_SOURCE_H

#include "agent/base/error.h"
#include "agent/base/log.h"
#include "agent/platform/platform.h"
#include "agent/snapshot.h"
#include "config/part.h"

enum sw_look {
    SW_LOOK_COMPLETE, /* rows and facts are in the builder, all of them */
    SW_LOOK_PARTIAL,  /* some are missing; counts as failed */
    SW_LOOK_FAILED,   /* err says why */
    SW_LOOK_REFUSED,  /* failed because our account or right is refused: the same credentials are
                         not tried again soon */
    SW_LOOK_END,      /* nothing more will ever come (replay) */
};

struct sw_look_request {
    int64_t deadline_ns;         /* sw_clock_boot_ns */
    const struct sw_latch *stop; /* becomes set when the look shall end early */
    bool occupied;               /* the last complete look had sessions: zero is a surprise */
};

struct sw_source {
    const struct sw_source_class *class;
    const char *name; /* from the configuration */
    const void *conf; /* const, outlives the source */
    void *state;      /* state_size bytes, the source's own */
    const struct sw_log *log;
    int64_t position; /* at init: where the journal says a replay goes on; -1: from the start */
};

struct sw_source_class {
    struct sw_part part; /* name, summary, keys, size of the configuration, check */
    size_t state_size;

    /* Looks come from documents with their own times: wall clock alone counts, the interval does
     * not. */
    bool is_recorded;

    /* No look yet. May open files, must not block. May be NULL. */
    bool (*init)(struct sw_source *source, struct sw_err *err);

    /* Fills the builder (empty at the call). Must return by the deadline and soon after stop is
     * set. Must not keep the builder. */
    enum sw_look (*look)(struct sw_source *source, const struct sw_look_request *request,
        struct sw_builder *builder, struct sw_err *err);

    /* Frees what init and look made. May be NULL. */
    void (*fini)(struct sw_source *source);

    /* Appends what the baseline belongs to: target and the server's own filters. Pure. */
    void (*identity)(const void *conf, struct sw_buf *buf);
};

/* All source types of this build, in alphabetical order; ends with NULL. */
extern const struct sw_source_class *const sw_source_classes[];

const struct sw_source_class *sw_source_class_find(const char *name);

#endif
