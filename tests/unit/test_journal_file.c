/* What is the SQLite journal's own: the file, its version, damage, reading it from outside. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/journal/journal_sqlite.h"
#include "tests/support/journals.h"

static bool
try_open(struct journal_place *place, struct sw_err *err)
{
    place->journal = sw_journal_open(&place->options, &place->opened, err);
    return place->journal != NULL;
}

static size_t
files_with(const struct journal_place *place, const char *part)
{
    size_t count = 0;
    DIR *folder = opendir(place->folder);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        count += strstr(entry->d_name, part) != NULL;
    }
    closedir(folder);
    return count;
}

static void
test_what_was_stored_is_there_again(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal_batch batch = {0};
    assert_true(place->opened.is_new);
    assert_true(place->opened.clean_stop);
    struct sw_uuid epoch = sw_journal_epoch(place->journal);
    assert_false(sw_uuid_is_nil(&epoch));
    journal_must_put(place->journal, "e", 3, 0);
    journal_place_reopen(place);
    assert_false(place->opened.is_new);
    assert_true(place->opened.clean_stop);
    assert_false(place->opened.replaced);
    struct sw_uuid again = sw_journal_epoch(place->journal);
    assert_int_equal(sw_uuid_compare(&again, &epoch), 0);
    assert_true(journal_must_read(place->journal, 0, &batch));
    assert_int_equal(batch.count, 3);
    assert_true(sw_str_is(batch.records[2].body, "e-3"));
    uint64_t wakes = 0;
    assert_true(sw_journal_wait(place->journal, 2, 0, &wakes));
    assert_false(sw_journal_wait(place->journal, 3, 0, &wakes));
    sw_journal_batch_fini(&batch);
}

static void
test_an_unclean_stop_is_told_once(void **state)
{
    struct journal_place *place = *state;
    journal_place_close(place, false);
    journal_place_open(place);
    assert_false(place->opened.clean_stop);
    journal_place_reopen(place);
    assert_true(place->opened.clean_stop);
}

static void
test_the_files_are_ours_alone(void **state)
{
    struct journal_place *place = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    journal_must_put(place->journal, "e", 3, 0);
    for (size_t i = 0; i < 3; i++) {
        char path[120];
        struct stat info;
        snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    assert_int_equal(journal_place_sql(place, "PRAGMA auto_vacuum"), 2);
}

static void
test_a_link_is_not_followed(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    char target[120];
    snprintf(target, sizeof(target), "%s/elsewhere", place->folder);
    journal_place_close(place, true);
    assert_int_equal(rename(place->path, target), 0);
    assert_int_equal(symlink(target, place->path), 0);
    assert_false(try_open(place, &err));
    assert_contains(err.text, "plain file");
}

static void
test_the_folder_may_be_reached_by_a_link(void **state)
{
    struct journal_place *place = *state;
    char link[80];
    char path[100];
    snprintf(link, sizeof(link), "%s-link", place->folder);
    journal_place_close(place, true);
    assert_int_equal(symlink(place->folder, link), 0);
    snprintf(path, sizeof(path), "%s/journal.db", link);
    place->options.path = path;
    journal_place_open(place);
    assert_false(place->opened.is_new);
    unlink(link);
}

static void
test_strangers_and_newer_ones_are_refused(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    journal_place_close(place, true);
    journal_place_sql(place, "PRAGMA user_version = 3");
    assert_false(try_open(place, &err));
    assert_contains(err.text, "written by a newer sharewatch");
    assert_contains(err.text, "this one knows 2");
    assert_null(sw_journal_open_readonly(place->path, &err));
    assert_contains(err.text, "written by a newer sharewatch");
    journal_place_sql(place, "PRAGMA application_id = 1");
    assert_false(try_open(place, &err));
    assert_contains(err.text, "not a journal of sharewatch");
    assert_int_equal(files_with(place, "damaged"), 0);
}

static void
test_an_older_one_is_migrated_and_kept(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    static const char *const steps[] = {NULL, NULL,
        "CREATE TABLE colour (name TEXT);"
        "UPDATE meta SET written_by = 'three'",
        "UPDATE meta SET written_by = written_by || ' four'"};
    const struct journal_schema fourth = {4, steps};
    journal_must_put(place->journal, "e", 3, 0);
    journal_place_close(place, true);
    place->journal = journal_open_schema(&place->options, &fourth, &place->opened, &err);
    if (place->journal == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(journal_usage(place->journal).last_seq, 3);
    assert_int_equal(journal_place_sql(place, "PRAGMA user_version"), 4);
    assert_int_equal(
        journal_place_sql(place, "SELECT count(*) FROM meta WHERE written_by = 'three four'"), 1);
    assert_int_equal(journal_place_sql(place, "SELECT count(name) FROM colour"), 0);
    assert_int_equal(files_with(place, "journal.db.v2"), 1);
    journal_place_close(place, true);

    /* The kept one is a whole journal of version 2, ours alone. */
    struct stat info;
    char kept[120];
    snprintf(kept, sizeof(kept), "%s.v2", place->path);
    assert_int_equal(stat(kept, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(rename(kept, place->path), 0);
    journal_place_open(place);
    assert_int_equal(journal_usage(place->journal).last_seq, 3);
}

static void
test_the_version_before_the_first_release_is_refused(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    journal_place_close(place, true);
    journal_place_sql(place, "PRAGMA user_version = 1");
    assert_false(try_open(place, &err));
    assert_contains(err.text, "version 1 is none that was ever released");
}

static void
test_a_failed_migration_changes_nothing(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    static const char *const steps[] = {
        NULL, NULL, "UPDATE meta SET written_by = 'three'", "UPDATE no_such_table SET x = 1"};
    const struct journal_schema fourth = {4, steps};
    static const char *const gap[] = {NULL, NULL, "UPDATE meta SET written_by = 'three'", NULL};
    const struct journal_schema with_gap = {4, gap};
    journal_place_close(place, true);
    assert_null(journal_open_schema(&place->options, &fourth, &place->opened, &err));
    assert_contains(err.text, "no_such_table");
    assert_null(journal_open_schema(&place->options, &with_gap, &place->opened, &err));
    assert_contains(err.text, "version 3 is none that was ever released");
    journal_place_open(place);
    assert_int_equal(
        journal_place_sql(place, "SELECT count(*) FROM meta WHERE written_by = 'three'"), 0);
}

/* ---- damage */

/* Overwrites bytes of the closed file. */
static void
spoil(const struct journal_place *place, off_t at, size_t size)
{
    char noise[4096];
    int fd = open(place->path, O_WRONLY);
    assert_true(fd >= 0);
    memset(noise, 0xA5, sizeof(noise));
    for (size_t done = 0; done < size; done += sizeof(noise)) {
        size_t part = size - done < sizeof(noise) ? size - done : sizeof(noise);
        assert_int_equal(pwrite(fd, noise, part, at + (off_t)done), part);
    }
    close(fd);
}

static int64_t
page_of_chunks(const struct journal_place *place, const char *type, int64_t number)
{
    char sql[200];
    snprintf(sql, sizeof(sql),
        "SELECT pageno FROM dbstat WHERE name = 'chunk' AND pagetype = '%s' "
        "ORDER BY path LIMIT 1 OFFSET %lld",
        type, (long long)number);
    return journal_place_sql(place, sql);
}

static void
test_a_file_that_is_no_database_is_replaced(void **state)
{
    struct journal_place *place = *state;
    struct sw_uuid epoch = sw_journal_epoch(place->journal);
    journal_must_put(place->journal, "e", 3, 0);
    journal_place_close(place, true);
    spoil(place, 0, 100);
    journal_place_open(place);
    assert_true(place->opened.replaced);
    assert_false(place->opened.clean_stop);
    assert_false(place->opened.is_new);
    assert_int_equal(place->opened.saved_events, 0);
    assert_int_equal(place->opened.saved_sinks, 0);
    assert_contains(place->opened.damaged_path, "journal.db.damaged-20270115T080000Z");
    assert_int_equal(access(place->opened.damaged_path, F_OK), 0);
    struct sw_uuid other = sw_journal_epoch(place->journal);
    assert_int_not_equal(sw_uuid_compare(&other, &epoch), 0);
    journal_place_reopen(place);
    assert_false(place->opened.replaced);
}

static void
test_what_still_reads_is_saved(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal_batch batch = {0};
    struct sw_err err = {0};
    struct sw_source_state source;
    bool found;
    journal_must_attach(place->journal, "s", true);
    journal_must_attach(place->journal, "ahead", true);
    journal_must_put(place->journal, "e", 200, 900);
    journal_must_ack(place->journal, "s", 20);
    journal_must_ack(place->journal, "ahead", 150);
    sw_source_state_init(&source, "fs01", "samba");
    struct sw_journal_write write = {.source = &source};
    assert_true(sw_journal_append(place->journal, &write, NULL, &err));
    journal_place_close(place, true);
    spoil(place, 4096 * (page_of_chunks(place, "leaf", 5) - 1), 4096);

    /* The damage is met when it is read: from then on nothing is done any more. */
    journal_place_open(place);
    assert_false(place->opened.replaced);
    assert_false(sw_journal_is_damaged(place->journal));
    assert_false(sw_journal_read(place->journal, 20, 512, &batch, &err));
    assert_contains(err.text, "replaced when it is opened again");
    assert_true(sw_journal_is_damaged(place->journal));
    assert_false(journal_put(place->journal, "x", 1, 0, NULL, &err));
    assert_contains(err.text, "is damaged");
    journal_place_reopen(place);
    assert_true(place->opened.replaced);
    assert_int_equal(place->opened.saved_sinks, 2);
    assert_in_range(place->opened.saved_events, 140, 179);

    /* All but one chunk, under the numbers they had; positions are what they were. */
    uint64_t count = 0;
    uint64_t at = 20;
    while (journal_must_read(place->journal, at, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            char begin[16];
            at = batch.records[i].seq;
            snprintf(begin, sizeof(begin), "e-%d.", (int)at);
            assert_true(sw_str_starts(batch.records[i].body, begin));
            count++;
        }
    }
    assert_int_equal(count, place->opened.saved_events);
    assert_int_equal(at, 200);
    struct sw_sink_state sink = journal_sink(place->journal, "ahead");
    assert_int_equal(sink.position, 150);
    assert_true(sw_journal_load_source(place->journal, "fs01", &source, &found, &err));
    assert_false(found);
    assert_int_equal(journal_must_put(place->journal, "x", 1, 0), 201);
    journal_place_reopen(place);
    assert_false(place->opened.replaced);
    sw_source_state_fini(&source);
    sw_sink_state_fini(&sink);
    sw_journal_batch_fini(&batch);
}

/* What a page behind the first of a chunk held is noise; SQLite itself need not notice. */
static void
test_noise_inside_a_chunk_is_damage(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal_batch batch = {0};
    struct sw_err err = {0};
    journal_must_attach(place->journal, "s", true);
    journal_must_put(place->journal, "e", 400, 300);
    journal_must_ack(place->journal, "s", 10);
    journal_place_close(place, true);
    spoil(place, 4096 * (page_of_chunks(place, "overflow", 6) - 1) + 4, 4092);
    journal_place_open(place);
    uint64_t at = 10;
    while (sw_journal_read(place->journal, at, 0, &batch, &err) && batch.count > 0) {
        at = batch.records[batch.count - 1].seq;
    }
    assert_contains(err.text, "damaged");
    assert_true(sw_journal_is_damaged(place->journal));
    journal_place_reopen(place);
    assert_true(place->opened.replaced);
    assert_in_range(place->opened.saved_events, 390 - 60, 389);
    sw_journal_batch_fini(&batch);
}

static bool
see_row(void *context, const struct sw_journal_row *row, struct sw_err *err)
{
    (void)context;
    (void)row;
    (void)err;
    return true;
}

/* Read, or put together when there are many: a baseline that is none is damage. */
static void
test_a_damaged_baseline(void **state)
{
    struct journal_place *place = *state;
    static const char *const wrong[] = {"rows = ''", "rows = CAST(rows || x'00' AS BLOB)",
        "rows = CAST(rows || zeroblob(19) AS BLOB)", "rows = substr(rows, 1, length(rows) - 1)",
        "rows = CAST(zeroblob(16) || x'FEFFFFFF' AS BLOB)"};
    struct sw_journal_row row = {{{1}}, SW_STR("body")};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char sql[120];
        struct sw_err err = {0};
        struct sw_source_state source;
        sw_source_state_init(&source, "fs01", "samba");
        struct sw_journal_write write = {.source = &source, .rows = &row, .row_count = 1};
        assert_true(sw_journal_append(place->journal, &write, NULL, &err));
        assert_true(sw_journal_load_rows(place->journal, "fs01", see_row, NULL, &err));
        snprintf(sql, sizeof(sql), "UPDATE baseline SET %s", wrong[i]);
        journal_place_sql(place, sql);
        bool ok = sw_journal_load_rows(place->journal, "fs01", see_row, NULL, &err);
        assert_int_equal(ok, i == 0);
        if (!ok) {
            assert_contains(err.text, "the sessions of source 'fs01' are damaged");
            assert_true(sw_journal_is_damaged(place->journal));
            journal_place_reopen(place);
            assert_true(place->opened.replaced);
        }
        sw_source_state_fini(&source);
    }
}

