/* The contract of agent/journal.h, the same tests on both implementations. */
#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "tests/support/journals.h"

static void
test_what_is_appended_can_be_read(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_journal_batch batch = {0};
    assert_false(journal_must_read(journal, 0, &batch));
    assert_int_equal(batch.first_available, 0);
    assert_int_equal(batch.last, 0);

    assert_int_equal(journal_must_put(journal, "a", 3, 0), 3);
    assert_int_equal(journal_must_put(journal, "b", 1, 0), 4);
    assert_true(journal_must_read(journal, 1, &batch));
    assert_int_equal(batch.count, 3);
    assert_int_equal(batch.first_available, 1);
    assert_int_equal(batch.last, 4);
    static const char *const expected[] = {"a-2", "a-3", "b-1"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(batch.records[i].seq, i + 2);
        assert_true(sw_str_is(batch.records[i].body, expected[i]));
    }
    assert_false(journal_must_read(journal, 4, &batch));
    assert_false(journal_must_read(journal, 400, &batch));
    sw_journal_batch_fini(&batch);
}

static void
test_bytes_come_back_as_they_were(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_journal_batch batch = {0};
    struct sw_err err = {0};
    struct sw_str events[] = {{"a\0b\xff", 4}, {"", 0}};
    struct sw_journal_write write = {.events = events, .event_count = 2};
    assert_true(sw_journal_append(journal, &write, NULL, &err));
    assert_true(journal_must_read(journal, 0, &batch));
    assert_int_equal(batch.count, 2);
    assert_true(sw_str_equal(batch.records[0].body, events[0]));
    assert_int_equal(batch.records[1].body.size, 0);
    sw_journal_batch_fini(&batch);
}

static void
test_a_batch_has_limits(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_journal_batch batch = {0};
    struct sw_err err = {0};
    static const uint64_t small = SW_BATCH_RECORDS_MAX + 88;
    journal_must_put(journal, "small", small, 0);
    journal_must_read(journal, 0, &batch);
    assert_int_equal(batch.count, SW_BATCH_RECORDS_MAX);
    assert_true(sw_journal_read(journal, 0, 7, &batch, &err));
    assert_int_equal(batch.count, 7);

    journal_must_put(journal, "large", 8, 100000);
    journal_must_read(journal, small, &batch);
    assert_int_equal(batch.count, SW_BATCH_BYTES_MAX / 100000);
    assert_true(batch.bytes.size <= SW_BATCH_BYTES_MAX);

    journal_must_put(journal, "huge", 2, 300000);
    journal_must_read(journal, small + 8, &batch);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.records[0].body.size, 300000);
    journal_must_read(journal, small + 9, &batch);
    assert_int_equal(batch.records[0].seq, small + 10);
    sw_journal_batch_fini(&batch);
}

/* Appends of every size: one event, several, more than are stored together, large and empty. */
static void
test_a_read_begins_and_ends_anywhere(void **state)
{
    struct journal_place *place = *state;
    static const struct {
        size_t count, size;
    } puts[] = {{1, 0}, {1, 100}, {7, 100}, {300, 300}, {600, 10}, {3, 20000}, {1, 0}, {2, 9000}};
    struct sw_journal_batch batch = {0};
    struct sw_err err = {0};
    uint64_t last = 0;
    for (size_t i = 0; i < COUNT_OF(puts); i++) {
        char prefix[16];
        snprintf(prefix, sizeof(prefix), "p%d", (int)last);
        last = journal_must_put(place->journal, prefix, puts[i].count, puts[i].size);
    }
    if (!place->is_ram) {
        journal_place_reopen(place);
    }
    uint64_t base = 0;
    size_t put = 0;
    for (uint64_t after = 0; after < last; after++) {
        size_t wanted = after % 5 + 1;
        if (after == base + puts[put].count) {
            base += puts[put++].count;
        }
        char begin[32];
        size_t size =
            (size_t)snprintf(begin, sizeof(begin), "p%d-%d", (int)base, (int)(after + 1 - base));
        assert_true(sw_journal_read(place->journal, after, wanted, &batch, &err));
        assert_int_equal(batch.count, wanted < last - after ? wanted : last - after);
        for (size_t i = 0; i < batch.count; i++) {
            assert_int_equal(batch.records[i].seq, after + 1 + i);
        }
        assert_true(sw_str_starts(batch.records[0].body, begin));
        assert_int_equal(batch.records[0].body.size, size > puts[put].size ? size : puts[put].size);
    }
    assert_false(journal_must_read(place->journal, last, &batch));
    sw_journal_batch_fini(&batch);
}

