/*
 * What every sink must do (sinks/sink.h), whichever it is. Fixtures know how to set each up; the
 * tests here know only the contract.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "tests/conformance/sink_fixture.h"

static const struct sink_fixture *const fixtures[] = {
    &sink_fixture_file,
    &sink_fixture_stdout,
    &sink_fixture_webhook,
    &sink_fixture_webhook_single,
    /* Last: a look-up that it has given up ends, and closes its socket, in its own time. */
    &sink_fixture_syslog,
};

#define RECORDS_MAX 512

struct bench {
    const struct sink_fixture *fixture;
    const struct sw_sink_class *class;
    struct sink_world world;
    struct sw_sink sink;
    size_t fds_before;
    struct sw_event event;
    struct sw_record records[RECORDS_MAX];
    enum sw_result results[RECORDS_MAX];
    struct sw_answer answer;
    struct sw_err err;
    uint64_t next_seq;
};

static size_t
count_fds(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

/* Nothing of the sink's is left open. What it has given up, such as a look-up that the system does
 * not answer, may take a moment to end by itself, here or in the next test; what leaks never does.
 */
static void
assert_fds(size_t count)
{
    int64_t until_ns = sw_clock_boot_ns() + 10 * SW_NS_PER_S;
    while (count_fds() > count && sw_clock_boot_ns() < until_ns) {
        sched_yield();
    }
    assert_in_range(count_fds(), 0, count);
}

static int
bench_setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->fixture = *state;
    b->class = sw_sink_class_find(b->fixture->class);
    assert_non_null(b->class);
    snprintf(b->world.folder, sizeof(b->world.folder), "/tmp/sw-sink-XXXXXX");
    assert_non_null(mkdtemp(b->world.folder));
    for (size_t i = 0; i < COUNT_OF(b->world.fds); i++) {
        b->world.fds[i] = -1;
    }
    b->world.conf = calloc(1, b->class->part.conf_size + 1);
    b->fixture->setup(&b->world, b->class);
    if (b->class->part.prepare != NULL) {
        b->class->part.prepare(b->world.conf);
    }
    b->sink =
        (struct sw_sink){b->class, "test", b->world.conf, calloc(1, b->class->state_size + 1)};
    b->fds_before = count_fds();
    sw_event_init(&b->event, SW_EVENT_AGENT_ALIVE);
    b->next_seq = 1;
    *state = b;
    return 0;
}

static int
bench_teardown(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < RECORDS_MAX; i++) {
        free((void *)(uintptr_t)b->records[i].bytes.data);
    }
    b->fixture->teardown(&b->world);
    free(b->sink.state);
    free(b->world.conf);
    assert_int_equal(rmdir(b->world.folder), 0);
    free(b);
    return 0;
}

static int64_t
soon(void)
{
    return sw_clock_boot_ns() + 30 * SW_NS_PER_S;
}

static void
start(struct bench *b)
{
    assert_true(b->class->init(&b->sink, &b->err));
}

static void
connect_it(struct bench *b)
{
    if (b->class->connect(&b->sink, soon(), &b->err) != SW_OUTCOME_OK) {
        fail_msg("connect: %s", b->err.text);
    }
}

static void
finish(struct bench *b)
{
    b->class->disconnect(&b->sink);
    b->class->fini(&b->sink);
    assert_fds(b->fds_before);
}

static void
make_record(struct bench *b, size_t at, const char *bytes, size_t size)
{
    struct sw_record *record = &b->records[at];
    free((void *)(uintptr_t)record->bytes.data);
    char *copy = malloc(size);
    memcpy(copy, bytes, size);
    *record = (struct sw_record){b->next_seq++, &b->event, {copy, size}, false};
    b->results[at] = SW_RESULT_AGAIN;
}

