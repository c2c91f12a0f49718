#include "tests/support/unit.h"

#include "agent/base/time_text.h"
#include "agent/baseline.h"
#include "tests/support/rows.h"

#define SEEN (INT64_C(1795357577) * SW_NS_PER_S)
#define S    SW_NS_PER_S

static struct sw_err err;

static struct sw_track
track_of(uint8_t id)
{
    return (struct sw_track){
        .session_id = {{id, 2, 3}},
        .start_ns = SEEN - 77,
        .told_opens = 4,
        .told_idle = SW_UNKNOWN,
        .told_guest = -1,
        .start_from = SW_START_FIRST_SEEN,
    };
}

static bool
tracks_equal(const struct sw_track *a, const struct sw_track *b)
{
    return sw_uuid_compare(&a->session_id, &b->session_id) == 0 && a->start_ns == b->start_ns &&
           a->told_opens == b->told_opens && a->told_idle == b->told_idle &&
           a->told_guest == b->told_guest && a->start_from == b->start_from;
}

/* Decodes from an exact copy on the heap, so that a sanitizer sees one byte too far. */
static bool
decode(struct sw_str bytes, struct sw_row *row, struct sw_track *track, int64_t *seen, char **copy)
{
    *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    if (bytes.size > 0) {
        memcpy(*copy, bytes.data, bytes.size);
    }
    return sw_baseline_decode_row(row, track, seen, (struct sw_str){*copy, bytes.size}, &err);
}

static void
test_a_stored_row_comes_back(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int i = 0; i < 2000; i++) {
        struct sw_row row = rows_random_row(&seed);
        struct sw_track track = track_of((uint8_t)i);
        struct sw_row row2;
        struct sw_track track2;
        int64_t seen;
        char *copy;
        struct sw_buf buf;
        row.id = i % 2 == 0 ? SW_STR("186162") : (struct sw_str){NULL, 0};
        track.told_guest = (int8_t)(i % 3 - 1);
        track.start_ns = i % 5 == 0 ? INT64_MIN : -i;
        sw_buf_init(&buf, 65536);
        sw_baseline_encode_row(&row, &track, SEEN - i, &buf);
        assert_true(decode((struct sw_str){buf.data, buf.size}, &row2, &track2, &seen, &copy));
        assert_true(rows_equal(&row, &row2));
        assert_true(tracks_equal(&track, &track2));
        assert_int_equal(seen, SEEN - i);
        free(copy);
        sw_buf_fini(&buf);
    }
}

static void
test_damaged_rows_are_refused(void **state)
{
    (void)state;
    struct sw_row row = SW_ROW_EMPTY;
    struct sw_track track = track_of(1);
    struct sw_buf buf;
    int64_t seen;
    char *copy;
    sw_buf_init(&buf, 65536);
    row.client = SW_STR("c");
    row.user = SW_STR("alice");
    sw_baseline_encode_row(&row, &track, SEEN, &buf);
    size_t size = buf.size;
    for (size_t cut = 0; cut < size; cut++) {
        assert_false(decode((struct sw_str){buf.data, cut}, &row, &track, &seen, &copy));
        assert_contains(err.text, "damaged");
        free(copy);
    }
    sw_buf_add_char(&buf, 'x');
    assert_false(decode((struct sw_str){buf.data, buf.size}, &row, &track, &seen, &copy));
    free(copy);
    buf.data[0] = 2;
    assert_false(decode((struct sw_str){buf.data, size}, &row, &track, &seen, &copy));
    assert_string_equal(err.text, "a stored session has version 2, only 1 can be read");
    free(copy);

    /* names, active (of an age beyond SW_ACTIVE_MAX, which no snapshot holds), guest, told guest,
     * start from, size of the client's name */
    static const size_t places[] = {1, 41, 54, 55, 56, 58};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        buf.data[0] = 1;
        char good = buf.data[places[i]];
        buf.data[places[i]] = '\x80';
        assert_false(decode((struct sw_str){buf.data, size}, &row, &track, &seen, &copy));
        buf.data[places[i]] = good;
        free(copy);
        assert_true(decode((struct sw_str){buf.data, size}, &row, &track, &seen, &copy));
        free(copy);
    }
    sw_buf_fini(&buf);
}

static void
test_ages_grow_with_the_wall_clock(void **state)
{
    (void)state;
    assert_int_equal(sw_baseline_age(100, SEEN, SEEN + 30 * S), 130);
    assert_int_equal(sw_baseline_age(100, SEEN, SEEN + 30 * S + S / 2), 131);
    assert_int_equal(sw_baseline_age(100, SEEN, SEEN - 40 * S), 60);
    assert_int_equal(sw_baseline_age(100, SEEN, SEEN - 400 * S), 0);
    assert_int_equal(sw_baseline_age(SW_ACTIVE_MAX, SEEN, SEEN + S), SW_ACTIVE_MAX);
    assert_int_equal(sw_baseline_age(SW_UNKNOWN, SEEN, SEEN + S), SW_UNKNOWN);
}

/* ---- loading, from rows that stand here in the journal's place */

struct sw_journal {
    struct sw_buf bodies[64];
    size_t count;
    bool broken;
};

bool
sw_journal_load_rows(struct sw_journal *journal, const char *source,
    bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *error),
    void *context, struct sw_err *error)
{
    assert_string_equal(source, "local");
    for (size_t i = 0; i < journal->count; i++) {
        struct sw_journal_row row = {.body = {journal->bodies[i].data, journal->bodies[i].size}};
        if (!each(context, &row, error)) {
            return false;
        }
    }
    return !journal->broken || sw_err_set(error, "disk on fire");
}

