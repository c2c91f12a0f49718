#include "agent/journal/journal_sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"

#define SQL_BUSY_MS     250
#define SQL_CACHE_KIB   "256"
#define SQL_WAL_KEPT    "4194304"
#define SQL_CHUNK_BYTES (256 << 10)

static const char *const sql_texts[SQL_COUNT] = {
#define X(name, sql) [SQL_##name] = sql,
    JOURNAL_STATEMENTS(X)
#undef X
};

void
sql_note(struct journal_sql *sql, int rc)
{
    if (sql->rc != SQLITE_OK || rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE) {
        return;
    }
    sql->rc = rc;
    snprintf(sql->reason, sizeof(sql->reason), "%s",
        sql->db != NULL ? sqlite3_errmsg(sql->db) : sqlite3_errstr(rc));
}

void
sql_note_damage(struct journal_sql *sql, const char *format, ...)
{
    if (sql->rc == SQLITE_OK) {
        va_list args;
        va_start(args, format);
        vsnprintf(sql->reason, sizeof(sql->reason), format, args);
        va_end(args);
        sql->rc = SQLITE_CORRUPT;
    }
}

bool
sql_is_damage(int rc)
{
    return (rc & 0xFF) == SQLITE_CORRUPT || (rc & 0xFF) == SQLITE_NOTADB;
}

static const char *
sql_remedy(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_FULL:
        return "; make room on the disk";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another program is writing to it: close it";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
        return "; it must be a plain file that we may read and write, in a folder of ours";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "; it is replaced when it is opened again";
    default:
        return "";
    }
}

bool
sql_error(const struct journal_sql *sql, struct sw_err *err)
{
    sw_err_set(err, "journal %s: %s%s", sql->path, sql->reason, sql_remedy(sql->rc));
    if (err != NULL) {
        err->code = sql->rc;
    }
    return false;
}

void
sql_exec(struct journal_sql *sql, const char *text)
{
    if (sql->rc == SQLITE_OK) {
        sql_note(sql, sqlite3_exec(sql->db, text, NULL, NULL, NULL));
    }
}

int64_t
sql_pragma(struct journal_sql *sql, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    int64_t number = 0;
    if (sql->rc == SQLITE_OK) {
        sql_note(sql, sqlite3_prepare_v2(sql->db, text, -1, &stmt, NULL));
    }
    if (sql->rc == SQLITE_OK) {
        int rc = sqlite3_step(stmt);
        sql_note(sql, rc);
        number = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    }
    sqlite3_finalize(stmt);
    return number;
}

/* The default hook would checkpoint and keep quiet about what it met. */
static int
sql_on_wal(void *context, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct journal_sql *)context)->wal_frames = frames;
    return SQLITE_OK;
}

/* The path as a file: URI (RFC 3986 §2.1); the caller frees it. */
static char *
sql_uri(const struct journal_sql *sql)
{
    struct sw_buf buf;
    sw_buf_init(&buf, 16384);
    sw_buf_add_text(&buf, "file:");
    for (const char *at = sql->path; *at != '\0'; at++) {
        if (*at == '%' || *at == '?' || *at == '#') {
            sw_buf_printf(&buf, "%%%02X", (unsigned)(unsigned char)*at);
        } else {
            sw_buf_add_char(&buf, *at);
        }
    }
    sw_buf_add_text(&buf, sql->immutable ? "?immutable=1" : "");
    return sw_buf_take(&buf);
}