/* Records that differ and vary in size, JSON as far as a sink may look at it. */
static void
make_records(struct bench *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char bytes[256];
        int size = snprintf(bytes, sizeof(bytes), "{\"@timestamp\":\"%llu\",\"x\":\"%0*d\"}",
            (unsigned long long)b->next_seq, (int)(b->next_seq % 97) + 1, 7);
        make_record(b, i, bytes, (size_t)size);
    }
}

static enum sw_outcome
send_some(struct bench *b, size_t from, size_t count)
{
    memset(&b->answer, 0, sizeof(b->answer));
    return b->class->send(
        &b->sink, b->records + from, count, b->results + from, &b->answer, soon(), &b->err);
}

static size_t
per_send(const struct bench *b)
{
    size_t max = b->class->pace != NULL ? b->class->pace(b->world.conf).records_max : 0;
    return max > 0 && max < RECORDS_MAX ? max : RECORDS_MAX;
}

/* Sends records 0 to count, in as many goes as the class wants. */
static void
send_all(struct bench *b, size_t count)
{
    for (size_t from = 0; from < count;) {
        size_t now = count - from < per_send(b) ? count - from : per_send(b);
        if (send_some(b, from, now) != SW_OUTCOME_OK) {
            fail_msg("send: %s", b->err.text);
        }
        for (size_t i = from; i < from + now; i++) {
            assert_int_equal(b->results[i], SW_RESULT_DONE);
        }
        from += now;
    }
}

static void
expect(struct sw_buf *expected, const struct bench *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sw_buf_add(expected, b->records[i].bytes.data, b->records[i].bytes.size);
        sw_buf_add_char(expected, '\n');
    }
}

static void
assert_arrived(struct bench *b, const struct sw_buf *expected)
{
    struct sw_buf arrived;
    sw_buf_init(&arrived, (size_t)64 << 20);
    b->fixture->arrived(&b->world, &arrived);
    assert_int_equal(arrived.size, expected->size);
    assert_memory_equal(sw_buf_text(&arrived), sw_buf_text(expected), expected->size);
    sw_buf_fini(&arrived);
}

static void
init_and_fini_make_no_connection(void **state)
{
    struct bench *b = *state;
    struct sw_buf nothing;
    sw_buf_init(&nothing, 1);
    start(b);
    assert_arrived(b, &nothing);
    b->class->fini(&b->sink);
    assert_fds(b->fds_before);
}

static void
disconnect_is_legal_at_any_time(void **state)
{
    struct bench *b = *state;
    start(b);
    b->class->disconnect(&b->sink);
    connect_it(b);
    b->class->disconnect(&b->sink);
    b->class->disconnect(&b->sink);
    for (int i = 0; i < 20; i++) {
        connect_it(b);
        b->class->disconnect(&b->sink);
    }
    finish(b);
}

static void
fini_winds_up_a_connected_sink(void **state)
{
    struct bench *b = *state;
    start(b);
    connect_it(b);
    make_records(b, 1);
    send_all(b, 1);
    b->class->fini(&b->sink);
    assert_fds(b->fds_before);
}

static void
one_record_arrives(void **state)
{
    struct bench *b = *state;
    struct sw_buf expected;
    sw_buf_init(&expected, 1 << 20);
    start(b);
    connect_it(b);
    make_records(b, 1);
    send_all(b, 1);
    expect(&expected, b, 1);
    assert_arrived(b, &expected);
    finish(b);
    sw_buf_fini(&expected);
}

static void
many_records_arrive_whole_and_in_order(void **state)
{
    struct bench *b = *state;
    struct sw_buf expected;
    sw_buf_init(&expected, (size_t)16 << 20);
    start(b);
    connect_it(b);
    for (int i = 0; i < 3; i++) {
        make_records(b, RECORDS_MAX);
        send_all(b, RECORDS_MAX);
        expect(&expected, b, RECORDS_MAX);
        assert_arrived(b, &expected);
    }
    finish(b);
    sw_buf_fini(&expected);
}

