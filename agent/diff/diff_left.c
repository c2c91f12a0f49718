/* Rows that did not age by the time that passed: steps 2 and 3 of the matching (see diff_match.c).
 */
#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/diff/diff_match.h"

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
left_drop_paired(struct sw_match_keyed *keyed)
{
    const struct sw_match *match = keyed->match;
    struct sw_match_list olds = keyed->old_left;
    struct sw_match_list nows = keyed->now_left;
    keyed->old_left.count = keyed->now_left.count = 0;
    for (size_t i = 0; i < olds.count; i++) {
        if (match->to[olds.index[i]] == SW_MATCH_GONE) {
            sw_match_list_add(&keyed->old_left, &olds, i);
        }
    }
    for (size_t j = 0; j < nows.count; j++) {
        if (match->from[nows.index[j]] == SW_NO_ROW) {
            sw_match_list_add(&keyed->now_left, &nows, j);
        }
    }
}

static void
left_pair(struct sw_match_keyed *keyed, size_t old_at, size_t now_at)
{
    sw_match_pair(keyed->match, keyed->old_left.index[old_at], keyed->now_left.index[now_at]);
}

/* Left-overs that existed at the last look, whatever the clocks say: oldest with oldest. */
static size_t
left_pair_too_old(struct sw_match_keyed *keyed)
{
    size_t before = keyed->match->paired;
    struct sw_match_group group = {0};
    while (sw_match_next_group(keyed, &group)) {
        size_t i = group.old;
        size_t j = group.now;
        while (i < group.old_unknown && j < group.now_unknown &&
               sw_match_now(keyed, &keyed->now_left, j)->active > keyed->newest_max_s) {
            left_pair(keyed, i++, j++);
        }
    }
    left_drop_paired(keyed);
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
left_note_moved(struct sw_match_keyed *keyed)
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

/* A wall clock that was set back, and nothing else, says nothing about the time that passed. */
static bool
left_knows_elapsed(const struct sw_match *match)
{
    return match->boot_known || match->elapsed.min_ns > 0;
}

/* Step 2. */
static void
left_moved_clocks(struct sw_match_keyed *keyed)
{
    struct sw_match_window shifted;
    size_t by_elapsed = keyed->match->paired;
    size_t by_shift = 0;
    if (sw_match_find_shift(keyed, &shifted)) {
        by_shift = sw_match_pass(keyed, keyed->old_left, keyed->now_left, shifted);
        if (by_shift > by_elapsed) {
            sw_match_forget(keyed);
            sw_match_pass(keyed, keyed->old_all, keyed->now_all, shifted);
            if (left_knows_elapsed(keyed->match)) {
                sw_match_pass(keyed, keyed->old_left, keyed->now_left, keyed->window);
            }
        }
        if (shifted.high > keyed->newest_max_s) {
            keyed->newest_max_s = shifted.high;
        }
    }
    if (left_pair_too_old(keyed) + by_shift > 0) {
        left_note_moved(keyed);
    }
}

/* From the youngest up; of rows of one age the first ones, which have the smaller session ids. */
static void
left_pair_youngest(
    struct sw_match_keyed *keyed, size_t old, size_t old_end, size_t now, size_t now_end)
{
    while (now < now_end && old < old_end) {
        size_t first = old_end - 1;
        uint32_t age = sw_match_old(keyed, &keyed->old_left, first)->active;
        while (first > old && sw_match_old(keyed, &keyed->old_left, first - 1)->active == age) {
            first--;
        }
        for (size_t i = first; i < old_end && now < now_end; i++) {
            left_pair(keyed, i, now++);
        }
        old_end = first;
    }
}

/* Step 3. */
static void
left_unknown_ages(struct sw_match_keyed *keyed)
{
    struct sw_match_group group = {0};
    while (sw_match_next_group(keyed, &group)) {
        size_t i = group.old_unknown;
        size_t j = group.now_unknown;
        while (i < group.old_end && j < group.now_end) {
            left_pair(keyed, i++, j++);
        }
        for (size_t known = group.now; i < group.old_end && known < group.now_unknown;) {
            left_pair(keyed, i++, known++);
        }
        left_pair_youngest(keyed, group.old, group.old_unknown, j, group.now_end);
    }
    left_drop_paired(keyed);
}

static bool
left_is_unknown(
    const struct sw_match_keyed *keyed, const struct sw_match_list *list, const struct sw_row *rows)
{
    for (size_t i = 0; i < list->count; i++) {
        if (sw_match_age(keyed, &rows[list->index[i]]) < 0) {
            return true;
        }
    }
    return false;
}

static bool
left_is_too_old(const struct sw_match_keyed *keyed)
{
    for (size_t j = 0; j < keyed->now_left.count; j++) {
        if (sw_match_age(keyed, sw_match_now(keyed, &keyed->now_left, j)) > keyed->newest_max_s) {
            return true;
        }
    }
    return false;
}

void
sw_match_left(struct sw_match_keyed *keyed)
{
    bool now_unknown = left_is_unknown(keyed, &keyed->now_left, keyed->now_rows);
    if (keyed->has_ages && (now_unknown || keyed->clocks_differ || !keyed->match->boot_known ||
                               left_is_too_old(keyed))) {
        left_moved_clocks(keyed);
    }
    if (now_unknown || left_is_unknown(keyed, &keyed->old_left, keyed->old_rows)) {
        left_unknown_ages(keyed);
    }
}
