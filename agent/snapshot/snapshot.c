#include "agent/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/snapshot/builder.h"
#include "agent/snapshot/row_ignore.h"
#include "agent/snapshot/row_sort.h"

static size_t
snapshot_drop_ignored(struct sw_builder *builder, struct sw_globs users, struct sw_globs clients)
{
    size_t kept = 0;
    size_t count = builder->count;
    if (users.count == 0 && clients.count == 0) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (!sw_row_is_ignored(&builder->rows[i], users, clients)) {
            builder->rows[kept++] = builder->rows[i];
        }
    }
    builder->count = kept;
    return count - kept;
}

/* Moves rows[order[i]] to i for all i, along the cycles; order is used up. */
static void
snapshot_arrange(struct sw_row *rows, uint32_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (order[i] == i) {
            continue;
        }
        struct sw_row first = rows[i];
        uint32_t at = (uint32_t)i;
        while (order[at] != i) {
            uint32_t from = order[at];
            rows[at] = rows[from];
            order[at] = at;
            at = from;
        }
        rows[at] = first;
        order[at] = at;
    }
}

static bool
snapshot_sort(struct sw_builder *builder, size_t *added, struct sw_err *err)
{
    bool by_id = builder->with_id > 0;
    size_t count = builder->count;
    if (by_id && count == 0) {
        return true;
    }
    uint32_t *order = malloc((count > 0 ? count : 1) * sizeof(*order));
    if (order == NULL || !sw_row_sort(builder->rows, count, by_id, order)) {
        free(order);
        return sw_err_set(err, "out of memory: %zu sessions cannot be sorted", count);
    }
    for (size_t i = 0; added != NULL && i < count; i++) {
        added[i] = order[i];
    }
    snapshot_arrange(builder->rows, order, count);
    free(order);
    return true;
}

static bool
snapshot_has_all_ids(const struct sw_builder *builder, struct sw_err *err)
{
    return builder->with_id == 0 || builder->with_id == builder->count ||
           sw_err_set(err, "%zu of %zu sessions have an id: all must have one, or none",
               builder->with_id, builder->count);
}

#define ID_SHOWN 64 /* bytes of an id in a message */

static bool
snapshot_check_ids(const struct sw_builder *builder, struct sw_err *err)
{
    for (size_t i = 1; i < builder->count; i++) {
        struct sw_str id = builder->rows[i].id;
        if (id.data != NULL && sw_str_equal(id, builder->rows[i - 1].id)) {
            struct sw_buf shown = {.max = ID_SHOWN * 8};
            id.size = sw_utf8_cut(id.data, id.size, ID_SHOWN);
            sw_text_printable(&shown, id);
            sw_err_set(err, "two sessions have the id '%s'", sw_buf_text(&shown));
            sw_buf_fini(&shown);
            return false;
        }
    }
    return true;
}

static struct sw_str *
row_name(struct sw_row *row, size_t i)
{
    struct sw_str *const names[] = {
        &row->id, &row->client, &row->user, &row->client_type, &row->transport};
    return names[i];
}

#define ROW_NAMES 5

/* Lets a name that equals the one of the row before share its bytes; returns how many bytes all
 * names then need. */
static size_t
rows_share_names(struct sw_row *rows, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < ROW_NAMES; n++) {
            struct sw_str *name = row_name(&rows[i], n);
            if (i > 0 && name->size > 0 && sw_str_equal(*name, *row_name(&rows[i - 1], n))) {
                *name = *row_name(&rows[i - 1], n);
            } else {
                size += name->size;
            }
        }
    }
    return size;
}

/* Copies the names into the arena in order of the rows; returns its first free byte. */
static char *
rows_move_names(struct sw_row *rows, size_t count, char *arena)
{
    struct sw_row before = SW_ROW_EMPTY; /* as it was, with the builder's pointers */
    for (size_t i = 0; i < count; i++) {
        struct sw_row old = rows[i];
        for (size_t n = 0; n < ROW_NAMES; n++) {
            struct sw_str *name = row_name(&rows[i], n);
            if (name->size == 0) {
                continue;
            }
            if (name->data == row_name(&before, n)->data) {
                name->data = row_name(&rows[i - 1], n)->data;
                continue;
            }
            memcpy(arena, name->data, name->size);
            name->data = arena;
            arena += name->size;
        }
        before = old;
    }
    return arena;
}

