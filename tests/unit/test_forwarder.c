/* A forwarder with its real thread over the journal in memory, a scripted sink, and a clock that
 * jumps to the end of every wait: nothing here sleeps. */
#include <sched.h>
#include <stdatomic.h>

#include "agent/base/time_text.h"
#include "agent/forwarder.h"
#include "agent/platform/platform.h"
#include "tests/support/unit.h"

#define WALL_NS (INT64_C(1795364777724000000))

/* ---- a clock that nobody waits for */

struct test_clock {
    atomic_int_fast64_t now_ns;
    atomic_uint timed_waits;
    atomic_bool is_idle; /* the last wait is for events alone */
};

static int64_t
clock_boot(void *context)
{
    return atomic_load(&((struct test_clock *)context)->now_ns);
}

static int64_t
clock_wall(void *context)
{
    return WALL_NS + clock_boot(context);
}

static bool
clock_wait(
    void *context, struct sw_journal *journal, uint64_t after, int64_t until_ns, uint64_t *wakes)
{
    struct test_clock *clock = context;
    atomic_store(&clock->is_idle, until_ns == INT64_MAX);
    if (until_ns == INT64_MAX) {
        return sw_journal_wait(journal, after, until_ns, wakes);
    }
    uint64_t before = *wakes;
    if (sw_journal_wait(journal, after, 0, wakes)) {
        return true;
    }
    if (*wakes == before) {
        atomic_fetch_add(&clock->timed_waits, 1);
        atomic_store(&clock->now_ns, until_ns);
    }
    return false;
}

/* ---- a sink that answers by a script */

struct toy_answer {
    enum sw_outcome outcome;
    const char *results; /* D, A, R or U a record; the last letter stands for the rest; "" is A */
    int64_t retry_after_ms;
};

#define TOY_SEEN_MAX 20000

struct toy {
    const enum sw_outcome *connects;
    size_t connect_count;
    const struct toy_answer *answers; /* then everything is DONE */
    size_t answer_count;
    /* Any batch with one of these is refused as a whole; forgiven after so many refusals. */
    uint64_t poison[8];
    size_t poison_count;
    size_t forgive_after;
    struct sw_sink_pace pace;
    enum sw_outcome (*away)(struct toy *toy, bool is_connect); /* asked first; OK: not away */
    bool stalls;                                               /* send waits for interrupt */
    struct sw_latch interrupted;
    atomic_bool is_sending;

    bool is_connected;
    size_t connected, disconnected, sends, refusals, largest;
    uint64_t seen[TOY_SEEN_MAX]; /* sequence numbers that were DONE */
    size_t seen_count;
    uint64_t numbers[TOY_SEEN_MAX]; /* by sequence number, as last formatted */
    struct sw_event last;           /* strings are gone */
    size_t dropped_events;
    int64_t dropped_first, dropped_last, dropped_count;
};

/* JSON, noting the numbers; every third record is cut. */
static bool
toy_write(const struct sw_format_record *record, const void *options,
    const struct sw_format_context *context, struct sw_buf *buf)
{
    /* The script is the configuration, and what is seen is written to it all the same. */
    struct toy *toy = (struct toy *)(uintptr_t)options;
    assert_true(record->seq < TOY_SEEN_MAX);
    toy->numbers[record->seq] = record->number;
    sw_format_json.write(record, NULL, context, buf);
    return record->seq % 3 != 0;
}

static const struct sw_format toy_format_table = {"toy", "application/json", toy_write};

static struct sw_format_choice
toy_format(const void *conf)
{
    return (struct sw_format_choice){&toy_format_table, conf};
}

static struct sw_sink_pace
toy_pace(const void *conf)
{
    return ((const struct toy *)conf)->pace;
}

static bool
toy_init(struct sw_sink *sink, struct sw_err *err)
{
    (void)sink;
    (void)err;
    return true;
}

/* The script is the configuration, and as such const; what is seen is written to it all the same.
 */
static struct toy *
toy_of(struct sw_sink *sink)
{
    return (struct toy *)(uintptr_t)sink->conf;
}

