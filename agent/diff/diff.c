/*
 * The diff: match the rows (diff_match.c), keep what the new look did not report (diff_merge.c),
 * then write down closes, opens and changes and the next baseline.
 *
 * Rules of `changed` measure from the value last told, each for itself, so that slow growth is
 * told and jitter is not:
 *   opens  differ by opens_delta or more from those told;
 *   idle   lies in another bucket than the told one. A bucket is left upwards at its border and
 *          downwards when idle is 0 (activity) or below the border by more than 10 % of it, at
 *          least a second: a session that is touched about as often as a border is long would
 *          otherwise be told at every look;
 *   guest  differs.
 * A value not reported changes nothing, and the first one reported is taken without a word.
 */
#include "agent/diff.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/diff/diff_match.h"
#include "agent/diff/diff_merge.h"

static int64_t
diff_subtract(int64_t a, int64_t b)
{
    int64_t result;
    if (__builtin_sub_overflow(a, b, &result)) {
        return a < b ? INT64_MIN : INT64_MAX;
    }
    return result;
}

static int64_t
diff_not_negative(int64_t ns)
{
    return ns > 0 ? ns : 0;
}

struct sw_elapsed
sw_elapsed_between(int64_t old_boot_ns, int64_t old_wall_ns, int64_t old_took_ns,
    int64_t new_boot_ns, int64_t new_wall_ns, int64_t new_took_ns)
{
    int64_t wall_ns = diff_not_negative(diff_subtract(new_wall_ns, old_wall_ns));
    struct sw_elapsed elapsed = {wall_ns, wall_ns};
    if (old_boot_ns != SW_TIME_NONE && new_boot_ns != SW_TIME_NONE) {
        int64_t boot_ns = diff_not_negative(diff_subtract(new_boot_ns, old_boot_ns));
        elapsed.min_ns = boot_ns < wall_ns ? boot_ns : wall_ns;
        elapsed.max_ns = boot_ns > wall_ns ? boot_ns : wall_ns;
    }
    /* Both times are ends of looks, and a row was read at any moment of its look. */
    elapsed.min_ns = diff_not_negative(elapsed.min_ns - diff_not_negative(new_took_ns));
    elapsed.max_ns = diff_subtract(elapsed.max_ns, -diff_not_negative(old_took_ns));
    return elapsed;
}

static bool
diff_has_ids(const struct sw_match *match)
{
    unsigned both = match->old->reported & match->old->snapshot->reported & match->now->reported;
    return (both & SW_REPORTED_ID) != 0;
}

static bool
diff_is_other_user(const struct sw_row *old, const struct sw_row *now)
{
    return old->user.data != NULL && now->user.data != NULL && !sw_str_equal(old->user, now->user);
}

static void
diff_match_ids(struct sw_match *match)
{
    const struct sw_snapshot *old = match->old->snapshot;
    const struct sw_snapshot *now = match->now;
    size_t i = 0;
    size_t j = 0;
    while (i < old->count && j < now->count) {
        int order = sw_str_compare(old->rows[i].id, now->rows[j].id);
        if (order == 0 && diff_is_other_user(&old->rows[i], &now->rows[j])) {
            match->to[i] = SW_MATCH_OTHER_USER;
        } else if (order == 0) {
            sw_match_pair(match, i, j);
        }
        i += order <= 0;
        j += order >= 0;
    }
}

static struct sw_change *
diff_add(struct sw_diff *diff, enum sw_change_kind kind)
{
    if (diff->count == diff->capacity) {
        diff->capacity = diff->capacity * 2 + 16;
        diff->changes = sw_realloc(diff->changes, diff->capacity, sizeof(*diff->changes));
    }
    struct sw_change *change = &diff->changes[diff->count++];
    *change = (struct sw_change){.kind = kind, .old_row = SW_NO_ROW, .new_row = SW_NO_ROW};
    return change;
}