static void
test_an_event_has_a_limit(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_err err = {0};
    assert_false(journal_put(journal, "x", 1, SW_JOURNAL_EVENT_MAX + 1, NULL, &err));
    assert_contains(err.text, "1048576");
    assert_int_equal(journal_must_put(journal, "x", 1, SW_JOURNAL_EVENT_MAX), 1);
}

/* ---- sources and their rows */

static struct sw_uuid
id_of(uint8_t number)
{
    struct sw_uuid id = {{0}};
    id.bytes[15] = number;
    return id;
}

struct seen {
    size_t count;
    char text[256]; /* "n=body " of every row, in order of n */
    struct sw_str bodies[10];
    char bytes[10][32];
    bool refuse;
};

static bool
see_row(void *context, const struct sw_journal_row *row, struct sw_err *err)
{
    struct seen *seen = context;
    if (seen->refuse) {
        return sw_err_set(err, "refused");
    }
    size_t at = row->id.bytes[15];
    const char *space = memchr(row->body.data, ' ', row->body.size);
    size_t size = space != NULL ? (size_t)(space - row->body.data) : row->body.size;
    snprintf(seen->bytes[at], sizeof(seen->bytes[at]), "%zu=%.*s ", at, (int)size, row->body.data);
    seen->count++;
    return true;
}

static const char *
rows_of(struct sw_journal *journal, const char *source, struct seen *seen)
{
    struct sw_err err = {0};
    memset(seen, 0, sizeof(*seen));
    if (!sw_journal_load_rows(journal, source, see_row, seen, &err)) {
        fail_msg("%s", err.text);
    }
    for (size_t i = 0; i < 10; i++) {
        strcat(seen->text, seen->bytes[i]);
    }
    return seen->text;
}

static void
put_rows(struct sw_journal *journal, const char *source, bool replace,
    const struct sw_journal_row *rows, size_t count)
{
    struct sw_err err = {0};
    struct sw_source_state stored;
    sw_source_state_init(&stored, source, "replay");
    stored.sessions = (int64_t)count;
    struct sw_journal_write write = {
        .source = &stored, .replace_rows = replace, .rows = rows, .row_count = count};
    if (!sw_journal_append(journal, &write, NULL, &err)) {
        fail_msg("%s", err.text);
    }
    sw_source_state_fini(&stored);
}

static void
test_rows_are_put_replaced_and_removed(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct seen seen;
    struct sw_journal_row first[] = {{id_of(1), SW_STR("one")}, {id_of(2), SW_STR("two")}};
    struct sw_journal_row second[] = {
        {id_of(1), {NULL, 0}}, {id_of(2), SW_STR("TWO")}, {id_of(3), SW_STR("")}};
    struct sw_journal_row third[] = {{id_of(4), SW_STR("four")}};
    put_rows(journal, "a", false, first, 2);
    put_rows(journal, "b", false, third, 1);
    assert_string_equal(rows_of(journal, "a", &seen), "1=one 2=two ");
    put_rows(journal, "a", false, second, 3);
    assert_string_equal(rows_of(journal, "a", &seen), "2=TWO 3= ");
    put_rows(journal, "a", true, third, 1);
    assert_string_equal(rows_of(journal, "a", &seen), "4=four ");
    put_rows(journal, "a", true, NULL, 0);
    assert_string_equal(rows_of(journal, "a", &seen), "");
    assert_string_equal(rows_of(journal, "b", &seen), "4=four ");
}

