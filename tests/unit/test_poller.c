/* The poller over the RAM journal with a source that answers from a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/event.h"
#include "agent/poller.h"

#define S     SW_NS_PER_S
#define BEGIN (INT64_C(1760000000) * S)

struct script_look {
    enum sw_look answer;
    const char *users; /* "alice bob": one session each, ids after the names */
    const char *server;
    int64_t at_s; /* taken_at after BEGIN; 0: none */
    bool proven;
    bool stopped;
    uint64_t half_open;
};

struct script {
    const struct script_look *looks;
    size_t count;
    size_t next;
};

static enum sw_look
script_look(struct sw_source *source, const struct sw_look_request *request,
    struct sw_builder *builder, struct sw_err *err)
{
    struct script *script = (struct script *)(uintptr_t)source->conf;
    (void)request;
    if (script->next == script->count) {
        return SW_LOOK_END;
    }
    const struct script_look *look = &script->looks[script->next++];
    struct sw_look_facts *facts = sw_builder_facts(builder);
    facts->taken_at_ns = look->at_s > 0 ? BEGIN + look->at_s * S : SW_TIME_NONE;
    facts->proven = look->proven;
    facts->server_stopped = look->stopped;
    facts->half_open = look->half_open;
    sw_builder_set_server(builder, sw_str_of(look->server != NULL ? look->server : "fs01"));
    if (look->answer != SW_LOOK_COMPLETE) {
        sw_err_set(err, "scripted failure");
        return look->answer;
    }
    char *users = sw_strdup(look->users);
    char *rest = users;
    for (char *user; (user = strsep(&rest, " ")) != NULL;) {
        if (user[0] != '\0') {
            struct sw_row row = SW_ROW_EMPTY;
            row.id = row.user = sw_str_of(user);
            row.client = SW_STR("10.0.0.5");
            assert_true(sw_builder_add(builder, &row, err));
        }
    }
    free(users);
    return SW_LOOK_COMPLETE;
}

static const struct sw_source_class script_class = {
    .part = {.name = "script"}, .look = script_look};

struct fixture {
    struct script script;
    struct sw_source_settings settings;
    struct sw_journal *journal;
    struct sw_poller *poller;
    uint64_t seed;
    struct sw_uuid_source ids;
    uint64_t fail_at;
    struct sw_buf told; /* "opened alice;closed bob;" */
    uint64_t shown;
    const char *name;
};

static void
fixture_start(struct fixture *f)
{
    struct sw_err err = {0};
    struct sw_poller_options options = {.name = "s",
        .class = &script_class,
        .conf = &f->script,
        .settings = &f->settings,
        .journal = f->journal,
        .host_name = "agent-host",
        .repeat_ns = 1,
        .random = sw_uuid_seeded_random,
        .seed = &f->seed};
    f->poller = sw_poller_new(&options, &err);
    if (f->poller == NULL) {
        fail_msg("%s", err.text);
    }
}

static void
fixture_init(struct fixture *f, const struct script_look *looks, size_t count)
{
    struct sw_err err = {0};
    f->script = (struct script){looks, count, 0};
    if (f->settings.interval_ns == 0) {
        f->settings = (struct sw_source_settings){
            .interval_ns = 60 * S, .timeout_ns = S, .unreachable_after = 2, .max_events = 5000};
    }
    f->ids = (struct sw_uuid_source){.random = sw_uuid_seeded_random, .context = &f->seed};
    struct sw_journal_options options = {.max_size = 1 << 30, .now_ns = BEGIN, .ids = &f->ids};
    f->journal = sw_journal_open_ram(&options, f->fail_at, &err);
    assert_non_null(f->journal);
    sw_buf_init(&f->told, 1 << 20);
    fixture_start(f);
}

static void
fixture_fini(struct fixture *f)
{
    sw_poller_free(f->poller);
    sw_journal_close(f->journal, true);
    sw_buf_fini(&f->told);
}

static void
fixture_tell(struct fixture *f, const struct sw_event *event)
{
    const char *name = sw_event_kind_info((int)event->kind)->name;
    const char *dot = strchr(name, '.');
    sw_buf_printf(&f->told, "%s", event->kind <= SW_EVENT_SESSION_CHANGED ? dot + 1 : name);
    if (event->user.size > 0) {
        sw_buf_printf(&f->told, " %.*s", (int)event->user.size, event->user.data);
    }
    if (event->reason.size > 0) {
        sw_buf_printf(&f->told, " %.*s", (int)event->reason.size, event->reason.data);
    }
    sw_buf_add_char(&f->told, ';');
}

