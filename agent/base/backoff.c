#include "agent/base/backoff.h"

int64_t
sw_backoff_bound(const struct sw_backoff *backoff)
{
    int64_t bound = backoff->first_ns;
    for (unsigned i = 1; i < backoff->failures && bound < backoff->max_ns; i++) {
        bound *= 2;
    }
    return bound < backoff->max_ns ? bound : backoff->max_ns;
}

int64_t
sw_backoff_fail(struct sw_backoff *backoff, uint32_t random, int64_t at_least_ns)
{
    backoff->failures += backoff->failures < 63;
    int64_t bound = sw_backoff_bound(backoff);
    int64_t wait = (int64_t)((double)bound * ((double)random / 4294967296.0));
    return wait > at_least_ns ? wait : at_least_ns;
}

void
sw_backoff_reset(struct sw_backoff *backoff)
{
    backoff->failures = 0;
}
