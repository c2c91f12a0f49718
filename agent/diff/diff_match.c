/*
 * Who of the old rows is who of the new.
 *
 * Rows without ids: the two lists are merged by key and age, oldest first, and a pair is right when
 * the age grew by the time that passed:
 *
 * 1. Δ comes as a range. When both clocks agree it is as narrow as the looks were quick, and the
 *    window of growth is that range ± slack (1 s + 0.1 %; ages are cut to whole seconds at both
 *    looks, so that their difference is off by less than one second). When they differ, one of
 *    them moved or stood still, and time passed by what the one or the other says, not by
 *    something between: the end of the range that explains the rows better is the window.
 * 2. All ages of a look come from one clock. If that moved, *all* of them grew by one other
 *    amount, which the left-overs show (diff_shift.c). Rows that fit it are paired next; and if
 *    they are more than those of step 1, they are paired *before* step 1, because with many rows
 *    of one key some fit the wrong window by chance and would take a stranger's partner. Pairing
 *    oldest with oldest before looking for the shift, or trying it on the rest only, gives false
 *    pairs of open and close after a step back, when a shifted age looks young enough to be new.
 *    A row too old to be new that still has no partner takes the oldest left over of its key:
 *    servers that are clusters have several clocks.
 * 3. Unknown ages: first unknown with unknown (an age that wrapped below zero stays unknown for
 *    as long as the clock was set back), then unknown old ones with what is left, then unknown
 *    new ones with the youngest left (the young ones wrap).
 * 4. Old rows with the same key and the same age are the same to us: the ones with the smallest
 *    session ids go on (diff_order.c).
 *
 * What polling cannot see: a close and an open of one key between two looks when the new age
 * happens to fit the old one within the slack, or when one of them has no age; and a clock set
 * back when no other session is there to show it.
 */
#include "agent/diff/diff_match.h"

#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/diff/diff_order.h"

void
sw_match_pair(struct sw_match *match, size_t old, size_t now)
{
    match->from[now] = old;
    match->to[old] = (uint32_t)now;
    match->paired++;
}

static void
list_add_rest(struct sw_match_list *list, const struct sw_match_list *from, size_t at)
{
    for (; at < from->count; at++) {
        sw_match_list_add(list, from, at);
    }
}

/* -1, 1: the old, the new row finds no partner; 0: they are one, or (both ages unknown) neither
 * does. */
static int
match_order(const struct sw_match_keyed *keyed, const struct sw_row *old, const struct sw_row *now,
    struct sw_match_window window, bool *fits)
{
    int order = sw_row_compare_key(old, now, keyed->mask);
    *fits = false;
    if (order != 0) {
        return order;
    }
    int64_t old_age = sw_match_age(keyed, old);
    int64_t now_age = sw_match_age(keyed, now);
    if (old_age < 0 || now_age < 0) {
        return (now_age >= 0) - (old_age >= 0);
    }
    int64_t growth = now_age - old_age;
    *fits = growth >= window.low && growth <= window.high;
    return (growth > window.high) - (growth < window.low);
}

size_t
sw_match_pass(struct sw_match_keyed *keyed, struct sw_match_list olds, struct sw_match_list nows,
    struct sw_match_window window)
{
    size_t before = keyed->match->paired;
    size_t i = 0;
    size_t j = 0;
    keyed->old_left.count = keyed->now_left.count = 0;
    while (i < olds.count && j < nows.count) {
        const struct sw_row *old = sw_match_old(keyed, &olds, i);
        const struct sw_row *now = sw_match_now(keyed, &nows, j);
        bool fits;
        int order = match_order(keyed, old, now, window, &fits);
        if (fits) {
            sw_match_pair(
                keyed->match, (size_t)(old - keyed->old_rows), (size_t)(now - keyed->now_rows));
            i++;
            j++;
            continue;
        }
        if (order <= 0) {
            sw_match_list_add(&keyed->old_left, &olds, i++);
        }
        if (order >= 0) {
            sw_match_list_add(&keyed->now_left, &nows, j++);
        }
    }
    list_add_rest(&keyed->old_left, &olds, i);
    list_add_rest(&keyed->now_left, &nows, j);
    return keyed->match->paired - before;
}

void
sw_match_forget(struct sw_match_keyed *keyed)
{
    struct sw_match *match = keyed->match;
    memset(match->from, 0xFF, keyed->now_all.count * sizeof(*match->from));
    memset(match->to, 0xFF, keyed->old_all.count * sizeof(*match->to));
    match->paired = 0;
}

static int64_t
seconds_up(int64_t ns)
{
    return ns >= 0 ? (ns + SW_NS_PER_S - 1) / SW_NS_PER_S : -(-ns / SW_NS_PER_S);
}

static int64_t
seconds_down(int64_t ns)
{
    return -seconds_up(-ns);
}

static struct sw_match_window
window_around(int64_t min_ns, int64_t max_ns)
{
    int64_t slack_ns = SW_NS_PER_S + max_ns / 1000;
    return (struct sw_match_window){seconds_up(min_ns - slack_ns), seconds_down(max_ns + slack_ns)};
}

/* How well a window explains the looks: pairs, less the rows that would then be too old to be new
 * and have no partner. */
static int64_t
match_try(struct sw_match_keyed *keyed, struct sw_match_window window)
{
    sw_match_forget(keyed);
    int64_t score = (int64_t)sw_match_pass(keyed, keyed->old_all, keyed->now_all, window);
    for (size_t j = 0; j < keyed->now_left.count; j++) {
        score -= sw_match_age(keyed, sw_match_now(keyed, &keyed->now_left, j)) > window.high;
    }
    return score;
}

#define CLOCKS_AGREE_NS (2 * SW_NS_PER_S)

/* Step 1 over all rows. */
static void
match_by_elapsed(struct sw_match_keyed *keyed)
{
    struct sw_elapsed elapsed = keyed->match->elapsed;
    int64_t spread_ns = keyed->spread_s * SW_NS_PER_S;
    keyed->window = window_around(elapsed.min_ns, elapsed.max_ns);
    keyed->newest_max_s = keyed->window.high;
    if (elapsed.max_ns - elapsed.min_ns <= spread_ns + CLOCKS_AGREE_NS) {
        sw_match_pass(keyed, keyed->old_all, keyed->now_all, keyed->window);
        return;
    }
    struct sw_match_window small = window_around(elapsed.min_ns, elapsed.min_ns + spread_ns);
    struct sw_match_window large = window_around(elapsed.max_ns - spread_ns, elapsed.max_ns);
    keyed->clocks_differ = true;
    keyed->window = small;
    int64_t by_large = match_try(keyed, large);
    if (match_try(keyed, small) < by_large) {
        match_try(keyed, large);
        keyed->window = large;
    }
}

void
sw_match_by_key(struct sw_match *match)
{
    struct sw_match_keyed keyed;
    sw_match_keyed_init(&keyed, match);
    match_by_elapsed(&keyed);
    if (keyed.old_left.count > 0 && keyed.now_left.count > 0) {
        sw_match_left(&keyed);
    }
    if (keyed.old_left.count > 0) {
        sw_match_settle_ties(&keyed);
    }
    sw_match_keyed_fini(&keyed);
}