/* What has been told since the last call. */
static const char *
fixture_told(struct fixture *f)
{
    struct sw_err err;
    struct sw_journal_batch batch = {0};
    sw_buf_clear(&f->told);
    do {
        assert_true(sw_journal_read(f->journal, f->shown, 0, &batch, &err));
        for (size_t i = 0; i < batch.count; i++) {
            struct sw_event event;
            assert_true(sw_event_decode(&event, batch.records[i].body, &err));
            fixture_tell(f, &event);
            f->shown = batch.records[i].seq;
        }
    } while (batch.count > 0);
    sw_journal_batch_fini(&batch);
    return sw_buf_text(&f->told);
}

static const char *
fixture_step(struct fixture *f)
{
    assert_true(sw_poller_step(f->poller));
    return fixture_told(f);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOOK(who, at)                                                                              \
    {                                                                                              \
        .answer = SW_LOOK_COMPLETE, .users = (who), .at_s = (at)                                   \
    }
#define FAILED(at)                                                                                 \
    {                                                                                              \
        .answer = SW_LOOK_FAILED, .at_s = (at)                                                     \
    }

static void
first_look_is_silent_then_changes_are_told(void **state)
{
    (void)state;
    static const struct script_look looks[] = {
        LOOK("alice bob", 1), LOOK("alice bob", 2), LOOK("bob carol", 3)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "closed alice gone;opened carol;");
    assert_false(sw_poller_step(f.poller));
    fixture_fini(&f);
}

static void
baseline_emit_tells_the_first_look(void **state)
{
    (void)state;
    static const struct script_look looks[] = {LOOK("alice bob", 1)};
    struct fixture f = {.settings = {.interval_ns = 60 * S,
                            .timeout_ns = S,
                            .unreachable_after = 2,
                            .max_events = 5000,
                            .baseline = SW_BASELINE_EMIT}};
    fixture_init(&f, looks, COUNT(looks));
    assert_string_equal(fixture_step(&f), "opened alice;opened bob;");
    fixture_fini(&f);
}

static void
failed_looks_close_nobody_and_are_told_once(void **state)
{
    (void)state;
    static const struct script_look looks[] = {
        LOOK("alice bob", 1), FAILED(2), FAILED(3), FAILED(4), LOOK("alice", 5), LOOK("alice", 6)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "source.unreachable;");
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "source.recovered;closed bob noticed_after_gap;");
    assert_string_equal(fixture_step(&f), "");
    fixture_fini(&f);
}

static void
partial_looks_count_as_failed(void **state)
{
    (void)state;
    static const struct script_look looks[] = {LOOK("alice", 1),
        {.answer = SW_LOOK_PARTIAL, .at_s = 2}, {.answer = SW_LOOK_PARTIAL, .at_s = 3}};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "source.unreachable;");
    fixture_fini(&f);
}

/* Everybody gone at once: the script's next look is what counts. */
static void
a_sudden_zero_is_looked_at_once_more(void **state)
{
    (void)state;
    static const struct script_look looks[] = {
        LOOK("alice bob", 1), LOOK("", 2), LOOK("alice bob", 3), LOOK("", 4), LOOK("", 5)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "");
    assert_int_equal(f.script.next, 3);
    assert_string_equal(fixture_step(&f), "closed alice gone;closed bob gone;");
    assert_int_equal(f.script.next, 5);
    fixture_fini(&f);
}

/* As with documents that somebody writes once a minute: a second later there is no newer one. */
static void
a_sudden_zero_that_cannot_be_repeated_now_is_repeated_by_the_next_look(void **state)
{
    (void)state;
    static const struct script_look looks[] = {LOOK("alice bob", 1), LOOK("", 2), FAILED(2),
        LOOK("", 62), LOOK("carol", 122), LOOK("", 182), FAILED(182), LOOK("carol", 242),
        LOOK("", 302), LOOK("carol", 303)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(
        fixture_step(&f), "closed alice noticed_after_gap;closed bob noticed_after_gap;");
    assert_int_equal(f.script.next, 4);
    assert_string_equal(fixture_step(&f), "opened carol;");

    /* Somebody was there in between: the next zero is a surprise again. */
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "");
    assert_int_equal(f.script.next, COUNT(looks));
    fixture_fini(&f);
}

/* A cached answer that comes again and again is one look, however often it is read. */
static void
a_sudden_zero_does_not_confirm_itself(void **state)
{
    (void)state;
    static const struct script_look looks[] = {
        LOOK("alice bob", 1), LOOK("", 2), LOOK("", 2), LOOK("", 2), LOOK("alice bob", 62)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "");
    assert_int_equal(f.script.next, 3);
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "");
    assert_int_equal(f.script.next, COUNT(looks));
    fixture_fini(&f);
}

