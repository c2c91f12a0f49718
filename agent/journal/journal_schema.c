/* The tables, their version, and bringing an older file up to date. */
#include <stdio.h>
#include <string.h>

#include "agent/base/uuid.h"
#include "agent/journal/journal_sql.h"

#define SCHEMA_STRING(x)  SCHEMA_STRING_(x)
#define SCHEMA_STRING_(x) #x

/* Names and order are for people with sqlite3 too; `SELECT *` in journal_sql.h relies on it.
 * Times are nanoseconds since 1970 UTC, NULL: never. next_seq is a floor for sequence numbers: the
 * newest chunk always stays, so that its last number + 1 is the next one without writing it each
 * time. chunk.events: journal_chunk.h, seq is the number of the first; baseline.rows:
 * journal_rows.c. */
static const char schema_tables[] =
    "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), epoch BLOB NOT NULL,"
    " clean INTEGER NOT NULL, next_seq INTEGER NOT NULL, written_by TEXT NOT NULL);"
    "CREATE TABLE chunk (seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, events BLOB NOT NULL);"
    "CREATE TABLE source (name TEXT PRIMARY KEY, type TEXT NOT NULL, identity TEXT NOT NULL,"
    " server TEXT NOT NULL, status INTEGER NOT NULL, since_ns INTEGER, last_look_ns INTEGER,"
    " last_boot_ns INTEGER, boot_id TEXT NOT NULL, last_took_ns INTEGER NOT NULL,"
    " reported INTEGER NOT NULL, level INTEGER NOT NULL, sessions INTEGER NOT NULL,"
    " has_baseline INTEGER NOT NULL, position INTEGER NOT NULL, flooded INTEGER NOT NULL,"
    " changes_from_ns INTEGER, changes_count INTEGER NOT NULL, error TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE baseline (source TEXT NOT NULL, number INTEGER NOT NULL, whole INTEGER NOT NULL,"
    " rows BLOB NOT NULL, PRIMARY KEY (source, number)) WITHOUT ROWID;"
    "CREATE TABLE sink (name TEXT PRIMARY KEY, type TEXT NOT NULL, position INTEGER NOT NULL,"
    " sent INTEGER NOT NULL, rejected INTEGER NOT NULL, passed_over INTEGER NOT NULL,"
    " cut INTEGER NOT NULL, dropped INTEGER NOT NULL, drop_first INTEGER NOT NULL, drop_last "
    "INTEGER NOT NULL,"
    " drop_count INTEGER NOT NULL, last_sent_ns INTEGER, answer TEXT NOT NULL,"
    " answer_ns INTEGER, paused INTEGER NOT NULL, absent_since_ns INTEGER) WITHOUT ROWID;"
    "CREATE TABLE rejected (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, seq INTEGER NOT NULL,"
    " at_ns INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL);";

/* Version 1, an event a row, was never released. */
static const char *const schema_migrations[] = {NULL, NULL};

const struct journal_schema journal_schema = {JOURNAL_VERSION, schema_migrations};

static void
schema_set_version(struct journal_sql *sql, int version)
{
    char text[64];
    snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
    sql_exec(sql, text);
}

/* BEGIN here is not the prepared one: statements are prepared once the tables are there. */
static bool
schema_end(struct journal_sql *sql, struct sw_err *err)
{
    sql_exec(sql, "COMMIT");
    if (sql->rc == SQLITE_OK) {
        return true;
    }
    sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
    return sql_error(sql, err);
}

static bool
schema_create(struct journal_sql *sql, const struct sw_journal_options *options, int version,
    struct sw_err *err)
{
    struct sw_uuid epoch = {{0}};
    sqlite3_stmt *stmt = NULL;
    if (options->ids != NULL) {
        epoch = sw_uuid_make(options->ids, options->now_ns);
    }
    sql_exec(sql, "BEGIN IMMEDIATE");
    sql_exec(sql, schema_tables);
    sql_exec(sql, "PRAGMA application_id = " SCHEMA_STRING(JOURNAL_APPLICATION_ID));
    schema_set_version(sql, version);
    if (sql->rc == SQLITE_OK) {
        sql_note(sql, sqlite3_prepare_v2(sql->db,
                          "INSERT INTO meta VALUES (1, ?, 1, 1, 'sharewatch " SW_VERSION "')", -1,
                          &stmt, NULL));
    }
    if (sql->rc == SQLITE_OK) {
        sqlite3_bind_blob(stmt, 1, epoch.bytes, sizeof(epoch.bytes), SQLITE_STATIC);
        sql_note(sql, sqlite3_step(stmt));
    }
    sqlite3_finalize(stmt);
    return schema_end(sql, err);
}

