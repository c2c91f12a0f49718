/*
 * By how much ages grew when they did not grow by the time that passed.
 *
 * Every pair of left-overs of one key, near each other in age, votes for its growth; the growth
 * that most pairs share (within two seconds: cut ages, and how long the looks took) is the shift.
 * A vote needs a reason to believe that a clock moved at all, or two sessions that went and came
 * would be made one. Reasons, the strongest first:
 *   a) a row that is too old to be new: then the growth must be that of such a row;
 *   b) the time that passed rests on a wall clock alone (another boot, recorded documents) or our
 *      clocks differ about it, and most of at least three left-overs, begun more than a minute
 *      apart, share one growth. Not otherwise: a server that was restarted also brings all back
 *      at once;
 *   c) ages became unknown: a clock was set back by more than them. Then the growth must be such
 *      that the youngest of those would have fallen below zero.
 */
#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/diff/diff_match.h"

#define VOTES_MAX    65536
#define NEIGHBOURS   8 /* how far apart in the order of age two rows may be, for a vote */
#define SHIFT_WIDTH  2 /* seconds */
#define FEW_SESSIONS 3
#define BEGUN_APART  60 /* seconds */

struct vote {
    int64_t growth;
    int64_t old_age;
    bool too_old; /* to be new */
};

struct shift_votes {
    struct vote *votes;
    size_t count;
    size_t pairs;        /* that the rows which voted can make at most */
    size_t too_old;      /* votes of such rows */
    int64_t wrapped_age; /* of the youngest old row whose age may be unknown now; -1: none */
};

static void
votes_add(struct shift_votes *votes, struct vote vote)
{
    if (votes->count < VOTES_MAX) {
        votes->votes[votes->count++] = vote;
        votes->too_old += vote.too_old;
    }
}

static void
votes_of_group(struct shift_votes *votes, const struct sw_match_keyed *keyed,
    const struct sw_match_group *group)
{
    size_t old_count = group->old_unknown - group->old;
    size_t now_count = group->now_unknown - group->now;
    if (votes->count < VOTES_MAX) {
        votes->pairs += old_count < now_count ? old_count : now_count;
    }
    for (size_t j = 0; j < now_count && votes->count < VOTES_MAX; j++) {
        int64_t now_age =
            sw_match_age(keyed, sw_match_now(keyed, &keyed->now_left, group->now + j));
        size_t first = j > NEIGHBOURS ? j - NEIGHBOURS : 0;
        for (size_t i = first; i < old_count && i <= j + NEIGHBOURS; i++) {
            int64_t old_age =
                sw_match_age(keyed, sw_match_old(keyed, &keyed->old_left, group->old + i));
            votes_add(
                votes, (struct vote){now_age - old_age, old_age, now_age > keyed->newest_max_s});
        }
    }
    bool wrapped = group->now_end - group->now_unknown > group->old_end - group->old_unknown;
    if (wrapped && old_count > 0) {
        int64_t age =
            sw_match_age(keyed, sw_match_old(keyed, &keyed->old_left, group->old_unknown - 1));
        if (votes->wrapped_age < 0 || age < votes->wrapped_age) {
            votes->wrapped_age = age;
        }
    }
}

static int
vote_compare(const void *a, const void *b)
{
    const struct vote *x = a;
    const struct vote *y = b;
    return (x->growth > y->growth) - (x->growth < y->growth);
}

/* Drops votes for a growth that would not have made the wrapped ages unknown. */
static void
votes_keep_wrapping(struct shift_votes *votes)
{
    size_t kept = 0;
    for (size_t i = 0; i < votes->count; i++) {
        if (votes->votes[i].growth + votes->wrapped_age <= 1) {
            votes->votes[kept++] = votes->votes[i];
        }
    }
    votes->count = kept;
}

/* The votes [first, end) that agree; count 0: none. */
struct agreement {
    size_t first, end;
    size_t too_old;
};

static bool
agreement_is_better(const struct agreement *a, const struct agreement *b)
{
    if (a->too_old != b->too_old) {
        return a->too_old > b->too_old;
    }
    return a->end - a->first > b->end - b->first;
}

static struct agreement
votes_agree(struct shift_votes *votes, int64_t width)
{
    struct agreement best = {0};
    struct agreement here = {0};
    qsort(votes->votes, votes->count, sizeof(*votes->votes), vote_compare);
    while (here.end < votes->count) {
        const struct vote *last = &votes->votes[here.end++];
        here.too_old += last->too_old;
        while (last->growth - votes->votes[here.first].growth > width) {
            here.too_old -= votes->votes[here.first++].too_old;
        }
        if (agreement_is_better(&here, &best)) {
            best = here;
        }
    }
    return best;
}

/* Reason b). */
static bool
agreement_of_most(const struct shift_votes *votes, const struct agreement *agreement)
{
    size_t count = agreement->end - agreement->first;
    int64_t youngest = INT64_MAX;
    int64_t oldest = 0;
    for (size_t i = agreement->first; i < agreement->end; i++) {
        int64_t age = votes->votes[i].old_age;
        youngest = age < youngest ? age : youngest;
        oldest = age > oldest ? age : oldest;
    }
    return count >= FEW_SESSIONS && 2 * count > votes->pairs && oldest - youngest > BEGUN_APART;
}

static bool
votes_find(const struct sw_match_keyed *keyed, struct shift_votes *votes, struct agreement *best)
{
    int64_t width = SHIFT_WIDTH + keyed->spread_s;
    *best = votes_agree(votes, width);
    if (votes->too_old > 0) {
        /* Each for itself is no agreement: there are several clocks. */
        return best->end - best->first > 1 || votes->too_old == 1;
    }
    if ((!keyed->match->boot_known || keyed->clocks_differ) && agreement_of_most(votes, best)) {
        return true;
    }
    if (votes->wrapped_age < 0) {
        return false;
    }
    votes_keep_wrapping(votes);
    *best = votes_agree(votes, width);
    return best->end > best->first;
}

bool
sw_match_find_shift(const struct sw_match_keyed *keyed, struct sw_match_window *window)
{
    struct shift_votes votes = {.wrapped_age = -1};
    struct sw_match_group group = {0};
    if (!sw_match_next_group(keyed, &group)) {
        return false;
    }
    votes.votes = sw_calloc(VOTES_MAX, sizeof(*votes.votes));
    do {
        votes_of_group(&votes, keyed, &group);
    } while (sw_match_next_group(keyed, &group));
    struct agreement best;
    bool found = votes_find(keyed, &votes, &best);
    if (found) {
        int64_t growth = votes.votes[(best.first + best.end) / 2].growth;
        int64_t slack = 1 + keyed->spread_s; /* one clock: its drift is the same for all rows */
        *window = (struct sw_match_window){growth - slack, growth + slack};
    }
    free(votes.votes);
    return found;
}
