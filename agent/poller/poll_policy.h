/*
 * When to look, and what a look means for the source's standing. Pure: every call takes the time
 * (boot clock) and the facts; nothing here looks, sleeps, stores or logs.
 */
#ifndef SW_POLL_POLICY_H
#define SW_POLL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After a refused account the same credentials wait: a locked service account is our fault. */
#define SW_POLL_REFUSED_FIRST_NS (INT64_C(900) * 1000000000)
#define SW_POLL_REFUSED_NEXT_NS  (INT64_C(3600) * 1000000000)
/* Other failures double the interval up to this (or the interval, if that is longer). */
#define SW_POLL_BACKOFF_MAX_NS (INT64_C(300) * 1000000000)
/* A look that shows a sudden loss is repeated after this. */
#define SW_POLL_REPEAT_NS (INT64_C(1) * 1000000000)

enum sw_poll_result { SW_POLL_COMPLETE, SW_POLL_FAILED, SW_POLL_REFUSED };

struct sw_poll_policy {
    int64_t interval_ns;
    unsigned unreachable_after; /* failed looks in a row */
    /* State. */
    int64_t tick_ns;   /* when the next look is due */
    unsigned failures; /* in a row */
    unsigned refusals; /* in a row */
    bool unreachable;  /* told; survives a restart through the journal */
};

/* The first look is due at once plus a small random part of the interval, so that many sources
 * (and many agents after a power cut) do not look in step. random: any 32 bits. */
void sw_poll_start(struct sw_poll_policy *policy, int64_t now_ns, uint32_t random);

enum sw_poll_tell { SW_POLL_TELL_NOTHING, SW_POLL_TELL_UNREACHABLE, SW_POLL_TELL_RECOVERED };

/* Takes a look's result, sets the next tick, and says what is to be told. Ticks that passed while
 * the look ran are skipped, not made up for. */
enum sw_poll_tell
sw_poll_judge(struct sw_poll_policy *policy, enum sw_poll_result result, int64_t now_ns);

/* A look that says nothing new, neither good nor bad: only the next tick is set. */
void sw_poll_skip(struct sw_poll_policy *policy, int64_t now_ns);

/* Whether so great a loss is looked at once more before it is believed: everybody gone, or more
 * than half of at least 20. */
bool sw_poll_is_sudden_loss(size_t before, size_t closed, size_t after);

/* Whether the time since the last complete look is so long that what is missing may have gone at
 * any moment of a gap: failed looks between, or more than three intervals. */
bool sw_poll_is_gap(const struct sw_poll_policy *policy, int64_t elapsed_ns);

#endif
