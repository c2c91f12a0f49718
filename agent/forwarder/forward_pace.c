#include "agent/forwarder/forward_pace.h"

#include "agent/base/time_text.h"

/* Records that may go at once after a silence. A receiver with default buffers holds about a
 * hundred datagrams while it does something else; more in one go are lost without a word. */
#define PACE_BURST_NS  (20 * SW_NS_PER_MS)
#define PACE_BURST_MAX 64

void
sw_forward_pace_init(struct sw_forward_pace *pace, struct sw_sink_pace wish)
{
    *pace = (struct sw_forward_pace){.wish = wish, .go_at_ns = INT64_MAX};
}

static int64_t
pace_step_ns(const struct sw_forward_pace *pace)
{
    int64_t step_ns = SW_NS_PER_S / pace->wish.rate;
    return step_ns > 0 ? step_ns : 1;
}

static int64_t
pace_burst_ns(const struct sw_forward_pace *pace)
{
    int64_t step_ns = pace_step_ns(pace);
    int64_t most_ns = PACE_BURST_MAX * step_ns;
    int64_t burst_ns = PACE_BURST_NS < most_ns ? PACE_BURST_NS : most_ns;
    return burst_ns > step_ns ? burst_ns : step_ns;
}

size_t
sw_forward_pace_allow(
    const struct sw_forward_pace *pace, size_t wanted, int64_t now_ns, int64_t *at_ns)
{
    if (pace->wish.rate <= 0 || wanted == 0) {
        return wanted;
    }
    int64_t step_ns = pace_step_ns(pace);
    int64_t burst_ns = pace_burst_ns(pace);
    int64_t debt_ns = pace->full_at_ns > now_ns ? pace->full_at_ns - now_ns : 0;
    if (debt_ns + step_ns > burst_ns) {
        /* Half a burst at a time: a wake-up for every record would cost more than the record. */
        int64_t half_ns = burst_ns / 2 > step_ns ? burst_ns / 2 : step_ns;
        *at_ns = pace->full_at_ns - burst_ns + half_ns;
        return 0;
    }
    size_t allowed = (size_t)((burst_ns - debt_ns) / step_ns);
    return allowed < wanted ? allowed : wanted;
}

void
sw_forward_pace_took(struct sw_forward_pace *pace, size_t count, int64_t now_ns)
{
    if (pace->wish.rate > 0) {
        int64_t from_ns = pace->full_at_ns > now_ns ? pace->full_at_ns : now_ns;
        pace->full_at_ns = from_ns + (int64_t)count * pace_step_ns(pace);
    }
}

bool
sw_forward_pace_is_due(struct sw_forward_pace *pace, bool is_full, int64_t now_ns)
{
    if (is_full || pace->wish.wait_ns <= 0) {
        pace->go_at_ns = INT64_MAX;
        return true;
    }
    if (pace->go_at_ns == INT64_MAX) {
        pace->go_at_ns = now_ns + pace->wish.wait_ns;
    }
    if (now_ns < pace->go_at_ns) {
        return false;
    }
    pace->go_at_ns = INT64_MAX;
    return true;
}