static enum sw_outcome
toy_connect(struct sw_sink *sink, int64_t deadline_ns, struct sw_err *err)
{
    struct toy *toy = toy_of(sink);
    (void)deadline_ns;
    assert_false(toy->is_connected);
    size_t at = toy->connected++;
    enum sw_outcome outcome = at < toy->connect_count ? toy->connects[at] : SW_OUTCOME_OK;
    outcome = toy->away != NULL ? toy->away(toy, true) : outcome;
    toy->is_connected = outcome == SW_OUTCOME_OK;
    if (outcome != SW_OUTCOME_OK) {
        sw_err_set(err, "connection refused");
    }
    return outcome;
}

static void
toy_see(struct toy *toy, const struct sw_record *record)
{
    assert_true(toy->seen_count < TOY_SEEN_MAX);
    assert_int_equal(record->bytes.data[0], '{');
    assert_int_equal(record->bytes.data[record->bytes.size - 1], '}');
    toy->seen[toy->seen_count++] = record->seq;
    toy->last = *record->event;
    if (record->event->kind == SW_EVENT_EVENTS_DROPPED) {
        toy->dropped_events++;
        toy->dropped_first = record->event->first_sequence;
        toy->dropped_last = record->event->last_sequence;
        toy->dropped_count = record->event->count;
        assert_true(sw_str_is(record->event->sink, "toy"));
    }
}

static bool
toy_has_poison(const struct toy *toy, const struct sw_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < toy->poison_count; p++) {
            if (records[i].seq == toy->poison[p]) {
                return true;
            }
        }
    }
    return false;
}

static enum sw_outcome
toy_send(struct sw_sink *sink, const struct sw_record *records, size_t count,
    enum sw_result *results, struct sw_answer *answer, int64_t deadline_ns, struct sw_err *err)
{
    struct toy *toy = toy_of(sink);
    (void)deadline_ns;
    assert_true(toy->is_connected);
    assert_true(count > 0 && (toy->pace.records_max == 0 || count <= toy->pace.records_max));
    toy->largest = count > toy->largest ? count : toy->largest;
    struct toy_answer say = {SW_OUTCOME_OK, "D", 0};
    enum sw_outcome away = toy->away != NULL ? toy->away(toy, false) : SW_OUTCOME_OK;
    if (away != SW_OUTCOME_OK) {
        say = (struct toy_answer){away, "", 0};
    } else if (toy->sends < toy->answer_count) {
        say = toy->answers[toy->sends];
    } else if ((toy->forgive_after == 0 || toy->refusals < toy->forgive_after) &&
               toy_has_poison(toy, records, count)) {
        say.results = "R";
        toy->refusals++;
        snprintf(answer->text, sizeof(answer->text), "400 bad request");
    }
    toy->sends++;
    if (toy->stalls) {
        atomic_store(&toy->is_sending, true);
        sw_latch_wait(&toy->interrupted, INT64_MAX);
        sw_err_set(err, "interrupted");
        return SW_OUTCOME_LATER;
    }
    size_t letters = strlen(say.results);
    for (size_t i = 0; i < count && letters > 0; i++) {
        char letter = say.results[i < letters ? i : letters - 1];
        results[i] = letter == 'D'   ? SW_RESULT_DONE
                     : letter == 'R' ? SW_RESULT_REFUSED
                     : letter == 'U' ? SW_RESULT_UNFIT
                                     : SW_RESULT_AGAIN;
        if (letter == 'D') {
            toy_see(toy, &records[i]);
        }
    }
    answer->retry_after_ms = say.retry_after_ms;
    if (say.outcome != SW_OUTCOME_OK) {
        sw_err_set(err, "503 not now");
    }
    return say.outcome;
}

static void
toy_interrupt(struct sw_sink *sink)
{
    struct toy *toy = toy_of(sink);
    if (toy->stalls) {
        sw_latch_set(&toy->interrupted);
    }
}

static void
toy_disconnect(struct sw_sink *sink)
{
    struct toy *toy = toy_of(sink);
    toy->disconnected += toy->is_connected;
    toy->is_connected = false;
}

static const struct sw_sink_class toy_class = {
    .part = {.name = "toy"},
    .format = toy_format,
    .pace = toy_pace,
    .init = toy_init,
    .connect = toy_connect,
    .send = toy_send,
    .interrupt = toy_interrupt,
    .disconnect = toy_disconnect,
    .fini = toy_disconnect,
};

