/*
 * When a sink's next records may go: a batch may wait to be filled, and a rate spreads records
 * evenly. Pure: `now` in, how many and how long out.
 */
#ifndef SW_FORWARD_PACE_H
#define SW_FORWARD_PACE_H

#include "sinks/sink.h"

struct sw_forward_pace {
    struct sw_sink_pace wish;
    int64_t full_at_ns; /* boot clock: when the allowance of the rate is whole again */
    int64_t go_at_ns;   /* the batch that is being filled goes then; INT64_MAX: none is */
};

void sw_forward_pace_init(struct sw_forward_pace *pace, struct sw_sink_pace wish);

/* How many of `wanted` records the rate lets go now; 0: none before *at_ns. */
size_t sw_forward_pace_allow(
    const struct sw_forward_pace *pace, size_t wanted, int64_t now_ns, int64_t *at_ns);

/* So many records went. */
void sw_forward_pace_took(struct sw_forward_pace *pace, size_t count, int64_t now_ns);

/* Do the records that are there go now? is_full: more would not fit. false: not before
 * pace->go_at_ns, unless it is full earlier. */
bool sw_forward_pace_is_due(struct sw_forward_pace *pace, bool is_full, int64_t now_ns);

#endif
