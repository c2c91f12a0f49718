/* The journal in SQLite: opening, closing, and the transactions of the contract. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/journal/journal_sqlite.h"

/* A checkpoint after so many frames keeps the WAL at about an eighth of a small cap. */
#define SQLITE_CHECKPOINT_MIN 32
#define SQLITE_CHECKPOINT_MAX 512

static bool
sqlite_fail(struct sqlite_journal *store, struct sw_err *err)
{
    if (sql_is_damage(store->sql.rc) && !store->base.damaged && !store->base.read_only) {
        store->base.damaged = true;
        journal_recover_mark(store->sql.path);
    }
    return sql_error(&store->sql, err);
}

/* Ends the transaction at hand; the checkpoint is not its business and may fail. */
static bool
sqlite_commit(struct sqlite_journal *store, struct sw_err *err)
{
    if (!sql_commit(&store->sql)) {
        return sqlite_fail(store, err);
    }
    sql_checkpoint(&store->sql, false);
    return true;
}

static void
sqlite_put_sinks(struct sqlite_journal *store)
{
    for (size_t i = 0; i < store->base.sink_count; i++) {
        if (store->base.sinks[i].dirty) {
            sql_put_sink(&store->sql, &store->base.sinks[i]);
        }
    }
}

static uint64_t
sqlite_incoming(const struct sw_journal_write *write)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < write->event_count; i++) {
        bytes += write->events[i].size + 16;
    }
    for (size_t i = 0; i < write->row_count; i++) {
        bytes += write->rows[i].body.size + 32;
    }
    return bytes;
}

static bool
sqlite_append_once(struct sqlite_journal *store, const struct sw_journal_write *write,
    struct journal_step *step, struct sw_err *err)
{
    sql_begin(&store->sql);
    if (!journal_trim(
            &store->base, &store->sql, sqlite_incoming(write), write->event_count, step, err)) {
        sql_rollback(&store->sql);
        return false;
    }
    sql_put_events(&store->sql, step->last_seq + 1, write->events, write->event_count);
    step->last_seq += write->event_count;
    if (write->source != NULL) {
        sql_put_source(&store->sql, write->source);
        sql_put_rows(&store->sql, write, !store->base.disk_full);
    }
    sqlite_put_sinks(store);
    return sqlite_commit(store, err);
}

/* After a failure. true: it was for want of space, and there may be some now. The WAL could not
 * grow; emptied into pages that the file has already, it need not, and then what all sinks have
 * passed is deleted to make room for what comes. */
static bool
sqlite_finds_space(struct sqlite_journal *store)
{
    if ((store->sql.rc & 0xFF) != SQLITE_FULL) {
        return false;
    }
    store->base.disk_full = true;
    sql_checkpoint(&store->sql, true);
    return true;
}

static bool
sqlite_append(struct sw_journal *journal, const struct sw_journal_write *write,
    struct journal_step *step, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    bool ok = sqlite_append_once(store, write, step, err);
    if (!ok && sqlite_finds_space(store)) {
        journal_step_begin(journal, step, write);
        ok = sqlite_append_once(store, write, step, err);
    }
    journal->disk_full = journal->disk_full && !ok;
    return ok;
}

static bool
sqlite_store_sinks_once(struct sqlite_journal *store, struct journal_step *step, struct sw_err *err)
{
    sql_begin(&store->sql);
    sqlite_put_sinks(store);
    journal_trim(&store->base, &store->sql, 0, 0, step, err);
    return sqlite_commit(store, err);
}

static bool
sqlite_store_sinks(struct sw_journal *journal, struct journal_step *step, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    bool ok = sqlite_store_sinks_once(store, step, err);
    if (!ok && sqlite_finds_space(store)) {
        journal_step_begin(journal, step, NULL);
        ok = sqlite_store_sinks_once(store, step, err);
    }
    return ok;
}

static bool
sqlite_remove_sink(struct sw_journal *journal, const char *name, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    sql_begin(&store->sql);
    struct sql_use use = sql_use(&store->sql, SQL_SINK_REMOVE);
    sql_put_text(&use, name);
    sql_run(&use);
    return sqlite_commit(store, err);
}

static bool
sqlite_read(struct sw_journal *journal, uint64_t after, size_t max_records,
    struct sw_journal_batch *batch, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    if (after >= journal->last_seq) {
        return true;
    }
    store->sql.rc = SQLITE_OK;
    sql_read_events(&store->sql, after, max_records, batch);
    return store->sql.rc == SQLITE_OK || sqlite_fail(store, err);
}

static bool
sqlite_load_source(struct sw_journal *journal, const char *name, struct sw_source_state *state,
    bool *found, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    store->sql.rc = SQLITE_OK;
    struct sql_use use = sql_use(&store->sql, SQL_SOURCE_GET);
    sql_put_text(&use, name);
    *found = sql_step(&use);
    if (*found) {
        sql_take_source(&use, state);
    }
    sql_end(&use);
    return store->sql.rc == SQLITE_OK || sqlite_fail(store, err);
}

