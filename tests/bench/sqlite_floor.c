/*
 * The floor of the pipeline benchmark: a bare SQLite loop (WAL, synchronous=FULL) that writes the
 * events that a journal holds, a row each, so many rows a transaction.
 *
 *   bench_sqlite_floor JOURNAL NEW-FILE ROWS ROWS-PER-COMMIT events|all
 *
 * events: the events alone. all: with every event the baseline row that its look writes or
 * removes, in a table keyed by source and session. Prints rows a second.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/journal/journal_chunk.h"

#define BODIES_MAX 4096

struct body {
    void *bytes;
    int size;
};

struct floor {
    sqlite3 *db;
    sqlite3_stmt *event;
    sqlite3_stmt *session;
    sqlite3_stmt *gone;
    struct body bodies[BODIES_MAX];
    int count;
};

static void
must(int code, sqlite3 *db, const char *what)
{
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
        fprintf(stderr, "bench_sqlite_floor: %s: %s\n", what, sqlite3_errmsg(db));
        exit(1);
    }
}

static void
load_chunk(struct floor *floor, sqlite3_stmt *row)
{
    struct journal_chunk chunk;
    struct sw_str event;
    uint64_t seq;
    struct sw_str bytes = {sqlite3_column_blob(row, 2), (size_t)sqlite3_column_bytes(row, 2)};
    if (!journal_chunk_begin(&chunk, (uint64_t)sqlite3_column_int64(row, 0),
            (uint64_t)sqlite3_column_int64(row, 1), bytes)) {
        fprintf(stderr, "bench_sqlite_floor: the journal is damaged\n");
        exit(1);
    }
    while (floor->count < BODIES_MAX && journal_chunk_next(&chunk, &seq, &event)) {
        struct body *body = &floor->bodies[floor->count++];
        body->size = (int)event.size;
        body->bytes = malloc(event.size);
        memcpy(body->bytes, event.data, event.size);
    }
}

static void
load_bodies(struct floor *floor, const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *select;
    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), db, path);
    must(sqlite3_prepare_v2(
             db, "SELECT seq, count, events FROM chunk ORDER BY seq DESC", -1, &select, NULL),
        db, "select");
    while (sqlite3_step(select) == SQLITE_ROW) {
        load_chunk(floor, select);
    }
    sqlite3_finalize(select);
    sqlite3_close(db);
}

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
run_once(struct floor *floor, sqlite3_stmt *statement)
{
    must(sqlite3_step(statement), floor->db, "step");
    sqlite3_reset(statement);
}

/* Half of the events open a session and half close one, as in the benchmark's history. */
static void
write_session(struct floor *floor, long row, const struct body *body)
{
    unsigned char id[16] = {0};
    long number = row / 2;
    sqlite3_stmt *statement = row % 2 == 0 ? floor->session : floor->gone;
    for (size_t i = 0; i < 8; i++) {
        id[i] = (unsigned char)((unsigned long)number >> (56 - 8 * i));
    }
    sqlite3_bind_text(statement, 1, "recording", -1, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, id, sizeof(id), SQLITE_TRANSIENT);
    if (row % 2 == 0) {
        sqlite3_bind_blob(statement, 3, body->bytes, body->size / 2, SQLITE_STATIC);
    }
    run_once(floor, statement);
}

static void
write_rows(struct floor *floor, long rows, long per_commit, int all)
{
    for (long row = 0; row < rows;) {
        must(sqlite3_exec(floor->db, "BEGIN IMMEDIATE", NULL, NULL, NULL), floor->db, "begin");
        for (long end = row + per_commit; row < end && row < rows; row++) {
            const struct body *body = &floor->bodies[row % floor->count];
            sqlite3_bind_int64(floor->event, 1, row + 1);
            sqlite3_bind_blob(floor->event, 2, body->bytes, body->size, SQLITE_STATIC);
            run_once(floor, floor->event);
            if (all) {
                write_session(floor, row, body);
            }
        }
        must(sqlite3_exec(floor->db, "COMMIT", NULL, NULL, NULL), floor->db, "commit");
    }
}

static void
open_floor(struct floor *floor, const char *path)
{
    must(sqlite3_open(path, &floor->db), floor->db, path);
    must(sqlite3_exec(floor->db,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             "CREATE TABLE event(seq INTEGER PRIMARY KEY, body BLOB NOT NULL);"
             "CREATE TABLE session(source TEXT NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL,"
             " PRIMARY KEY(source, id)) WITHOUT ROWID",
             NULL, NULL, NULL),
        floor->db, "create");
    must(sqlite3_prepare_v2(
             floor->db, "INSERT INTO event(seq, body) VALUES(?, ?)", -1, &floor->event, NULL),
        floor->db, "event");
    must(sqlite3_prepare_v2(floor->db, "INSERT INTO session(source, id, body) VALUES(?, ?, ?)", -1,
             &floor->session, NULL),
        floor->db, "session");
    must(sqlite3_prepare_v2(
             floor->db, "DELETE FROM session WHERE source = ? AND id = ?", -1, &floor->gone, NULL),
        floor->db, "gone");
}

int
main(int argc, char **argv)
{
    static struct floor floor;
    if (argc != 6) {
        fprintf(
            stderr, "usage: bench_sqlite_floor JOURNAL NEW-FILE ROWS ROWS-PER-COMMIT events|all\n");
        return 2;
    }
    load_bodies(&floor, argv[1]);
    if (floor.count == 0) {
        fprintf(stderr, "bench_sqlite_floor: %s holds no events\n", argv[1]);
        return 1;
    }
    open_floor(&floor, argv[2]);
    long rows = atol(argv[3]);
    double began = now_s();
    write_rows(&floor, rows, atol(argv[4]), strcmp(argv[5], "all") == 0);
    printf("%.0f\n", (double)rows / (now_s() - began));
    sqlite3_finalize(floor.event);
    sqlite3_finalize(floor.session);
    sqlite3_finalize(floor.gone);
    sqlite3_close(floor.db);
    return 0;
}
