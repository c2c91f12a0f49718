#include "agent/diff/diff_merge.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"

#define KEPT_FIELDS                                                                                \
    (SW_REPORTED_USER | SW_REPORTED_CLIENT_TYPE | SW_REPORTED_TRANSPORT | SW_REPORTED_OPENS |      \
        SW_REPORTED_ACTIVE | SW_REPORTED_IDLE | SW_REPORTED_GUEST)

static uint32_t
merge_age(uint32_t age, const struct sw_elapsed *elapsed)
{
    int64_t passed_s = (elapsed->min_ns / 2 + elapsed->max_ns / 2 + SW_NS_PER_S / 2) / SW_NS_PER_S;
    bool is_known = age <= SW_ACTIVE_MAX && passed_s <= (int64_t)SW_ACTIVE_MAX - age;
    return is_known ? age + (uint32_t)passed_s : SW_UNKNOWN;
}

static struct sw_row
merge_row(const struct sw_match *match, const struct sw_row *old, const struct sw_row *now)
{
    unsigned kept = KEPT_FIELDS & ~match->now->reported;
    struct sw_row row = *now;
    row.user = (kept & SW_REPORTED_USER) != 0 ? old->user : row.user;
    row.client_type = (kept & SW_REPORTED_CLIENT_TYPE) != 0 ? old->client_type : row.client_type;
    row.transport = (kept & SW_REPORTED_TRANSPORT) != 0 ? old->transport : row.transport;
    row.opens = (kept & SW_REPORTED_OPENS) != 0 ? old->opens : row.opens;
    row.idle = (kept & SW_REPORTED_IDLE) != 0 ? old->idle : row.idle;
    row.guest = (kept & SW_REPORTED_GUEST) != 0 ? old->guest : row.guest;
    if ((kept & SW_REPORTED_ACTIVE) != 0) {
        row.active = merge_age(old->active, &match->elapsed);
    }
    return row;
}

/* NULL when there is no room for it. */
static struct sw_snapshot *
merge_build(const struct sw_match *match, size_t *added)
{
    struct sw_builder *builder = sw_builder_new();
    struct sw_look_facts *facts = sw_builder_facts(builder);
    const struct sw_snapshot *now = match->now;
    bool fits = true;
    facts->taken_at_ns = now->taken_at_ns;
    facts->took_ns = now->took_ns;
    facts->level = now->level;
    sw_builder_set_server(builder, now->server);
    for (size_t i = 0; i < now->count && fits; i++) {
        struct sw_row row = now->rows[i];
        if (match->from[i] != SW_NO_ROW) {
            row = merge_row(match, &match->old->snapshot->rows[match->from[i]], &row);
        }
        fits = sw_builder_add(builder, &row, NULL);
    }
    struct sw_snapshot *merged = fits ? sw_builder_finish_tracked(builder, added, NULL) : NULL;
    sw_builder_free(builder);
    return merged;
}

static void
merge_reorder(struct sw_match *match, const size_t *added, size_t count)
{
    size_t *from = sw_calloc(count, sizeof(*from));
    for (size_t i = 0; i < count; i++) {
        from[i] = match->from[added[i]];
        if (from[i] != SW_NO_ROW) {
            match->to[from[i]] = (uint32_t)i;
        }
    }
    memcpy(match->from, from, count * sizeof(*from));
    free(from);
}

void
sw_diff_merge(struct sw_match *match, struct sw_snapshot **snapshot)
{
    unsigned more = match->old->snapshot->reported & ~match->now->reported & KEPT_FIELDS;
    if (more == 0 || match->paired == 0) {
        return;
    }
    size_t count = match->now->count;
    size_t *added = sw_calloc(count, sizeof(*added));
    struct sw_snapshot *merged = merge_build(match, added);
    if (merged != NULL) {
        sw_snapshot_free(*snapshot);
        *snapshot = merged;
        match->now = merged;
        merge_reorder(match, added, count);
    }
    free(added);
}
