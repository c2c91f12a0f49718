/* The inside of the diff: who of the old rows is who of the new. Private to diff*.c. */
#ifndef SW_DIFF_MATCH_H
#define SW_DIFF_MATCH_H

#include "agent/diff.h"

/* Where an old row went, beside the number of a new row. Rows are at most SW_ROWS_MAX. */
#define SW_MATCH_GONE       UINT32_MAX       /* nowhere (so far) */
#define SW_MATCH_OTHER_USER (UINT32_MAX - 1) /* its id is another user's now */

struct sw_match {
    const struct sw_baseline *old;
    const struct sw_snapshot *now;
    struct sw_elapsed elapsed;
    bool boot_known; /* elapsed rests on more than the wall clock */
    size_t *from;    /* for each new row its old row, or SW_NO_ROW */
    uint32_t *to;    /* for each old row its new row, or one of SW_MATCH_* */
    size_t paired;
    size_t clock_moved; /* as in struct sw_diff */
    int64_t clock_shift_s;
};

void sw_match_pair(struct sw_match *match, size_t old, size_t now);

/* Fills from, to and paired, which come in as "nobody", for rows without ids. */
void sw_match_by_key(struct sw_match *match);

/* Numbers of rows; index NULL stands for 0, 1, 2, … */
struct sw_match_list {
    uint32_t *index;
    size_t count;
};

/* By how many seconds an age may have grown. */
struct sw_match_window {
    int64_t low;
    int64_t high;
};

/* The work on rows without ids. */
struct sw_match_keyed {
    struct sw_match *match;
    const struct sw_row *old_rows;
    const struct sw_row *now_rows;
    unsigned mask;      /* key fields that both looks reported */
    bool has_ages;      /* both looks reported ages */
    bool clocks_differ; /* ours, about the time that passed */
    /* All rows by masked key and age, and of those the ones still without a partner. */
    struct sw_match_list old_all, now_all;
    struct sw_match_list old_left, now_left;
    struct sw_match_window window; /* what step 1 went by */
    int64_t newest_max_s;          /* a row older than this was there at the last look */
    int64_t spread_s; /* by how much ages of one look may differ because the looks took time */
};

static inline void
sw_match_list_add(struct sw_match_list *list, const struct sw_match_list *from, size_t at)
{
    list->index[list->count++] = from->index != NULL ? from->index[at] : (uint32_t)at;
}

/* Pairs rows of the two lists whose age grew as the window says, in order of age; the rest becomes
 * the left-overs. The lists may be the left-overs themselves. As the window is the same for all
 * rows no pairing gives more pairs. Returns their number. */
size_t sw_match_pass(struct sw_match_keyed *keyed, struct sw_match_list olds,
    struct sw_match_list nows, struct sw_match_window window);

/* Takes all pairs apart. */
void sw_match_forget(struct sw_match_keyed *keyed);

/* Steps 2 and 3 (diff_left.c). They walk the left-overs key by key, so it is looked first whether
 * there is anything for them: ordinary coming and going leaves nothing. */
void sw_match_left(struct sw_match_keyed *keyed);

/* Left-over rows of one key: [old, old_end) and [now, now_end) in the lists of left-overs; those
 * with a known age come first. */
struct sw_match_group {
    size_t old, old_unknown, old_end;
    size_t now, now_unknown, now_end;
};

/* The next key that has left-overs on both sides, behind the one that *group holds (zeroed to
 * begin with); false when there is none. */
bool sw_match_next_group(const struct sw_match_keyed *keyed, struct sw_match_group *group);

/* -1: unknown. */
static inline int64_t
sw_match_age(const struct sw_match_keyed *keyed, const struct sw_row *row)
{
    return keyed->has_ages && row->active <= SW_ACTIVE_MAX ? (int64_t)row->active : -1;
}

static inline const struct sw_row *
sw_match_old(const struct sw_match_keyed *keyed, const struct sw_match_list *list, size_t at)
{
    return &keyed->old_rows[list->index != NULL ? list->index[at] : at];
}

static inline const struct sw_row *
sw_match_now(const struct sw_match_keyed *keyed, const struct sw_match_list *list, size_t at)
{
    return &keyed->now_rows[list->index != NULL ? list->index[at] : at];
}

/* Whether the left-overs show that somebody's clock moved, and by how much ages have then grown
 * (diff_shift.c). */
bool sw_match_find_shift(const struct sw_match_keyed *keyed, struct sw_match_window *window);

/* Bottom-up merge sort: stable, no recursion, linear when already in order. */
typedef int sw_match_compare(const void *context, uint32_t a, uint32_t b);
void sw_match_sort(uint32_t *index, size_t count, sw_match_compare *compare, const void *context);

#endif