static void
assert_reads(struct sw_journal *journal, uint64_t after, uint64_t first, uint64_t last)
{
    struct sw_journal_batch batch = {0};
    assert_true(journal_must_read(journal, after, &batch));
    assert_int_equal(batch.records[0].seq, first);
    assert_int_equal(batch.records[batch.count - 1].seq, last);
    for (size_t i = 0; i < batch.count; i++) {
        char begin[16];
        snprintf(begin, sizeof(begin), "e-%d.", (int)batch.records[i].seq);
        assert_true(sw_str_starts(batch.records[i].body, begin));
    }
    sw_journal_batch_fini(&batch);
}

/* Chunks of 52 events: what is passed of the first is not saved, the third is lost, alone. */
static void
test_all_but_the_damaged_chunk_is_saved(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal_batch batch = {0};
    struct sw_err err = {0};
    journal_must_attach(place->journal, "s", true);
    journal_must_put(place->journal, "e", 400, 307);
    journal_must_ack(place->journal, "s", 10);
    journal_place_close(place, true);
    assert_int_equal(journal_place_sql(place, "SELECT seq FROM chunk LIMIT 1 OFFSET 2"), 105);
    journal_place_sql(
        place, "UPDATE chunk SET events = zeroblob(length(events)) WHERE seq IN (105, 209)");
    journal_place_open(place);
    assert_false(sw_journal_read(place->journal, 110, 0, &batch, &err));
    assert_contains(err.text, "the events from 105 on are damaged");
    assert_int_equal(batch.count, 0);
    journal_place_reopen(place);
    assert_true(place->opened.replaced);
    assert_int_equal(place->opened.saved_events, 400 - 10 - 2 * 52);
    assert_int_equal(journal_usage(place->journal).first_seq, 11);
    assert_reads(place->journal, 10, 11, 400);
    assert_reads(place->journal, 104, 157, 400);
    assert_reads(place->journal, 120, 157, 400);
    assert_reads(place->journal, 208, 261, 400);
    sw_journal_batch_fini(&batch);
}