/* A copy of the whole as it is now, complete or not there: VACUUM INTO a new name, then renamed.
 * One that is there already is of an earlier try at the same migration and is kept. */
static bool
schema_back_up(struct journal_sql *sql, int64_t version, struct sw_err *err)
{
    char kept[1024];
    char partial[1040];
    if (snprintf(kept, sizeof(kept), "%s.v%lld", sql->path, (long long)version) >=
        (int)sizeof(kept)) {
        return sw_err_set(err, "journal %s: the path is too long", sql->path);
    }
    snprintf(partial, sizeof(partial), "%s.part", kept);
    if (journal_file_exists(kept)) {
        return true;
    }
    journal_file_remove(partial);
    if (!journal_file_create(partial, err)) {
        return false;
    }
    char *text = sqlite3_mprintf("VACUUM INTO %Q", partial);
    sql_exec(sql, text);
    sqlite3_free(text);
    if (sql->rc == SQLITE_OK && journal_file_move(partial, kept, NULL)) {
        return true;
    }
    bool is_ours = sql->rc == SQLITE_OK;
    journal_file_remove(partial);
    sql->rc = is_ours ? SQLITE_CANTOPEN : sql->rc;
    return is_ours ? sw_err_set(err, "journal %s: cannot keep the old file as %s", sql->path, kept)
                   : sql_error(sql, err);
}

static bool
schema_migrate(
    struct journal_sql *sql, const struct journal_schema *schema, int64_t from, struct sw_err *err)
{
    if (!schema_back_up(sql, from, err)) {
        return sw_err_wrap(
            err, "keep the journal as it is before it is brought to version %d", schema->version);
    }
    sql_exec(sql, "BEGIN IMMEDIATE");
    for (int64_t version = from; version < schema->version; version++) {
        const char *step = schema->migrations[version];
        if (step == NULL) {
            sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
            return sw_err_set(err, "journal %s: version %lld is none that was ever released",
                sql->path, (long long)version);
        }
        sql_exec(sql, step);
    }
    schema_set_version(sql, schema->version);
    return schema_end(sql, err);
}

static bool
schema_is_ours(struct journal_sql *sql, int64_t *version, int ours, struct sw_err *err)
{
    int64_t id = sql_pragma(sql, "PRAGMA application_id");
    *version = sql_pragma(sql, "PRAGMA user_version");
    if (sql->rc != SQLITE_OK) {
        return sql_error(sql, err);
    }
    if (id != JOURNAL_APPLICATION_ID) {
        return sw_err_set(err,
            "%s is a database, but not a journal of sharewatch: move it away or set another "
            "state_dir",
            sql->path);
    }
    if (*version > ours) {
        return sw_err_set(err,
            "journal %s has version %lld, written by a newer sharewatch; this one knows %d: "
            "install the newer one again, or move the file away to begin anew",
            sql->path, (long long)*version, ours);
    }
    return true;
}

bool
journal_schema_ensure(struct journal_sql *sql, const struct journal_schema *schema,
    const struct sw_journal_options *options, bool *is_new, struct sw_err *err)
{
    int64_t version;
    int64_t tables = sql_pragma(sql, "SELECT count(*) FROM sqlite_schema");
    if (sql->rc != SQLITE_OK) {
        return sql_error(sql, err);
    }
    *is_new = tables == 0;
    if (*is_new) {
        return schema_create(sql, options, schema->version, err);
    }
    if (!schema_is_ours(sql, &version, schema->version, err)) {
        return false;
    }
    return version == schema->version || schema_migrate(sql, schema, version, err);
}

bool
journal_schema_check(struct journal_sql *sql, struct sw_err *err)
{
    int64_t version;
    if (!schema_is_ours(sql, &version, JOURNAL_VERSION, err)) {
        return false;
    }
    if (version < JOURNAL_VERSION) {
        return sw_err_set(err,
            "journal %s has version %lld: the agent brings it to %d when it starts", sql->path,
            (long long)version, JOURNAL_VERSION);
    }
    return true;
}