static void
a_proven_zero_is_believed_at_once(void **state)
{
    (void)state;
    static const struct script_look looks[] = {LOOK("alice", 1),
        {.answer = SW_LOOK_COMPLETE, .users = "", .at_s = 2, .proven = true, .stopped = true}};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "closed alice server_stopped;");
    fixture_fini(&f);
}

static void
another_server_is_a_new_baseline_and_too_many_are_unreachable(void **state)
{
    (void)state;
    struct script_look looks[11];
    for (size_t i = 0; i < COUNT(looks); i++) {
        looks[i] = (struct script_look)LOOK("alice", (int64_t)i + 1);
        looks[i].users = i % 2 == 0 ? "alice" : "bob carol";
        looks[i].server = i % 2 == 0 ? "fs01" : "fs02";
    }
    looks[10] = looks[9];
    looks[10].at_s = 3602;
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    assert_string_equal(fixture_step(&f), "");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(fixture_step(&f), "source.changed server;");
    }
    /* Told at once and once, although fs02, the last believed one, answers half of the looks. */
    assert_string_equal(fixture_step(&f), "source.unreachable;");
    for (int i = 0; i < 5; i++) {
        assert_string_equal(fixture_step(&f), "");
    }
    /* An hour later it may try again. */
    assert_string_equal(fixture_step(&f), "source.recovered;");
    fixture_fini(&f);
}

static void
a_restart_goes_on_from_the_stored_baseline(void **state)
{
    (void)state;
    static const struct script_look looks[] = {LOOK("alice bob", 1), LOOK("bob carol", 100)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    sw_poller_stop(f.poller);
    sw_poller_free(f.poller);
    fixture_start(&f);
    assert_string_equal(fixture_step(&f), "closed alice gone;opened carol;");
    fixture_fini(&f);
}

static void
unreachable_is_not_told_again_after_a_restart(void **state)
{
    (void)state;
    static const struct script_look looks[] = {
        LOOK("alice", 1), FAILED(2), FAILED(3), FAILED(4), FAILED(5), LOOK("alice", 6)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "source.unreachable;");
    sw_poller_stop(f.poller);
    sw_poller_free(f.poller);
    fixture_start(&f);
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "source.recovered;");
    fixture_fini(&f);
}

static void
a_stale_document_is_a_failed_look(void **state)
{
    (void)state;
    static const struct script_look looks[] = {
        LOOK("alice", 10), LOOK("", 10), LOOK("", 9), LOOK("alice", 11)};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(fixture_step(&f), "");
    assert_string_equal(fixture_step(&f), "source.unreachable;");
    assert_string_equal(fixture_step(&f), "source.recovered;");
    fixture_fini(&f);
}

static void
half_open_floods_are_told_once_with_hysteresis(void **state)
{
    (void)state;
    static const uint64_t levels[] = {500, 501, 5000, 300, 600, 249, 501};
    static const char *const told[] = {
        "", "source.flooded half_open;", "", "", "", "", "source.flooded half_open;"};
    struct script_look looks[COUNT(levels)];
    for (size_t i = 0; i < COUNT(levels); i++) {
        looks[i] = (struct script_look)LOOK("alice", (int64_t)i + 1);
        looks[i].half_open = levels[i];
    }
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    for (size_t i = 0; i < COUNT(levels); i++) {
        assert_string_equal(fixture_step(&f), told[i]);
    }
    fixture_fini(&f);
}

static void
more_than_max_events_are_summed_up(void **state)
{
    (void)state;
    static const struct script_look looks[] = {LOOK("a b c d", 1), LOOK("c d e f g", 2)};
    struct fixture f = {
        .settings = {
            .interval_ns = 60 * S, .timeout_ns = S, .unreachable_after = 2, .max_events = 3}};
    fixture_init(&f, looks, COUNT(looks));
    fixture_step(&f);
    assert_string_equal(
        fixture_step(&f), "closed a gone;closed b gone;opened e;source.flooded max_events;");
    fixture_fini(&f);
}

