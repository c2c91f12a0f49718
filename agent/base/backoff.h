/* When to try again: doubling from first to max, pure (every call takes what it needs). */
#ifndef SW_BASE_BACKOFF_H
#define SW_BASE_BACKOFF_H

#include <stdint.h>

struct sw_backoff {
    int64_t first_ns; /* the bound of the first wait */
    int64_t max_ns;
    unsigned failures; /* in a row */
};

/* One more failure: the wait before the next attempt, a random part of the doubled bound ("full
 * jitter": random is any 32 random bits) but never under at_least_ns (a receiver's Retry-After). */
int64_t sw_backoff_fail(struct sw_backoff *backoff, uint32_t random, int64_t at_least_ns);

/* The bound itself, without jitter, after the failures so far (first_ns for none). */
int64_t sw_backoff_bound(const struct sw_backoff *backoff);

void sw_backoff_reset(struct sw_backoff *backoff);

#endif
