/*
 * Who of the old rows is who of the new.
 *
 * Rows without ids: the two lists are merged by key and age, oldest first,
 * and a pair is right when the age grew by the time that passed:
 *
 * 1. Δ comes as a range. When both clocks agree it is as narrow as the looks were quick, and the
 *    window of growth is that range ± slack (1 s + 0.1 %; ages are cut to whole seconds at both
 *    looks, so that their difference is off by less than one second). When they differ, one of
 *    them moved or stood still, and time passed by what the one or the other says, not by
 *    something between: the end of the range that pairs more rows is the window. Only if neither
 *    pairs anything the whole range is.
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
#include "agent/diff_match.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/diff_order.h"

void
sw_match_pair(struct sw_match *match, size_t old, size_t now)
{
    match->from[now] = old;
    match->to[old] = (uint32_t)now;
    match->paired++;
}

static void
list_add(struct sw_match_list *list, const struct sw_match_list *from, size_t at)
{
    list->index[list->count++] = from->index != NULL ? from->index[at] : (uint32_t)at;
}

static void
list_add_rest(struct sw_match_list *list, const struct sw_match_list *from, size_t at)
{
    for (; at < from->count; at++) {
        list_add(list, from, at);
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

/* Pairs rows of the two lists whose age grew as the window says, in order of age; the rest becomes
 * the left-overs. The lists may be the left-overs themselves. As the window is the same for all
 * rows no pairing gives more pairs. Returns their number. */
static size_t
match_pass(struct sw_match_keyed *keyed, struct sw_match_list olds, struct sw_match_list nows,
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
            list_add(&keyed->old_left, &olds, i++);
        }
        if (order >= 0) {
            list_add(&keyed->now_left, &nows, j++);
        }
    }
    list_add_rest(&keyed->old_left, &olds, i);
    list_add_rest(&keyed->now_left, &nows, j);
    return keyed->match->paired - before;
}

static void
match_forget(struct sw_match_keyed *keyed)
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
        match_pass(keyed, keyed->old_all, keyed->now_all, keyed->window);
        return;
    }
    struct sw_match_window whole = keyed->window;
    struct sw_match_window small = window_around(elapsed.min_ns, elapsed.min_ns + spread_ns);
    struct sw_match_window large = window_around(elapsed.max_ns - spread_ns, elapsed.max_ns);
    size_t by_small = match_pass(keyed, keyed->old_all, keyed->now_all, small);
    match_forget(keyed);
    size_t by_large = match_pass(keyed, keyed->old_all, keyed->now_all, large);
    keyed->window = by_large > by_small ? large : by_small > 0 ? small : whole;
    if (by_large <= by_small) {
        match_forget(keyed);
        match_pass(keyed, keyed->old_all, keyed->now_all, keyed->window);
    }
}

static size_t
group_end(const struct sw_match_keyed *keyed, const struct sw_match_list *list,
    const struct sw_row *rows, size_t at, size_t *unknown)
{
    const struct sw_row *first = &rows[list->index[at]];
    size_t end = at;
    *unknown = SIZE_MAX;
    for (; end < list->count; end++) {
        const struct sw_row *row = &rows[list->index[end]];
        if (end > at && sw_row_compare_key(first, row, keyed->mask) != 0) {
            break;
        }
        if (*unknown == SIZE_MAX && sw_match_age(keyed, row) < 0) {
            *unknown = end;
        }
    }
    *unknown = *unknown < end ? *unknown : end;
    return end;
}

bool
sw_match_next_group(const struct sw_match_keyed *keyed, struct sw_match_group *group)
{
    size_t i = group->old_end;
    size_t j = group->now_end;
    while (i < keyed->old_left.count && j < keyed->now_left.count) {
        int order = sw_row_compare_key(sw_match_old(keyed, &keyed->old_left, i),
            sw_match_now(keyed, &keyed->now_left, j), keyed->mask);
        if (order == 0) {
            group->old = i;
            group->now = j;
            group->old_end =
                group_end(keyed, &keyed->old_left, keyed->old_rows, i, &group->old_unknown);
            group->now_end =
                group_end(keyed, &keyed->now_left, keyed->now_rows, j, &group->now_unknown);
            return true;
        }
        i += order < 0;
        j += order > 0;
    }
    return false;
}

static void
match_drop_paired(struct sw_match_keyed *keyed)
{
    const struct sw_match *match = keyed->match;
    struct sw_match_list olds = keyed->old_left;
    struct sw_match_list nows = keyed->now_left;
    keyed->old_left.count = keyed->now_left.count = 0;
    for (size_t i = 0; i < olds.count; i++) {
        if (match->to[olds.index[i]] == SW_MATCH_GONE) {
            list_add(&keyed->old_left, &olds, i);
        }
    }
    for (size_t j = 0; j < nows.count; j++) {
        if (match->from[nows.index[j]] == SW_NO_ROW) {
            list_add(&keyed->now_left, &nows, j);
        }
    }
}

