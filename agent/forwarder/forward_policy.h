/*
 * What a forwarder does after a send: how many records next, how long to wait, what to set aside.
 * Pure: what happened and 32 random bits in, a decision out.
 */
#ifndef SW_FORWARD_POLICY_H
#define SW_FORWARD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/backoff.h"
#include "sinks/sink.h"

/* Sends of several records that broke, in a row, before fewer are tried: a receiver that drops the
 * connection on what is too large or takes too long has no other way to say so. */
#define SW_FORWARD_BROKEN_MAX 3

/* Different records refused alone, in a row, that are taken for a fault of ours. */
#define SW_FORWARD_REFUSED_MAX 3

struct sw_forward_policy {
    size_t max;       /* records of one send */
    size_t limit;     /* records of the next send: max, or fewer while a bad record is looked for */
    unsigned refused; /* alone, in a row, none accepted between */
    unsigned broken;  /* sends of several records, in a row */
    bool paused;
    struct sw_backoff trouble; /* LATER, BROKEN: 1 s to 5 min */
    struct sw_backoff pause;   /* PAUSED: 1 to 30 min */
};

/* max_records: the sink's wish (struct sw_sink_pace), 0 for none. */
void sw_forward_policy_init(struct sw_forward_policy *policy, size_t max_records);

/* What one connect (sent is 0) or send came to. */
struct sw_forward_tally {
    size_t sent, done, refused, unfit;
    enum sw_outcome outcome;
    int64_t retry_after_ms; /* the receiver's wish; 0: none */
};

struct sw_forward_decision {
    bool set_aside;  /* the refused records of this send are done with */
    bool disconnect; /* before waiting */
    int64_t wait_ns; /* before the next attempt */
};

struct sw_forward_decision sw_forward_decide(
    struct sw_forward_policy *policy, const struct sw_forward_tally *tally, uint32_t random);

#endif
