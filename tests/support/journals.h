/* Journals for tests: in memory or in a file of a new folder, and short ways to write and read. */
#ifndef SW_TESTS_SUPPORT_JOURNALS_H
#define SW_TESTS_SUPPORT_JOURNALS_H

#include "agent/journal.h"
#include "tests/support/unit.h"

struct journal_place {
    bool is_ram;
    char folder[64]; /* "" for RAM; removed with all that is in it by journal_place_fini */
    char path[80];
    uint64_t seed;
    struct sw_uuid_source ids;
    struct sw_journal_options options; /* change what you need before journal_place_open */
    struct sw_journal_opened opened;
    uint64_t fail_at;
    struct sw_journal *journal; /* closed by fini if it is open */
};

void journal_place_init(struct journal_place *place, bool is_ram);
void journal_place_open(struct journal_place *place); /* fails the test when it cannot */
void journal_place_close(struct journal_place *place, bool clean);
/* Closes cleanly, changes nothing else, opens again. Files only. */
void journal_place_reopen(struct journal_place *place);
void journal_place_fini(struct journal_place *place);

/* Runs SQL on the file with a connection of its own; the first column of the first row. */
int64_t journal_place_sql(const struct journal_place *place, const char *sql);

/* Appends count events "<prefix>-<n>" padded with dots to size bytes (0: not padded), n from 1. */
bool journal_put(struct sw_journal *journal, const char *prefix, size_t count, size_t size,
    uint64_t *last, struct sw_err *err);
/* The same, and it must succeed; returns the last sequence. */
uint64_t
journal_must_put(struct sw_journal *journal, const char *prefix, size_t count, size_t size);

/* Attaches, or acknowledges up to position; both must succeed. now_ns is 0. */
void journal_must_attach(struct sw_journal *journal, const char *sink, bool from_oldest);
void journal_must_ack(struct sw_journal *journal, const char *sink, uint64_t position);
struct sw_sink_state journal_sink(struct sw_journal *journal, const char *sink); /* fini it */
struct sw_journal_usage journal_usage(struct sw_journal *journal);

/* Reads into the batch; must succeed. true: there was something. */
bool journal_must_read(struct sw_journal *journal, uint64_t after, struct sw_journal_batch *batch);

/* A test with an open journal_place as its state, once in a file and once in RAM. */
int journal_test_setup(void **state); /* *state: the two below */
int journal_test_teardown(void **state);
extern bool journal_test_in_file, journal_test_in_ram;
#define JOURNAL_TEST_FILE(test)                                                                    \
    {                                                                                              \
        "file: " #test, test, journal_test_setup, journal_test_teardown, &journal_test_in_file     \
    }
#define JOURNAL_TEST(test)                                                                         \
    JOURNAL_TEST_FILE(test),                                                                       \
    {                                                                                              \
        "ram: " #test, test, journal_test_setup, journal_test_teardown, &journal_test_in_ram       \
    }

#endif