/* The end is read when it is opened. */
static void
test_a_newest_chunk_that_is_damaged(void **state)
{
    struct journal_place *place = *state;
    static const char *const wrong[] = {"count = count + 1", "count = 0", "count = -1",
        "count = 1 << 40", "events = ''", "events = 'some text'",
        "events = CAST(events || x'00' AS BLOB)"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char sql[120];
        uint64_t last = journal_must_put(place->journal, "e", 5, 0);
        journal_must_put(place->journal, "x", 1, 0);
        snprintf(sql, sizeof(sql), "UPDATE chunk SET %s WHERE seq = (SELECT max(seq) FROM chunk)",
            wrong[i]);
        journal_place_close(place, true);
        journal_place_sql(place, sql);
        journal_place_open(place);
        assert_true(place->opened.replaced);
        assert_int_equal(journal_usage(place->journal).last_seq, last);
    }
}

/* Gives the second chunk of a leaf the number of the first: one wrong byte. */
static void
repeat_a_number(const struct journal_place *place, int64_t page)
{
    uint8_t bytes[4096];
    int fd = open(place->path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, bytes, sizeof(bytes), 4096 * (page - 1)), sizeof(bytes));
    /* Of a leaf (SQLite's file format, 1.6): two bytes of size, then the number. */
    size_t first = (size_t)bytes[8] << 8 | bytes[9];
    size_t second = (size_t)bytes[10] << 8 | bytes[11];
    assert_int_equal(bytes[second + 2], bytes[first + 2] + 1);
    assert_int_equal(pwrite(fd, &bytes[first + 2], 1, 4096 * (page - 1) + (off_t)second + 2), 1);
    close(fd);
}

