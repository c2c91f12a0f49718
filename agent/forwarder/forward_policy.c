#include "agent/forwarder/forward_policy.h"

#include "agent/base/time_text.h"
#include "agent/journal.h"

#define POLICY_TROUBLE_FIRST_NS (1 * SW_NS_PER_S)
#define POLICY_TROUBLE_MAX_NS   (300 * SW_NS_PER_S)
#define POLICY_PAUSE_FIRST_NS   (60 * SW_NS_PER_S)
#define POLICY_PAUSE_MAX_NS     (1800 * SW_NS_PER_S)

/* Full jitter may draw next to nothing; this keeps a broken receiver from being hammered. */
#define POLICY_WAIT_MIN_NS (100 * SW_NS_PER_MS)

/* A receiver may ask for any wait; nobody wants a day of silence for one header. */
#define POLICY_RETRY_AFTER_MAX_MS INT64_C(3600000)

void
sw_forward_policy_init(struct sw_forward_policy *policy, size_t max_records)
{
    size_t max =
        max_records > 0 && max_records < SW_BATCH_RECORDS_MAX ? max_records : SW_BATCH_RECORDS_MAX;
    *policy = (struct sw_forward_policy){
        .max = max,
        .limit = max,
        .trouble = {.first_ns = POLICY_TROUBLE_FIRST_NS, .max_ns = POLICY_TROUBLE_MAX_NS},
        .pause = {.first_ns = POLICY_PAUSE_FIRST_NS, .max_ns = POLICY_PAUSE_MAX_NS},
    };
}

static void
policy_accepted(struct sw_forward_policy *policy, const struct sw_forward_tally *tally)
{
    policy->refused = 0;
    policy->broken = 0;
    policy->paused = false;
    sw_backoff_reset(&policy->trouble);
    sw_backoff_reset(&policy->pause);
    if (tally->done == tally->sent) {
        policy->limit = policy->limit < policy->max / 2 ? policy->limit * 2 : policy->max;
    }
}

/* true: the refused records go aside. */
static bool
policy_refused(
    struct sw_forward_policy *policy, const struct sw_forward_tally *tally, bool *is_our_fault)
{
    if (tally->done > 0) {
        return true;
    }
    if (tally->sent > 1) {
        /* Any of them may be the bad one. */
        policy->limit = tally->sent / 2;
        return false;
    }
    policy->limit = 1;
    policy->refused += policy->refused < SW_FORWARD_REFUSED_MAX;
    *is_our_fault = policy->refused == SW_FORWARD_REFUSED_MAX;
    return !*is_our_fault;
}

static void
policy_broken(struct sw_forward_policy *policy, const struct sw_forward_tally *tally)
{
    if (++policy->broken >= SW_FORWARD_BROKEN_MAX) {
        policy->limit = tally->sent / 2;
    }
}

static int64_t
policy_at_least(const struct sw_forward_tally *tally, int64_t least_ns)
{
    int64_t asked_ms = tally->retry_after_ms < POLICY_RETRY_AFTER_MAX_MS
                           ? tally->retry_after_ms
                           : POLICY_RETRY_AFTER_MAX_MS;
    int64_t asked_ns = asked_ms * SW_NS_PER_MS;
    return asked_ns > least_ns ? asked_ns : least_ns;
}

struct sw_forward_decision
sw_forward_decide(
    struct sw_forward_policy *policy, const struct sw_forward_tally *tally, uint32_t random)
{
    struct sw_forward_decision decision = {0};
    enum sw_outcome outcome = tally->outcome;
    bool is_our_fault = false;
    if (tally->done > 0) {
        policy_accepted(policy, tally);
    }
    if (tally->refused > 0 && outcome != SW_OUTCOME_PAUSED) {
        decision.set_aside = policy_refused(policy, tally, &is_our_fault);
        outcome = is_our_fault ? SW_OUTCOME_PAUSED : outcome;
    }
    if (outcome == SW_OUTCOME_BROKEN && tally->sent > 1) {
        policy_broken(policy, tally);
    }
    if (outcome == SW_OUTCOME_OK && tally->sent > 0 &&
        tally->done + tally->refused + tally->unfit == 0) {
        outcome = SW_OUTCOME_LATER; /* nothing moved: that must not become a busy loop */
    }
    if (outcome == SW_OUTCOME_PAUSED) {
        policy->paused = true;
        decision.disconnect = true;
        decision.wait_ns =
            sw_backoff_fail(&policy->pause, random, policy_at_least(tally, POLICY_PAUSE_FIRST_NS));
    } else if (outcome != SW_OUTCOME_OK) {
        decision.disconnect = outcome == SW_OUTCOME_BROKEN;
        decision.wait_ns =
            sw_backoff_fail(&policy->trouble, random, policy_at_least(tally, POLICY_WAIT_MIN_NS));
    }
    return decision;
}
