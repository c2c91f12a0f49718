/*
 * The SQLite side of the journal: one connection, every statement prepared once, and a sticky
 * result: the first failure is kept in sql->rc, everything after it does nothing, and the end of
 * the transaction tells. For the journal*.c files and their tests only.
 */
#ifndef SW_JOURNAL_SQL_H
#define SW_JOURNAL_SQL_H

#include <sqlite3.h>

#include "agent/journal/journal_chunk.h"
#include "agent/journal/journal_private.h"

#define JOURNAL_APPLICATION_ID 0x53574A4C /* "SWJL" */
#define JOURNAL_VERSION        2

/* X(NAME, "SQL"). All are prepared when the journal is opened. */
#define JOURNAL_STATEMENTS(X)                                                                      \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(CHUNK_ADD, "INSERT INTO chunk (seq, count, events) VALUES (?, ?, ?)")                        \
    X(CHUNK_READ, "SELECT seq, count, events FROM chunk WHERE seq >= "                             \
                  "ifnull((SELECT max(seq) FROM chunk WHERE seq <= ?), 0) ORDER BY seq")           \
    X(CHUNK_NEWEST, "SELECT seq, count, events FROM chunk ORDER BY seq DESC LIMIT 1")              \
    X(CHUNK_OLDEST, "SELECT min(seq) FROM chunk")                                                  \
    X(CHUNK_AT, "SELECT max(seq) FROM chunk WHERE seq <= ?")                                       \
    X(CHUNK_BEHIND, "SELECT min(seq) FROM chunk WHERE seq > ?")                                    \
    X(CHUNK_OVERLAP, "SELECT seq + count > ? FROM chunk WHERE seq <= ? ORDER BY seq DESC LIMIT 1") \
    X(CHUNK_CUT, "DELETE FROM chunk WHERE seq < ?")                                                \
    X(SOURCE_PUT, "INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "  \
                  "?, ?, ?, ?, "                                                                   \
                  "?, ?)")                                                                         \
    X(SOURCE_GET, "SELECT * FROM source WHERE name = ?")                                           \
    X(SOURCE_LIST, "SELECT * FROM source")                                                         \
    X(SOURCE_REMOVE, "DELETE FROM source WHERE name = ?")                                          \
    X(BASELINE_ADD, "INSERT INTO baseline (source, number, whole, rows) VALUES (?, ?, ?, ?)")      \
    X(BASELINE_NEXT, "SELECT max(number) + 1 FROM baseline WHERE source = ?")                      \
    X(BASELINE_EXCESS, "SELECT sum(iif(whole, -length(rows), length(rows))) FROM baseline "        \
                       "WHERE source = ?")                                                         \
    X(BASELINE_CLEAR, "DELETE FROM baseline WHERE source = ?")                                     \
    X(BASELINE_LIST, "SELECT rows FROM baseline WHERE source = ? ORDER BY number")                 \
    X(SINK_PUT,                                                                                    \
        "INSERT OR REPLACE INTO sink VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")     \
    X(SINK_LIST, "SELECT * FROM sink")                                                             \
    X(SINK_REMOVE, "DELETE FROM sink WHERE name = ?")                                              \
    X(REJECTED_ADD,                                                                                \
        "INSERT INTO rejected (sink, seq, at_ns, reason, body) VALUES (?, ?, ?, ?, ?)")            \
    X(REJECTED_CUT, "DELETE FROM rejected WHERE id <= ?")                                          \
    X(META_GET, "SELECT epoch, clean, next_seq FROM meta")                                         \
    X(META_NEXT, "UPDATE meta SET next_seq = max(next_seq, ?)")                                    \
    X(META_CLEAN, "UPDATE meta SET clean = ?")                                                     \
    X(PAGE_COUNT, "PRAGMA page_count")                                                             \
    X(FREE_COUNT, "PRAGMA freelist_count")                                                         \
    X(VACUUM, "PRAGMA incremental_vacuum(256)")