/* ---- one of everything */

struct bench {
    struct toy toy;
    struct sw_sink_class class;
    struct test_clock clock;
    struct sw_forwarder_clock clock_table;
    struct sw_sink_settings settings;
    struct sw_format_context format;
    struct sw_journal_options journal_options;
    struct sw_journal *journal;
    struct sw_forwarder *forwarder;
    struct sw_log log;
    size_t warnings, errors;
    uint64_t last_seq;
    struct sw_err err;
};

static void
count_log(void *context, enum sw_log_level level, const char *line, size_t size)
{
    struct bench *b = context;
    (void)size;
    assert_non_null(strstr(line, "sink toy: "));
    b->warnings += level == SW_LOG_WARN;
    b->errors += level == SW_LOG_ERROR;
}

static void
open_journal(struct bench *b, uint64_t max_size, uint64_t fail_at)
{
    sw_journal_close(b->journal, true);
    b->journal_options.max_size = max_size;
    b->journal = sw_journal_open_ram(&b->journal_options, fail_at, &b->err);
    assert_non_null(b->journal);
}

static int
setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->class = toy_class;
    b->clock_table = (struct sw_forwarder_clock){clock_boot, clock_wall, clock_wait, &b->clock};
    atomic_store(&b->clock.now_ns, 1000 * SW_NS_PER_S);
    b->format =
        (struct sw_format_context){.agent_name = SW_STR("fs01"), .agent_version = SW_STR("0.1.0")};
    b->log = (struct sw_log){SW_LOG_DEBUG, count_log, b};
    open_journal(b, 0, 0);
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *b = *state;
    sw_forwarder_free(b->forwarder);
    sw_journal_close(b->journal, true);
    free(b);
    return 0;
}

static void
append_at(struct bench *b, size_t count, int64_t created_ns)
{
    for (size_t i = 0; i < count; i++) {
        struct sw_event event;
        struct sw_buf stored;
        sw_event_init(&event, SW_EVENT_SESSION_OPENED);
        event.created_ns = created_ns;
        event.source = SW_STR("local");
        event.opens = (int64_t)b->last_seq + 1;
        sw_buf_init(&stored, SW_EVENT_SIZE_MAX);
        sw_event_encode(&event, &stored);
        struct sw_str body = {stored.data, stored.size};
        struct sw_journal_write write = {.events = &body, .event_count = 1};
        assert_true(sw_journal_append(b->journal, &write, &b->last_seq, &b->err));
        sw_buf_fini(&stored);
    }
}

static void
append(struct bench *b, size_t count)
{
    append_at(b, count, WALL_NS);
}

static bool
make(struct bench *b)
{
    struct sw_forwarder_options options = {.name = "toy",
        .class = &b->class,
        .conf = &b->toy,
        .settings = &b->settings,
        .journal = b->journal,
        .format = &b->format,
        .log = &b->log,
        .clock = &b->clock_table};
    b->forwarder = sw_forwarder_new(&options, &b->err);
    return b->forwarder != NULL;
}

static void
make_it(struct bench *b)
{
    if (!make(b)) {
        fail_msg("%s", b->err.text);
    }
}

static void
start_it(struct bench *b)
{
    assert_true(sw_forwarder_start(b->forwarder, &b->err));
}

/* Until everything is sent. */
static void
finish(struct bench *b)
{
    sw_forwarder_drain(b->forwarder, INT64_MAX);
    sw_forwarder_stop(b->forwarder);
}

static void
run_all(struct bench *b)
{
    start_it(b);
    finish(b);
}

static struct sw_sink_state
stored_state(struct bench *b)
{
    struct sw_sink_state state;
    bool found;
    sw_sink_state_init(&state, "toy", "toy");
    assert_true(sw_journal_get_sink(b->journal, "toy", &state, &found, &b->err));
    assert_true(found);
    return state;
}

/* first to last, each once and in order. */
static void
assert_seen(const struct bench *b, uint64_t first, uint64_t last)
{
    assert_int_equal(b->toy.seen_count, last - first + 1);
    for (size_t i = 0; i < b->toy.seen_count; i++) {
        assert_int_equal(b->toy.seen[i], first + i);
    }
}