/* A format never lets a newline out; everything else is the sink's to carry. */
static void
bytes_arrive_as_they_are(void **state)
{
    struct bench *b = *state;
    struct sw_buf expected;
    char bytes[256];
    size_t size = 0;
    sw_buf_init(&expected, 1 << 20);
    for (int byte = 0; byte < 256; byte++) {
        if (byte != '\n') {
            bytes[size++] = (char)byte;
        }
    }
    start(b);
    connect_it(b);
    make_record(b, 0, bytes, size);
    make_record(b, 1, "%s%n<133>1 ]|=\\\"", 16);
    send_all(b, 2);
    expect(&expected, b, 2);
    assert_arrived(b, &expected);
    finish(b);
    sw_buf_fini(&expected);
}

static void
connecting_again_loses_and_repeats_nothing(void **state)
{
    struct bench *b = *state;
    struct sw_buf expected;
    sw_buf_init(&expected, 1 << 20);
    start(b);
    for (int i = 0; i < 10; i++) {
        connect_it(b);
        make_records(b, 7);
        send_all(b, 7);
        expect(&expected, b, 7);
        b->class->disconnect(&b->sink);
    }
    assert_arrived(b, &expected);
    finish(b);
    sw_buf_fini(&expected);
}

/* Whatever is DONE has arrived whole; whatever is not comes whole and once when sent again. */
static void
results_are_exact_when_the_receiver_fails(void **state)
{
    struct bench *b = *state;
    struct sw_buf expected;
    sw_buf_init(&expected, 1 << 20);
    start(b);
    connect_it(b);
    static const uint64_t limits[] = {0, 1, 30, 500, 501, 502, 503, 3000};
    for (size_t l = 0; l < COUNT_OF(limits); l++) {
        size_t count = per_send(b) < 60 ? per_send(b) : 60;
        make_records(b, count);
        b->fixture->fail_after(&b->world, limits[l]);
        enum sw_outcome outcome = send_some(b, 0, count);
        assert_int_not_equal(outcome, SW_OUTCOME_OK);
        assert_true(b->err.text[0] != '\0');
        size_t done = 0;
        while (done < count && b->results[done] == SW_RESULT_DONE) {
            done++;
        }
        for (size_t i = done; i < count; i++) {
            assert_int_equal(b->results[i], SW_RESULT_AGAIN);
        }
        b->fixture->fail_after(&b->world, UINT64_MAX);
        if (outcome != SW_OUTCOME_LATER) {
            b->class->disconnect(&b->sink);
            connect_it(b);
        }
        expect(&expected, b, done);
        assert_arrived(b, &expected);
        if (send_some(b, done, count - done) != SW_OUTCOME_OK) {
            fail_msg("send again: %s", b->err.text);
        }
        for (size_t i = done; i < count; i++) {
            assert_int_equal(b->results[i], SW_RESULT_DONE);
            sw_buf_add(&expected, b->records[i].bytes.data, b->records[i].bytes.size);
            sw_buf_add_char(&expected, '\n');
        }
        assert_arrived(b, &expected);
    }
    finish(b);
    sw_buf_fini(&expected);
}

struct stalled {
    struct bench *bench;
    int64_t deadline_ns;
    enum sw_outcome outcome;
};

static void *
send_stalled(void *argument)
{
    struct stalled *stalled = argument;
    struct bench *b = stalled->bench;
    stalled->outcome = b->class->connect(&b->sink, stalled->deadline_ns, &b->err);
    if (stalled->outcome == SW_OUTCOME_OK) {
        stalled->outcome = b->class->send(
            &b->sink, b->records, 1, b->results, &b->answer, stalled->deadline_ns, &b->err);
    }
    return NULL;
}

/* The time limit of the test is what fails it. */
static void
interrupt_ends_a_send_that_nobody_takes(void **state)
{
    struct bench *b = *state;
    struct stalled stalled = {b, INT64_MAX, SW_OUTCOME_OK};
    pthread_t thread;
    b->fixture->stall(&b->world);
    b->fds_before = count_fds();
    start(b);
    make_records(b, 1);
    assert_int_equal(pthread_create(&thread, NULL, send_stalled, &stalled), 0);
    b->class->interrupt(&b->sink);
    pthread_join(thread, NULL);
    assert_int_not_equal(stalled.outcome, SW_OUTCOME_OK);
    assert_int_equal(b->results[0], SW_RESULT_AGAIN);
    finish(b);
}