static void
match_left(struct sw_match_keyed *keyed, size_t old_at, size_t now_at)
{
    sw_match_pair(keyed->match, keyed->old_left.index[old_at], keyed->now_left.index[now_at]);
}

/* Left-overs that existed at the last look, whatever the clocks say: oldest with oldest. */
static size_t
match_too_old_to_be_new(struct sw_match_keyed *keyed)
{
    size_t before = keyed->match->paired;
    struct sw_match_group group = {0};
    while (sw_match_next_group(keyed, &group)) {
        size_t i = group.old;
        size_t j = group.now;
        while (i < group.old_unknown && j < group.now_unknown &&
               sw_match_now(keyed, &keyed->now_left, j)->active > keyed->newest_max_s) {
            match_left(keyed, i++, j++);
        }
    }
    match_drop_paired(keyed);
    return keyed->match->paired - before;
}

static int
compare_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* For the log: how many rows of how much the clock moved. */
static void
match_note_moved(struct sw_match_keyed *keyed)
{
    struct sw_match *match = keyed->match;
    size_t count = 0;
    int64_t *shifts = sw_calloc(match->paired, sizeof(*shifts));
    for (size_t j = 0; j < keyed->now_all.count; j++) {
        if (match->from[j] == SW_NO_ROW) {
            continue;
        }
        int64_t old_age = sw_match_age(keyed, &keyed->old_rows[match->from[j]]);
        int64_t now_age = sw_match_age(keyed, &keyed->now_rows[j]);
        int64_t growth = now_age - old_age;
        if (old_age >= 0 && now_age >= 0 && growth < keyed->window.low) {
            shifts[count++] = growth - match->elapsed.min_ns / SW_NS_PER_S;
        } else if (old_age >= 0 && now_age >= 0 && growth > keyed->window.high) {
            shifts[count++] = growth - match->elapsed.max_ns / SW_NS_PER_S;
        }
    }
    qsort(shifts, count, sizeof(*shifts), compare_int64);
    match->clock_moved = count;
    match->clock_shift_s = count > 0 ? shifts[count / 2] : 0;
    free(shifts);
}

/* Step 2. */
static void
match_moved_clocks(struct sw_match_keyed *keyed)
{
    struct sw_match_window shifted;
    size_t by_elapsed = keyed->match->paired;
    size_t by_shift = 0;
    if (sw_match_find_shift(keyed, &shifted)) {
        by_shift = match_pass(keyed, keyed->old_left, keyed->now_left, shifted);
        if (by_shift > by_elapsed) {
            match_forget(keyed);
            match_pass(keyed, keyed->old_all, keyed->now_all, shifted);
            match_pass(keyed, keyed->old_left, keyed->now_left, keyed->window);
        }
        if (shifted.high > keyed->newest_max_s) {
            keyed->newest_max_s = shifted.high;
        }
    }
    if (match_too_old_to_be_new(keyed) + by_shift > 0) {
        match_note_moved(keyed);
    }
}

/* From the youngest up; of rows of one age the first ones, which have the smaller session ids. */
static void
match_with_youngest(
    struct sw_match_keyed *keyed, size_t old, size_t old_end, size_t now, size_t now_end)
{
    while (now < now_end && old < old_end) {
        size_t first = old_end - 1;
        uint32_t age = sw_match_old(keyed, &keyed->old_left, first)->active;
        while (first > old && sw_match_old(keyed, &keyed->old_left, first - 1)->active == age) {
            first--;
        }
        for (size_t i = first; i < old_end && now < now_end; i++) {
            match_left(keyed, i, now++);
        }
        old_end = first;
    }
}

/* Step 3. */
static void
match_unknown_ages(struct sw_match_keyed *keyed)
{
    struct sw_match_group group = {0};
    while (sw_match_next_group(keyed, &group)) {
        size_t i = group.old_unknown;
        size_t j = group.now_unknown;
        while (i < group.old_end && j < group.now_end) {
            match_left(keyed, i++, j++);
        }
        for (size_t known = group.now; i < group.old_end && known < group.now_unknown;) {
            match_left(keyed, i++, known++);
        }
        match_with_youngest(keyed, group.old, group.old_unknown, j, group.now_end);
    }
    match_drop_paired(keyed);
}

void
sw_match_by_key(struct sw_match *match)
{
    struct sw_match_keyed keyed;
    sw_match_keyed_init(&keyed, match);
    match_by_elapsed(&keyed);
    if (keyed.old_left.count > 0 && keyed.now_left.count > 0) {
        if (keyed.has_ages) {
            match_moved_clocks(&keyed);
        }
        match_unknown_ages(&keyed);
    }
    if (keyed.old_left.count > 0) {
        sw_match_settle_ties(&keyed);
    }
    sw_match_keyed_fini(&keyed);
}