static void
assert_position(struct bench *b, uint64_t position)
{
    struct sw_sink_state state = stored_state(b);
    assert_int_equal(state.position, position);
    assert_true(sw_forwarder_has_passed(b->forwarder, position));
    assert_false(sw_forwarder_has_passed(b->forwarder, position + 1));
    sw_sink_state_fini(&state);
}

static void
everything_arrives_once_and_in_order(void **state)
{
    struct bench *b = *state;
    make_it(b);
    append(b, 2000);
    run_all(b);
    assert_seen(b, 1, 2000);
    assert_position(b, 2000);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.sent, 2000);
    assert_int_equal(now.rejected, 0);
    assert_int_equal(now.last_sent_ns, clock_wall(&b->clock));
    sw_sink_state_fini(&now);
    assert_int_equal(b->toy.largest, SW_BATCH_RECORDS_MAX);
    assert_int_equal(b->toy.connected, 1);
    assert_false(b->toy.is_connected);
    assert_int_equal(b->warnings + b->errors, 0);
}

static void
a_sink_gets_no_more_than_it_wants(void **state)
{
    struct bench *b = *state;
    b->toy.pace.records_max = 3;
    make_it(b);
    append(b, 10);
    run_all(b);
    assert_seen(b, 1, 10);
    assert_int_equal(b->toy.largest, 3);
}

static void
a_new_sink_begins_now_or_with_the_oldest(void **state)
{
    struct bench *b = *state;
    append(b, 5);
    make_it(b);
    append(b, 2);
    run_all(b);
    assert_seen(b, 6, 7);
}

static void
oldest_begins_with_what_is_there(void **state)
{
    struct bench *b = *state;
    b->settings.start = 1;
    append(b, 5);
    make_it(b);
    run_all(b);
    assert_seen(b, 1, 5);
}

static void
a_restart_goes_on_where_it_was(void **state)
{
    struct bench *b = *state;
    make_it(b);
    append(b, 5);
    run_all(b);
    sw_forwarder_free(b->forwarder);
    append(b, 5);
    make_it(b);
    run_all(b);
    assert_seen(b, 1, 10);
}

static void
trouble_is_retried_and_told_once(void **state)
{
    struct bench *b = *state;
    static const enum sw_outcome connects[] = {
        SW_OUTCOME_BROKEN, SW_OUTCOME_LATER, SW_OUTCOME_OK, SW_OUTCOME_BROKEN, SW_OUTCOME_OK};
    static const struct toy_answer answers[] = {{SW_OUTCOME_LATER, "", 0},
        {SW_OUTCOME_LATER, "", 0}, {SW_OUTCOME_BROKEN, "", 0}, {SW_OUTCOME_LATER, "", 0},
        {SW_OUTCOME_OK, "", 0}};
    b->toy.connects = connects;
    b->toy.connect_count = COUNT_OF(connects);
    b->toy.answers = answers;
    b->toy.answer_count = COUNT_OF(answers);
    make_it(b);
    append(b, 3);
    run_all(b);
    assert_seen(b, 1, 3);
    assert_int_equal(b->toy.connected, 5);
    assert_int_equal(b->toy.disconnected, 2);
    assert_int_equal(b->warnings, 1);
    assert_int_equal(b->errors, 0);
}

/* Away for an hour in every way there is, while events go on: one more at every attempt. */
static enum sw_outcome
away_for_an_hour(struct toy *toy, bool is_connect)
{
    struct bench *b = (struct bench *)toy;
    if (clock_boot(&b->clock) >= 4600 * SW_NS_PER_S) {
        return SW_OUTCOME_OK;
    }
    append(b, 1);
    switch (b->last_seq % 3) {
    case 0:
        return is_connect ? SW_OUTCOME_OK : SW_OUTCOME_BROKEN;
    case 1:
        return SW_OUTCOME_LATER;
    default:
        return SW_OUTCOME_BROKEN;
    }
}