/* A baseline that changes long enough to be written anew, again and again, beside another. */
static void
test_a_baseline_that_changes_and_changes(void **state)
{
    struct journal_place *place = *state;
    static char text[9][20001];
    struct seen seen;
    char expected[256];
    struct sw_journal_row other = {id_of(4), SW_STR("four")};
    unsigned random = 1;
    int now[10] = {0};
    memset(text, 'r', sizeof(text));
    put_rows(place->journal, "b", false, &other, 1);
    for (size_t round = 1; round <= 640; round++) {
        struct sw_journal_row rows[9];
        size_t count = 0;
        for (uint8_t id = 1; id <= 9; id++) {
            random = random * 1103515245u + 12345u;
            unsigned what = random >> 16 & 7;
            if (what < 4) {
                size_t size = (size_t)snprintf(text[id - 1], 12, "%d", (int)round);
                text[id - 1][size] = ' ';
                /* Now and then more than goes into one piece of the file. */
                size = round % 50 == 0 && id == 5 ? 20000 : 200;
                now[id] = what > 0 ? (int)round : 0;
                rows[count++] = (struct sw_journal_row){
                    id_of(id), {what > 0 ? text[id - 1] : NULL, what > 0 ? size : 0}};
            }
        }
        put_rows(place->journal, "a", round == 200, rows, count);
        for (size_t id = 0; round == 200 && id < 10; id++) {
            now[id] = now[id] == (int)round ? now[id] : 0;
        }
        if (round % 7 != 0) {
            continue;
        }
        if (!place->is_ram && round % 70 == 0) {
            journal_place_reopen(place);
        }
        expected[0] = '\0';
        for (size_t id = 0, at = 0; id < 10; id++) {
            at += now[id] == 0 ? 0
                               : (size_t)snprintf(
                                     expected + at, sizeof(expected) - at, "%zu=%d ", id, now[id]);
        }
        assert_string_equal(rows_of(place->journal, "a", &seen), expected);
        assert_string_equal(rows_of(place->journal, "b", &seen), "4=four ");
    }
    if (!place->is_ram) {
        assert_in_range(
            journal_place_sql(place, "SELECT sum(length(rows)) FROM baseline"), 1, 100000);
    }
}

static void
test_rows_need_their_source(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_err err = {0};
    struct sw_journal_row row = {id_of(1), SW_STR("one")};
    struct sw_journal_write write = {.rows = &row, .row_count = 1};
    assert_false(sw_journal_append(journal, &write, NULL, &err));
    assert_contains(err.text, "without their source");
}

static void
test_a_reader_of_rows_may_stop(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_err err = {0};
    struct seen seen = {.refuse = true};
    struct sw_journal_row row = {id_of(1), SW_STR("one")};
    put_rows(journal, "a", false, &row, 1);
    assert_false(sw_journal_load_rows(journal, "a", see_row, &seen, &err));
    assert_string_equal(err.text, "refused");
    assert_string_equal(rows_of(journal, "a", &seen), "1=one ");
}

static void
assert_same_source(const struct sw_source_state *a, const struct sw_source_state *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->type, b->type);
    assert_string_equal(a->identity, b->identity);
    assert_string_equal(a->server, b->server);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->since_ns, b->since_ns);
    assert_int_equal(a->last_look_ns, b->last_look_ns);
    assert_int_equal(a->last_boot_ns, b->last_boot_ns);
    assert_string_equal(a->boot_id, b->boot_id);
    assert_int_equal(a->last_took_ns, b->last_took_ns);
    assert_int_equal(a->reported, b->reported);
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->sessions, b->sessions);
    assert_int_equal(a->has_baseline, b->has_baseline);
    assert_int_equal(a->position, b->position);
    assert_int_equal(a->flooded, b->flooded);
    assert_int_equal(a->changes_from_ns, b->changes_from_ns);
    assert_int_equal(a->changes_count, b->changes_count);
    assert_string_equal(a->error, b->error);
}

