/*
 * Every single write, sync, truncation, opening and deletion of files fails once, one after
 * another. After each: what was answered with true is there, what was answered with false is not,
 * numbers are given once, and the baseline is that of the last event. The same of the files as
 * they lie there at that moment, as a crash would leave them; there the write that was just
 * answered with false may be there, but as a whole.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "tests/crash/fault_vfs.h"
#include "tests/support/journals.h"

#define WRITES     20
#define EVENTS     8 /* of one write */
#define EVENT_SIZE 700
#define ROW_SIZE   1000
#define MAX_SIZE   ((uint64_t)144 << 10)

struct run {
    struct journal_place place;
    struct sw_fault_plan plan;
    uint64_t stored;   /* writes answered with true; write k has events k * EVENTS … */
    uint64_t acked;    /* position last told, and … */
    uint64_t ack_safe; /* … the one that must be there */
    bool was_copied;
};

/* ---- one write: EVENTS events, all rows and the state say its number */

static struct sw_str
row_body(char *body, uint64_t number)
{
    memset(body, '.', ROW_SIZE);
    snprintf(body, ROW_SIZE, "w%llu", (unsigned long long)number);
    return (struct sw_str){body, ROW_SIZE};
}

static bool
put_write(struct sw_journal *journal, uint64_t number, struct sw_err *err)
{
    struct sw_source_state source;
    struct sw_str events[EVENTS];
    struct sw_journal_row rows[3] = {{{{0}}, {NULL, 0}}};
    char texts[EVENTS][EVENT_SIZE];
    char body[ROW_SIZE];
    sw_source_state_init(&source, "fs01", "samba");
    source.sessions = (int64_t)number;
    for (size_t i = 0; i < EVENTS; i++) {
        memset(texts[i], '.', EVENT_SIZE);
        snprintf(texts[i], EVENT_SIZE, "w%llu-%zu", (unsigned long long)number, i);
        events[i] = (struct sw_str){texts[i], EVENT_SIZE};
    }
    for (size_t i = 0; i < 3; i++) {
        rows[i].id.bytes[0] = (uint8_t)i;
        rows[i].body = row_body(body, number);
    }
    struct sw_journal_write write = {.source = &source,
        .replace_rows = number % 11 == 0,
        .rows = rows,
        .row_count = 3,
        .events = events,
        .event_count = EVENTS};
    uint64_t last = 0;
    bool ok = sw_journal_append(journal, &write, &last, err);
    if (ok) {
        assert_int_equal(last, number * EVENTS);
    }
    sw_source_state_fini(&source);
    return ok;
}

/* ---- what must hold of a journal that has exactly the first `stored` writes */

struct baseline {
    uint64_t number;
    size_t rows;
};

static bool
check_row(void *context, const struct sw_journal_row *row, struct sw_err *err)
{
    (void)err;
    char body[ROW_SIZE];
    struct baseline *baseline = context;
    assert_true(sw_str_equal(row->body, row_body(body, baseline->number)));
    baseline->rows++;
    return true;
}

static void
check_baseline(struct sw_journal *journal, uint64_t stored)
{
    struct sw_err err = {0};
    struct sw_source_state source;
    bool found;
    struct baseline baseline = {.number = stored};
    sw_source_state_init(&source, "", "");
    assert_true(sw_journal_load_source(journal, "fs01", &source, &found, &err));
    assert_int_equal(found, stored > 0);
    if (found) {
        assert_int_equal(source.sessions, stored);
    }
    assert_true(sw_journal_load_rows(journal, "fs01", check_row, &baseline, &err));
    assert_int_equal(baseline.rows, stored > 0 ? 3 : 0);
    sw_source_state_fini(&source);
}

static void
check_events(struct sw_journal *journal, uint64_t stored)
{
    struct sw_journal_batch batch = {0};
    struct sw_journal_usage usage = journal_usage(journal);
    uint64_t at = usage.first_seq > 0 ? usage.first_seq - 1 : 0;
    assert_int_equal(usage.last_seq, stored * EVENTS);
    assert_true(stored == 0 || usage.first_seq > 0);
    while (journal_must_read(journal, at, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            char expected[48];
            assert_int_equal(batch.records[i].seq, ++at);
            snprintf(expected, sizeof(expected), "w%llu-%llu",
                (unsigned long long)((at - 1) / EVENTS + 1),
                (unsigned long long)((at - 1) % EVENTS));
            assert_int_equal(batch.records[i].body.size, EVENT_SIZE);
            assert_string_equal(batch.records[i].body.data, expected);
        }
    }
    assert_int_equal(at, stored * EVENTS);
    sw_journal_batch_fini(&batch);
}

