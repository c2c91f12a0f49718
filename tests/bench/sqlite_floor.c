/*
 * The floor of the pipeline benchmark: a bare SQLite loop (WAL, synchronous=FULL, one table) that
 * writes so many rows of the same bytes as a journal holds, so many a transaction.
 *
 *   sqlite_floor JOURNAL NEW-FILE ROWS ROWS-PER-COMMIT
 *
 * Prints rows a second.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BODIES_MAX 4096

struct body {
    void *bytes;
    int size;
};

static void
must(int code, sqlite3 *db, const char *what)
{
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
        fprintf(stderr, "sqlite_floor: %s: %s\n", what, sqlite3_errmsg(db));
        exit(1);
    }
}

static int
load_bodies(const char *path, struct body bodies[BODIES_MAX])
{
    sqlite3 *db;
    sqlite3_stmt *select;
    int count = 0;
    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), db, path);
    must(sqlite3_prepare_v2(db, "SELECT body FROM event ORDER BY seq DESC LIMIT 4096", -1, &select,
             NULL),
        db, "select");
    while (count < BODIES_MAX && sqlite3_step(select) == SQLITE_ROW) {
        int size = sqlite3_column_bytes(select, 0);
        bodies[count].bytes = malloc((size_t)size);
        bodies[count].size = size;
        memcpy(bodies[count++].bytes, sqlite3_column_blob(select, 0), (size_t)size);
    }
    sqlite3_finalize(select);
    sqlite3_close(db);
    return count;
}

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
    static struct body bodies[BODIES_MAX];
    if (argc != 5) {
        fprintf(stderr, "usage: sqlite_floor JOURNAL NEW-FILE ROWS ROWS-PER-COMMIT\n");
        return 2;
    }
    int body_count = load_bodies(argv[1], bodies);
    long rows = atol(argv[3]);
    long per_commit = atol(argv[4]);
    sqlite3 *db;
    sqlite3_stmt *insert;
    if (body_count == 0) {
        fprintf(stderr, "sqlite_floor: %s holds no events\n", argv[1]);
        return 1;
    }
    must(sqlite3_open(argv[2], &db), db, argv[2]);
    must(sqlite3_exec(db,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             "CREATE TABLE event(seq INTEGER PRIMARY KEY, body BLOB NOT NULL)",
             NULL, NULL, NULL),
        db, "create");
    must(sqlite3_prepare_v2(db, "INSERT INTO event(seq, body) VALUES(?, ?)", -1, &insert, NULL), db,
        "insert");

    double began = now_s();
    for (long row = 0; row < rows;) {
        must(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), db, "begin");
        for (long end = row + per_commit; row < end && row < rows; row++) {
            const struct body *body = &bodies[row % body_count];
            sqlite3_bind_int64(insert, 1, row + 1);
            sqlite3_bind_blob(insert, 2, body->bytes, body->size, SQLITE_STATIC);
            must(sqlite3_step(insert), db, "step");
            sqlite3_reset(insert);
        }
        must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db, "commit");
    }
    double took = now_s() - began;
    printf("%.0f\n", (double)rows / took);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return 0;
}