static void
diff_close(struct sw_diff *diff, const struct sw_match *match, enum sw_close_reason reason)
{
    size_t count = match->old->snapshot->count;
    for (size_t i = 0; diff->count < diff->closed && i < count; i++) {
        if (match->to[i] >= SW_MATCH_OTHER_USER) {
            struct sw_change *change = diff_add(diff, SW_CLOSED);
            change->old_row = i;
            change->reason = match->to[i] == SW_MATCH_OTHER_USER ? SW_USER_CHANGED : reason;
        }
    }
}

static struct sw_track
diff_new_track(
    const struct sw_row *row, const struct sw_snapshot *snapshot, struct sw_uuid_source *ids)
{
    bool has_age = row->active <= SW_ACTIVE_MAX;
    int64_t age_ns = has_age ? (int64_t)row->active * SW_NS_PER_S : 0;
    return (struct sw_track){
        .session_id = sw_uuid_make(ids, snapshot->taken_at_ns),
        .start_ns = diff_subtract(snapshot->taken_at_ns, age_ns),
        .told_opens = row->opens,
        .told_idle = row->idle,
        .told_guest = row->guest,
        .start_from = has_age ? SW_START_SERVER : SW_START_FIRST_SEEN,
    };
}

static void
diff_open(struct sw_diff *diff, struct sw_uuid_source *ids)
{
    const struct sw_snapshot *snapshot = diff->next.snapshot;
    size_t end = diff->count + diff->opened;
    for (size_t i = 0; diff->count < end; i++) {
        if (diff->from[i] == SW_NO_ROW) {
            diff_add(diff, SW_OPENED)->new_row = i;
            diff->next.tracks[i] = diff_new_track(&snapshot->rows[i], snapshot, ids);
        }
    }
}

static size_t
diff_idle_bucket(const struct sw_diff_rules *rules, int64_t idle_ns)
{
    size_t bucket = 0;
    while (bucket < rules->idle_border_count && idle_ns >= rules->idle_borders_ns[bucket]) {
        bucket++;
    }
    return bucket;
}

static bool
diff_idle_changed(const struct sw_diff_rules *rules, uint32_t told, uint32_t idle)
{
    int64_t idle_ns = (int64_t)idle * SW_NS_PER_S;
    size_t old_bucket = diff_idle_bucket(rules, (int64_t)told * SW_NS_PER_S);
    size_t new_bucket = diff_idle_bucket(rules, idle_ns);
    if (new_bucket >= old_bucket) {
        return new_bucket > old_bucket;
    }
    int64_t border_ns = rules->idle_borders_ns[old_bucket - 1];
    int64_t margin_ns = border_ns / 10 > SW_NS_PER_S ? border_ns / 10 : SW_NS_PER_S;
    return idle == 0 || idle_ns < border_ns - margin_ns;
}

/* What is to be told of a session that goes on; the told values move with it. */
static unsigned
diff_apply_rules(
    struct sw_track *track, const struct sw_row *row, const struct sw_diff_rules *rules)
{
    unsigned fields = 0;
    if (row->opens != SW_UNKNOWN && row->opens != track->told_opens) {
        uint32_t told = track->told_opens;
        uint32_t delta = row->opens > told ? row->opens - told : told - row->opens;
        bool tell = told != SW_UNKNOWN && rules->opens_delta > 0 && delta >= rules->opens_delta;
        fields |= tell ? SW_CHANGED_OPENS : 0u;
        track->told_opens = tell || told == SW_UNKNOWN ? row->opens : told;
    }
    if (row->idle != SW_UNKNOWN && row->idle != track->told_idle) {
        uint32_t told = track->told_idle;
        bool tell = told != SW_UNKNOWN && diff_idle_changed(rules, told, row->idle);
        fields |= tell ? SW_CHANGED_IDLE : 0u;
        track->told_idle = tell || told == SW_UNKNOWN ? row->idle : told;
    }
    if (row->guest >= 0 && row->guest != track->told_guest) {
        bool tell = track->told_guest >= 0 && rules->flags;
        fields |= tell ? SW_CHANGED_GUEST : 0u;
        track->told_guest = tell || track->told_guest < 0 ? row->guest : track->told_guest;
    }
    return fields;
}