static void
test_a_number_that_comes_twice_is_no_end(void **state)
{
    struct journal_place *place = *state;
    journal_must_attach(place->journal, "s", true);
    for (size_t i = 0; i < 120; i++) {
        journal_must_put(place->journal, "e", 1, 900);
    }
    journal_place_close(place, true);
    repeat_a_number(place, page_of_chunks(place, "leaf", 5));
    journal_recover_mark(place->path);
    journal_place_open(place);
    assert_true(place->opened.replaced);
    assert_int_equal(place->opened.saved_events, 119);
    assert_int_equal(journal_must_put(place->journal, "x", 1, 0), 121);
}

static void
test_numbers_go_on_although_the_newest_do_not_read(void **state)
{
    struct journal_place *place = *state;
    journal_must_put(place->journal, "e", 200, 900);
    journal_must_attach(place->journal, "s", false);
    journal_must_attach(place->journal, "behind", true);
    journal_place_close(place, true);
    spoil(place, 4096 * (page_of_chunks(place, "leaf", 3) - 1), 4096);
    int64_t last_leaf = journal_place_sql(place,
        "SELECT pageno FROM dbstat WHERE name = 'chunk' AND pagetype = 'leaf' "
        "ORDER BY path DESC LIMIT 1");
    spoil(place, 4096 * (last_leaf - 1), 4096);
    /* The end is read when it is opened. */
    journal_place_open(place);
    assert_true(place->opened.replaced);
    assert_in_range(place->opened.saved_events, 30, 199);
    assert_int_equal(journal_must_put(place->journal, "x", 1, 0), 201);
}

