/*
 * Baselines. What a look changes of a source's sessions becomes an entry behind those that are
 * there; of a session that comes again the last counts. When what lies behind the whole baseline
 * has become more than that, a whole one is written in the place of all. So a session costs a few
 * copies of its bytes, where a row of its own would cost a search, and about twice its room.
 *
 * Stored form of an entry, for each of its sessions: id (16 bytes), size (4 bytes, little endian;
 * ROWS_GONE: the session goes), body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/journal/journal_sql.h"

#define ROWS_BYTES ((size_t)16 << 10) /* an entry is full; one large session may be more */
#define ROWS_GONE  UINT32_MAX
#define ROWS_ID    sizeof(((struct sw_uuid *)NULL)->bytes)
#define ROWS_HEAD  (ROWS_ID + 4)
#define ROWS_LOOK  8          /* every so many entries it is asked whether they are too much; */
#define ROWS_SLACK (16 << 10) /* so many bytes never are */
#define ROWS_MAX   ((size_t)2 << 30)

/* Entries on the way into the table. */
struct rows_writer {
    struct journal_sql *sql;
    const char *source;
    uint64_t number;
    bool whole;
    struct sw_buf bytes;
};

/* A baseline as it was read. */
struct rows_place {
    struct sw_uuid id;
    size_t at; /* of the id in bytes */
};
struct rows {
    struct sw_buf bytes;
    struct rows_place *places; /* one a session once rows_merge is through */
    size_t count;
    size_t capacity;
};

static void
rows_flush(struct rows_writer *writer)
{
    if (writer->bytes.failed) {
        sql_note(writer->sql, SQLITE_NOMEM);
    }
    if (writer->bytes.size > 0) {
        struct sql_use use = sql_use(writer->sql, SQL_BASELINE_ADD);
        sql_put_text(&use, writer->source);
        sql_put_uint(&use, writer->number++);
        sql_put_int(&use, writer->whole);
        sql_put_bytes(&use, writer->bytes.data, writer->bytes.size);
        sql_run(&use);
        sw_buf_clear(&writer->bytes);
    }
}

static void
rows_write(struct rows_writer *writer, const struct sw_journal_row *row)
{
    uint32_t size = row->body.data != NULL ? (uint32_t)row->body.size : ROWS_GONE;
    size_t needed = ROWS_HEAD + row->body.size;
    if (writer->bytes.size > 0 && writer->bytes.size + needed > ROWS_BYTES) {
        rows_flush(writer);
    }
    sw_buf_add(&writer->bytes, row->id.bytes, ROWS_ID);
    for (size_t byte = 0; byte < 4; byte++) {
        sw_buf_add_char(&writer->bytes, (char)(size >> (8 * byte) & 0xFF));
    }
    sw_buf_add(&writer->bytes, row->body.data, size != ROWS_GONE ? row->body.size : 0);
}

static uint32_t
rows_size_at(const struct rows *rows, size_t at)
{
    uint32_t size = 0;
    for (size_t byte = 0; byte < 4; byte++) {
        size |= (uint32_t)(unsigned char)rows->bytes.data[at + ROWS_ID + byte] << (8 * byte);
    }
    return size;
}

/* Notes where the sessions of the entry are that begins there. false: it is damaged. */
static bool
rows_find(struct rows *rows, size_t at)
{
    while (at < rows->bytes.size) {
        size_t left = rows->bytes.size - at;
        uint32_t size = left >= ROWS_HEAD ? rows_size_at(rows, at) : 0;
        size_t body = size != ROWS_GONE ? size : 0;
        if (left < ROWS_HEAD || body > SW_JOURNAL_EVENT_MAX || body > left - ROWS_HEAD) {
            return false;
        }
        if (rows->count == rows->capacity) {
            rows->capacity = rows->capacity > 0 ? 2 * rows->capacity : 64;
            rows->places = sw_realloc(rows->places, rows->capacity, sizeof(*rows->places));
        }
        struct rows_place *place = &rows->places[rows->count++];
        memcpy(place->id.bytes, rows->bytes.data + at, ROWS_ID);
        place->at = at;
        at += ROWS_HEAD + body;
    }
    return true;
}

static int
rows_compare(const void *a, const void *b)
{
    const struct rows_place *left = a;
    const struct rows_place *right = b;
    int order = sw_uuid_compare(&left->id, &right->id);
    return order != 0 ? order : (left->at > right->at) - (left->at < right->at);
}