static void
store(struct sw_journal *journal, const char *user, uint32_t active, uint8_t id, int64_t seen_ns)
{
    struct sw_row row = SW_ROW_EMPTY;
    struct sw_track track = track_of(id);
    struct sw_buf *buf = &journal->bodies[journal->count++];
    row.client = SW_STR("c");
    row.user = sw_str_of(user);
    row.active = active;
    sw_buf_init(buf, 65536);
    sw_baseline_encode_row(&row, &track, seen_ns, buf);
}

static void
forget(struct sw_journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        sw_buf_fini(&journal->bodies[i]);
    }
    journal->count = 0;
}

static char name_local[] = "local";
static char server_fs01[] = "fs01";

static struct sw_source_state
state_of(bool has_baseline)
{
    return (struct sw_source_state){
        .name = name_local,
        .server = server_fs01,
        .has_baseline = has_baseline,
        .last_look_ns = SEEN,
        .last_boot_ns = 12,
        .last_took_ns = 34,
        .level = 2,
        .reported = SW_REPORTED_USER | SW_REPORTED_ACTIVE | SW_REPORTED_IDLE,
    };
}

static void
test_loads_sorted_and_aged(void **state)
{
    (void)state;
    struct sw_journal journal = {.count = 0};
    struct sw_source_state source = state_of(true);
    struct sw_baseline baseline;
    store(&journal, "zoe", 10, 1, SEEN);
    store(&journal, "alice", 10, 2, SEEN - 7200 * S - S / 2);
    store(&journal, "alice", 100000, 3, SEEN - 60 * S - 499999999);
    store(&journal, "bob", SW_UNKNOWN, 4, SEEN - 60 * S);
    store(&journal, "carl", 5, 5, SEEN + 60 * S);
    store(&journal, "dora", SW_ACTIVE_MAX, 6, SEEN - 60 * S);
    static const struct {
        const char *user;
        uint32_t active;
        uint8_t id;
    } expected[] = {{"alice", 100060, 3}, {"alice", 7211, 2}, {"bob", SW_UNKNOWN, 4},
        {"carl", 0, 5}, {"dora", SW_ACTIVE_MAX, 6}, {"zoe", 10, 1}};

    assert_true(sw_baseline_load(&journal, &source, &baseline, &err));
    assert_int_equal(baseline.snapshot->count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_true(sw_str_is(baseline.snapshot->rows[i].user, expected[i].user));
        assert_int_equal(baseline.snapshot->rows[i].active, expected[i].active);
        assert_int_equal(baseline.tracks[i].session_id.bytes[0], expected[i].id);
    }
    assert_true(sw_str_is(baseline.snapshot->server, "fs01"));
    assert_int_equal(baseline.snapshot->taken_at_ns, SEEN);
    assert_int_equal(baseline.snapshot->took_ns, 34);
    assert_int_equal(baseline.snapshot->level, 2);
    assert_int_equal(baseline.reported, source.reported);
    assert_int_equal(baseline.boot_ns, 12);
    sw_baseline_free(&baseline);
    forget(&journal);
}

static void
test_loads_nothing_and_an_empty_one(void **state)
{
    (void)state;
    struct sw_journal journal = {.count = 0};
    struct sw_baseline baseline;
    struct sw_source_state source = state_of(false);
    assert_true(sw_baseline_load(&journal, &source, &baseline, &err));
    assert_null(baseline.snapshot);
    source = state_of(true);
    assert_true(sw_baseline_load(&journal, &source, &baseline, &err));
    assert_non_null(baseline.snapshot);
    assert_int_equal(baseline.snapshot->count, 0);
    sw_baseline_free(&baseline);
}

static void
test_many_rows_keep_their_tracks(void **state)
{
    (void)state;
    struct sw_journal journal = {.count = 0};
    struct sw_baseline baseline;
    struct sw_source_state source = state_of(true);
    for (uint8_t i = 0; i < 64; i++) {
        char user[] = {(char)('A' + (i * 37 + 5) % 64), '\0'};
        store(&journal, user, i, i, SEEN);
    }
    assert_true(sw_baseline_load(&journal, &source, &baseline, &err));
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(baseline.tracks[i].session_id.bytes[0], baseline.snapshot->rows[i].active);
    }
    sw_baseline_free(&baseline);
    forget(&journal);
}

static void
test_what_cannot_be_loaded_is_an_error(void **state)
{
    (void)state;
    struct sw_journal journal = {.broken = true};
    struct sw_baseline baseline;
    struct sw_source_state source = state_of(true);
    store(&journal, "zoe", 10, 1, SEEN);
    assert_false(sw_baseline_load(&journal, &source, &baseline, &err));
    assert_string_equal(err.text, "the stored sessions of source 'local': disk on fire");
    assert_null(baseline.snapshot);
    journal.bodies[0].size--;
    assert_false(sw_baseline_load(&journal, &source, &baseline, &err));
    assert_contains(err.text, "damaged");
    forget(&journal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stored_row_comes_back),
        cmocka_unit_test(test_damaged_rows_are_refused),
        cmocka_unit_test(test_ages_grow_with_the_wall_clock),
        cmocka_unit_test(test_loads_sorted_and_aged),
        cmocka_unit_test(test_loads_nothing_and_an_empty_one),
        cmocka_unit_test(test_many_rows_keep_their_tracks),
        cmocka_unit_test(test_what_cannot_be_loaded_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
