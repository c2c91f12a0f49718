/* The contract of agent/journal.h about sinks and the cap, the same tests on both journals. */
#include "agent/base/time_text.h"
#include "tests/support/journals.h"

#define DAY_NS (INT64_C(24) * 3600 * SW_NS_PER_S)

static void
reopen_with(struct journal_place *place, uint64_t max_size, enum sw_on_full on_full)
{
    journal_place_close(place, true);
    place->options.max_size = max_size;
    place->options.on_full = on_full;
    journal_place_open(place);
}

static uint64_t
position_of(struct sw_journal *journal, const char *sink)
{
    struct sw_sink_state state = journal_sink(journal, sink);
    uint64_t position = state.position;
    sw_sink_state_fini(&state);
    return position;
}

static void
attach_at(struct sw_journal *journal, const char *sink, bool from_oldest, int64_t now_ns)
{
    struct sw_err err = {0};
    struct sw_sink_state state = {0};
    assert_true(sw_journal_attach_sink(journal, sink, "file", from_oldest, now_ns, &state, &err));
    sw_sink_state_fini(&state);
}

static void
detach_at(struct sw_journal *journal, const char *sink, int64_t now_ns)
{
    struct sw_err err = {0};
    assert_true(sw_journal_detach_sink(journal, sink, now_ns, &err));
}

static void
test_a_new_sink_starts_now_or_at_the_oldest(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    journal_must_attach(journal, "early", true);
    assert_int_equal(position_of(journal, "early"), 0);
    journal_must_put(journal, "e", 5, 0);
    journal_must_attach(journal, "now", false);
    journal_must_attach(journal, "oldest", true);
    assert_int_equal(position_of(journal, "now"), 5);
    assert_int_equal(position_of(journal, "oldest"), 0);
    /* Attaching again is no new beginning. */
    journal_must_ack(journal, "oldest", 3);
    journal_must_attach(journal, "oldest", true);
    assert_int_equal(position_of(journal, "oldest"), 3);
}