static void
check_sink(struct run *run, struct sw_journal *journal)
{
    struct sw_journal_usage usage = journal_usage(journal);
    struct sw_sink_state slow = journal_sink(journal, "slow");
    struct sw_sink_state fast = journal_sink(journal, "fast");
    assert_in_range(fast.position, run->ack_safe, run->acked);
    assert_int_equal(fast.dropped, 0);
    /* Everything that is gone and that the slow one had not passed is counted, and only that. */
    uint64_t gone = usage.first_seq > 0 ? usage.first_seq - 1 : 0;
    assert_int_equal(slow.dropped, gone);
    assert_int_equal(slow.drop_count, gone);
    assert_int_equal(slow.drop_last, gone);
    sw_sink_state_fini(&slow);
    sw_sink_state_fini(&fast);
}

static void
check(struct run *run, struct sw_journal *journal, uint64_t stored)
{
    check_events(journal, stored);
    check_baseline(journal, stored);
    check_sink(run, journal);
}

/* ---- the files as a crash would leave them now */

static void
copy_file(const char *from, const char *to)
{
    char bytes[16384];
    ssize_t size;
    int in = open(from, O_RDONLY);
    if (in < 0) {
        return;
    }
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while ((size = read(in, bytes, sizeof(bytes))) > 0) {
        assert_int_equal(write(out, bytes, (size_t)size), size);
    }
    close(in);
    close(out);
}

static void
check_copy(struct run *run)
{
    static const char *const suffixes[] = {"", "-wal"};
    struct run copy = *run;
    journal_place_init(&copy.place, false);
    copy.place.options.max_size = MAX_SIZE;
    copy.place.options.vfs = SW_FAULT_VFS;
    for (size_t i = 0; i < 2; i++) {
        char from[120];
        char to[120];
        snprintf(from, sizeof(from), "%s%s", run->place.path, suffixes[i]);
        snprintf(to, sizeof(to), "%s%s", copy.place.path, suffixes[i]);
        copy_file(from, to);
    }
    journal_place_open(&copy.place);
    assert_false(copy.place.opened.replaced);
    uint64_t last = journal_usage(copy.place.journal).last_seq;
    uint64_t stored = last / EVENTS;
    /* The write in hand may be there, though it was said to have failed: then all of it. */
    assert_int_equal(last % EVENTS, 0);
    assert_in_range(stored, run->stored, run->stored + 1);
    check(&copy, copy.place.journal, stored);
    assert_true(put_write(copy.place.journal, stored + 1, &(struct sw_err){0}));
    journal_place_fini(&copy.place);
}

/* ---- the work */

static bool
is_fatal(const struct run *run)
{
    return run->plan.kind == SW_FAULT_KILL || run->plan.kind == SW_FAULT_POWER;
}

/* true: go on; false: the program is dead. */
static bool
after_call(struct run *run, bool ok)
{
    if (sw_fault_fired() == 0) {
        assert_true(ok);
        return true;
    }
    if (is_fatal(run)) {
        return false;
    }
    if (!run->was_copied) {
        run->was_copied = true;
        sw_fault_arm(NULL);
        check_copy(run);
        check_events(run->place.journal, run->stored);
        check_baseline(run->place.journal, run->stored);
        sw_fault_arm(&(struct sw_fault_plan){.kind = SW_FAULT_NONE, .at = 1});
    }
    return true;
}

static bool
ack(struct run *run, uint64_t position, int64_t now_ns)
{
    struct sw_err err = {0};
    bool pending = true;
    struct sw_sink_state state = journal_sink(run->place.journal, "fast");
    state.position = position;
    run->acked = position;
    bool ok = sw_journal_ack(run->place.journal, &state, now_ns, &pending, &err);
    if (ok && !pending && !(sw_fault_fired() > 0 && is_fatal(run))) {
        run->ack_safe = position;
    }
    sw_sink_state_fini(&state);
    return after_call(run, ok);
}

static bool
work_write(struct run *run, uint64_t number)
{
    struct sw_err err = {0};
    for (size_t tries = 0; run->stored < number; tries++) {
        uint64_t acked = run->acked;
        bool ok = put_write(run->place.journal, number, &err);
        if (sw_fault_fired() > 0 && is_fatal(run)) {
            return false;
        }
        if (ok) {
            run->stored = number;
            run->ack_safe = acked;
        }
        after_call(run, ok);
        if (tries > 10) {
            fail_msg("the journal does not come back: %s", err.text);
        }
    }
    return true;
}

static bool
work(struct run *run)
{
    for (uint64_t number = run->stored + 1; number <= WRITES; number++) {
        if (!work_write(run, number) ||
            !ack(run, number * EVENTS - 3, (int64_t)number * 600000000)) {
            return false;
        }
    }
    return true;
}