enum journal_statement {
#define X(name, sql) SQL_##name,
    JOURNAL_STATEMENTS(X)
#undef X
        SQL_COUNT
};

struct journal_sql {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    int rc;           /* sticky: SQLITE_OK, or the first failure's extended code */
    char reason[160]; /* of that failure */
    char *path;
    char *vfs;             /* NULL: the default */
    int flags;             /* SQLITE_OPEN_*, as given to sql_connect */
    bool immutable;        /* only read, and nobody has it open: no -wal and -shm are made */
    bool stuck;            /* a transaction could not be ended: connect anew */
    int wal_frames;        /* after the last commit */
    int checkpoint_frames; /* so many frames in the WAL make a checkpoint */
    int64_t page_size;
};

/* ---- journal_sql.c */

/* Opens the connection and sets its pragmas; no statement is prepared. The result is in sql->rc. */
void sql_connect(struct journal_sql *sql, int flags);
void sql_prepare(struct journal_sql *sql);
/* keep_wal: nothing is written into the database and the WAL stays. */
void sql_disconnect(struct journal_sql *sql, bool keep_wal);

/* Notes a failure, once. */
void sql_note(struct journal_sql *sql, int rc);
/* Notes damage that SQLite does not see. */
void sql_note_damage(struct journal_sql *sql, const char *format, ...) SW_PRINTF(2, 3);
/* The sticky result says that the file is not what SQLite wrote. */
bool sql_is_damage(int rc);
/* Puts the sticky result into err with the remedy. Returns false. */
bool sql_error(const struct journal_sql *sql, struct sw_err *err);

/* Runs SQL without parameters and results that is not prepared. */
void sql_exec(struct journal_sql *sql, const char *text);
int64_t sql_pragma(struct journal_sql *sql, const char *text);

/* One use of a prepared statement: bind in order of columns, step, take in order of columns, end.
 */
struct sql_use {
    struct journal_sql *sql;
    sqlite3_stmt *stmt; /* NULL: the transaction has failed already */
    int column;
};

struct sql_use sql_use(struct journal_sql *sql, enum journal_statement which);
void sql_put_int(struct sql_use *use, int64_t number);
void sql_put_uint(struct sql_use *use, uint64_t number);
void sql_put_time(struct sql_use *use, int64_t at_ns); /* SW_TIME_NONE is NULL */
void sql_put_text(struct sql_use *use, const char *text);
void sql_put_bytes(struct sql_use *use, const void *bytes, size_t size);
/* true: a row is there to be taken. */
bool sql_step(struct sql_use *use);
int64_t sql_take_int(struct sql_use *use);
uint64_t sql_take_uint(struct sql_use *use);
int64_t sql_take_time(struct sql_use *use);
void sql_take_text(struct sql_use *use, char **member);
struct sw_str sql_take_bytes(struct sql_use *use); /* valid until the next step or end */
void sql_end(struct sql_use *use);
/* Steps a statement without result and ends it. */
void sql_run(struct sql_use *use);
/* The first column of the first row, or otherwise. */
int64_t sql_number(struct journal_sql *sql, enum journal_statement which, int64_t otherwise);

/* Clears the sticky result and begins a transaction. */
void sql_begin(struct journal_sql *sql);
/* Commits, or rolls back when anything failed. true: it is committed and durable. */
bool sql_commit(struct journal_sql *sql);
/* Ends the transaction, undoing all of it. */
void sql_rollback(struct journal_sql *sql);
/* Moves the WAL into the database when it has grown to its limit, or now. */
void sql_checkpoint(struct journal_sql *sql, bool now);

/* ---- journal_columns.c: structs to rows and back. */

void sql_put_source(struct journal_sql *sql, const struct sw_source_state *state);
void sql_take_source(struct sql_use *use, struct sw_source_state *state);
void sql_put_sink(struct journal_sql *sql, const struct journal_sink *sink);
void sql_take_sink(struct sql_use *use, struct sw_sink_state *state);