static unsigned
rows_reported(const struct sw_row *rows, size_t count)
{
    unsigned reported = 0;
    for (size_t i = 0; i < count; i++) {
        const struct sw_row *row = &rows[i];
        reported |= row->id.data != NULL ? SW_REPORTED_ID : 0u;
        reported |= row->user.data != NULL ? SW_REPORTED_USER : 0u;
        reported |= row->client_type.data != NULL ? SW_REPORTED_CLIENT_TYPE : 0u;
        reported |= row->transport.data != NULL ? SW_REPORTED_TRANSPORT : 0u;
        reported |= row->opens != SW_UNKNOWN ? SW_REPORTED_OPENS : 0u;
        reported |= row->active != SW_UNKNOWN ? SW_REPORTED_ACTIVE : 0u;
        reported |= row->idle != SW_UNKNOWN ? SW_REPORTED_IDLE : 0u;
        reported |= row->guest >= 0 ? SW_REPORTED_GUEST : 0u;
    }
    return reported;
}

/* Rows are sorted and sound: moves them and copies of all names into a snapshot. */
static struct sw_snapshot *
snapshot_make(struct sw_builder *builder, struct sw_err *err)
{
    size_t count = builder->count;
    struct sw_str server = builder->facts.server;
    size_t size = rows_share_names(builder->rows, count) + server.size;
    char *arena = malloc(size > 0 ? size : 1);
    if (arena == NULL) {
        sw_err_set(err, "out of memory: %zu bytes of names", size);
        return NULL;
    }
    char *end = rows_move_names(builder->rows, count, arena);
    if (server.size > 0) {
        memcpy(end, server.data, server.size);
    }
    struct sw_row *rows = sw_realloc(builder->rows, count, sizeof(*rows));
    builder->rows = NULL; /* moved to the snapshot */

    struct sw_snapshot *snapshot = sw_calloc(1, sizeof(*snapshot));
    *snapshot = (struct sw_snapshot){
        .rows = rows,
        .count = count,
        .reported = rows_reported(rows, count),
        .server = {server.size > 0 ? end : "", server.size},
        .taken_at_ns = builder->facts.taken_at_ns,
        .took_ns = builder->facts.took_ns,
        .level = builder->facts.level,
        .arena = arena,
    };
    return snapshot;
}

static struct sw_snapshot *
snapshot_finish(struct sw_builder *builder, size_t *added, struct sw_err *err)
{
    struct sw_snapshot *snapshot = NULL;
    if (snapshot_sort(builder, added, err) && snapshot_check_ids(builder, err)) {
        snapshot = snapshot_make(builder, err);
    }
    return snapshot;
}

struct sw_snapshot *
sw_builder_finish(struct sw_builder *builder, struct sw_globs ignore_users,
    struct sw_globs ignore_clients, size_t *ignored, struct sw_err *err)
{
    struct sw_snapshot *snapshot = NULL;
    size_t dropped = 0;
    if (snapshot_has_all_ids(builder, err)) {
        dropped = snapshot_drop_ignored(builder, ignore_users, ignore_clients);
        snapshot = snapshot_finish(builder, NULL, err);
    }
    if (ignored != NULL) {
        *ignored = dropped;
    }
    sw_builder_clear_rows(builder);
    return snapshot;
}

struct sw_snapshot *
sw_builder_finish_tracked(struct sw_builder *builder, size_t *added, struct sw_err *err)
{
    struct sw_snapshot *snapshot = NULL;
    if (snapshot_has_all_ids(builder, err)) {
        snapshot = snapshot_finish(builder, added, err);
    }
    sw_builder_clear_rows(builder);
    return snapshot;
}

void
sw_snapshot_free(struct sw_snapshot *snapshot)
{
    if (snapshot != NULL) {
        free((void *)(uintptr_t)snapshot->rows);
        free(snapshot->arena);
        free(snapshot);
    }
}

static int
row_compare_name(struct sw_str a, struct sw_str b)
{
    int order = sw_str_compare(a, b);
    return (order > 0) - (order < 0);
}

int
sw_row_compare_key(const struct sw_row *a, const struct sw_row *b, unsigned mask)
{
    int order = row_compare_name(a->client, b->client);
    if (order == 0 && (mask & SW_REPORTED_USER) != 0) {
        order = row_compare_name(a->user, b->user);
    }
    if (order == 0 && (mask & SW_REPORTED_CLIENT_TYPE) != 0) {
        order = row_compare_name(a->client_type, b->client_type);
    }
    if (order == 0 && (mask & SW_REPORTED_TRANSPORT) != 0) {
        order = row_compare_name(a->transport, b->transport);
    }
    return order;
}