/* Leaves of each session the last place, and none where it goes there. */
static void
rows_merge(struct rows *rows)
{
    size_t kept = 0;
    if (rows->count > 0) {
        qsort(rows->places, rows->count, sizeof(*rows->places), rows_compare);
    }
    for (size_t i = 0; i < rows->count; i++) {
        const struct rows_place *place = &rows->places[i];
        bool is_last = i + 1 == rows->count || sw_uuid_compare(&place->id, &place[1].id) != 0;
        if (is_last && rows_size_at(rows, place->at) != ROWS_GONE) {
            rows->places[kept++] = *place;
        }
    }
    rows->count = kept;
}

static struct sw_journal_row
rows_get(const struct rows *rows, size_t index)
{
    const struct rows_place *place = &rows->places[index];
    return (struct sw_journal_row){
        place->id, {rows->bytes.data + place->at + ROWS_HEAD, rows_size_at(rows, place->at)}};
}

static void
rows_read(struct journal_sql *sql, const char *source, struct rows *rows)
{
    *rows = (struct rows){.bytes = {.max = ROWS_MAX}};
    struct sql_use use = sql_use(sql, SQL_BASELINE_LIST);
    sql_put_text(&use, source);
    while (sql_step(&use)) {
        size_t at = rows->bytes.size;
        struct sw_str entry = sql_take_bytes(&use);
        sw_buf_add(&rows->bytes, entry.data, entry.size);
        if (rows->bytes.failed) {
            sql_note(sql, SQLITE_NOMEM);
        } else if (!rows_find(rows, at)) {
            sql_note_damage(sql, "the sessions of source '%s' are damaged", source);
        }
    }
    sql_end(&use);
    rows_merge(rows);
}

static void
rows_fini(struct rows *rows)
{
    sw_buf_fini(&rows->bytes);
    free(rows->places);
}

static void
rows_clear(struct journal_sql *sql, const char *source)
{
    struct sql_use use = sql_use(sql, SQL_BASELINE_CLEAR);
    sql_put_text(&use, source);
    sql_run(&use);
}

static uint64_t
rows_number(struct journal_sql *sql, enum journal_statement which, const char *source)
{
    struct sql_use use = sql_use(sql, which);
    sql_put_text(&use, source);
    int64_t number = sql_step(&use) ? sql_take_int(&use) : 0;
    sql_end(&use);
    return number > 0 ? (uint64_t)number : 0;
}

/* A whole baseline takes the place of all entries. */
static void
rows_tidy(struct journal_sql *sql, const char *source)
{
    struct rows rows;
    struct rows_writer writer = {sql, source, 0, true, {.max = ROWS_MAX}};
    rows_read(sql, source, &rows);
    rows_clear(sql, source);
    for (size_t i = 0; i < rows.count && sql->rc == SQLITE_OK; i++) {
        struct sw_journal_row row = rows_get(&rows, i);
        rows_write(&writer, &row);
    }
    rows_flush(&writer);
    sw_buf_fini(&writer.bytes);
    rows_fini(&rows);
}

void
sql_put_rows(struct journal_sql *sql, const struct sw_journal_write *write, bool may_tidy)
{
    const char *source = write->source->name;
    struct rows_writer writer = {sql, source, 0, write->replace_rows, {.max = ROWS_MAX}};
    if (write->replace_rows) {
        rows_clear(sql, source);
    } else if (write->row_count > 0) {
        writer.number = rows_number(sql, SQL_BASELINE_NEXT, source);
    }
    uint64_t looked = writer.number / ROWS_LOOK;
    for (size_t i = 0; i < write->row_count; i++) {
        rows_write(&writer, &write->rows[i]);
    }
    rows_flush(&writer);
    sw_buf_fini(&writer.bytes);
    if (may_tidy && !write->replace_rows && writer.number / ROWS_LOOK != looked &&
        rows_number(sql, SQL_BASELINE_EXCESS, source) > ROWS_SLACK) {
        rows_tidy(sql, source);
    }
}

bool
sql_each_row(struct journal_sql *sql, const char *source,
    bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *err),
    void *context, struct sw_err *err)
{
    struct rows rows;
    bool ok = true;
    rows_read(sql, source, &rows);
    for (size_t i = 0; i < rows.count && ok && sql->rc == SQLITE_OK; i++) {
        struct sw_journal_row row = rows_get(&rows, i);
        ok = each(context, &row, err);
    }
    rows_fini(&rows);
    return ok;
}
