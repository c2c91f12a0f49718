#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/poller/poller_private.h"

#define ROWS_BYTES_MAX ((size_t)1 << 30)
#define ROWS_DRIFT_S   1

/* What the stored age would have grown to by now is off by more than the diff forgives. */
static bool
rows_age_is_stale(const struct sw_stored_age *stored, uint32_t active, int64_t now_ns)
{
    if (stored->active == SW_UNKNOWN || active == SW_UNKNOWN) {
        return stored->active != active;
    }
    int64_t off = (int64_t)active - sw_baseline_age(stored->active, stored->seen_ns, now_ns);
    return off > ROWS_DRIFT_S || off < -ROWS_DRIFT_S;
}

/* One bit a row of the next baseline: it must be written. */
static bool *
rows_to_write(const struct sw_diff *diff, const struct sw_baseline *old,
    const struct sw_stored_age *old_stored, bool all)
{
    const struct sw_snapshot *next = diff->next.snapshot;
    bool *write = sw_calloc(next->count, sizeof(*write));
    bool fields_changed = old == NULL || old->snapshot->reported != next->reported;
    for (size_t i = 0; i < next->count; i++) {
        size_t from = diff->from[i];
        write[i] = all || fields_changed || from == SW_NO_ROW ||
                   rows_age_is_stale(&old_stored[from], next->rows[i].active, next->taken_at_ns);
    }
    for (size_t i = 0; i < diff->count; i++) {
        if (diff->changes[i].kind == SW_CHANGED) {
            write[diff->changes[i].new_row] = true;
        }
    }
    return write;
}

static size_t
rows_add_closed(
    struct sw_row_writes *writes, const struct sw_diff *diff, const struct sw_baseline *old)
{
    size_t count = 0;
    for (size_t i = 0; i < diff->count; i++) {
        if (diff->changes[i].kind == SW_CLOSED) {
            writes->rows[count++] =
                (struct sw_journal_row){.id = old->tracks[diff->changes[i].old_row].session_id};
        }
    }
    return count;
}

bool
sw_row_writes_make(struct sw_row_writes *writes, const struct sw_diff *diff,
    const struct sw_baseline *old, const struct sw_stored_age *old_stored, bool all,
    struct sw_err *err)
{
    const struct sw_snapshot *next = diff->next.snapshot;
    bool *write = rows_to_write(diff, old, old_stored, all);
    size_t writing = 0;
    for (size_t i = 0; i < next->count; i++) {
        writing += write[i];
    }

    *writes = (struct sw_row_writes){0};
    sw_buf_init(&writes->bytes, ROWS_BYTES_MAX);
    writes->rows = sw_calloc(writing + diff->closed, sizeof(*writes->rows));
    writes->stored = sw_calloc(next->count, sizeof(*writes->stored));
    /* With `all` the old rows go as a whole. */
    size_t closed = all ? 0 : rows_add_closed(writes, diff, old);
    writes->count = closed;

    for (size_t i = 0; i < next->count; i++) {
        if (!write[i]) {
            writes->stored[i] = old_stored[diff->from[i]];
            continue;
        }
        size_t before = writes->bytes.size;
        sw_baseline_encode_row(
            &next->rows[i], &diff->next.tracks[i], next->taken_at_ns, &writes->bytes);
        writes->stored[i] = (struct sw_stored_age){next->taken_at_ns, next->rows[i].active};
        /* The buffer may still move: sizes now, addresses below. */
        writes->rows[writes->count++] = (struct sw_journal_row){
            .id = diff->next.tracks[i].session_id, .body.size = writes->bytes.size - before};
    }
    const char *at = sw_buf_text(&writes->bytes);
    for (size_t i = closed; i < writes->count; i++) {
        writes->rows[i].body.data = at;
        at += writes->rows[i].body.size;
    }
    free(write);
    return !writes->bytes.failed || sw_err_set(err, "the sessions' names exceed 1 GiB");
}

void
sw_row_writes_fini(struct sw_row_writes *writes)
{
    free(writes->rows);
    free(writes->stored);
    sw_buf_fini(&writes->bytes);
    *writes = (struct sw_row_writes){0};
}
