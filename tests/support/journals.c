#include "tests/support/journals.h"

#include <dirent.h>
#include <sqlite3.h>
#include <unistd.h>

#include "agent/base/memory.h"

void
journal_place_init(struct journal_place *place, bool is_ram)
{
    *place = (struct journal_place){.is_ram = is_ram, .seed = 7};
    place->ids = (struct sw_uuid_source){.random = sw_uuid_seeded_random, .context = &place->seed};
    place->options = (struct sw_journal_options){.max_size = (uint64_t)64 << 20,
        .on_full = SW_ON_FULL_OLDEST,
        .now_ns = INT64_C(1800000000000000000),
        .ids = &place->ids};
    if (!is_ram) {
        const char *tmp = getenv("TMPDIR");
        snprintf(place->folder, sizeof(place->folder), "%.40s/sw-journal-XXXXXX",
            tmp != NULL ? tmp : "/tmp");
        if (mkdtemp(place->folder) == NULL) {
            fail_msg("cannot make %s", place->folder);
        }
        snprintf(place->path, sizeof(place->path), "%s/journal.db", place->folder);
        place->options.path = place->path;
    }
}

void
journal_place_open(struct journal_place *place)
{
    struct sw_err err = {0};
    place->options.ids = &place->ids;
    place->ids.context = &place->seed;
    place->journal = place->is_ram ? sw_journal_open_ram(&place->options, place->fail_at, &err)
                                   : sw_journal_open(&place->options, &place->opened, &err);
    if (place->journal == NULL) {
        fail_msg("%s", err.text);
    }
}

void
journal_place_close(struct journal_place *place, bool clean)
{
    sw_journal_close(place->journal, clean);
    place->journal = NULL;
}

void
journal_place_reopen(struct journal_place *place)
{
    journal_place_close(place, true);
    journal_place_open(place);
}

void
journal_place_fini(struct journal_place *place)
{
    journal_place_close(place, true);
    if (place->is_ram) {
        return;
    }
    DIR *folder = opendir(place->folder);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[400];
        snprintf(path, sizeof(path), "%s/%s", place->folder, entry->d_name);
        unlink(path);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    rmdir(place->folder);
}

int64_t
journal_place_sql(const struct journal_place *place, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t number = 0;
    if (sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", place->path, sqlite3_errmsg(db));
    }
    sqlite3_busy_timeout(db, 1000);
    for (const char *rest = sql; *rest != '\0';) {
        if (sqlite3_prepare_v2(db, rest, -1, &stmt, &rest) != SQLITE_OK) {
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        }
        int rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) {
            number = sqlite3_column_int64(stmt, 0);
        } else if (rc != SQLITE_DONE) {
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        }
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
    return number;
}

bool
journal_put(struct sw_journal *journal, const char *prefix, size_t count, size_t size,
    uint64_t *last, struct sw_err *err)
{
    struct sw_str *events = sw_calloc(count, sizeof(*events));
    struct sw_buf buf;
    sw_buf_init(&buf, SIZE_MAX / 2);
    for (size_t i = 0; i < count; i++) {
        size_t from = buf.size;
        sw_buf_printf(&buf, "%s-%zu", prefix, i + 1);
        while (buf.size - from < size) {
            sw_buf_add_char(&buf, '.');
        }
        events[i].size = buf.size - from;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        events[i].data = buf.data + at;
        at += events[i].size;
    }
    struct sw_journal_write write = {.events = events, .event_count = count};
    bool ok = sw_journal_append(journal, &write, last, err);
    sw_buf_fini(&buf);
    free(events);
    return ok;
}

uint64_t
journal_must_put(struct sw_journal *journal, const char *prefix, size_t count, size_t size)
{
    struct sw_err err = {0};
    uint64_t last = 0;
    if (!journal_put(journal, prefix, count, size, &last, &err)) {
        fail_msg("%s", err.text);
    }
    return last;
}

void
journal_must_attach(struct sw_journal *journal, const char *sink, bool from_oldest)
{
    struct sw_err err = {0};
    struct sw_sink_state state = {0};
    if (!sw_journal_attach_sink(journal, sink, "file", from_oldest, 0, &state, &err)) {
        fail_msg("%s", err.text);
    }
    sw_sink_state_fini(&state);
}

void
journal_must_ack(struct sw_journal *journal, const char *sink, uint64_t position)
{
    struct sw_err err = {0};
    bool pending;
    struct sw_sink_state state = journal_sink(journal, sink);
    state.position = position;
    if (!sw_journal_ack(journal, &state, 0, &pending, &err)) {
        fail_msg("%s", err.text);
    }
    sw_sink_state_fini(&state);
}

struct sw_sink_state
journal_sink(struct sw_journal *journal, const char *sink)
{
    struct sw_err err = {0};
    struct sw_sink_state state = {0};
    bool found;
    if (!sw_journal_get_sink(journal, sink, &state, &found, &err) || !found) {
        fail_msg("sink %s: %s", sink, err.text);
    }
    return state;
}

struct sw_journal_usage
journal_usage(struct sw_journal *journal)
{
    struct sw_err err = {0};
    struct sw_journal_usage usage;
    if (!sw_journal_get_usage(journal, &usage, &err)) {
        fail_msg("%s", err.text);
    }
    return usage;
}

bool
journal_must_read(struct sw_journal *journal, uint64_t after, struct sw_journal_batch *batch)
{
    struct sw_err err = {0};
    if (!sw_journal_read(journal, after, 0, batch, &err)) {
        fail_msg("%s", err.text);
    }
    return batch->count > 0;
}

bool journal_test_in_file = false;
bool journal_test_in_ram = true;

int
journal_test_setup(void **state)
{
    struct journal_place *place = sw_calloc(1, sizeof(*place));
    journal_place_init(place, *(bool *)*state);
    journal_place_open(place);
    *state = place;
    return 0;
}

int
journal_test_teardown(void **state)
{
    journal_place_fini(*state);
    free(*state);
    return 0;
}
