/* The stored form of several events: what goes in comes out, and nothing else is taken for one. */
#include <stdlib.h>

#include "agent/journal.h"
#include "agent/journal/journal_chunk.h"
#include "tests/support/unit.h"

static const struct sw_str three[] = {{"", 0}, {"a", 1}, {"a\0b", 3}};

/* In memory of exactly its size, so that reading beyond it is seen. The caller frees it. */
static char *
chunk_of(const struct sw_str *events, size_t count, size_t *size)
{
    assert_int_equal(journal_chunk_fit(events, count, size), count);
    char *bytes = malloc(*size);
    journal_chunk_write(events, count, bytes);
    return bytes;
}

static bool
begins(uint64_t first, uint64_t count, const char *bytes, size_t size)
{
    struct journal_chunk chunk;
    char *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, bytes, size);
    bool ok = journal_chunk_begin(&chunk, first, count, (struct sw_str){exact, size});
    free(exact);
    return ok;
}

static void
test_events_come_back(void **state)
{
    (void)state;
    struct journal_chunk chunk;
    uint64_t seq;
    struct sw_str event;
    size_t size;
    char *bytes = chunk_of(three, 3, &size);
    assert_int_equal(size, 16);
    assert_memory_equal(bytes, "\0\0\0\0\1\0\0\0a\3\0\0\0a\0b", 16);
    assert_true(journal_chunk_begin(&chunk, 41, 3, (struct sw_str){bytes, size}));
    assert_int_equal(chunk.seq, 41);
    assert_int_equal(chunk.end, 44);
    for (size_t i = 0; i < 3; i++) {
        assert_true(journal_chunk_next(&chunk, &seq, &event));
        assert_int_equal(seq, 41 + i);
        assert_true(sw_str_equal(event, three[i]));
    }
    assert_false(journal_chunk_next(&chunk, &seq, &event));
    free(bytes);
}

static void
test_a_chunk_is_full_in_time(void **state)
{
    (void)state;
    static char text[2 * JOURNAL_CHUNK_BYTES];
    struct sw_str events[JOURNAL_CHUNK_EVENTS + 1];
    size_t size;
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        events[i] = (struct sw_str){text, 10};
    }
    assert_int_equal(journal_chunk_fit(events, COUNT_OF(events), &size), JOURNAL_CHUNK_EVENTS);
    assert_int_equal(size, JOURNAL_CHUNK_EVENTS * 14);

    /* The third would be one byte too much; without that byte it fits. */
    events[0].size = events[1].size = 100;
    events[2].size = JOURNAL_CHUNK_BYTES - 2 * 104 - 4 + 1;
    assert_int_equal(journal_chunk_fit(events, 3, &size), 2);
    assert_int_equal(size, 208);
    events[2].size--;
    assert_int_equal(journal_chunk_fit(events, 3, &size), 3);
    assert_int_equal(size, JOURNAL_CHUNK_BYTES);

    /* One too large for any goes alone. */
    events[0].size = sizeof(text);
    assert_int_equal(journal_chunk_fit(events, 3, &size), 1);
    assert_int_equal(size, sizeof(text) + 4);
}

static void
test_what_is_no_chunk_is_refused(void **state)
{
    (void)state;
    size_t size;
    char *bytes = chunk_of(three, 3, &size);
    assert_true(begins(1, 3, bytes, size));
    assert_true(begins(INT64_MAX - 3, 3, bytes, size));
    assert_false(begins(0, 3, bytes, size));
    assert_false(begins(INT64_MAX - 2, 3, bytes, size));
    assert_false(begins(UINT64_MAX, 3, bytes, size));
    assert_false(begins(1, 0, bytes, size));
    assert_false(begins(1, 0, bytes, 0));
    assert_false(begins(1, 2, bytes, size));
    assert_false(begins(1, 4, bytes, size));
    assert_false(begins(1, UINT64_MAX, bytes, size));
    for (size_t cut = 0; cut < size; cut++) {
        assert_false(begins(1, 3, bytes, cut));
    }
    free(bytes);
    char many[4 * (JOURNAL_CHUNK_EVENTS + 1)] = {0};
    assert_true(begins(1, JOURNAL_CHUNK_EVENTS, many, sizeof(many) - 4));
    assert_false(begins(1, JOURNAL_CHUNK_EVENTS + 1, many, sizeof(many)));
}

/* A wrong size anywhere leaves the end where no event ends. */
static void
test_every_wrong_byte_of_a_size_is_seen(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12};
    size_t size;
    char *bytes = chunk_of(three, 3, &size);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char right = bytes[sizes[i]];
        for (int wrong = 0; wrong < 256; wrong++) {
            bytes[sizes[i]] = (char)wrong;
            assert_int_equal(begins(1, 3, bytes, size), (char)wrong == right);
        }
        bytes[sizes[i]] = right;
    }
    free(bytes);
}

static void
test_a_size_above_the_limit_is_refused(void **state)
{
    (void)state;
    size_t size = SW_JOURNAL_EVENT_MAX + 1 + 4;
    char *bytes = calloc(size, 1);
    bytes[0] = 1;
    bytes[2] = 16;
    assert_false(begins(1, 1, bytes, size));
    bytes[0] = 0;
    assert_true(begins(1, 1, bytes, size - 1));
    free(bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_come_back),
        cmocka_unit_test(test_a_chunk_is_full_in_time),
        cmocka_unit_test(test_what_is_no_chunk_is_refused),
        cmocka_unit_test(test_every_wrong_byte_of_a_size_is_seen),
        cmocka_unit_test(test_a_size_above_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
