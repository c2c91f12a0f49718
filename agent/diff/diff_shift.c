/*
 * By how much ages grew when they did not grow by the time that passed.
 *
 * Every pair of left-overs of one key, near each other in age, votes for its growth; the growth
 * that most pairs share (within two seconds: cut ages, and how long the looks took) is the shift.
 * A vote needs a reason to believe that a clock moved at all, or two sessions that went and came
 * would be made one. Reasons, the strongest first:
 *   a) a row that is too old to be new: then the growth must be that of such a row;
 *   b) the time that passed rests on a wall clock alone (another boot, recorded documents), and
 *      most of at least three left-overs, and more than aged by that time, agree on one growth.
 *      A server that was restarted also brings all back at once; what it does not bring back is
 *      how far apart they had begun, nor ages that are still unknown. Where both of our clocks
 *      were seen, each had its say in step 1, and a third growth would be chance: after a long
 *      pause the rows are strangers of any age;
 *   c) ages became unknown: a clock was set back by more than them. Then the growth must be such
 *      that the youngest of those would have fallen below zero, and a growth with one vote alone
 *      must explain the oldest of them, too.
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
    uint32_t now; /* which left-over */
    bool too_old; /* to be new */
};

struct shift_votes {
    struct vote *votes;
    uint32_t *of_now; /* by left-over: its votes in the agreement at hand */
    size_t count;
    size_t pairs;         /* that the rows which voted can make at most */
    size_t too_old;       /* votes of such rows */
    size_t still_unknown; /* rows whose age is unknown in both looks */
    /* Of the old rows whose age may be unknown now, the younger ones of each key first: the age of
     * the youngest and of the oldest; -1: none. */
    int64_t wrapped_youngest;
    int64_t wrapped_oldest;
};

static void
votes_add(struct shift_votes *votes, struct vote vote)
{
    if (votes->count < VOTES_MAX) {
        votes->votes[votes->count++] = vote;
        votes->too_old += vote.too_old;
    }
}

static int64_t
old_left_age(const struct sw_match_keyed *keyed, size_t at)
{
    return sw_match_age(keyed, sw_match_old(keyed, &keyed->old_left, at));
}

static void
votes_note_unknown(struct shift_votes *votes, const struct sw_match_keyed *keyed,
    const struct sw_match_group *group)
{
    size_t old_known = group->old_unknown - group->old;
    size_t old_unknown = group->old_end - group->old_unknown;
    size_t now_unknown = group->now_end - group->now_unknown;
    votes->still_unknown += old_unknown < now_unknown ? old_unknown : now_unknown;
    if (now_unknown <= old_unknown || old_known == 0) {
        return;
    }
    size_t wrapped = now_unknown - old_unknown;
    wrapped = wrapped < old_known ? wrapped : old_known;
    int64_t youngest = old_left_age(keyed, group->old_unknown - 1);
    int64_t oldest = old_left_age(keyed, group->old_unknown - wrapped);
    if (votes->wrapped_youngest < 0 || youngest < votes->wrapped_youngest) {
        votes->wrapped_youngest = youngest;
    }
    votes->wrapped_oldest = oldest > votes->wrapped_oldest ? oldest : votes->wrapped_oldest;
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
            votes_add(votes, (struct vote){now_age - old_age, old_age, (uint32_t)(group->now + j),
                                 now_age > keyed->newest_max_s});
        }
    }
    votes_note_unknown(votes, keyed, group);
}

static int
vote_compare(const void *a, const void *b)
{
    const struct vote *x = a;
    const struct vote *y = b;
    return (x->growth > y->growth) - (x->growth < y->growth);
}

/* Drops votes for a growth that would not have made this age unknown. */
static void
votes_keep_wrapping(struct shift_votes *votes, int64_t age)
{
    size_t kept = 0;
    for (size_t i = 0; i < votes->count; i++) {
        if (votes->votes[i].growth + age <= 1) {
            votes->votes[kept++] = votes->votes[i];
        }
    }
    votes->count = kept;
}

/* The votes [first, end) that agree; count 0: none. */
struct agreement {
    size_t first, end;
    size_t too_old; /* rows, however many votes they have in it: one may meet several by chance */
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
        here.too_old += votes->of_now[last->now]++ == 0 && last->too_old;
        while (last->growth - votes->votes[here.first].growth > width) {
            const struct vote *first = &votes->votes[here.first++];
            here.too_old -= --votes->of_now[first->now] == 0 && first->too_old;
        }
        if (agreement_is_better(&here, &best)) {
            best = here;
        }
    }
    for (size_t i = here.first; i < here.end; i++) {
        votes->of_now[votes->votes[i].now] = 0;
    }
    return best;
}

/* Would chance, after a restart of the server, hardly make that many rows begun this far apart
 * agree? Three must span a minute, five 20 s, many still more than they may differ by. */
static bool
agreement_spans(int64_t span, size_t count, int64_t width)
{
    return span > 4 * width && span * (int64_t)(count - FEW_SESSIONS + 1) > BEGUN_APART;
}

/* Reason b). */
static bool
agreement_of_most(const struct shift_votes *votes, const struct agreement *agreement, int64_t width)
{
    size_t count = agreement->end - agreement->first;
    int64_t youngest = INT64_MAX;
    int64_t oldest = 0;
    for (size_t i = agreement->first; i < agreement->end; i++) {
        int64_t age = votes->votes[i].old_age;
        youngest = age < youngest ? age : youngest;
        oldest = age > oldest ? age : oldest;
    }
    if (2 * count <= votes->pairs || count + votes->still_unknown < FEW_SESSIONS) {
        return false;
    }
    return votes->still_unknown > 0 ? count > 1 : agreement_spans(oldest - youngest, count, width);
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
    if (!keyed->match->boot_known && best->end - best->first > keyed->match->paired &&
        agreement_of_most(votes, best, width)) {
        return true;
    }
    if (votes->wrapped_youngest < 0) {
        return false;
    }
    votes_keep_wrapping(votes, votes->wrapped_youngest);
    *best = votes_agree(votes, width);
    if (best->end - best->first == 1) {
        votes_keep_wrapping(votes, votes->wrapped_oldest);
        *best = votes_agree(votes, width);
    }
    return best->end > best->first;
}

bool
sw_match_find_shift(const struct sw_match_keyed *keyed, struct sw_match_window *window)
{
    struct shift_votes votes = {.wrapped_youngest = -1, .wrapped_oldest = -1};
    struct sw_match_group group = {0};
    if (!sw_match_next_group(keyed, &group)) {
        return false;
    }
    votes.votes = sw_calloc(VOTES_MAX, sizeof(*votes.votes));
    votes.of_now = sw_calloc(keyed->now_left.count, sizeof(*votes.of_now));
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
    free(votes.of_now);
    return found;
}