static struct sw_source_state
source_with_everything(void)
{
    struct sw_source_state source;
    sw_source_state_init(&source, "fs01", "netsession");
    sw_state_set(&source.identity, "who");
    sw_state_set(&source.server, "FS01");
    sw_state_set(&source.boot_id, "boot");
    sw_state_set(&source.error, "access denied");
    source.status = SW_SOURCE_UNREACHABLE;
    source.since_ns = 11;
    source.last_look_ns = 12;
    source.last_boot_ns = SW_TIME_NONE;
    source.last_took_ns = 13;
    source.reported = 0x80000001u;
    source.level = 502;
    source.sessions = 14;
    source.has_baseline = true;
    source.position = INT64_C(1) << 40;
    source.flooded = true;
    source.changes_from_ns = 15;
    source.changes_count = 16;
    return source;
}

static void
test_a_source_comes_back_whole(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    bool found = true;
    struct sw_source_state source = source_with_everything();
    struct sw_source_state loaded;
    sw_source_state_init(&loaded, "other", "exec");
    assert_true(sw_journal_load_source(place->journal, "fs01", &loaded, &found, &err));
    assert_false(found);
    assert_string_equal(loaded.name, "other");

    struct sw_journal_write write = {.source = &source};
    assert_true(sw_journal_append(place->journal, &write, NULL, &err));
    if (!place->is_ram) {
        journal_place_reopen(place);
    }
    assert_true(sw_journal_load_source(place->journal, "fs01", &loaded, &found, &err));
    assert_true(found);
    assert_same_source(&loaded, &source);
    sw_source_state_fini(&loaded);

    struct sw_source_state *all;
    size_t count;
    assert_true(sw_journal_list_sources(place->journal, &all, &count, &err));
    assert_int_equal(count, 1);
    assert_same_source(&all[0], &source);
    sw_source_state_fini(&all[0]);
    free(all);
    sw_source_state_fini(&source);
}

static void
test_sources_that_left_are_forgotten(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_err err = {0};
    struct seen seen;
    struct sw_source_state source;
    bool found;
    struct sw_journal_row row = {id_of(1), SW_STR("one")};
    const char *const kept[] = {"b", "never-seen"};
    put_rows(journal, "a", false, &row, 1);
    put_rows(journal, "b", false, &row, 1);
    put_rows(journal, "c", false, &row, 1);
    assert_true(sw_journal_keep_sources(journal, kept, 2, &err));
    sw_source_state_init(&source, "", "");
    assert_string_equal(rows_of(journal, "a", &seen), "");
    assert_true(sw_journal_load_source(journal, "a", &source, &found, &err));
    assert_false(found);
    assert_string_equal(rows_of(journal, "b", &seen), "1=one ");
    assert_true(sw_journal_load_source(journal, "b", &source, &found, &err));
    assert_true(found);
    assert_true(sw_journal_keep_sources(journal, NULL, 0, &err));
    assert_true(sw_journal_load_source(journal, "b", &source, &found, &err));
    assert_false(found);
    sw_source_state_fini(&source);
}

/* ---- waiting */

struct waiter {
    struct sw_journal *journal;
    uint64_t after;
    uint64_t wakes;
    bool answer;
};

static void *
wait_thread(void *argument)
{
    struct waiter *waiter = argument;
    waiter->answer = sw_journal_wait(waiter->journal, waiter->after, INT64_MAX, &waiter->wakes);
    return NULL;
}

static void
test_an_append_ends_a_wait(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    pthread_t thread;
    struct sw_err err = {0};
    struct waiter waiter = {.journal = journal, .after = journal_must_put(journal, "a", 2, 0)};
    assert_true(sw_thread_start(&thread, wait_thread, &waiter, "waiter", &err));
    journal_must_put(journal, "b", 1, 0);
    pthread_join(thread, NULL);
    assert_true(waiter.answer);
}

