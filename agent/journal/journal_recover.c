/*
 * A damaged journal: what still reads goes into PATH.rescue, the damaged files move away together,
 * and PATH.rescue becomes PATH. Up to the first move the damaged journal is where it was, so a
 * crash begins anew; after it PATH is missing, and a complete PATH.rescue takes its place.
 *
 * The new journal has a new epoch, because numbers that were given may be in the part that does
 * not read; it goes on behind the largest number known all the same, so that positions stay what
 * they were. Baselines are not copied: the next look makes and tells new ones.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/time_text.h"
#include "agent/journal/journal_sqlite.h"

#define RECOVER_KEPT  3
#define RECOVER_BATCH 512 /* events of one transaction, about */

struct recover {
    struct journal_sql old;
    struct sqlite_journal *rescue;
    uint64_t from;  /* events up to here need not be saved */
    uint64_t last;  /* largest number known */
    uint64_t up_to; /* ascending has come to here */
    uint64_t saved_events;
    uint64_t committed_events;
    uint64_t saved_sinks;
};

void
journal_recover_mark(const char *path)
{
    char *mark = journal_file_name(path, ".is-damaged");
    (void)journal_file_create(mark, NULL);
    free(mark);
}

bool
journal_recover_is_marked(const char *path)
{
    char *mark = journal_file_name(path, ".is-damaged");
    bool is_marked = journal_file_exists(mark);
    free(mark);
    return is_marked;
}

static void
recover_unmark(const char *path)
{
    char *mark = journal_file_name(path, ".is-damaged");
    journal_file_remove(mark);
    free(mark);
}

/* Also what SQLite keeps beside it. */
static void
recover_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char *name = journal_file_name(path, suffixes[i]);
        journal_file_remove(name);
        free(name);
    }
}

void
journal_recover_finish(const char *path)
{
    char *rescue = journal_file_name(path, ".rescue");
    if (!journal_file_exists(path) && journal_file_exists(rescue)) {
        /* The WAL of the damaged database may be left: SQLite would play it into the new one. */
        recover_remove(path);
        if (journal_file_move(rescue, path, NULL)) {
            recover_unmark(path);
        }
    }
    free(rescue);
}

/* A statement on the damaged file; what it lacks or cannot read just ends the use of it. */
static struct sql_use
recover_query(struct recover *recover, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    recover->old.rc = SQLITE_OK;
    if (recover->old.db == NULL ||
        sqlite3_prepare_v2(recover->old.db, text, -1, &stmt, NULL) != SQLITE_OK) {
        stmt = NULL;
    }
    return (struct sql_use){&recover->old, stmt, 0};
}

static void
recover_note_last(struct recover *recover, uint64_t seq)
{
    recover->last = seq > recover->last ? seq : recover->last;
}

static void
recover_sinks(struct recover *recover)
{
    bool any_attached = false;
    struct sql_use use = recover_query(recover, "SELECT * FROM sink");
    while (sql_step(&use)) {
        struct sw_sink_state state = {0};
        sql_take_sink(&use, &state);
        recover_note_last(recover, state.position);
        if (state.absent_since_ns == SW_TIME_NONE &&
            (!any_attached || state.position < recover->from)) {
            recover->from = state.position;
            any_attached = true;
        }
        journal_sink_add(&recover->rescue->base, &state)->dirty = true;
        sw_sink_state_fini(&state);
        recover->saved_sinks++;
    }
    sqlite3_finalize(use.stmt);
    use = recover_query(recover, "SELECT next_seq FROM meta");
    if (sql_step(&use)) {
        uint64_t next = sql_take_uint(&use);
        recover_note_last(recover, next > 0 ? next - 1 : 0);
    }
    sqlite3_finalize(use.stmt);
}

/* A damaged page can name a number twice: the first counts. */
static bool
recover_is_there(struct journal_sql *sql, uint64_t first, uint64_t last)
{
    struct sql_use use = sql_use(sql, SQL_CHUNK_OVERLAP);
    sql_put_uint(&use, first);
    sql_put_uint(&use, last);
    bool is_there = sql_step(&use) && sql_take_int(&use) != 0;
    sql_end(&use);
    return is_there;
}

static void
recover_add_chunk(struct recover *recover, struct journal_chunk *chunk)
{
    struct journal_sql *sql = &recover->rescue->sql;
    struct sw_str events[JOURNAL_CHUNK_EVENTS];
    size_t count = 0;
    uint64_t last = chunk->end - 1;
    uint64_t seq;
    while (journal_chunk_next(chunk, &seq, &events[count])) {
        count += seq > recover->from;
    }
    if (count == 0 || recover_is_there(sql, last + 1 - count, last)) {
        return;
    }
    sql_put_events(sql, last + 1 - count, events, count);
    recover_note_last(recover, last);
    recover->saved_events += count;
    if (recover->saved_events - recover->committed_events >= RECOVER_BATCH && sql_commit(sql)) {
        recover->committed_events = recover->saved_events;
        sql_checkpoint(sql, false);
        sql_begin(sql);
    }
}