static void
an_hour_without_the_receiver_loses_nothing(void **state)
{
    struct bench *b = *state;
    b->toy.away = away_for_an_hour;
    make_it(b);
    append(b, 3000);
    run_all(b);
    assert_seen(b, 1, b->last_seq);
    assert_position(b, b->last_seq);
    /* Full jitter, 5 minutes at most: about 40 attempts; never a flood. */
    assert_in_range(b->last_seq, 3012, 3200);
    assert_true(clock_boot(&b->clock) < 4600 * SW_NS_PER_S + 400 * SW_NS_PER_S);
    assert_int_equal(b->warnings, 1);
    assert_int_equal(b->errors, 0);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.rejected, 0);
    assert_int_equal(now.dropped, 0);
    sw_sink_state_fini(&now);
}

static void
retry_after_is_waited_for(void **state)
{
    struct bench *b = *state;
    static const struct toy_answer answers[] = {{SW_OUTCOME_LATER, "", 90000}};
    b->toy.answers = answers;
    b->toy.answer_count = 1;
    make_it(b);
    append(b, 3);
    run_all(b);
    assert_seen(b, 1, 3);
    assert_true(clock_boot(&b->clock) >= 1090 * SW_NS_PER_S);
}

static void
what_is_done_is_not_sent_again(void **state)
{
    struct bench *b = *state;
    static const struct toy_answer answers[] = {
        {SW_OUTCOME_OK, "DADAA", 0}, {SW_OUTCOME_BROKEN, "DA", 0}};
    b->toy.answers = answers;
    b->toy.answer_count = 2;
    make_it(b);
    append(b, 5);
    run_all(b);
    static const uint64_t seen[] = {1, 3, 2, 4, 5};
    assert_int_equal(b->toy.seen_count, 5);
    assert_memory_equal(b->toy.seen, seen, sizeof(seen));
    assert_position(b, 5);
}

static void
paused_sets_nothing_aside(void **state)
{
    struct bench *b = *state;
    static const struct toy_answer answers[] = {
        {SW_OUTCOME_PAUSED, "R", 0}, {SW_OUTCOME_PAUSED, "R", 0}, {SW_OUTCOME_PAUSED, "", 0}};
    b->toy.answers = answers;
    b->toy.answer_count = 3;
    make_it(b);
    append(b, 5);
    run_all(b);
    assert_seen(b, 1, 5);
    assert_true(clock_boot(&b->clock) >= 1180 * SW_NS_PER_S);
    assert_int_equal(b->errors, 1);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.rejected, 0);
    assert_false(now.paused);
    sw_sink_state_fini(&now);
}

static void
status_says_why_it_is_paused(void **state)
{
    struct bench *b = *state;
    static const enum sw_outcome connects[] = {SW_OUTCOME_PAUSED};
    b->toy.connects = connects;
    b->toy.connect_count = 1;
    make_it(b);
    append(b, 1);
    /* The end is before the pause is over. */
    sw_forwarder_drain(b->forwarder, 1050 * SW_NS_PER_S);
    start_it(b);
    while (clock_boot(&b->clock) < 1050 * SW_NS_PER_S) {
        sched_yield();
    }
    sw_forwarder_stop(b->forwarder);
    struct sw_sink_state now = stored_state(b);
    assert_true(now.paused);
    assert_string_equal(now.answer, "connection refused");
    assert_int_equal(now.position, 0);
    assert_int_equal(b->toy.connected, 1);
    sw_sink_state_fini(&now);
}

static void
a_refused_batch_costs_only_the_bad_record(void **state)
{
    struct bench *b = *state;
    b->toy.poison[0] = 100;
    b->toy.poison[1] = 333;
    b->toy.poison_count = 2;
    make_it(b);
    static const size_t count = SW_BATCH_RECORDS_MAX + 88;
    append(b, count);
    run_all(b);
    assert_int_equal(b->toy.seen_count, count - 2);
    for (size_t i = 0; i < count - 2; i++) {
        assert_int_equal(b->toy.seen[i], i + 1 + (i >= 99) + (i >= 331));
    }
    assert_position(b, count);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.rejected, 2);
    sw_sink_state_fini(&now);
    assert_true(b->toy.sends < 60);
}