/* Whichever call of the journal fails, the net change is told in the end, once. */
static void
what_the_journal_does_not_take_is_told_later(void **state)
{
    (void)state;
    static const struct script_look looks[] = {LOOK("alice", 1), LOOK("alice bob", 2),
        LOOK("alice bob carol", 3), LOOK("alice bob carol", 4), LOOK("alice bob carol", 5)};
    for (uint64_t fail_at = 1; fail_at < 12; fail_at++) {
        struct fixture f = {.fail_at = fail_at};
        fixture_init(&f, looks, COUNT(looks));
        while (sw_poller_step(f.poller)) {
        }
        struct sw_err err;
        struct sw_journal_batch batch = {0};
        /* The call that fails may be this reading. */
        if (!sw_journal_read(f.journal, 0, 0, &batch, &err)) {
            assert_true(sw_journal_read(f.journal, 0, 0, &batch, &err));
        }
        for (size_t i = 0; i < batch.count; i++) {
            struct sw_event event;
            assert_true(sw_event_decode(&event, batch.records[i].body, &err));
            fixture_tell(&f, &event);
        }
        /* When the very first look was not stored, the next one is the baseline. */
        const char *told = sw_buf_text(&f.told);
        if (strcmp(told, "opened carol;") != 0) {
            assert_string_equal(told, "opened bob;opened carol;");
        }
        sw_journal_batch_fini(&batch);
        fixture_fini(&f);
    }
}

/* Two sessions without ids, three hours old; looks come without a time of their own. */
static enum sw_look
aged_look(struct sw_source *source, const struct sw_look_request *request,
    struct sw_builder *builder, struct sw_err *err)
{
    (void)source;
    (void)request;
    for (uint32_t i = 0; i < 2; i++) {
        struct sw_row row = SW_ROW_EMPTY;
        row.client = SW_STR("10.0.0.5");
        row.user = i == 0 ? SW_STR("alice") : SW_STR("bob");
        row.active = 10800 + i;
        assert_true(sw_builder_add(builder, &row, err));
    }
    return SW_LOOK_COMPLETE;
}

static int64_t
stepping_wall_clock(void *clock)
{
    static const int64_t steps_s[] = {0, 3600, 0, -3600, 0, 86400, -86400};
    size_t *look = clock;
    size_t now = (*look)++;
    return BEGIN + steps_s[now % COUNT(steps_s)] * S + (int64_t)now;
}

/* Our own wall clock steps back and forth while next to no time passes. */
static void
steps_of_our_clock_close_and_open_nobody(void **state)
{
    (void)state;
    struct fixture f = {0};
    size_t look = 0;
    struct sw_err err = {0};
    struct sw_source_class class = {.part = {.name = "aged"}, .look = aged_look};
    fixture_init(&f, NULL, 0);
    sw_poller_free(f.poller);
    struct sw_poller_options options = {.name = "s",
        .class = &class,
        .settings = &f.settings,
        .journal = f.journal,
        .host_name = "agent-host",
        .repeat_ns = 1,
        .wall_ns = stepping_wall_clock,
        .clock = &look,
        .random = sw_uuid_seeded_random,
        .seed = &f.seed};
    f.poller = sw_poller_new(&options, &err);
    assert_non_null(f.poller);
    for (int i = 0; i < 21; i++) {
        assert_string_equal(fixture_step(&f), "");
    }
    assert_int_equal(look, 21);
    fixture_fini(&f);
}

static void
refused_is_said(void **state)
{
    (void)state;
    static const struct script_look looks[] = {{.answer = SW_LOOK_REFUSED, .at_s = 1}};
    struct fixture f = {0};
    fixture_init(&f, looks, COUNT(looks));
    assert_false(sw_poller_is_refused(f.poller));
    assert_string_equal(fixture_step(&f), "source.unreachable;");
    assert_true(sw_poller_is_refused(f.poller));
    fixture_fini(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_look_is_silent_then_changes_are_told),
        cmocka_unit_test(baseline_emit_tells_the_first_look),
        cmocka_unit_test(failed_looks_close_nobody_and_are_told_once),
        cmocka_unit_test(partial_looks_count_as_failed),
        cmocka_unit_test(a_sudden_zero_is_looked_at_once_more),
        cmocka_unit_test(a_sudden_zero_that_cannot_be_repeated_now_is_repeated_by_the_next_look),
        cmocka_unit_test(a_sudden_zero_does_not_confirm_itself),
        cmocka_unit_test(a_proven_zero_is_believed_at_once),
        cmocka_unit_test(another_server_is_a_new_baseline_and_too_many_are_unreachable),
        cmocka_unit_test(a_restart_goes_on_from_the_stored_baseline),
        cmocka_unit_test(unreachable_is_not_told_again_after_a_restart),
        cmocka_unit_test(a_stale_document_is_a_failed_look),
        cmocka_unit_test(half_open_floods_are_told_once_with_hysteresis),
        cmocka_unit_test(more_than_max_events_are_summed_up),
        cmocka_unit_test(what_the_journal_does_not_take_is_told_later),
        cmocka_unit_test(steps_of_our_clock_close_and_open_nobody),
        cmocka_unit_test(refused_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
