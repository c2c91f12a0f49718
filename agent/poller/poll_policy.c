#include "agent/poller/poll_policy.h"

#define POLL_JITTER_MAX_NS (INT64_C(1) * 1000000000)
#define POLL_LOSS_FROM     20u

void
sw_poll_start(struct sw_poll_policy *policy, int64_t now_ns, uint32_t random)
{
    int64_t span = policy->interval_ns / 10;
    if (span > POLL_JITTER_MAX_NS) {
        span = POLL_JITTER_MAX_NS;
    }
    policy->tick_ns = now_ns + (int64_t)((double)span * ((double)random / 4294967296.0));
}

/* The first tick after now on the grid that began with the last one. */
static int64_t
poll_next_on_grid(const struct sw_poll_policy *policy, int64_t now_ns)
{
    int64_t late = now_ns - policy->tick_ns;
    int64_t ticks = late < 0 ? 1 : late / policy->interval_ns + 1;
    return policy->tick_ns + ticks * policy->interval_ns;
}

void
sw_poll_skip(struct sw_poll_policy *policy, int64_t now_ns)
{
    policy->tick_ns = poll_next_on_grid(policy, now_ns);
}

static int64_t
poll_backoff(const struct sw_poll_policy *policy)
{
    int64_t max =
        policy->interval_ns > SW_POLL_BACKOFF_MAX_NS ? policy->interval_ns : SW_POLL_BACKOFF_MAX_NS;
    int64_t wait = policy->interval_ns;
    for (unsigned i = 1; i < policy->failures && wait < max; i++) {
        wait *= 2;
    }
    return wait < max ? wait : max;
}

enum sw_poll_tell
sw_poll_judge(struct sw_poll_policy *policy, enum sw_poll_result result, int64_t now_ns)
{
    if (result == SW_POLL_COMPLETE) {
        bool was_unreachable = policy->unreachable;
        policy->tick_ns = poll_next_on_grid(policy, now_ns);
        policy->failures = 0;
        policy->refusals = 0;
        policy->unreachable = false;
        return was_unreachable ? SW_POLL_TELL_RECOVERED : SW_POLL_TELL_NOTHING;
    }

    policy->failures += policy->failures < 1000000;
    if (result == SW_POLL_REFUSED) {
        policy->refusals += policy->refusals < 1000000;
        policy->tick_ns =
            now_ns + (policy->refusals == 1 ? SW_POLL_REFUSED_FIRST_NS : SW_POLL_REFUSED_NEXT_NS);
    } else {
        policy->refusals = 0;
        int64_t grid = poll_next_on_grid(policy, now_ns);
        int64_t wait = policy->tick_ns + poll_backoff(policy);
        policy->tick_ns = wait > grid ? wait : grid;
    }
    /* A refusal is sure, and its next look is far away: it is told at once. */
    if (!policy->unreachable &&
        (policy->failures >= policy->unreachable_after || result == SW_POLL_REFUSED)) {
        policy->unreachable = true;
        return SW_POLL_TELL_UNREACHABLE;
    }
    return SW_POLL_TELL_NOTHING;
}

bool
sw_poll_is_sudden_loss(size_t before, size_t closed, size_t after)
{
    return (before > 0 && after == 0) || (before >= POLL_LOSS_FROM && closed > before / 2);
}

bool
sw_poll_is_gap(const struct sw_poll_policy *policy, int64_t elapsed_ns)
{
    return policy->failures > 0 || elapsed_ns > 3 * policy->interval_ns;
}
