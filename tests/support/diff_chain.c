#include "tests/support/diff_chain.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"

void
diff_chain_init(struct diff_chain *chain, uint64_t seed)
{
    *chain = (struct diff_chain){.seed = seed};
    chain->ids = (struct sw_uuid_source){.random = sw_uuid_seeded_random, .context = &chain->seed};
}

void
diff_chain_fini(struct diff_chain *chain)
{
    sw_diff_fini(&chain->diff);
    sw_baseline_free(&chain->old);
}

void
diff_chain_look(struct diff_chain *chain, const struct sw_row *rows, size_t count, int64_t wall_ns,
    int64_t boot_ns, int64_t took_ns)
{
    struct sw_globs none = {NULL, 0};
    struct sw_builder *builder = sw_builder_new();
    sw_builder_facts(builder)->taken_at_ns = wall_ns;
    sw_builder_facts(builder)->took_ns = took_ns;
    for (size_t i = 0; i < count; i++) {
        if (!sw_builder_add(builder, &rows[i], NULL)) {
            abort();
        }
    }
    struct sw_snapshot *snapshot = sw_builder_finish(builder, none, none, NULL, NULL);
    sw_builder_free(builder);
    if (chain->diff.next.snapshot != NULL) {
        sw_baseline_free(&chain->old);
        chain->old = sw_diff_take_baseline(&chain->diff);
        sw_diff_fini(&chain->diff);
    }
    struct sw_diff_input input = {
        .old = chain->old.snapshot != NULL ? &chain->old : NULL,
        .boot_ns = boot_ns,
        .rules = &chain->rules,
        .ids = &chain->ids,
        .close_reason = chain->reason,
    };
    if (input.old != NULL) {
        const struct sw_snapshot *old = chain->old.snapshot;
        input.elapsed = sw_elapsed_between(
            chain->old.boot_ns, old->taken_at_ns, old->took_ns, boot_ns, wall_ns, took_ns);
    }
    sw_diff_run(&chain->diff, &input, &snapshot);
}

static int
chain_compare_ids(const void *a, const void *b)
{
    const struct sw_track *const *x = a;
    const struct sw_track *const *y = b;
    return sw_uuid_compare(&(*x)->session_id, &(*y)->session_id);
}

static bool
chain_ids_are_unique(const struct sw_baseline *baseline)
{
    size_t count = baseline->snapshot->count;
    const struct sw_track **tracks = sw_calloc(count, sizeof(*tracks));
    for (size_t i = 0; i < count; i++) {
        tracks[i] = &baseline->tracks[i];
    }
    qsort(tracks, count, sizeof(*tracks), chain_compare_ids);
    bool unique = count == 0 || !sw_uuid_is_nil(&tracks[0]->session_id);
    for (size_t i = 1; i < count && unique; i++) {
        unique = chain_compare_ids(&tracks[i - 1], &tracks[i]) != 0;
    }
    free(tracks);
    return unique;
}

static bool
chain_order_holds(const struct sw_diff *diff)
{
    for (size_t i = 1; i < diff->count; i++) {
        const struct sw_change *a = &diff->changes[i - 1];
        const struct sw_change *b = &diff->changes[i];
        if (a->kind > b->kind ||
            (a->kind == b->kind && a->kind == SW_CLOSED && a->old_row >= b->old_row) ||
            (a->kind == b->kind && a->kind != SW_CLOSED && a->new_row >= b->new_row)) {
            return false;
        }
    }
    return diff->count == diff->closed + diff->opened + diff->changed;
}

/* Counts into old_seen and new_seen where each row appears. */
static bool
chain_rows_hold(const struct diff_chain *chain, uint8_t *old_seen, uint8_t *new_seen)
{
    const struct sw_diff *diff = &chain->diff;
    for (size_t i = 0; i < diff->next.snapshot->count; i++) {
        if (diff->from[i] == SW_NO_ROW) {
            continue;
        }
        const struct sw_track *before = &chain->old.tracks[diff->from[i]];
        const struct sw_track *after = &diff->next.tracks[i];
        new_seen[i]++;
        old_seen[diff->from[i]]++;
        if (sw_uuid_compare(&before->session_id, &after->session_id) != 0 ||
            before->start_ns != after->start_ns || before->start_from != after->start_from) {
            return false;
        }
    }
    for (size_t i = 0; i < diff->count; i++) {
        const struct sw_change *change = &diff->changes[i];
        if (change->kind == SW_CLOSED) {
            old_seen[change->old_row]++;
        } else if (change->kind == SW_OPENED) {
            new_seen[change->new_row]++;
        } else if (diff->from[change->new_row] != change->old_row || change->fields == 0) {
            return false;
        }
    }
    return true;
}

static bool
chain_all_ones(const uint8_t *seen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (seen[i] != 1) {
            return false;
        }
    }
    return true;
}

bool
diff_chain_holds(const struct diff_chain *chain, const char **problem)
{
    const struct sw_diff *diff = &chain->diff;
    size_t old_count = chain->old.snapshot != NULL ? chain->old.snapshot->count : 0;
    size_t new_count = diff->next.snapshot->count;
    uint8_t *old_seen = sw_calloc(old_count, 1);
    uint8_t *new_seen = sw_calloc(new_count, 1);
    *problem = NULL;
    if (!chain_rows_hold(chain, old_seen, new_seen)) {
        *problem = "a session that goes on changed its id or start";
    } else if (!chain_all_ones(old_seen, old_count)) {
        *problem = "an old row is missing or there twice";
    } else if (!chain_all_ones(new_seen, new_count)) {
        *problem = "a new row is missing or there twice";
    } else if (!chain_order_holds(diff)) {
        *problem = "changes are not in order";
    } else if (!chain_ids_are_unique(&diff->next)) {
        *problem = "a session id is there twice";
    }
    free(old_seen);
    free(new_seen);
    return *problem == NULL;
}