static void
three_refused_in_a_row_are_kept(void **state)
{
    struct bench *b = *state;
    for (uint64_t i = 0; i < 5; i++) {
        b->toy.poison[i] = 1 + i;
    }
    b->toy.poison_count = 5;
    b->toy.forgive_after = 12;
    make_it(b);
    append(b, 5);
    run_all(b);
    assert_seen(b, 3, 5);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.rejected, 2);
    sw_sink_state_fini(&now);
    assert_int_equal(b->errors, 1);
}

static void
what_cannot_be_sent_never_pauses(void **state)
{
    struct bench *b = *state;
    static const struct toy_answer answers[] = {{SW_OUTCOME_OK, "U", 0}, {SW_OUTCOME_OK, "U", 0},
        {SW_OUTCOME_OK, "U", 0}, {SW_OUTCOME_OK, "U", 0}};
    b->toy.pace.records_max = 1;
    b->toy.answers = answers;
    b->toy.answer_count = COUNT_OF(answers);
    make_it(b);
    append(b, 6);
    int64_t began_ns = clock_boot(&b->clock);
    run_all(b);
    assert_seen(b, 5, 6);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.rejected, 4);
    assert_false(now.paused);
    sw_sink_state_fini(&now);
    assert_true(clock_boot(&b->clock) - began_ns < 2 * SW_NS_PER_S);
}

static void
a_stored_event_that_cannot_be_read_is_set_aside(void **state)
{
    struct bench *b = *state;
    const struct sw_str bodies[] = {SW_STR("\x02nonsense"), {"", 0}};
    struct sw_journal_write write = {.events = bodies, .event_count = 2};
    make_it(b);
    append(b, 1);
    assert_true(sw_journal_append(b->journal, &write, &b->last_seq, &b->err));
    append(b, 1);
    run_all(b);
    assert_int_equal(b->toy.seen_count, 2);
    assert_int_equal(b->toy.seen[1], 4);
    assert_position(b, 4);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.rejected, 2);
    sw_sink_state_fini(&now);
}

static void
what_is_older_than_max_age_is_passed_over(void **state)
{
    struct bench *b = *state;
    b->settings.max_age_ns = 60 * SW_NS_PER_S;
    make_it(b);
    int64_t now_ns = clock_wall(&b->clock);
    append_at(b, 3, now_ns - 61 * SW_NS_PER_S);
    append_at(b, 2, now_ns - 59 * SW_NS_PER_S);
    append_at(b, 1, now_ns - 61 * SW_NS_PER_S);
    run_all(b);
    assert_seen(b, 4, 5);
    assert_position(b, 6);
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.passed_over, 4);
    sw_sink_state_fini(&now);
}

static void
drops_are_told_once_with_their_range(void **state)
{
    struct bench *b = *state;
    open_journal(b, 20000, 0);
    make_it(b);
    append(b, 1000);
    struct sw_sink_state before = stored_state(b);
    assert_true(before.drop_count > 100);
    run_all(b);
    assert_int_equal(b->toy.seen_count, 1000 - before.drop_count + 1);
    assert_int_equal(b->toy.seen[0], before.drop_last + 1);
    assert_int_equal(b->toy.dropped_events, 1);
    assert_int_equal(b->toy.dropped_first, 1);
    assert_int_equal(b->toy.dropped_last, before.drop_last);
    assert_int_equal(b->toy.dropped_count, before.drop_count);
    assert_position(b, 1001);

    sw_forwarder_free(b->forwarder);
    append(b, 1);
    make_it(b);
    run_all(b);
    assert_int_equal(b->toy.dropped_events, 1);
    sw_sink_state_fini(&before);
}

/* Whichever call fails: nothing is lost, nothing hangs, and what arrives twice is what was sent
 * before its acknowledgement was taken. */
static void
a_journal_that_fails_once_loses_nothing(void **state)
{
    struct bench *b = *state;
    for (uint64_t fail_at = 8; fail_at < 40; fail_at++) {
        open_journal(b, 0, fail_at);
        memset(&b->toy, 0, sizeof(b->toy));
        b->toy.pace.records_max = 2;
        b->toy.poison[0] = 4;
        b->toy.poison_count = 1;
        b->last_seq = 0;
        make_it(b);
        append(b, 7);
        run_all(b);
        assert_int_equal(b->toy.seen_count, 6);
        assert_position(b, 7);
        sw_forwarder_free(b->forwarder);
        b->forwarder = NULL;
    }
}