static void
test_three_damaged_ones_are_kept(void **state)
{
    struct journal_place *place = *state;
    for (size_t i = 0; i < 5; i++) {
        /* The second within the same second as the first: each gets a name of its own. */
        place->options.now_ns += i > 1 ? INT64_C(1000000000) : 0;
        journal_place_close(place, true);
        spoil(place, 0, 100);
        journal_place_open(place);
        assert_true(place->opened.replaced);
    }
    assert_int_equal(files_with(place, ".damaged-"), 3);
    assert_int_equal(files_with(place, ".damaged-20270115T080004Z"), 1);
    assert_int_equal(files_with(place, ".damaged-20270115T080002Z"), 1);
    assert_int_equal(files_with(place, "is-damaged"), 0);
    assert_int_equal(files_with(place, "rescue"), 0);
}

static void
test_a_replacement_cut_short_is_finished(void **state)
{
    struct journal_place *place = *state;
    char rescue[120];
    journal_must_put(place->journal, "e", 3, 0);
    journal_place_close(place, true);
    snprintf(rescue, sizeof(rescue), "%s.rescue", place->path);
    assert_int_equal(rename(place->path, rescue), 0);
    journal_recover_mark(place->path);
    journal_place_open(place);
    assert_int_equal(journal_usage(place->journal).last_seq, 3);
    assert_int_equal(files_with(place, "is-damaged"), 0);
}