static void
test_a_sink_that_left_is_kept_for_7_days(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_err err = {0};
    journal_must_put(journal, "e", 5, 0);
    attach_at(journal, "s", true, DAY_NS);
    journal_must_ack(journal, "s", 2);
    detach_at(journal, "s", DAY_NS);
    detach_at(journal, "s", 3 * DAY_NS); /* the first time counts */
    attach_at(journal, "s", true, 8 * DAY_NS);
    assert_int_equal(position_of(journal, "s"), 2);
    detach_at(journal, "s", 8 * DAY_NS);
    attach_at(journal, "s", false, 15 * DAY_NS + 1);
    assert_int_equal(position_of(journal, "s"), 5);

    detach_at(journal, "s", 20 * DAY_NS);
    attach_at(journal, "other", false, 28 * DAY_NS);
    struct sw_sink_state *sinks;
    size_t count;
    assert_true(sw_journal_list_sinks(journal, &sinks, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(sinks[0].name, "other");
    sw_sink_state_fini(&sinks[0]);
    free(sinks);
    detach_at(journal, "nobody", 0);
}

static struct sw_sink_state
sink_with_everything(uint64_t position)
{
    struct sw_sink_state state;
    sw_sink_state_init(&state, "s", "file");
    state.position = position;
    state.sent = 31;
    state.rejected = 32;
    state.passed_over = 33;
    state.cut = 44;
    state.last_sent_ns = 34;
    state.answer_ns = 35;
    state.paused = true;
    sw_state_set(&state.answer, "403 go away");
    return state;
}

static void
assert_acked(struct sw_journal *journal, uint64_t position)
{
    struct sw_sink_state state = journal_sink(journal, "s");
    assert_int_equal(state.position, position);
    assert_int_equal(state.sent, 31);
    assert_int_equal(state.rejected, 32);
    assert_int_equal(state.passed_over, 33);
    assert_int_equal(state.cut, 44);
    assert_int_equal(state.last_sent_ns, 34);
    assert_int_equal(state.answer_ns, 35);
    assert_true(state.paused);
    assert_string_equal(state.answer, "403 go away");
    assert_string_equal(state.type, "file");
    assert_int_equal(state.absent_since_ns, SW_TIME_NONE);
    sw_sink_state_fini(&state);
}

static void
test_an_ack_is_kept(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    bool pending;
    journal_must_put(place->journal, "e", 5, 0);
    journal_must_attach(place->journal, "s", true);
    struct sw_sink_state sink = sink_with_everything(4);
    assert_true(sw_journal_ack(place->journal, &sink, 0, &pending, &err));
    assert_acked(place->journal, 4);
    if (!place->is_ram) {
        journal_place_reopen(place);
        assert_acked(place->journal, 4);
    }
    sw_sink_state_fini(&sink);
}

static void
test_acks_are_written_once_a_second(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal *journal = place->journal;
    struct sw_err err = {0};
    bool pending;
    journal_must_put(journal, "e", 5, 0);
    journal_must_attach(journal, "s", true);
    struct sw_sink_state sink = sink_with_everything(1);
    assert_true(sw_journal_ack(journal, &sink, 100 * SW_NS_PER_S, &pending, &err));
    assert_false(pending);
    sink.position = 2;
    assert_true(sw_journal_ack(journal, &sink, 101 * SW_NS_PER_S - 1, &pending, &err));
    assert_true(pending);
    assert_int_equal(position_of(journal, "s"), 2);
    if (!place->is_ram) {
        assert_int_equal(journal_place_sql(place, "SELECT position FROM sink"), 1);
    }
    sink.position = 3;
    assert_true(sw_journal_ack(journal, &sink, 101 * SW_NS_PER_S, &pending, &err));
    assert_false(pending);
    sink.position = 4;
    assert_true(sw_journal_ack(journal, &sink, 101 * SW_NS_PER_S + 1, &pending, &err));
    assert_true(pending);
    assert_true(sw_journal_flush(journal, 101 * SW_NS_PER_S + 2, &err));
    if (!place->is_ram) {
        assert_int_equal(journal_place_sql(place, "SELECT position FROM sink"), 4);
    }
    sink.position = 5;
    assert_true(sw_journal_ack(journal, &sink, 101 * SW_NS_PER_S + 3, &pending, &err));
    assert_true(pending);
    journal_must_put(journal, "rides", 1, 0);
    if (!place->is_ram) {
        assert_int_equal(journal_place_sql(place, "SELECT position FROM sink"), 5);
    }
    assert_true(sw_journal_ack(journal, &sink, 101 * SW_NS_PER_S + 4, &pending, &err));
    sw_sink_state_fini(&sink);
}

static void
test_an_ack_never_goes_back_nor_beyond_the_end(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_err err = {0};
    bool pending;
    journal_must_put(journal, "e", 5, 0);
    journal_must_attach(journal, "s", true);
    journal_must_ack(journal, "s", 4);
    journal_must_ack(journal, "s", 2);
    assert_int_equal(position_of(journal, "s"), 4);
    struct sw_sink_state sink = sink_with_everything(6);
    assert_false(sw_journal_ack(journal, &sink, 0, &pending, &err));
    assert_contains(err.text, "the journal ends at 5");
    sw_state_set(&sink.name, "unknown");
    assert_false(sw_journal_ack(journal, &sink, 0, &pending, &err));
    assert_contains(err.text, "sink 'unknown'");
    sw_sink_state_fini(&sink);
}

/* ---- what goes */

static void
test_what_all_have_passed_goes_in_time(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal *journal = place->journal;
    journal_must_attach(journal, "fast", true);
    journal_must_attach(journal, "slow", true);
    for (size_t i = 0; i < 20; i++) {
        uint64_t last = journal_must_put(journal, "e", 500, 20);
        journal_must_ack(journal, "fast", last);
    }
    assert_int_equal(journal_usage(journal).first_seq, 1);
    journal_must_ack(journal, "slow", 9000);
    for (size_t i = 0; i < 20; i++) {
        journal_must_put(journal, "e", 1, 20);
    }
    struct sw_journal_usage usage = journal_usage(journal);
    assert_in_range(usage.first_seq, 4000, 9001);
    assert_int_equal(usage.last_seq, 10020);
    assert_int_equal(usage.events, usage.last_seq - usage.first_seq + 1);
    struct sw_sink_state slow = journal_sink(journal, "slow");
    assert_int_equal(slow.dropped, 0);
    sw_sink_state_fini(&slow);

    /* One that left holds nothing back; behind what is gone it goes on where the journal begins. */
    detach_at(journal, "slow", 0);
    journal_must_ack(journal, "fast", 10020);
    for (size_t i = 0; i < 20; i++) {
        journal_must_put(journal, "e", 1, 20);
    }
    usage = journal_usage(journal);
    assert_true(usage.first_seq > 9001 - 4096 + 1000);
    attach_at(journal, "slow", true, 1);
    slow = journal_sink(journal, "slow");
    assert_true(slow.position >= 9000 && slow.position + 1 >= usage.first_seq);
    assert_int_equal(slow.dropped, 0);
    sw_sink_state_fini(&slow);
}

static void
test_a_number_is_never_given_twice(void **state)
{
    struct journal_place *place = *state;
    journal_must_attach(place->journal, "s", true);
    uint64_t last = 0;
    for (size_t i = 0; i < 40; i++) {
        last = journal_must_put(place->journal, "e", 500, 20);
        journal_must_ack(place->journal, "s", last);
        if (i % 10 == 9) {
            journal_place_reopen(place);
        }
    }
    assert_int_equal(last, 20000);
    assert_int_equal(journal_usage(place->journal).last_seq, 20000);
    assert_int_equal(journal_must_put(place->journal, "e", 1, 20), 20001);
}

static void
test_at_the_cap_the_oldest_go(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal_batch batch = {0};
    reopen_with(place, (uint64_t)4 << 20, SW_ON_FULL_OLDEST);
    struct sw_journal *journal = place->journal;
    journal_must_attach(journal, "fast", true);
    journal_must_attach(journal, "slow", true);
    uint64_t last = 0;
    for (size_t i = 0; i < 200; i++) {
        last = journal_must_put(journal, "e", 100, 450);
        journal_must_ack(journal, "fast", last);
        assert_true(journal_usage(journal).used <= (uint64_t)4 << 20);
    }
    assert_int_equal(last, 20000);
    struct sw_journal_usage usage = journal_usage(journal);
    assert_in_range(usage.first_seq, 10000, 17000);
    struct sw_sink_state fast = journal_sink(journal, "fast");
    struct sw_sink_state slow = journal_sink(journal, "slow");
    assert_int_equal(fast.dropped, 0);
    assert_int_equal(slow.drop_first, 1);
    assert_int_equal(slow.drop_last, usage.first_seq - 1);
    assert_int_equal(slow.drop_count, usage.first_seq - 1);
    assert_int_equal(slow.dropped, usage.first_seq - 1);

    /* What is there reads whole and without gaps. */
    assert_true(journal_must_read(journal, slow.position, &batch));
    assert_int_equal(batch.first_available, usage.first_seq);
    for (uint64_t seq = usage.first_seq; seq <= last;
         seq = batch.records[batch.count - 1].seq + 1) {
        assert_true(journal_must_read(journal, seq - 1, &batch));
        assert_int_equal(batch.records[0].seq, seq);
    }
    sw_journal_batch_fini(&batch);
    sw_sink_state_fini(&fast);
    sw_sink_state_fini(&slow);
}

static void
assert_drops(struct sw_journal *journal, uint64_t first, uint64_t count, uint64_t total)
{
    struct sw_sink_state state = journal_sink(journal, "s");
    assert_int_equal(state.drop_count, count);
    assert_int_equal(state.drop_first, first);
    assert_int_equal(state.drop_last, count > 0 ? first + count - 1 : 0);
    assert_int_equal(state.dropped, total);
    sw_sink_state_fini(&state);
}

/* Events that were appended together, of which a sink has passed some. */
static void
test_what_is_not_passed_stays_whatever_lies_beside_it(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_journal_batch batch = {0};
    journal_must_attach(journal, "s", true);
    journal_must_put(journal, "e", 9000, 40);
    for (uint64_t position = 8000; position < 8400; position += 37) {
        journal_must_ack(journal, "s", position);
        for (size_t i = 0; i < 8; i++) {
            journal_must_put(journal, "x", 1, 40);
        }
        struct sw_journal_usage usage = journal_usage(journal);
        assert_in_range(usage.first_seq, position - 5200, position + 1);
        assert_int_equal(usage.events, usage.last_seq + 1 - usage.first_seq);
        assert_true(journal_must_read(journal, 0, &batch));
        assert_int_equal(batch.records[0].seq, usage.first_seq);
        assert_int_equal(batch.first_available, usage.first_seq);
        assert_true(journal_must_read(journal, position, &batch));
        assert_int_equal(batch.records[0].seq, position + 1);
    }
    struct sw_sink_state sink = journal_sink(journal, "s");
    assert_int_equal(sink.dropped, 0);
    sw_sink_state_fini(&sink);
    sw_journal_batch_fini(&batch);
}

/* Two sinks inside what was appended together: each is told exactly what it has lost. */
static void
test_at_the_cap_drops_are_exact_inside_an_append(void **state)
{
    struct journal_place *place = *state;
    struct sw_journal_batch batch = {0};
    reopen_with(place, (uint64_t)1 << 20, SW_ON_FULL_OLDEST);
    struct sw_journal *journal = place->journal;
    journal_must_attach(journal, "s", true);
    journal_must_attach(journal, "begun", true);
    journal_must_put(journal, "e", 500, 400);
    journal_must_ack(journal, "s", 77);
    journal_must_ack(journal, "begun", 301);
    for (uint64_t before = 1; before < 1500;) {
        journal_must_put(journal, "e", 33, 400);
        struct sw_journal_usage usage = journal_usage(journal);
        assert_true(usage.used <= (uint64_t)1 << 20);
        assert_int_equal(usage.events, usage.last_seq + 1 - usage.first_seq);
        uint64_t gone = usage.first_seq - 1;
        struct sw_sink_state begun = journal_sink(journal, "begun");
        assert_drops(
            journal, gone > 77 ? 78 : 0, gone > 77 ? gone - 77 : 0, gone > 77 ? gone - 77 : 0);
        assert_int_equal(begun.drop_first, gone > 301 ? 302 : 0);
        assert_int_equal(begun.drop_count, gone > 301 ? gone - 301 : 0);
        sw_sink_state_fini(&begun);
        assert_true(journal_must_read(journal, 77, &batch));
        assert_int_equal(batch.records[0].seq, gone > 77 ? gone + 1 : 78);
        before = usage.first_seq;
    }
    if (!place->is_ram) {
        struct sw_journal_usage usage = journal_usage(journal);
        journal_place_reopen(place);
        assert_int_equal(journal_usage(place->journal).first_seq, usage.first_seq);
        assert_int_equal(journal_usage(place->journal).last_seq, usage.last_seq);
        assert_drops(place->journal, 78, usage.first_seq - 78, usage.first_seq - 78);
    }
    sw_journal_batch_fini(&batch);
}

static void
tell_drops(struct sw_journal *journal, const char *sink, uint64_t told_last)
{
    struct sw_err err = {0};
    struct sw_str event = SW_STR("events.dropped");
    struct sw_journal_write write = {
        .events = &event, .event_count = 1, .drops_told = sink, .drops_told_last = told_last};
    if (!sw_journal_append(journal, &write, NULL, &err)) {
        fail_msg("%s", err.text);
    }
}

static void
test_told_drops_close_their_episode(void **state)
{
    struct journal_place *place = *state;
    reopen_with(place, (uint64_t)1 << 20, SW_ON_FULL_OLDEST);
    struct sw_journal *journal = place->journal;
    journal_must_attach(journal, "s", true);
    while (journal_usage(journal).first_seq < 100) {
        journal_must_put(journal, "e", 50, 400);
    }
    uint64_t first_gone = journal_usage(journal).first_seq - 1;
    assert_drops(journal, 1, first_gone, first_gone);
    while (journal_usage(journal).first_seq - 1 == first_gone) {
        journal_must_put(journal, "e", 50, 400);
    }
    uint64_t gone = journal_usage(journal).first_seq - 1;
    assert_drops(journal, 1, gone, gone);

    /* Told up to the first: the rest stays open (an append that tells may drop, too). */
    tell_drops(journal, "other", gone);
    gone = journal_usage(journal).first_seq - 1;
    assert_drops(journal, 1, gone, gone);
    tell_drops(journal, "s", first_gone);
    gone = journal_usage(journal).first_seq - 1;
    assert_drops(journal, first_gone + 1, gone - first_gone, gone);
    for (uint64_t told = 0; told != gone; gone = journal_usage(journal).first_seq - 1) {
        told = gone;
        tell_drops(journal, "s", told);
    }
    assert_drops(journal, 0, 0, gone);
    if (!place->is_ram) {
        journal_place_reopen(place);
        assert_drops(place->journal, 0, 0, gone);
    }
}

static void
test_what_was_in_hand_is_not_lost(void **state)
{
    struct journal_place *place = *state;
    reopen_with(place, (uint64_t)1 << 20, SW_ON_FULL_OLDEST);
    struct sw_journal *journal = place->journal;
    journal_must_attach(journal, "s", true);
    while (journal_usage(journal).first_seq < 100) {
        journal_must_put(journal, "e", 50, 400);
    }
    uint64_t gone = journal_usage(journal).first_seq - 1;
    journal_must_ack(journal, "s", 60);
    assert_drops(journal, 61, gone - 60, gone - 60);
    journal_must_ack(journal, "s", journal_usage(journal).last_seq);
    assert_drops(journal, 61, gone - 60, gone - 60);
}

static void
test_at_the_cap_the_newest_are_refused(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    reopen_with(place, (uint64_t)1 << 20, SW_ON_FULL_NEWEST);
    struct sw_journal *journal = place->journal;
    journal_must_attach(journal, "s", true);
    uint64_t last = 0;
    size_t puts = 0;
    while (puts < 1000 && journal_put(journal, "e", 50, 400, &last, &err)) {
        puts++;
    }
    assert_in_range(puts, 10, 60);
    assert_contains(err.text, "newest events are not taken (on_full: newest)");
    assert_int_equal(last, puts * 50);
    struct sw_journal_usage usage = journal_usage(journal);
    assert_int_equal(usage.first_seq, 1);
    assert_int_equal(usage.last_seq, last);
    assert_drops(journal, 0, 0, 0);

    /* States are still stored, and an ack makes room. */
    struct sw_source_state source;
    sw_source_state_init(&source, "a", "exec");
    struct sw_journal_write write = {.source = &source};
    assert_true(sw_journal_append(journal, &write, NULL, &err));
    sw_source_state_fini(&source);
    journal_must_ack(journal, "s", last);
    assert_int_equal(journal_must_put(journal, "e", 50, 400), last + 50);
}

static void
test_rejected_records_are_kept_to_a_thousand(void **state)
{
    struct journal_place *place = *state;
    struct sw_err err = {0};
    for (uint64_t i = 1; i <= 1003; i++) {
        assert_true(
            sw_journal_reject(place->journal, "s", i, SW_STR("body"), "400 bad request", 77, &err));
    }
    assert_int_equal(journal_place_sql(place, "SELECT count(*) FROM rejected"), 1000);
    assert_int_equal(journal_place_sql(place, "SELECT min(seq) FROM rejected"), 4);
    assert_int_equal(
        journal_place_sql(place, "SELECT count(*) FROM rejected WHERE sink = 's' AND at_ns = 77 "
                                 "AND reason = '400 bad request' AND body = CAST('body' AS BLOB)"),
        1000);
}

static void
test_another_cap_holds_from_the_next_append(void **state)
{
    struct sw_err err = {0};
    uint64_t last = 0;
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    journal_must_attach(journal, "s", true);
    for (size_t i = 0; i < 100; i++) {
        journal_must_put(journal, "e", 100, 450);
    }
    assert_true(journal_usage(journal).used > (uint64_t)4 << 20);

    sw_journal_set_cap(journal, (uint64_t)4 << 20, SW_ON_FULL_NEWEST);
    assert_int_equal(journal_usage(journal).max, (uint64_t)4 << 20);
    assert_false(journal_put(journal, "e", 1, 450, &last, &err));
    assert_contains(err.text, "newest events are not taken (on_full: newest)");
    assert_drops(journal, 0, 0, 0);

    sw_journal_set_cap(journal, (uint64_t)4 << 20, SW_ON_FULL_OLDEST);
    journal_must_put(journal, "e", 1, 450);
    struct sw_journal_usage usage = journal_usage(journal);
    assert_true(usage.used <= (uint64_t)4 << 20);
    assert_drops(journal, 1, usage.first_seq - 1, usage.first_seq - 1);
}

static void
test_usage_tells_the_cap_and_grows(void **state)
{
    struct sw_journal *journal = ((struct journal_place *)*state)->journal;
    struct sw_journal_usage usage = journal_usage(journal);
    assert_int_equal(usage.max, (uint64_t)64 << 20);
    assert_int_equal(usage.events, 0);
    assert_int_equal(usage.first_seq, 0);
    assert_int_equal(usage.last_seq, 0);
    uint64_t before = usage.used;
    journal_must_put(journal, "e", 1000, 1000);
    usage = journal_usage(journal);
    assert_in_range(usage.used - before, 1000000, 1500000);
    assert_int_equal(usage.first_seq, 1);
    assert_int_equal(usage.events, 1000);
}

static void
test_ram_fails_at_the_call_it_was_told(void **state)
{
    (void)state;
    struct sw_err err = {0};
    struct journal_place place;
    journal_place_init(&place, true);
    place.fail_at = 3;
    journal_place_open(&place);
    struct sw_journal_batch batch = {0};
    journal_must_put(place.journal, "e", 2, 0);
    assert_true(sw_journal_read(place.journal, 2, 0, &batch, &err));
    assert_false(journal_put(place.journal, "x", 1, 0, NULL, &err));
    assert_int_equal(journal_usage(place.journal).last_seq, 2);
    assert_int_equal(journal_must_put(place.journal, "x", 1, 0), 3);
    sw_journal_batch_fini(&batch);
    journal_place_fini(&place);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(test_a_new_sink_starts_now_or_at_the_oldest),
        JOURNAL_TEST(test_a_sink_that_left_is_kept_for_7_days),
        JOURNAL_TEST(test_an_ack_is_kept),
        JOURNAL_TEST(test_acks_are_written_once_a_second),
        JOURNAL_TEST(test_an_ack_never_goes_back_nor_beyond_the_end),
        JOURNAL_TEST(test_what_all_have_passed_goes_in_time),
        JOURNAL_TEST_FILE(test_a_number_is_never_given_twice),
        JOURNAL_TEST(test_at_the_cap_the_oldest_go),
        JOURNAL_TEST(test_what_is_not_passed_stays_whatever_lies_beside_it),
        JOURNAL_TEST(test_at_the_cap_drops_are_exact_inside_an_append),
        JOURNAL_TEST(test_told_drops_close_their_episode),
        JOURNAL_TEST(test_what_was_in_hand_is_not_lost),
        JOURNAL_TEST(test_at_the_cap_the_newest_are_refused),
        JOURNAL_TEST_FILE(test_rejected_records_are_kept_to_a_thousand),
        JOURNAL_TEST(test_another_cap_holds_from_the_next_append),
        JOURNAL_TEST(test_usage_tells_the_cap_and_grows),
        cmocka_unit_test(test_ram_fails_at_the_call_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