static void
wait_until_passed(struct bench *b, uint64_t seq)
{
    while (!sw_forwarder_has_passed(b->forwarder, seq)) {
        sched_yield();
    }
}

static void
events_that_come_later_are_sent_at_once(void **state)
{
    struct bench *b = *state;
    make_it(b);
    start_it(b);
    for (uint64_t i = 1; i <= 20; i++) {
        append(b, 1);
        wait_until_passed(b, i);
    }
    finish(b);
    assert_seen(b, 1, 20);
}

static void
numbers_count_what_was_sent(void **state)
{
    struct bench *b = *state;
    /* 1 to 6: 2 is refused beside others and set aside, 5 and 6 come again. */
    static const struct toy_answer answers[] = {{SW_OUTCOME_LATER, "DRDDA", 0}};
    static const uint64_t expected[] = {0, 1, 2, 3, 4, 5, 6};
    b->toy.answers = answers;
    b->toy.answer_count = COUNT_OF(answers);
    make_it(b);
    append(b, 6);
    run_all(b);
    assert_int_equal(b->toy.seen_count, 5);
    assert_memory_equal(b->toy.numbers, expected, sizeof(expected));
    struct sw_sink_state now = stored_state(b);
    assert_int_equal(now.sent, 5);
    assert_int_equal(now.rejected, 1);
    assert_int_equal(now.cut, 2);
    sw_sink_state_fini(&now);
}

static void
a_rate_spreads_what_is_sent(void **state)
{
    struct bench *b = *state;
    int64_t began_ns = clock_boot(&b->clock);
    b->toy.pace.rate = 100;
    make_it(b);
    append(b, 301);
    run_all(b);
    assert_seen(b, 1, 301);
    /* This clock may also have jumped over a second's wait to write acknowledgements. */
    int64_t took_ns = clock_boot(&b->clock) - began_ns;
    assert_true(took_ns >= 29 * SW_NS_PER_S / 10 && took_ns <= 51 * SW_NS_PER_S / 10);
    assert_true(b->toy.largest <= 2);
    assert_int_equal(b->warnings + b->errors, 0);
}

static void
a_batch_waits_to_be_filled(void **state)
{
    struct bench *b = *state;
    int64_t began_ns = clock_boot(&b->clock);
    b->toy.pace = (struct sw_sink_pace){.records_max = 10, .wait_ns = SW_NS_PER_S};
    make_it(b);
    append(b, 3);
    start_it(b);
    wait_until_passed(b, 3);
    finish(b);
    assert_seen(b, 1, 3);
    assert_int_equal(b->toy.sends, 1);
    assert_true(clock_boot(&b->clock) - began_ns >= SW_NS_PER_S);
}

static void
a_full_batch_does_not_wait(void **state)
{
    struct bench *b = *state;
    b->toy.pace = (struct sw_sink_pace){.records_max = 10, .wait_ns = 3600 * SW_NS_PER_S};
    make_it(b);
    append(b, 20);
    start_it(b);
    wait_until_passed(b, 20);
    finish(b);
    assert_seen(b, 1, 20);
    assert_int_equal(b->toy.sends, 2);
    assert_true(clock_boot(&b->clock) < 3600 * SW_NS_PER_S);
}

static void
a_backlog_goes_in_full_batches(void **state)
{
    struct bench *b = *state;
    b->toy.pace = (struct sw_sink_pace){.records_max = 500, .wait_ns = SW_NS_PER_S};
    make_it(b);
    append(b, 5000);
    run_all(b);
    assert_seen(b, 1, 5000);
    assert_int_equal(b->toy.sends, 10);
}

static void
a_stop_does_not_wait_for_a_batch_to_fill(void **state)
{
    struct bench *b = *state;
    int64_t began_ns = clock_boot(&b->clock);
    b->toy.pace = (struct sw_sink_pace){.records_max = 10, .wait_ns = 3600 * SW_NS_PER_S};
    make_it(b);
    append(b, 3);
    sw_forwarder_drain(b->forwarder, INT64_MAX);
    run_all(b);
    assert_seen(b, 1, 3);
    assert_true(clock_boot(&b->clock) - began_ns < 3600 * SW_NS_PER_S);
}