static bool
attach(struct run *run, const char *sink)
{
    struct sw_err err = {0};
    struct sw_sink_state state = {0};
    bool ok = false;
    for (size_t tries = 0; tries < 10 && !ok; tries++) {
        ok = sw_journal_attach_sink(run->place.journal, sink, "file", true, 0, &state, &err);
        if (sw_fault_fired() > 0 && is_fatal(run)) {
            break;
        }
    }
    sw_sink_state_fini(&state);
    return ok && !(sw_fault_fired() > 0 && is_fatal(run));
}

static bool
open_journal(struct run *run)
{
    struct sw_err err = {0};
    struct journal_place *place = &run->place;
    for (size_t tries = 0; tries < 10 && place->journal == NULL; tries++) {
        place->journal = sw_journal_open(&place->options, &place->opened, &err);
        assert_false(place->opened.replaced);
        if (sw_fault_fired() > 0 && is_fatal(run)) {
            return false;
        }
    }
    if (place->journal == NULL) {
        fail_msg("opening: %s", err.text);
    }
    return true;
}

static bool
run_begin(struct run *run, const struct sw_fault_plan *plan)
{
    *run = (struct run){.plan = *plan};
    journal_place_init(&run->place, false);
    run->place.options.vfs = SW_FAULT_VFS;
    run->place.options.max_size = MAX_SIZE;
    sw_fault_arm(plan);
    return open_journal(run) && attach(run, "slow") && attach(run, "fast") && work(run);
}

/* Runs the work with the fault; false: the work has ended before it. */
static bool
run_with(const struct sw_fault_plan *plan)
{
    struct run run;
    bool lived = run_begin(&run, plan);
    bool fired = sw_fault_fired() > 0 || run.was_copied;
    if (lived) {
        /* The work has come to where old events go, and to checkpoints. */
        assert_true(journal_usage(run.place.journal).first_seq > EVENTS);
        check(&run, run.place.journal, run.stored);
    }
    journal_place_close(&run.place, true);
    fired = fired || sw_fault_fired() > 0;
    sw_fault_arm(NULL);
    journal_place_open(&run.place);
    assert_false(run.place.opened.replaced);
    uint64_t stored = journal_usage(run.place.journal).last_seq / EVENTS;
    assert_in_range(stored, run.stored, run.stored + (lived ? 0 : 1));
    if (stored > 0) {
        check(&run, run.place.journal, stored);
        assert_true(put_write(run.place.journal, stored + 1, &(struct sw_err){0}));
    }
    journal_place_fini(&run.place);
    return fired;
}

static void
every_call(enum sw_fault_kind kind, uint64_t count, uint64_t seed, uint64_t stride)
{
    uint64_t at = 1;
    sw_fault_vfs_register(false);
    while (run_with(&(struct sw_fault_plan){
        .kind = kind, .at = at, .count = count, .seed = seed + at * (seed > 0)})) {
        at += stride;
    }
    assert_true(at > 200);
}

static void
test_every_io_error(void **state)
{
    (void)state;
    every_call(SW_FAULT_IOERR, 1, 0, 1);
}

static void
test_every_full_disk(void **state)
{
    (void)state;
    every_call(SW_FAULT_FULL, 1, 0, 3);
}

static void
test_every_full_disk_that_lasts(void **state)
{
    (void)state;
    every_call(SW_FAULT_FULL, 7, 0, 5);
}

static void
test_every_short_write(void **state)
{
    (void)state;
    every_call(SW_FAULT_SHORT, 1, 0, 3);
}

static void
test_every_success_that_is_told_as_failure(void **state)
{
    (void)state;
    every_call(SW_FAULT_LIE, 1, 0, 3);
}

static void
test_every_kill(void **state)
{
    (void)state;
    every_call(SW_FAULT_KILL, 0, 0, 2);
}

static void
test_every_power_loss(void **state)
{
    (void)state;
    every_call(SW_FAULT_POWER, 0, 0, 2);
}

static void
test_every_power_loss_that_keeps_some(void **state)
{
    (void)state;
    every_call(SW_FAULT_POWER, 0, 12345, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_io_error),
        cmocka_unit_test(test_every_full_disk),
        cmocka_unit_test(test_every_full_disk_that_lasts),
        cmocka_unit_test(test_every_short_write),
        cmocka_unit_test(test_every_success_that_is_told_as_failure),
        cmocka_unit_test(test_every_kill),
        cmocka_unit_test(test_every_power_loss),
        cmocka_unit_test(test_every_power_loss_that_keeps_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