/* ---- journal_events.c: events in chunks. */

/* Stores the events under the numbers from first on. */
void
sql_put_events(struct journal_sql *sql, uint64_t first, const struct sw_str *events, size_t count);
/* Takes a row of seq, count and events, valid until the next step or end. false: it is damaged. */
bool sql_take_chunk(struct sql_use *use, struct journal_chunk *chunk);
/* Copies what lies behind `after` and fits into the batch. */
void sql_read_events(
    struct journal_sql *sql, uint64_t after, size_t max_records, struct sw_journal_batch *batch);
/* The largest number stored; 0: none, or the sticky result tells why. */
uint64_t sql_last_event(struct journal_sql *sql);

/* ---- journal_rows.c: baselines. */

/* Stores what the write says of its source's rows; may_tidy: also what takes space at first. */
void sql_put_rows(struct journal_sql *sql, const struct sw_journal_write *write, bool may_tidy);
/* Calls each() for every row until it fails. false: it did; the sticky result tells the rest. */
bool sql_each_row(struct journal_sql *sql, const char *source,
    bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *err),
    void *context, struct sw_err *err);

/* ---- journal_schema.c */

/* What brings a database from one version to the next. */
struct journal_schema {
    int version;                   /* ours */
    const char *const *migrations; /* [v]: from version v to v + 1 */
};
extern const struct journal_schema journal_schema;

/* Makes the tables of an empty database, or checks the one that is there and brings it to our
 * version (the old file is kept as PATH.vN). *is_new. false with err; sql->rc tells damage. */
bool journal_schema_ensure(struct journal_sql *sql, const struct journal_schema *schema,
    const struct sw_journal_options *options, bool *is_new, struct sw_err *err);
/* Only checks: for reading. */
bool journal_schema_check(struct journal_sql *sql, struct sw_err *err);

/* ---- journal_trim.c */

/* Deletes what may go, within the transaction at hand, so that incoming bytes fit. false with err:
 * they do not (sql->rc is untouched then). */
bool journal_trim(struct sw_journal *journal, struct journal_sql *sql, uint64_t incoming,
    size_t incoming_count, struct journal_step *step, struct sw_err *err);
uint64_t journal_trim_used(struct journal_sql *sql);

/* ---- journal_recover.c */

/* Copies what still reads of the damaged journal into a new one and puts that in its place; the
 * damaged files go to PATH.damaged-TIME. Fills in of opened what tells that. A crash at any point
 * leaves it to be done again, or done. */
bool journal_recover(const struct sw_journal_options *options, const struct journal_schema *schema,
    struct sw_journal_opened *opened, struct sw_err *err);
/* Ends a recovery that a crash has interrupted after its last step but one. */
void journal_recover_finish(const char *path);
/* Remembers beside the file that it is damaged, for the next opening. */
void journal_recover_mark(const char *path);
bool journal_recover_is_marked(const char *path);

/* ---- journal_files.c: what SQLite's VFS does not do. */

/* Makes path as an empty file that only we can read, if nothing is there. */
bool journal_file_create(const char *path, struct sw_err *err);
bool journal_file_exists(const char *path);
void journal_file_remove(const char *path);
/* Nothing to move is fine. */
bool journal_file_move(const char *from, const char *to, struct sw_err *err);
/* Removes the files PATH.damaged-TIME* but those of the newest `keep` times. */
void journal_file_prune_damaged(const char *path, size_t keep);
/* path + suffix, which the caller frees. */
char *journal_file_name(const char *path, const char *suffix);
/* path with the links of its folder resolved, so that SQLITE_OPEN_NOFOLLOW is about the file alone.
 * The caller frees it; NULL with err. */
char *journal_file_resolve(const char *path, struct sw_err *err);

#endif