static void
diff_go_on(struct sw_diff *diff, const struct sw_match *match, const struct sw_diff_rules *rules)
{
    const struct sw_snapshot *snapshot = diff->next.snapshot;
    const struct sw_row *old_rows = match->old->snapshot->rows;
    bool by_id = diff_has_ids(match);
    size_t told = diff->count;
    for (size_t i = 0; i < snapshot->count; i++) {
        size_t old = diff->from[i];
        if (old == SW_NO_ROW) {
            continue;
        }
        struct sw_track *track = &diff->next.tracks[i];
        const struct sw_row *row = &snapshot->rows[i];
        *track = match->old->tracks[old];
        unsigned fields = diff_apply_rules(track, row, rules);
        if (by_id && !sw_str_equal(old_rows[old].client, row->client)) {
            fields |= SW_CHANGED_CLIENT;
        }
        if (fields != 0) {
            struct sw_change *change = diff_add(diff, SW_CHANGED);
            change->fields = fields;
            change->old_row = old;
            change->new_row = i;
        }
    }
    diff->changed = diff->count - told;
}

static void
diff_match(struct sw_diff *diff, struct sw_match *match, struct sw_snapshot **snapshot)
{
    size_t old_count = match->old->snapshot->count;
    match->to = sw_calloc(old_count, sizeof(*match->to));
    memset(match->to, 0xFF, old_count * sizeof(*match->to)); /* SW_MATCH_GONE */
    if (diff_has_ids(match)) {
        diff_match_ids(match);
    } else {
        sw_match_by_key(match);
    }
    sw_diff_merge(match, snapshot);
    diff->closed = old_count - match->paired;
    diff->clock_moved = match->clock_moved;
    diff->clock_shift_s = match->clock_shift_s;
}

/* More than 73 years would overflow sums, and no session is that old. */
static struct sw_elapsed
diff_limit(struct sw_elapsed elapsed)
{
    int64_t most_ns = INT64_MAX / 4;
    return (struct sw_elapsed){elapsed.min_ns < most_ns ? elapsed.min_ns : most_ns,
        elapsed.max_ns < most_ns ? elapsed.max_ns : most_ns};
}

void
sw_diff_run(struct sw_diff *diff, const struct sw_diff_input *input, struct sw_snapshot **snapshot)
{
    size_t count = (*snapshot)->count;
    *diff = (struct sw_diff){0};
    diff->from = sw_calloc(count, sizeof(*diff->from));
    memset(diff->from, 0xFF, count * sizeof(*diff->from)); /* SW_NO_ROW */
    diff->next = (struct sw_baseline){
        .tracks = sw_calloc(count, sizeof(*diff->next.tracks)),
        .reported = (*snapshot)->reported,
        .boot_ns = input->boot_ns,
    };
    struct sw_match match = {
        .old = input->old,
        .now = *snapshot,
        .elapsed = diff_limit(input->elapsed),
        .from = diff->from,
    };
    if (match.old != NULL) {
        match.boot_known = match.old->boot_ns != SW_TIME_NONE && input->boot_ns != SW_TIME_NONE;
        diff_match(diff, &match, snapshot);
        diff_close(diff, &match, input->close_reason);
    }
    diff->next.snapshot = *snapshot;
    *snapshot = NULL; /* moved to diff->next */
    diff->opened = count - match.paired;
    diff_open(diff, input->ids);
    if (match.old != NULL) {
        diff_go_on(diff, &match, input->rules);
    }
    free(match.to);
}

struct sw_baseline
sw_diff_take_baseline(struct sw_diff *diff)
{
    struct sw_baseline baseline = diff->next;
    diff->next = (struct sw_baseline){0}; /* moved to the caller */
    return baseline;
}

void
sw_diff_fini(struct sw_diff *diff)
{
    sw_baseline_free(&diff->next);
    free(diff->changes);
    free(diff->from);
    *diff = (struct sw_diff){0};
}

void
sw_baseline_free(struct sw_baseline *baseline)
{
    if (baseline != NULL) {
        sw_snapshot_free(baseline->snapshot);
        free(baseline->tracks);
        *baseline = (struct sw_baseline){.boot_ns = SW_TIME_NONE};
    }
}