static void
an_idle_forwarder_waits_for_events_alone(void **state)
{
    struct bench *b = *state;
    make_it(b);
    start_it(b);
    append(b, 1);
    wait_until_passed(b, 1);
    while (!atomic_load(&b->clock.is_idle)) {
        sched_yield();
    }
    finish(b);
    /* One wait, to write the acknowledgement, at most. */
    assert_true(atomic_load(&b->clock.timed_waits) <= 1);
}

static void
reopen_connects_again(void **state)
{
    struct bench *b = *state;
    make_it(b);
    start_it(b);
    append(b, 1);
    wait_until_passed(b, 1);
    sw_forwarder_reopen(b->forwarder);
    append(b, 1);
    finish(b);
    assert_seen(b, 1, 2);
    assert_int_equal(b->toy.connected, 2);
    assert_int_equal(b->toy.disconnected, 2);
}

static void
stop_interrupts_a_send_that_hangs(void **state)
{
    struct bench *b = *state;
    b->toy.stalls = true;
    assert_true(sw_latch_init(&b->toy.interrupted, &b->err));
    make_it(b);
    append(b, 3);
    start_it(b);
    while (!atomic_load(&b->toy.is_sending)) {
        sched_yield();
    }
    sw_forwarder_drain(b->forwarder, 0);
    sw_forwarder_stop(b->forwarder);
    assert_position(b, 0);
    sw_forwarder_free(b->forwarder);

    sw_latch_fini(&b->toy.interrupted);
    b->toy.stalls = false;
    make_it(b);
    run_all(b);
    assert_seen(b, 1, 3);
}

static void
stop_without_start_is_fine(void **state)
{
    struct bench *b = *state;
    make_it(b);
    sw_forwarder_drain(b->forwarder, 0);
    sw_forwarder_stop(b->forwarder);
    assert_int_equal(b->toy.connected, 0);
}

static bool
toy_init_fails(struct sw_sink *sink, struct sw_err *err)
{
    (void)sink;
    return sw_err_set(err, "no key");
}

static void
a_sink_that_cannot_begin_says_so(void **state)
{
    struct bench *b = *state;
    b->class.init = toy_init_fails;
    assert_false(make(b));
    assert_string_equal(b->err.text, "sink 'toy': no key");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(everything_arrives_once_and_in_order),
        TEST(a_sink_gets_no_more_than_it_wants),
        TEST(a_new_sink_begins_now_or_with_the_oldest),
        TEST(oldest_begins_with_what_is_there),
        TEST(a_restart_goes_on_where_it_was),
        TEST(trouble_is_retried_and_told_once),
        TEST(an_hour_without_the_receiver_loses_nothing),
        TEST(retry_after_is_waited_for),
        TEST(what_is_done_is_not_sent_again),
        TEST(paused_sets_nothing_aside),
        TEST(status_says_why_it_is_paused),
        TEST(a_refused_batch_costs_only_the_bad_record),
        TEST(three_refused_in_a_row_are_kept),
        TEST(what_cannot_be_sent_never_pauses),
        TEST(a_stored_event_that_cannot_be_read_is_set_aside),
        TEST(what_is_older_than_max_age_is_passed_over),
        TEST(drops_are_told_once_with_their_range),
        TEST(a_journal_that_fails_once_loses_nothing),
        TEST(events_that_come_later_are_sent_at_once),
        TEST(numbers_count_what_was_sent),
        TEST(a_rate_spreads_what_is_sent),
        TEST(a_batch_waits_to_be_filled),
        TEST(a_full_batch_does_not_wait),
        TEST(a_backlog_goes_in_full_batches),
        TEST(a_stop_does_not_wait_for_a_batch_to_fill),
        TEST(an_idle_forwarder_waits_for_events_alone),
        TEST(reopen_connects_again),
        TEST(stop_interrupts_a_send_that_hangs),
        TEST(stop_without_start_is_fine),
        TEST(a_sink_that_cannot_begin_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
