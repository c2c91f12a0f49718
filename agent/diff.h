/*
 * What changed between two looks at one server. Pure: baseline, snapshot, elapsed time and rules
 * in; changes and the next baseline out. No clock, no I/O, no logging; linear in the rows.
 *
 * With ids on both sides the id decides. Without, rows of equal key (client, user, client type,
 * transport: what both looks reported) are matched by how much `active` has grown, never by a
 * wall-clock start: clocks step, ages do not. The steps are told in diff_match.c.
 */
#ifndef SW_DIFF_H
#define SW_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/uuid.h"
#include "agent/snapshot.h"

enum sw_start_from { SW_START_SERVER, SW_START_SHARE, SW_START_FIRST_SEEN };

/* What we know of a followed session beside its row. */
struct sw_track {
    struct sw_uuid session_id;
    int64_t start_ns; /* as first told, never changed after */
    /* The values last told, which `changed` rules measure from. */
    uint32_t told_opens;
    uint32_t told_idle; /* seconds */
    int8_t told_guest;
    uint8_t start_from; /* enum sw_start_from */
};

/* The last complete look: snapshot (owned) and one track a row. */
struct sw_baseline {
    struct sw_snapshot *snapshot;
    struct sw_track *tracks;
    /* What the last look itself reported; rows may hold more, kept from looks before (but no ids,
     * which a snapshot has on all rows or on none). */
    unsigned reported;
    int64_t boot_ns; /* of the last complete look, clock that counts sleep; SW_TIME_NONE: of
                        another boot, or replayed */
};

void sw_baseline_free(struct sw_baseline *baseline);

/* Time since the last complete look: the smaller and larger of what the clocks say, widened by
 * both looks' durations. Never negative. */
struct sw_elapsed {
    int64_t min_ns;
    int64_t max_ns;
};

/* boot_ns of either look may be SW_TIME_NONE: then the wall clock alone counts. Times are ends of
 * looks, took_ns is how long each was before its end. */
struct sw_elapsed sw_elapsed_between(int64_t old_boot_ns, int64_t old_wall_ns, int64_t old_took_ns,
    int64_t new_boot_ns, int64_t new_wall_ns, int64_t new_took_ns);

struct sw_diff_rules {
    uint32_t opens_delta;           /* 0: opens are not told */
    const int64_t *idle_borders_ns; /* ascending bucket borders; none: idle is not told */
    size_t idle_border_count;
    bool flags; /* guest */
};

enum sw_change_kind { SW_CLOSED, SW_OPENED, SW_CHANGED };

enum sw_close_reason { SW_GONE, SW_SERVER_STOPPED, SW_NOTICED_AFTER_GAP, SW_USER_CHANGED };

/* What a SW_CHANGED tells. */
enum sw_changed_field {
    SW_CHANGED_OPENS = 1 << 0,
    SW_CHANGED_IDLE = 1 << 1,
    SW_CHANGED_GUEST = 1 << 2,
    SW_CHANGED_CLIENT = 1 << 3,
};

#define SW_NO_ROW SIZE_MAX

struct sw_change {
    enum sw_change_kind kind;
    enum sw_close_reason reason; /* of a close */
    unsigned fields;             /* of SW_CHANGED: enum sw_changed_field */
    size_t old_row;              /* in the old baseline; SW_NO_ROW for an open */
    size_t new_row;              /* in the next baseline; SW_NO_ROW for a close */
};

struct sw_diff {
    /* Closes, then opens, then changes; each in order of the rows. */
    struct sw_change *changes;
    size_t count;
    size_t capacity;
    size_t closed, opened, changed;
    /* The next baseline: takes the snapshot over. */
    struct sw_baseline next;
    /* For each row of next: the row of the old baseline it goes on from, or SW_NO_ROW. */
    size_t *from;
    /* Rows whose age grew by something else than the elapsed time: somebody's clock moved. */
    size_t clock_moved;
    int64_t clock_shift_s; /* median of by how much; 0 when none */
};

struct sw_diff_input {
    const struct sw_baseline *old; /* NULL: first look, all rows are opens */
    struct sw_elapsed elapsed;
    int64_t boot_ns; /* of the new look, or SW_TIME_NONE */
    const struct sw_diff_rules *rules;
    struct sw_uuid_source *ids; /* for session ids of opens; time is the snapshot's taken_at */
    /* Reason of ordinary closes: gone, or what the poller knows better. */
    enum sw_close_reason close_reason;
};

/* Moves *snapshot into diff->next (and sets *snapshot to NULL). `old` stays untouched and must
 * live as long as the diff is used. */
void
sw_diff_run(struct sw_diff *diff, const struct sw_diff_input *input, struct sw_snapshot **snapshot);

/* Moves the next baseline out; the caller frees it. */
struct sw_baseline sw_diff_take_baseline(struct sw_diff *diff);

/* Frees everything still held. A zeroed struct is fine. */
void sw_diff_fini(struct sw_diff *diff);

#endif