void
sql_connect(struct journal_sql *sql, int flags)
{
    sql->rc = SQLITE_OK;
    sql->flags = flags;
    sql->wal_frames = 0;
    char *uri = sql_uri(sql);
    int rc = sqlite3_open_v2(uri, &sql->db,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW |
            SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI,
        sql->vfs);
    free(uri);
    sql_note(sql, rc);
    if (sql->rc != SQLITE_OK) {
        return;
    }
    sqlite3_busy_timeout(sql->db, SQL_BUSY_MS);
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sql_exec(sql, "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                  "PRAGMA cache_size = -" SQL_CACHE_KIB ";");
    if ((flags & SQLITE_OPEN_READONLY) == 0) {
        /* auto_vacuum counts only before the first table is there; journal_mode writes it. */
        sql_exec(sql, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
                      "PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;"
                      "PRAGMA journal_size_limit = " SQL_WAL_KEPT ";");
        sqlite3_wal_hook(sql->db, sql_on_wal, sql);
        int chunk = SQL_CHUNK_BYTES;
        sqlite3_file_control(sql->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
    }
    sql->page_size = sql_pragma(sql, "PRAGMA page_size");
}

void
sql_prepare(struct journal_sql *sql)
{
    for (size_t i = 0; i < SQL_COUNT && sql->rc == SQLITE_OK; i++) {
        sql_note(sql, sqlite3_prepare_v3(sql->db, sql_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                          &sql->statements[i], NULL));
    }
}

void
sql_disconnect(struct journal_sql *sql, bool keep_wal)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(sql->statements[i]);
        sql->statements[i] = NULL;
    }
    if (sql->db != NULL && keep_wal) {
        sqlite3_db_config(sql->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    sqlite3_close(sql->db);
    sql->db = NULL;
}

struct sql_use
sql_use(struct journal_sql *sql, enum journal_statement which)
{
    return (struct sql_use){sql, sql->rc == SQLITE_OK ? sql->statements[which] : NULL, 0};
}

void
sql_put_int(struct sql_use *use, int64_t number)
{
    if (use->stmt != NULL) {
        sql_note(use->sql, sqlite3_bind_int64(use->stmt, ++use->column, number));
    }
}

void
sql_put_uint(struct sql_use *use, uint64_t number)
{
    sql_put_int(use, (int64_t)number);
}

void
sql_put_time(struct sql_use *use, int64_t at_ns)
{
    if (at_ns != SW_TIME_NONE) {
        sql_put_int(use, at_ns);
    } else if (use->stmt != NULL) {
        sql_note(use->sql, sqlite3_bind_null(use->stmt, ++use->column));
    }
}

void
sql_put_text(struct sql_use *use, const char *text)
{
    if (use->stmt != NULL) {
        sql_note(use->sql, sqlite3_bind_text(use->stmt, ++use->column, text != NULL ? text : "", -1,
                               SQLITE_STATIC));
    }
}

void
sql_put_bytes(struct sql_use *use, const void *bytes, size_t size)
{
    if (use->stmt != NULL) {
        sql_note(use->sql, sqlite3_bind_blob64(use->stmt, ++use->column, size > 0 ? bytes : "",
                               size, SQLITE_STATIC));
    }
}

bool
sql_step(struct sql_use *use)
{
    if (use->stmt == NULL || use->sql->rc != SQLITE_OK) {
        return false;
    }
    int rc = sqlite3_step(use->stmt);
    sql_note(use->sql, rc);
    use->column = 0;
    return rc == SQLITE_ROW;
}

int64_t
sql_take_int(struct sql_use *use)
{
    return sqlite3_column_int64(use->stmt, use->column++);
}

uint64_t
sql_take_uint(struct sql_use *use)
{
    return (uint64_t)sql_take_int(use);
}

int64_t
sql_take_time(struct sql_use *use)
{
    bool is_none = sqlite3_column_type(use->stmt, use->column) == SQLITE_NULL;
    int64_t at_ns = sql_take_int(use);
    return is_none ? SW_TIME_NONE : at_ns;
}

void
sql_take_text(struct sql_use *use, char **member)
{
    sw_state_set(member, (const char *)sqlite3_column_text(use->stmt, use->column++));
}

struct sw_str
sql_take_bytes(struct sql_use *use)
{
    const char *data = sqlite3_column_blob(use->stmt, use->column);
    int size = sqlite3_column_bytes(use->stmt, use->column++);
    return data != NULL ? (struct sw_str){data, (size_t)size} : SW_STR("");
}

void
sql_end(struct sql_use *use)
{
    if (use->stmt != NULL) {
        sqlite3_reset(use->stmt);
        sqlite3_clear_bindings(use->stmt);
        use->stmt = NULL;
    }
}

void
sql_run(struct sql_use *use)
{
    sql_step(use);
    sql_end(use);
}

int64_t
sql_number(struct journal_sql *sql, enum journal_statement which, int64_t otherwise)
{
    struct sql_use use = sql_use(sql, which);
    int64_t number = otherwise;
    if (sql_step(&use) && sqlite3_column_type(use.stmt, 0) != SQLITE_NULL) {
        number = sql_take_int(&use);
    }
    sql_end(&use);
    return number;
}

void
sql_begin(struct journal_sql *sql)
{
    if (sql->stuck) {
        sql_disconnect(sql, true);
        sql_connect(sql, sql->flags);
        sql_prepare(sql);
        sql->stuck = sql->rc != SQLITE_OK;
    } else {
        sql->rc = SQLITE_OK;
    }
    struct sql_use use = sql_use(sql, SQL_BEGIN);
    sql_run(&use);
}

void
sql_rollback(struct journal_sql *sql)
{
    /* Some failures have rolled back already; ROLLBACK would then fail and say nothing new. */
    if (sql->db != NULL && !sqlite3_get_autocommit(sql->db)) {
        sqlite3_step(sql->statements[SQL_ROLLBACK]);
        sqlite3_reset(sql->statements[SQL_ROLLBACK]);
        sql->stuck = !sqlite3_get_autocommit(sql->db);
    }
}

/* The file grows before the WAL says that it has grown: a checkpoint then never needs space, and
 * one that can be made is all it takes to write on a full disk again. */
static void
sql_reserve(struct journal_sql *sql)
{
    sqlite3_int64 size = sql_number(sql, SQL_PAGE_COUNT, 0) * sql->page_size;
    if (sql->rc != SQLITE_OK) {
        return;
    }
    int rc = sqlite3_file_control(sql->db, "main", SQLITE_FCNTL_SIZE_HINT, &size);
    if (rc != SQLITE_OK && rc != SQLITE_NOTFOUND) {
        sql->rc = SQLITE_FULL;
        snprintf(sql->reason, sizeof(sql->reason), "%s", sqlite3_errstr(SQLITE_FULL));
    }
}

bool
sql_commit(struct journal_sql *sql)
{
    sql_reserve(sql);
    struct sql_use use = sql_use(sql, SQL_COMMIT);
    sql_run(&use);
    if (sql->rc == SQLITE_OK) {
        return true;
    }
    sql_rollback(sql);
    return false;
}

void
sql_checkpoint(struct journal_sql *sql, bool now)
{
    if (now || sql->wal_frames >= sql->checkpoint_frames) {
        int frames = 0;
        /* A failure costs nothing: the frames are durable where they are, and the next commit
         * tries again. */
        if (sqlite3_wal_checkpoint_v2(sql->db, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, NULL) ==
            SQLITE_OK) {
            sql->wal_frames = 0;
        }
    }
}
