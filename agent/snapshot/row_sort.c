#include "agent/snapshot/row_sort.h"

#include <stdlib.h>
#include <string.h>

#define SORT_SMALL 12 /* entries; from here down insertion is faster than merging */

/* The first bytes of what rows are sorted by stand in the entry itself: most comparisons then
 * touch neither the row nor its names, which lie all over memory. */
struct sort_entry {
    uint64_t head;
    uint64_t tail;
    uint32_t index;
};

struct sort {
    const struct sw_row *rows;
    bool by_id;
    struct sort_entry *entries;
    struct sort_entry *scratch; /* half as many */
};

static int
sort_compare_numbers(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int
sort_compare_active(uint32_t a, uint32_t b)
{
    if (a == SW_UNKNOWN || b == SW_UNKNOWN) {
        return sort_compare_numbers(a, b);
    }
    return sort_compare_numbers(b, a);
}

static uint32_t
sort_presence(const struct sw_row *row)
{
    return (row->user.data != NULL ? 1u : 0u) | (row->client_type.data != NULL ? 2u : 0u) |
           (row->transport.data != NULL ? 4u : 0u);
}

static int
sort_compare_rows(const struct sw_row *a, const struct sw_row *b)
{
    int order = sw_row_compare_key(a, b, UINT32_MAX);
    order = order != 0 ? order : sort_compare_active(a->active, b->active);
    order = order != 0 ? order : sort_compare_numbers(a->opens, b->opens);
    order = order != 0 ? order : sort_compare_numbers(a->idle, b->idle);
    order = order != 0 ? order : (a->guest > b->guest) - (a->guest < b->guest);
    return order != 0 ? order : sort_compare_numbers(sort_presence(a), sort_presence(b));
}

static bool
sort_is_after(const struct sort *sort, const struct sort_entry *a, const struct sort_entry *b)
{
    if (a->head != b->head) {
        return a->head > b->head;
    }
    if (a->tail != b->tail) {
        return a->tail > b->tail;
    }
    const struct sw_row *row_a = &sort->rows[a->index];
    const struct sw_row *row_b = &sort->rows[b->index];
    return (sort->by_id ? sw_str_compare(row_a->id, row_b->id) : sort_compare_rows(row_a, row_b)) >
           0;
}

static void
sort_insert(const struct sort *sort, struct sort_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct sort_entry entry = entries[i];
        size_t at = i;
        for (; at > 0 && sort_is_after(sort, &entries[at - 1], &entry); at--) {
            entries[at] = entries[at - 1];
        }
        entries[at] = entry;
    }
}

static void
sort_merge(const struct sort *sort, struct sort_entry *entries, size_t half, size_t count)
{
    size_t left = 0;
    size_t right = half;
    size_t out = 0;
    memcpy(sort->scratch, entries, half * sizeof(*entries));
    while (left < half && right < count) {
        if (sort_is_after(sort, &sort->scratch[left], &entries[right])) {
            entries[out++] = entries[right++];
        } else {
            entries[out++] = sort->scratch[left++];
        }
    }
    memcpy(&entries[out], &sort->scratch[left], (half - left) * sizeof(*entries));
}

/* A merge sort of our own: the C library's may be a quicksort that strangers' names can make
 * quadratic, and it calls through a pointer for each comparison. */
static void
sort_run(const struct sort *sort, struct sort_entry *entries, size_t count)
{
    if (count <= SORT_SMALL) {
        sort_insert(sort, entries, count);
        return;
    }
    size_t half = count / 2;
    sort_run(sort, entries, half);
    sort_run(sort, entries + half, count - half);
    if (sort_is_after(sort, &entries[half - 1], &entries[half])) {
        sort_merge(sort, entries, half, count);
    }
}

static struct sw_str
sort_first_name(const struct sort *sort, size_t index)
{
    return sort->by_id ? sort->rows[index].id : sort->rows[index].client;
}

/* How many bytes all rows begin with alike ("\\192.168."): they would only fill the entries. */
static size_t
sort_common_size(const struct sort *sort, size_t count)
{
    struct sw_str first = sort_first_name(sort, 0);
    size_t common = first.size;
    for (size_t i = 1; i < count && common > 0; i++) {
        struct sw_str name = sort_first_name(sort, i);
        size_t max = name.size < common ? name.size : common;
        common = 0;
        while (common < max && name.data[common] == first.data[common]) {
            common++;
        }
    }
    return common;
}

/* Eight bytes from `from` on as a number that sorts as they do; what is missing counts as 0, and
 * whoever finds two equal looks at the names themselves. */
static uint64_t
sort_prefix(struct sw_str name, size_t from)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) {
        unsigned char byte = from + i < name.size ? (unsigned char)name.data[from + i] : 0;
        prefix = prefix << 8 | byte;
    }
    return prefix;
}

bool
sw_row_sort(const struct sw_row *rows, size_t count, bool by_id, uint32_t *order)
{
    if (count == 0) {
        return true;
    }
    struct sort sort = {.rows = rows, .by_id = by_id};
    sort.entries = malloc(count * sizeof(*sort.entries));
    sort.scratch = malloc((count / 2 + 1) * sizeof(*sort.scratch));
    bool ok = sort.entries != NULL && sort.scratch != NULL;
    if (ok) {
        size_t common = sort_common_size(&sort, count);
        for (size_t i = 0; i < count; i++) {
            struct sw_str name = sort_first_name(&sort, i);
            sort.entries[i] = (struct sort_entry){
                sort_prefix(name, common), sort_prefix(name, common + 8), (uint32_t)i};
        }
        sort_run(&sort, sort.entries, count);
        for (size_t i = 0; i < count; i++) {
            order[i] = sort.entries[i].index;
        }
    }
    free(sort.entries);
    free(sort.scratch);
    return ok;
}
