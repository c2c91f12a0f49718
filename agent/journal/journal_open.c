/* Opening a journal: for the agent, which writes, repairs and migrates, and for `status`. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/journal/journal_sqlite.h"

static struct sqlite_journal *
open_new(const struct sw_journal_options *options, struct sw_err *err)
{
    char *path = journal_file_resolve(options->path, err);
    if (path == NULL) {
        return NULL;
    }
    struct sqlite_journal *store = sw_calloc(1, sizeof(*store));
    journal_init(&store->base, &journal_sqlite_class, options);
    store->sql.path = path;
    store->sql.vfs = options->vfs != NULL ? sw_strdup(options->vfs) : NULL;
    journal_sqlite_class.cap_changed(&store->base);
    return store;
}

static bool
open_load_meta(struct sqlite_journal *store, bool *clean)
{
    struct sql_use use = sql_use(&store->sql, SQL_META_GET);
    uint64_t next_seq = 1;
    bool found = sql_step(&use);
    if (found) {
        struct sw_str epoch = sql_take_bytes(&use);
        if (epoch.size == sizeof(store->base.epoch.bytes)) {
            memcpy(store->base.epoch.bytes, epoch.data, epoch.size);
        }
        *clean = sql_take_int(&use) != 0;
        next_seq = sql_take_uint(&use);
    }
    sql_end(&use);
    uint64_t last = sql_last_event(&store->sql);
    store->base.last_seq = last >= next_seq ? last : next_seq - 1;
    store->base.first_seq =
        (uint64_t)sql_number(&store->sql, SQL_CHUNK_OLDEST, (int64_t)store->base.last_seq + 1);
    store->base.wait.last = store->base.last_seq;
    return found;
}

static void
open_load_sinks(struct sqlite_journal *store)
{
    struct sql_use use = sql_use(&store->sql, SQL_SINK_LIST);
    while (sql_step(&use)) {
        struct sw_sink_state state = {0};
        sql_take_sink(&use, &state);
        journal_sink_add(&store->base, &state);
        sw_sink_state_fini(&state);
    }
    sql_end(&use);
}

static bool
open_load(struct sqlite_journal *store, bool *clean, struct sw_err *err)
{
    sql_prepare(&store->sql);
    bool found = open_load_meta(store, clean);
    open_load_sinks(store);
    if (store->sql.rc != SQLITE_OK) {
        return sql_error(&store->sql, err);
    }
    return found ||
           sw_err_set(err, "journal %s: its first row is missing; move the file away to begin anew",
               store->sql.path);
}

static bool
open_mark_running(struct sqlite_journal *store, struct sw_err *err)
{
    sql_begin(&store->sql);
    struct sql_use use = sql_use(&store->sql, SQL_META_CLEAN);
    sql_put_int(&use, 0);
    sql_run(&use);
    return sql_commit(&store->sql) || sql_error(&store->sql, err);
}

struct sw_journal *
journal_sqlite_open(const struct sw_journal_options *options, const struct journal_schema *schema,
    struct sw_journal_opened *opened, bool *damage, struct sw_err *err)
{
    *damage = false;
    struct sqlite_journal *store = open_new(options, err);
    if (store == NULL) {
        return NULL;
    }
    bool is_new = false;
    bool ok = journal_file_create(store->sql.path, err);
    if (ok) {
        sql_connect(&store->sql, SQLITE_OPEN_READWRITE);
        ok = store->sql.rc == SQLITE_OK || sql_error(&store->sql, err);
    }
    ok = ok && journal_schema_ensure(&store->sql, schema, options, &is_new, err) &&
         open_load(store, &opened->clean_stop, err) && open_mark_running(store, err) &&
         journal_sinks_forget(&store->base, options->now_ns, err);
    if (!ok) {
        *damage = sql_is_damage(store->sql.rc);
        store->base.damaged = *damage;
        sw_journal_close(&store->base, false);
        return NULL;
    }
    opened->is_new = is_new;
    journal_sqlite_class.cap_changed(&store->base); /* now the size of a page is known */
    store->is_open = true;
    return &store->base;
}

struct sw_journal *
journal_open_schema(const struct sw_journal_options *options, const struct journal_schema *schema,
    struct sw_journal_opened *opened, struct sw_err *err)
{
    *opened = (struct sw_journal_opened){0};
    journal_recover_finish(options->path);
    bool damage = journal_recover_is_marked(options->path);
    if (!damage) {
        struct sw_journal *journal = journal_sqlite_open(options, schema, opened, &damage, err);
        if (journal != NULL || !damage) {
            return journal;
        }
        sw_log(options->log, SW_LOG_ERROR, "journal", "%s", err != NULL ? err->text : "damaged");
    }
    struct sw_journal_opened saved = {0};
    if (!journal_recover(options, schema, &saved, err)) {
        return NULL;
    }
    struct sw_journal *journal = journal_sqlite_open(options, schema, opened, &damage, err);
    saved.clean_stop = false;
    *opened = saved;
    return journal;
}

struct sw_journal *
sw_journal_open(
    const struct sw_journal_options *options, struct sw_journal_opened *opened, struct sw_err *err)
{
    return journal_open_schema(options, &journal_schema, opened, err);
}

struct sw_journal *
sw_journal_open_readonly(const char *path, struct sw_err *err)
{
    struct sw_journal_options options = {.path = path};
    bool clean;
    if (!journal_file_exists(path)) {
        sw_err_set(err, "there is no journal at %s: the agent has not run yet", path);
        return NULL;
    }
    struct sqlite_journal *store = open_new(&options, err);
    if (store == NULL) {
        return NULL;
    }
    struct sw_buf wal;
    sw_buf_init(&wal, 16384);
    sw_buf_printf(&wal, "%s-wal", store->sql.path);
    /* Without a WAL nobody has it open, and SQLite would make one to read. */
    store->sql.immutable = !journal_file_exists(sw_buf_text(&wal));
    sw_buf_fini(&wal);
    store->base.read_only = true;
    sql_connect(&store->sql, SQLITE_OPEN_READONLY);
    bool ok = store->sql.rc == SQLITE_OK || sql_error(&store->sql, err);
    if (!ok || !journal_schema_check(&store->sql, err) || !open_load(store, &clean, err)) {
        sw_journal_close(&store->base, false);
        return NULL;
    }
    return &store->base;
}