/* The WAL of the damaged database must not be taken for that of the one in its place. */
static void
test_a_replacement_cut_short_between_its_files(void **state)
{
    struct journal_place *place = *state;
    char wal[120];
    char kept[120];
    char saved[120];
    char rescue[120];
    journal_must_put(place->journal, "e", 3, 0);
    journal_place_close(place, true);
    snprintf(saved, sizeof(saved), "%s/saved", place->folder);
    assert_int_equal(rename(place->path, saved), 0);

    journal_place_open(place);
    journal_must_put(place->journal, "old", 40, 900);
    snprintf(wal, sizeof(wal), "%s-wal", place->path);
    snprintf(kept, sizeof(kept), "%s/kept", place->folder);
    assert_int_equal(link(wal, kept), 0);
    journal_place_close(place, false);
    unlink(place->path);
    unlink(wal);
    assert_int_equal(rename(kept, wal), 0);
    snprintf(rescue, sizeof(rescue), "%s.rescue", place->path);
    assert_int_equal(rename(saved, rescue), 0);
    journal_recover_mark(place->path);
    journal_place_open(place);
    assert_int_equal(journal_usage(place->journal).last_seq, 3);
    assert_int_equal(files_with(place, "is-damaged"), 0);
}

/* ---- from outside */

static void
test_status_reads_while_the_agent_runs(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    journal_must_attach(place->journal, "s", true);
    journal_must_put(place->journal, "e", 3, 0);
    struct sw_journal *other = sw_journal_open_readonly(place->path, &err);
    if (other == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(journal_usage(other).last_seq, 3);
    struct sw_sink_state sink = journal_sink(other, "s");
    assert_int_equal(sink.position, 0);
    sw_sink_state_fini(&sink);
    assert_false(journal_put(other, "x", 1, 0, NULL, &err));
    assert_contains(err.text, "reading only");
    sw_journal_close(other, true);
    journal_must_put(place->journal, "e", 3, 0);
    journal_place_close(place, false);
    journal_place_open(place);
    assert_false(place->opened.clean_stop); /* the reader's close said nothing */
}

static void
test_status_leaves_nothing_behind(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    journal_must_put(place->journal, "e", 3, 0);
    journal_place_close(place, true);
    struct sw_journal *other = sw_journal_open_readonly(place->path, &err);
    if (other == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(journal_usage(other).last_seq, 3);
    assert_int_equal(files_with(place, "journal.db"), 1);
    sw_journal_close(other, true);
    assert_int_equal(files_with(place, "journal.db"), 1);
    unlink(place->path);
    assert_null(sw_journal_open_readonly(place->path, &err));
    assert_contains(err.text, "has not run yet");
    assert_int_equal(files_with(place, "journal.db"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST_FILE(test_what_was_stored_is_there_again),
        JOURNAL_TEST_FILE(test_an_unclean_stop_is_told_once),
        JOURNAL_TEST_FILE(test_the_files_are_ours_alone),
        JOURNAL_TEST_FILE(test_a_link_is_not_followed),
        JOURNAL_TEST_FILE(test_the_folder_may_be_reached_by_a_link),
        JOURNAL_TEST_FILE(test_strangers_and_newer_ones_are_refused),
        JOURNAL_TEST_FILE(test_an_older_one_is_migrated_and_kept),
        JOURNAL_TEST_FILE(test_the_version_before_the_first_release_is_refused),
        JOURNAL_TEST_FILE(test_a_failed_migration_changes_nothing),
        JOURNAL_TEST_FILE(test_a_file_that_is_no_database_is_replaced),
        JOURNAL_TEST_FILE(test_what_still_reads_is_saved),
        JOURNAL_TEST_FILE(test_numbers_go_on_although_the_newest_do_not_read),
        JOURNAL_TEST_FILE(test_noise_inside_a_chunk_is_damage),
        JOURNAL_TEST_FILE(test_all_but_the_damaged_chunk_is_saved),
        JOURNAL_TEST_FILE(test_a_damaged_baseline),
        JOURNAL_TEST_FILE(test_a_newest_chunk_that_is_damaged),
        JOURNAL_TEST_FILE(test_a_number_that_comes_twice_is_no_end),
        JOURNAL_TEST_FILE(test_three_damaged_ones_are_kept),
        JOURNAL_TEST_FILE(test_a_replacement_cut_short_is_finished),
        JOURNAL_TEST_FILE(test_a_replacement_cut_short_between_its_files),
        JOURNAL_TEST_FILE(test_status_reads_while_the_agent_runs),
        JOURNAL_TEST_FILE(test_status_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
