/*
 * What one look saw: an immutable, sorted set of sessions. A builder takes rows in any order from
 * a source; sw_builder_finish filters, sorts and hands out the snapshot. Snapshots are never
 * changed afterwards, so threads share them without locks.
 *
 * Names are kept as the bytes that came (identity uses them). Only a name over SW_NAME_MAX bytes
 * is replaced when it is added: its first 1 KiB (cut at a code point), "…" and the SHA-256 of the
 * whole in hex, so that two long names that differ anywhere stay different.
 */
#ifndef SW_SNAPSHOT_H
#define SW_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/string.h"

#define SW_NAME_MAX 4096       /* bytes */
#define SW_ROWS_MAX 4000000    /* rows of one look */
#define SW_UNKNOWN  UINT32_MAX /* opens, active, idle: not reported */

/* Servers that subtract clocks of different ages report ages near 2^32; above this an `active` is
 * a clock error and counts as not reported (smb-sessions: Samba after a step back). */
#define SW_ACTIVE_MAX 0x7FFFFFFFu

enum sw_reported {
    SW_REPORTED_ID = 1 << 0,
    SW_REPORTED_USER = 1 << 1,
    SW_REPORTED_CLIENT_TYPE = 1 << 2,
    SW_REPORTED_TRANSPORT = 1 << 3,
    SW_REPORTED_OPENS = 1 << 4,
    SW_REPORTED_ACTIVE = 1 << 5,
    SW_REPORTED_IDLE = 1 << 6,
    SW_REPORTED_GUEST = 1 << 7,
};

/* One session as reported. A string that was not reported has data == NULL. */
struct sw_row {
    struct sw_str id;     /* the server's own; unique within a snapshot */
    struct sw_str client; /* always reported; as it came, not normalised */
    struct sw_str user;
    struct sw_str client_type;
    struct sw_str transport;
    uint32_t opens;
    uint32_t active; /* seconds since the session began */
    uint32_t idle;   /* seconds */
    int8_t guest;    /* -1: not reported */
};

#define SW_ROW_EMPTY                                                                               \
    ((struct sw_row){.opens = SW_UNKNOWN, .active = SW_UNKNOWN, .idle = SW_UNKNOWN, .guest = -1})

struct sw_snapshot {
    /* Sorted: with ids by id, else by (client, user, client_type, transport), within equal keys
     * by active, oldest first, unknown last. Strings lie in the arena in the same order. */
    const struct sw_row *rows;
    size_t count;
    unsigned reported; /* SW_REPORTED_*: what any row has; ID only if all rows have one */
    struct sw_str server;
    int64_t taken_at_ns; /* wall clock, end of the look */
    int64_t took_ns;
    int level;   /* the server's information level; -1: not said */
    char *arena; /* private */
};

/* A glob list; borrowed from the configuration. */
struct sw_globs {
    const char *const *patterns;
    size_t count;
};

/* What a look found beside rows. A source fills what it knows. */
struct sw_look_facts {
    struct sw_str server; /* empty: the source's configured or default name */
    int64_t taken_at_ns;  /* SW_TIME_NONE: when the look returned */
    int64_t took_ns;      /* -1: measured by the poller */
    int level;            /* -1 */
    bool proven;          /* the source has made sure that what is missing is gone */
    bool server_stopped;  /* proven: the file server is not running */
    uint64_t half_open;   /* connections that are no sessions yet */
    int64_t position;     /* replay: where to go on after this look; -1 */
};

struct sw_builder; /* opaque */

struct sw_builder *sw_builder_new(void);
void sw_builder_free(struct sw_builder *builder);

/* Forgets rows and facts. */
void sw_builder_clear(struct sw_builder *builder);

/* Facts are plain data that source and poller fill; .server is copied by sw_builder_set_server. */
struct sw_look_facts *sw_builder_facts(struct sw_builder *builder);
void sw_builder_set_server(struct sw_builder *builder, struct sw_str server);

/* Copies the row's strings. An empty id is none, an `active` above SW_ACTIVE_MAX is unknown. false:
 * SW_ROWS_MAX rows, 1 GiB of names or the end of memory are reached. */
bool sw_builder_add(struct sw_builder *builder, const struct sw_row *row, struct sw_err *err);

size_t sw_builder_count(const struct sw_builder *builder);

/* Takes the rows out of the builder (facts stay): drops those whose user or client matches ignored
 * ones, sorts, and makes the snapshot; *ignored (may be NULL) counts the dropped. Fails when some
 * rows have an id and others not, or two have the same. The caller frees the snapshot. */
struct sw_snapshot *sw_builder_finish(struct sw_builder *builder, struct sw_globs ignore_users,
    struct sw_globs ignore_clients, size_t *ignored, struct sw_err *err);

/* The same without ignored rows, for rows that something belongs to: added[i] tells which row in
 * the order of adding (from 0) has become row i; added has room for sw_builder_count elements. */
struct sw_snapshot *
sw_builder_finish_tracked(struct sw_builder *builder, size_t *added, struct sw_err *err);

/* NULL is fine. */
void sw_snapshot_free(struct sw_snapshot *snapshot);

/* -1, 0, 1 over the key fields of both that are in the mask of SW_REPORTED_*; the client always
 * counts. A field not reported equals an empty one. */
int sw_row_compare_key(const struct sw_row *a, const struct sw_row *b, unsigned mask);

#endif