/* From the front until something does not read, then from the back to there. A chunk that reads
 * but is none is passed over. */
static void
recover_events(struct recover *recover, bool ascending)
{
    struct sql_use use = recover_query(recover,
        ascending ? "SELECT seq, count, events FROM chunk ORDER BY seq"
                  : "SELECT seq, count, events FROM chunk WHERE seq > ? ORDER BY seq DESC");
    if (!ascending) {
        sql_put_uint(&use, recover->up_to);
    }
    while (recover->rescue->sql.rc == SQLITE_OK && sql_step(&use)) {
        struct journal_chunk chunk;
        if (!sql_take_chunk(&use, &chunk)) {
            recover->old.rc = SQLITE_OK;
            continue;
        }
        if (ascending) {
            recover->up_to = chunk.seq;
        }
        recover_add_chunk(recover, &chunk);
    }
    sqlite3_finalize(use.stmt);
}

static bool
recover_copy(struct recover *recover, struct sw_err *err)
{
    struct journal_sql *sql = &recover->rescue->sql;
    struct journal_step step;
    recover_sinks(recover);
    sql_begin(sql);
    journal_step_begin(&recover->rescue->base, &step, NULL);
    for (size_t i = 0; i < recover->rescue->base.sink_count; i++) {
        sql_put_sink(sql, &recover->rescue->base.sinks[i]);
        recover->rescue->base.sinks[i].dirty = false;
    }
    recover_events(recover, true);
    if (recover->old.rc != SQLITE_OK) {
        recover_events(recover, false);
    }
    struct sql_use use = sql_use(sql, SQL_META_NEXT);
    sql_put_uint(&use, recover->last + 1);
    sql_run(&use);
    sql_commit(sql);
    /* The file is moved without its WAL: all must be in it. */
    if (sql->rc == SQLITE_OK) {
        sql_note(sql,
            sqlite3_wal_checkpoint_v2(sql->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
    }
    return sql->rc == SQLITE_OK || sql_error(sql, err);
}

static bool
recover_build(struct recover *recover, const struct sw_journal_options *options,
    const struct journal_schema *schema, const char *rescue, struct sw_err *err)
{
    struct sw_journal_options to = *options;
    struct sw_journal_opened opened = {0};
    bool damage;
    to.path = rescue;
    recover_remove(rescue);
    struct sw_journal *journal = journal_sqlite_open(&to, schema, &opened, &damage, err);
    if (journal == NULL) {
        return false;
    }
    recover->rescue = sqlite_of(journal);
    recover->old.path = journal_file_name(options->path, "");
    sql_connect(&recover->old, SQLITE_OPEN_READONLY);
    bool ok = recover_copy(recover, err);
    sql_disconnect(&recover->old, true);
    free(recover->old.path);
    sw_journal_close(journal, true);
    return ok;
}

/* PATH.damaged-YYYYMMDDTHHMMSSZ, a second later when that is taken. */
static void
recover_name(const char *path, int64_t now_ns, char *name, size_t size)
{
    do {
        struct sw_buf time;
        sw_buf_init(&time, 64);
        sw_time_add(&time, now_ns);
        const char *t = sw_buf_text(&time);
        snprintf(name, size, "%s.damaged-%.4s%.2s%.2sT%.2s%.2s%.2sZ", path, t, t + 5, t + 8, t + 11,
            t + 14, t + 17);
        sw_buf_fini(&time);
        now_ns += SW_NS_PER_S;
    } while (journal_file_exists(name));
}

/* The database goes first: without its WAL it must not be recovered anew. */
static bool
recover_move(const char *path, const char *to, struct sw_err *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    bool ok = true;
    for (size_t i = 0; i < 3 && ok; i++) {
        char *from = journal_file_name(path, suffixes[i]);
        char *name = journal_file_name(to, suffixes[i]);
        ok = journal_file_move(from, name, err);
        free(from);
        free(name);
    }
    return ok;
}

bool
journal_recover(const struct sw_journal_options *options, const struct journal_schema *schema,
    struct sw_journal_opened *opened, struct sw_err *err)
{
    struct recover recover = {0};
    char *rescue = journal_file_name(options->path, ".rescue");
    journal_recover_mark(options->path);
    recover_name(
        options->path, options->now_ns, opened->damaged_path, sizeof(opened->damaged_path));
    bool ok = recover_build(&recover, options, schema, rescue, err) &&
              recover_move(options->path, opened->damaged_path, err) &&
              journal_file_move(rescue, options->path, err);
    if (ok) {
        recover_unmark(options->path);
        journal_file_prune_damaged(options->path, RECOVER_KEPT);
        opened->replaced = true;
        opened->saved_events = recover.saved_events;
        opened->saved_sinks = recover.saved_sinks;
        sw_log(options->log, SW_LOG_ERROR, "journal",
            "%s was damaged and is now %s; saved from it: %" PRIu64 " events, %" PRIu64 " sinks",
            options->path, opened->damaged_path, recover.saved_events, recover.saved_sinks);
    } else {
        sw_err_wrap(err, "replace the damaged journal %s", options->path);
    }
    free(rescue);
    return ok;
}