static bool
sqlite_load_rows(struct sw_journal *journal, const char *source,
    bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *err),
    void *context, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    store->sql.rc = SQLITE_OK;
    bool ok = sql_each_row(&store->sql, source, each, context, err);
    return ok && (store->sql.rc == SQLITE_OK || sqlite_fail(store, err));
}

static bool
sqlite_list_sources(
    struct sw_journal *journal, struct sw_source_state **states, size_t *count, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    store->sql.rc = SQLITE_OK;
    struct sql_use use = sql_use(&store->sql, SQL_SOURCE_LIST);
    while (sql_step(&use)) {
        *states = sw_realloc(*states, *count + 1, sizeof(**states));
        struct sw_source_state *state = &(*states)[(*count)++];
        *state = (struct sw_source_state){0};
        sql_take_source(&use, state);
    }
    sql_end(&use);
    return store->sql.rc == SQLITE_OK || sqlite_fail(store, err);
}

static bool
sqlite_is_kept(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool
sqlite_keep_sources(
    struct sw_journal *journal, const char *const *names, size_t count, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    struct sw_source_state *states = NULL;
    size_t state_count = 0;
    bool ok = sqlite_list_sources(journal, &states, &state_count, err);
    if (ok) {
        sql_begin(&store->sql);
        for (size_t i = 0; i < state_count; i++) {
            static const enum journal_statement both[] = {SQL_BASELINE_CLEAR, SQL_SOURCE_REMOVE};
            for (size_t j = 0; j < 2 && !sqlite_is_kept(states[i].name, names, count); j++) {
                struct sql_use use = sql_use(&store->sql, both[j]);
                sql_put_text(&use, states[i].name);
                sql_run(&use);
            }
        }
        ok = sqlite_commit(store, err);
    }
    for (size_t i = 0; i < state_count; i++) {
        sw_source_state_fini(&states[i]);
    }
    free(states);
    return ok;
}

static bool
sqlite_reject(struct sw_journal *journal, const char *sink, uint64_t seq, struct sw_str body,
    const char *reason, int64_t now_ns, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    sql_begin(&store->sql);
    struct sql_use use = sql_use(&store->sql, SQL_REJECTED_ADD);
    sql_put_text(&use, sink);
    sql_put_uint(&use, seq);
    sql_put_time(&use, now_ns);
    sql_put_text(&use, reason);
    sql_put_bytes(&use, body.data, body.size);
    sql_run(&use);
    use = sql_use(&store->sql, SQL_REJECTED_CUT);
    sql_put_int(&use, sqlite3_last_insert_rowid(store->sql.db) - JOURNAL_REJECTED_MAX);
    sql_run(&use);
    return sqlite_commit(store, err);
}

static bool
sqlite_used(struct sw_journal *journal, uint64_t *bytes, struct sw_err *err)
{
    struct sqlite_journal *store = sqlite_of(journal);
    store->sql.rc = SQLITE_OK;
    *bytes = journal_trim_used(&store->sql);
    return store->sql.rc == SQLITE_OK || sqlite_fail(store, err);
}

static void
sqlite_cap_changed(struct sw_journal *journal)
{
    struct journal_sql *sql = &sqlite_of(journal)->sql;
    uint64_t page_size = sql->page_size > 0 ? (uint64_t)sql->page_size : 4096;
    uint64_t frames = journal->max_size / 16 / page_size;
    if (journal->max_size == 0 || frames > SQLITE_CHECKPOINT_MAX) {
        frames = SQLITE_CHECKPOINT_MAX;
    }
    sql->checkpoint_frames = frames < SQLITE_CHECKPOINT_MIN ? SQLITE_CHECKPOINT_MIN : (int)frames;
}

static void
sqlite_close(struct sw_journal *journal, bool clean)
{
    struct sqlite_journal *store = sqlite_of(journal);
    bool writes = !journal->read_only && !journal->damaged && store->sql.db != NULL;
    if (writes && store->is_open) {
        struct sw_err err;
        struct journal_step step;
        journal_step_begin(journal, &step, NULL);
        sql_begin(&store->sql);
        sqlite_put_sinks(store);
        struct sql_use use = sql_use(&store->sql, SQL_META_CLEAN);
        sql_put_int(&use, clean);
        sql_run(&use);
        if (!sqlite_commit(store, &err)) {
            sw_log(journal->log, SW_LOG_WARN, "journal", "closing: %s", err.text);
        }
    }
    sql_disconnect(&store->sql, !writes || journal->damaged);
    free(store->sql.path);
    free(store->sql.vfs);
}

const struct journal_class journal_sqlite_class = {
    .append = sqlite_append,
    .store_sinks = sqlite_store_sinks,
    .remove_sink = sqlite_remove_sink,
    .read = sqlite_read,
    .load_source = sqlite_load_source,
    .load_rows = sqlite_load_rows,
    .list_sources = sqlite_list_sources,
    .keep_sources = sqlite_keep_sources,
    .reject = sqlite_reject,
    .used = sqlite_used,
    .cap_changed = sqlite_cap_changed,
    .close = sqlite_close,
};