static void
a_send_that_nobody_takes_ends_at_its_deadline(void **state)
{
    struct bench *b = *state;
    struct stalled stalled = {b, sw_clock_boot_ns(), SW_OUTCOME_OK};
    b->fixture->stall(&b->world);
    b->fds_before = count_fds();
    start(b);
    make_records(b, 1);
    send_stalled(&stalled);
    assert_int_not_equal(stalled.outcome, SW_OUTCOME_OK);
    assert_int_equal(b->results[0], SW_RESULT_AGAIN);
    assert_true(b->err.text[0] != '\0');
    finish(b);
}

static void
every_sink_type_has_a_fixture(void **state)
{
    (void)state;
    for (size_t i = 0; sw_sink_classes[i] != NULL; i++) {
        size_t at = 0;
        while (at < COUNT_OF(fixtures) &&
               strcmp(fixtures[at]->class, sw_sink_classes[i]->part.name) != 0) {
            at++;
        }
        if (at == COUNT_OF(fixtures)) {
            fail_msg("sink type '%s' has none", sw_sink_classes[i]->part.name);
        }
    }
    assert_null(sw_sink_class_find("fil"));
    assert_null(sw_sink_class_find(""));
}

enum need { NEEDS_NOTHING, NEEDS_STALL, NEEDS_FAILURE };

static const struct {
    const char *name;
    CMUnitTestFunction run;
    enum need need;
} tests[] = {
#define TEST(name, need)                                                                           \
    {                                                                                              \
#name, name, need                                                                          \
    }
    TEST(init_and_fini_make_no_connection, NEEDS_NOTHING),
    TEST(disconnect_is_legal_at_any_time, NEEDS_NOTHING),
    TEST(fini_winds_up_a_connected_sink, NEEDS_NOTHING),
    TEST(one_record_arrives, NEEDS_NOTHING),
    TEST(many_records_arrive_whole_and_in_order, NEEDS_NOTHING),
    TEST(bytes_arrive_as_they_are, NEEDS_NOTHING),
    TEST(connecting_again_loses_and_repeats_nothing, NEEDS_NOTHING),
    TEST(results_are_exact_when_the_receiver_fails, NEEDS_FAILURE),
    TEST(interrupt_ends_a_send_that_nobody_takes, NEEDS_STALL),
    TEST(a_send_that_nobody_takes_ends_at_its_deadline, NEEDS_STALL),
};

static bool
fixture_can(const struct sink_fixture *fixture, enum need need)
{
    return need == NEEDS_NOTHING || (need == NEEDS_STALL && fixture->stall != NULL) ||
           (need == NEEDS_FAILURE && fixture->fail_after != NULL);
}

int
main(void)
{
    static struct CMUnitTest all[COUNT_OF(fixtures) * COUNT_OF(tests) + 1];
    static char names[COUNT_OF(fixtures) * COUNT_OF(tests)][128];
    size_t count = 0;
    for (size_t f = 0; f < COUNT_OF(fixtures); f++) {
        for (size_t t = 0; t < COUNT_OF(tests); t++) {
            if (fixture_can(fixtures[f], tests[t].need)) {
                snprintf(
                    names[count], sizeof(names[count]), "%s: %s", fixtures[f]->name, tests[t].name);
                all[count] = (struct CMUnitTest){names[count], tests[t].run, bench_setup,
                    bench_teardown, (void *)(uintptr_t)fixtures[f]};
                count++;
            }
        }
    }
    all[count++] = (struct CMUnitTest)cmocka_unit_test(every_sink_type_has_a_fixture);
    return _cmocka_run_group_tests("sinks", all, count, NULL, NULL);
}