static void
test_a_wake_ends_a_wait_once(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    pthread_t thread;
    struct sw_err err = {0};
    struct waiter waiter = {.journal = journal};
    assert_true(sw_thread_start(&thread, wait_thread, &waiter, "waiter", &err));
    sw_journal_wake(journal);
    pthread_join(thread, NULL);
    assert_false(waiter.answer);
    assert_int_equal(waiter.wakes, 1);

    /* The wake is used up; a past deadline ends the next wait, an event answers at once. */
    assert_false(sw_journal_wait(journal, 0, 0, &waiter.wakes));
    assert_int_equal(waiter.wakes, 1);
    journal_must_put(journal, "a", 1, 0);
    assert_true(sw_journal_wait(journal, 0, 0, &waiter.wakes));
    assert_false(sw_journal_wait(journal, 1, 0, &waiter.wakes));
}

static void
test_a_wake_before_the_wait_is_not_lost(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    uint64_t wakes = 0;
    journal_must_put(journal, "a", 1, 0);
    sw_journal_wake(journal);
    assert_false(sw_journal_wait(journal, 0, INT64_MAX, &wakes));
    assert_true(sw_journal_wait(journal, 0, INT64_MAX, &wakes));
}

struct reader {
    struct sw_journal *journal;
    const char *sink;
    uint64_t goal;
    uint64_t seen;
    bool ordered;
};

static void *
read_thread(void *argument)
{
    struct reader *reader = argument;
    struct sw_journal_batch batch = {0};
    struct sw_err err;
    uint64_t wakes = 0;
    uint64_t at = 0;
    reader->ordered = true;
    while (at < reader->goal) {
        bool pending;
        sw_journal_wait(reader->journal, at, INT64_MAX, &wakes);
        if (!sw_journal_read(reader->journal, at, 0, &batch, &err)) {
            break;
        }
        for (size_t i = 0; i < batch.count; i++) {
            reader->ordered = reader->ordered && batch.records[i].seq == at + 1;
            at = batch.records[i].seq;
            reader->seen++;
        }
        struct sw_sink_state state;
        sw_sink_state_init(&state, reader->sink, "file");
        state.position = at;
        if (!sw_journal_ack(reader->journal, &state, sw_clock_boot_ns(), &pending, &err)) {
            break;
        }
        sw_sink_state_fini(&state);
    }
    sw_journal_batch_fini(&batch);
    return NULL;
}

static void
test_many_threads_see_every_event_in_order(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    static const char *const names[] = {"s0", "s1", "s2"};
    struct sw_err err = {0};
    pthread_t threads[3];
    struct reader readers[3];
    for (size_t i = 0; i < 3; i++) {
        journal_must_attach(journal, names[i], true);
        readers[i] = (struct reader){.journal = journal, .sink = names[i], .goal = 3000};
        assert_true(sw_thread_start(&threads[i], read_thread, &readers[i], "reader", &err));
    }
    for (size_t i = 0; i < 300; i++) {
        journal_must_put(journal, "e", 10, 40);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].seen, 3000);
        assert_true(readers[i].ordered);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(test_what_is_appended_can_be_read),
        JOURNAL_TEST(test_bytes_come_back_as_they_were),
        JOURNAL_TEST(test_a_batch_has_limits),
        JOURNAL_TEST(test_a_read_begins_and_ends_anywhere),
        JOURNAL_TEST(test_an_event_has_a_limit),
        JOURNAL_TEST(test_rows_are_put_replaced_and_removed),
        JOURNAL_TEST(test_a_baseline_that_changes_and_changes),
        JOURNAL_TEST(test_rows_need_their_source),
        JOURNAL_TEST(test_a_reader_of_rows_may_stop),
        JOURNAL_TEST(test_a_source_comes_back_whole),
        JOURNAL_TEST(test_sources_that_left_are_forgotten),
        JOURNAL_TEST(test_an_append_ends_a_wait),
        JOURNAL_TEST(test_a_wake_ends_a_wait_once),
        JOURNAL_TEST(test_a_wake_before_the_wait_is_not_lost),
        JOURNAL_TEST(test_many_threads_see_every_event_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
