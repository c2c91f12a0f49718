#include "agent/diff/diff_order.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"

#define KEY_FIELDS (SW_REPORTED_USER | SW_REPORTED_CLIENT_TYPE | SW_REPORTED_TRANSPORT)

static void
sort_merge(const uint32_t *from, uint32_t *into, size_t count, size_t width,
    sw_match_compare *compare, const void *context)
{
    for (size_t start = 0; start < count; start += 2 * width) {
        size_t middle = start + width < count ? start + width : count;
        size_t end = middle + width < count ? middle + width : count;
        size_t a = start;
        size_t b = middle;
        for (size_t at = start; at < end; at++) {
            bool left = b == end || (a < middle && compare(context, from[a], from[b]) <= 0);
            into[at] = left ? from[a++] : from[b++];
        }
    }
}

static bool
sort_is_done(const uint32_t *index, size_t count, sw_match_compare *compare, const void *context)
{
    for (size_t i = 1; i < count; i++) {
        if (compare(context, index[i - 1], index[i]) > 0) {
            return false;
        }
    }
    return true;
}

void
sw_match_sort(uint32_t *index, size_t count, sw_match_compare *compare, const void *context)
{
    if (sort_is_done(index, count, compare, context)) {
        return;
    }
    uint32_t *room = sw_calloc(count, sizeof(*room));
    uint32_t *from = index;
    uint32_t *into = room;
    for (size_t width = 1; width < count; width *= 2) {
        sort_merge(from, into, count, width, compare, context);
        uint32_t *swap = from;
        from = into;
        into = swap;
    }
    if (from != index) {
        memcpy(index, from, count * sizeof(*index));
    }
    free(room);
}

struct order_context {
    const struct sw_row *rows;
    unsigned mask;
};

static int
order_compare(const void *context, uint32_t a, uint32_t b)
{
    const struct order_context *order = context;
    const struct sw_row *x = &order->rows[a];
    const struct sw_row *y = &order->rows[b];
    int by_key = sw_row_compare_key(x, y, order->mask);
    if (by_key != 0) {
        return by_key;
    }
    /* The oldest first and the unknown, which are above any age, last. */
    int64_t x_age = x->active <= SW_ACTIVE_MAX ? (int64_t)x->active : -1;
    int64_t y_age = y->active <= SW_ACTIVE_MAX ? (int64_t)y->active : -1;
    return (x_age < y_age) - (x_age > y_age);
}

static struct sw_match_list
order_all(const struct sw_snapshot *snapshot, unsigned mask)
{
    struct sw_match_list list = {NULL, snapshot->count};
    if ((snapshot->reported & (KEY_FIELDS | SW_REPORTED_ID)) == mask || snapshot->count == 0) {
        return list;
    }
    list.index = sw_calloc(snapshot->count, sizeof(*list.index));
    for (size_t i = 0; i < snapshot->count; i++) {
        list.index[i] = (uint32_t)i;
    }
    struct order_context context = {snapshot->rows, mask};
    sw_match_sort(list.index, list.count, order_compare, &context);
    return list;
}

void
sw_match_keyed_init(struct sw_match_keyed *keyed, struct sw_match *match)
{
    const struct sw_snapshot *old = match->old->snapshot;
    const struct sw_snapshot *now = match->now;
    /* Not what old rows hold: fields kept from looks before may sit on the wrong one of two. */
    unsigned both = match->old->reported & old->reported & now->reported;
    int64_t spread_ns =
        (old->took_ns > 0 ? old->took_ns : 0) + (now->took_ns > 0 ? now->took_ns : 0);
    *keyed = (struct sw_match_keyed){
        .match = match,
        .old_rows = old->rows,
        .now_rows = now->rows,
        .mask = both & KEY_FIELDS,
        .has_ages = (both & SW_REPORTED_ACTIVE) != 0,
        .old_all = order_all(old, both & KEY_FIELDS),
        .now_all = order_all(now, both & KEY_FIELDS),
        .old_left.index = sw_calloc(old->count, sizeof(uint32_t)),
        .now_left.index = sw_calloc(now->count, sizeof(uint32_t)),
        .spread_s = (spread_ns + SW_NS_PER_S - 1) / SW_NS_PER_S,
    };
}

void
sw_match_keyed_fini(struct sw_match_keyed *keyed)
{
    free(keyed->old_all.index);
    free(keyed->now_all.index);
    free(keyed->old_left.index);
    free(keyed->now_left.index);
}

static uint32_t
tie_row(const struct sw_match_keyed *keyed, size_t at)
{
    return keyed->old_all.index != NULL ? keyed->old_all.index[at] : (uint32_t)at;
}

static bool
tie_between(const struct sw_match_keyed *keyed, size_t a, size_t b)
{
    const struct sw_row *x = sw_match_old(keyed, &keyed->old_all, a);
    const struct sw_row *y = sw_match_old(keyed, &keyed->old_all, b);
    return sw_match_age(keyed, x) == sw_match_age(keyed, y) &&
           sw_row_compare_key(x, y, keyed->mask) == 0;
}

static int
tie_compare_ids(const void *context, uint32_t a, uint32_t b)
{
    const struct sw_track *tracks = context;
    return sw_uuid_compare(&tracks[a].session_id, &tracks[b].session_id);
}

static void
tie_settle(struct sw_match_keyed *keyed, size_t start, size_t end)
{
    struct sw_match *match = keyed->match;
    uint32_t *olds = sw_calloc(end - start, sizeof(*olds));
    uint32_t *partners = sw_calloc(end - start, sizeof(*partners));
    size_t partner_count = 0;
    for (size_t at = start; at < end; at++) {
        uint32_t old = tie_row(keyed, at);
        olds[at - start] = old;
        if (match->to[old] != SW_MATCH_GONE) {
            partners[partner_count++] = match->to[old];
        }
    }
    if (partner_count > 0) {
        sw_match_sort(olds, end - start, tie_compare_ids, match->old->tracks);
    }
    for (size_t i = 0; i < end - start; i++) {
        match->to[olds[i]] = i < partner_count ? partners[i] : SW_MATCH_GONE;
        if (i < partner_count) {
            match->from[partners[i]] = olds[i];
        }
    }
    free(olds);
    free(partners);
}

void
sw_match_settle_ties(struct sw_match_keyed *keyed)
{
    size_t done = 0; /* runs of equal rows do not overlap */
    for (size_t at = 0; at < keyed->old_all.count; at++) {
        if (keyed->match->to[tie_row(keyed, at)] != SW_MATCH_GONE) {
            continue;
        }
        size_t start = at;
        size_t end = at + 1;
        while (start > done && tie_between(keyed, start - 1, at)) {
            start--;
        }
        while (end < keyed->old_all.count && tie_between(keyed, at, end)) {
            end++;
        }
        if (end - start > 1) {
            tie_settle(keyed, start, end);
        }
        done = end;
        at = end - 1;
    }
}
