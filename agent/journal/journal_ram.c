/* The journal in memory: for `replay`, which promises nothing to last, and for tests. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/journal/journal_private.h"

#define RAM_OVERHEAD 64 /* bytes that an event counts for besides its body */

struct ram_event {
    char *body;
    size_t size;
};

struct ram_source {
    struct sw_source_state state;
    struct sw_journal_row *rows; /* bodies are ours */
    size_t row_count;
};

struct ram_journal {
    struct sw_journal base;
    struct ram_event *events; /* of base.first_seq and on; a ring */
    size_t event_from;
    size_t event_count;
    size_t event_capacity;
    uint64_t used;
    struct ram_source *sources;
    size_t source_count;
    uint64_t calls;
    uint64_t fail_at;
};

static struct ram_journal *
ram_of(struct sw_journal *journal)
{
    return (struct ram_journal *)journal;
}

static bool
ram_fails(struct ram_journal *ram, struct sw_err *err)
{
    ram->calls++;
    if (ram->calls == ram->fail_at) {
        sw_err_set(
            err, "the journal was told to fail at call %llu", (unsigned long long)ram->calls);
        return true;
    }
    return false;
}

static struct ram_event *
ram_event_at(const struct ram_journal *ram, size_t index)
{
    return &ram->events[(ram->event_from + index) % ram->event_capacity];
}

static void
ram_drop_events(struct ram_journal *ram, size_t count)
{
    for (; count > 0; count--) {
        struct ram_event *event = ram_event_at(ram, 0);
        ram->used -= event->size + RAM_OVERHEAD;
        free(event->body);
        ram->event_from = (ram->event_from + 1) % ram->event_capacity;
        ram->event_count--;
    }
}

static void
ram_add_event(struct ram_journal *ram, struct sw_str body)
{
    if (ram->event_count == ram->event_capacity) {
        size_t capacity = ram->event_capacity > 0 ? 2 * ram->event_capacity : 64;
        struct ram_event *events = sw_calloc(capacity, sizeof(*events));
        for (size_t i = 0; i < ram->event_count; i++) {
            events[i] = *ram_event_at(ram, i);
        }
        free(ram->events);
        ram->events = events;
        ram->event_from = 0;
        ram->event_capacity = capacity;
    }
    *ram_event_at(ram, ram->event_count++) =
        (struct ram_event){sw_strndup(body.data, body.size), body.size};
    ram->used += body.size + RAM_OVERHEAD;
}

/* How many of the oldest events must go until the bytes in use are at most goal, and how many of
 * them may go without anybody's loss. */
static size_t
ram_count_until(const struct ram_journal *ram, uint64_t goal, uint64_t last_allowed)
{
    uint64_t used = ram->used;
    size_t count = 0;
    while (count < ram->event_count && used > goal && ram->base.first_seq + count <= last_allowed) {
        used -= ram_event_at(ram, count)->size + RAM_OVERHEAD;
        count++;
    }
    return count;
}

/* Decides what goes to make room for incoming bytes; nothing is changed but the step. */
static bool
ram_make_room(
    struct ram_journal *ram, uint64_t incoming, struct journal_step *step, struct sw_err *err)
{
    struct sw_journal *journal = &ram->base;
    uint64_t high = journal->max_size / 10 * 9;
    uint64_t low = journal->max_size / 10 * 8;
    uint64_t passed = journal_passed(journal);
    uint64_t goal = low > incoming ? low - incoming : 0;
    size_t count = 0;

    if (passed + 1 > journal->first_seq + JOURNAL_PASSED_KEEP) {
        count = (size_t)(passed + 1 - journal->first_seq);
    }
    if (journal->max_size > 0 && incoming > 0 && ram->used + incoming > high) {
        bool may_lose = journal->on_full == SW_ON_FULL_OLDEST;
        size_t free_of_loss = ram_count_until(ram, goal, passed);
        size_t needed = may_lose ? ram_count_until(ram, goal, UINT64_MAX) : free_of_loss;
        count = count > needed ? count : needed;
        uint64_t left = ram->used;
        for (size_t i = 0; i < count; i++) {
            left -= ram_event_at(ram, i)->size + RAM_OVERHEAD;
        }
        if (left + incoming > high) {
            return journal_full_error(journal, ram->used, err);
        }
    }
    if (count > 0) {
        journal_step_cut(journal, step, journal->first_seq + count - 1);
    }
    return true;
}

static struct ram_source *
ram_find_source(struct ram_journal *ram, const char *name)
{
    for (size_t i = 0; i < ram->source_count; i++) {
        if (strcmp(ram->sources[i].state.name, name) == 0) {
            return &ram->sources[i];
        }
    }
    return NULL;
}

static void
ram_clear_rows(struct ram_source *source)
{
    for (size_t i = 0; i < source->row_count; i++) {
        free((void *)(uintptr_t)source->rows[i].body.data);
    }
    free(source->rows);
    source->rows = NULL;
    source->row_count = 0;
}

static void
ram_put_row(struct ram_source *source, const struct sw_journal_row *row)
{
    size_t at = 0;
    while (at < source->row_count && sw_uuid_compare(&source->rows[at].id, &row->id) != 0) {
        at++;
    }
    if (at < source->row_count) {
        free((void *)(uintptr_t)source->rows[at].body.data);
        source->rows[at] = source->rows[--source->row_count];
    }
    if (row->body.data != NULL) {
        source->rows = sw_realloc(source->rows, source->row_count + 1, sizeof(*source->rows));
        source->rows[source->row_count++] = (struct sw_journal_row){
            row->id, {sw_strndup(row->body.data, row->body.size), row->body.size}};
    }
}

static void
ram_put_source(struct ram_journal *ram, const struct sw_journal_write *write)
{
    struct ram_source *source = ram_find_source(ram, write->source->name);
    if (source == NULL) {
        ram->sources = sw_realloc(ram->sources, ram->source_count + 1, sizeof(*ram->sources));
        source = &ram->sources[ram->source_count++];
        *source = (struct ram_source){0};
    }
    sw_source_state_copy(&source->state, write->source);
    if (write->replace_rows) {
        ram_clear_rows(source);
    }
    for (size_t i = 0; i < write->row_count; i++) {
        ram_put_row(source, &write->rows[i]);
    }
}

static bool
ram_append(struct sw_journal *journal, const struct sw_journal_write *write,
    struct journal_step *step, struct sw_err *err)
{
    struct ram_journal *ram = ram_of(journal);
    uint64_t incoming = 0;
    for (size_t i = 0; i < write->event_count; i++) {
        incoming += write->events[i].size + RAM_OVERHEAD;
    }
    if (ram_fails(ram, err) || !ram_make_room(ram, incoming, step, err)) {
        return false;
    }
    ram_drop_events(ram, (size_t)(step->first_seq - journal->first_seq));
    if (write->source != NULL) {
        ram_put_source(ram, write);
    }
    for (size_t i = 0; i < write->event_count; i++) {
        ram_add_event(ram, write->events[i]);
    }
    step->last_seq += write->event_count;
    return true;
}

static bool
ram_store_sinks(struct sw_journal *journal, struct journal_step *step, struct sw_err *err)
{
    struct ram_journal *ram = ram_of(journal);
    if (!ram_make_room(ram, 0, step, err)) {
        return false;
    }
    ram_drop_events(ram, (size_t)(step->first_seq - journal->first_seq));
    return true;
}

static bool
ram_remove_sink(struct sw_journal *journal, const char *name, struct sw_err *err)
{
    (void)journal;
    (void)name;
    (void)err;
    return true;
}

static bool
ram_read(struct sw_journal *journal, uint64_t after, size_t max_records,
    struct sw_journal_batch *batch, struct sw_err *err)
{
    struct ram_journal *ram = ram_of(journal);
    if (ram_fails(ram, err)) {
        return false;
    }
    size_t index = after < journal->first_seq ? 0 : (size_t)(after + 1 - journal->first_seq);
    for (; index < ram->event_count && batch->count < max_records; index++) {
        const struct ram_event *event = ram_event_at(ram, index);
        struct sw_str body = {event->body, event->size};
        if (!journal_batch_add(batch, journal->first_seq + index, body)) {
            break;
        }
    }
    return true;
}

static bool
ram_load_source(struct sw_journal *journal, const char *name, struct sw_source_state *state,
    bool *found, struct sw_err *err)
{
    (void)err;
    struct ram_source *source = ram_find_source(ram_of(journal), name);
    *found = source != NULL;
    if (source != NULL) {
        sw_source_state_copy(state, &source->state);
    }
    return true;
}

static bool
ram_load_rows(struct sw_journal *journal, const char *name,
    bool (*each)(void *context, const struct sw_journal_row *row, struct sw_err *err),
    void *context, struct sw_err *err)
{
    struct ram_source *source = ram_find_source(ram_of(journal), name);
    for (size_t i = 0; source != NULL && i < source->row_count; i++) {
        if (!each(context, &source->rows[i], err)) {
            return false;
        }
    }
    return true;
}

static bool
ram_list_sources(
    struct sw_journal *journal, struct sw_source_state **states, size_t *count, struct sw_err *err)
{
    (void)err;
    struct ram_journal *ram = ram_of(journal);
    *states = ram->source_count > 0 ? sw_calloc(ram->source_count, sizeof(**states)) : NULL;
    for (*count = 0; *count < ram->source_count; ++*count) {
        sw_source_state_copy(&(*states)[*count], &ram->sources[*count].state);
    }
    return true;
}

static void
ram_free_source(struct ram_source *source)
{
    ram_clear_rows(source);
    sw_source_state_fini(&source->state);
}

static bool
ram_keep_sources(
    struct sw_journal *journal, const char *const *names, size_t count, struct sw_err *err)
{
    (void)err;
    struct ram_journal *ram = ram_of(journal);
    for (size_t i = ram->source_count; i-- > 0;) {
        size_t at = 0;
        while (at < count && strcmp(names[at], ram->sources[i].state.name) != 0) {
            at++;
        }
        if (at == count) {
            ram_free_source(&ram->sources[i]);
            ram->sources[i] = ram->sources[--ram->source_count];
        }
    }
    return true;
}

static bool
ram_reject(struct sw_journal *journal, const char *sink, uint64_t seq, struct sw_str body,
    const char *reason, int64_t now_ns, struct sw_err *err)
{
    (void)sink;
    (void)seq;
    (void)body;
    (void)reason;
    (void)now_ns;
    (void)err;
    (void)journal;
    return true;
}

static bool
ram_used(struct sw_journal *journal, uint64_t *bytes, struct sw_err *err)
{
    (void)err;
    *bytes = ram_of(journal)->used;
    return true;
}

static bool
ram_ack(struct sw_journal *journal, struct sw_err *err)
{
    return !ram_fails(ram_of(journal), err);
}

static void
ram_close(struct sw_journal *journal, bool clean)
{
    (void)clean;
    struct ram_journal *ram = ram_of(journal);
    ram_drop_events(ram, ram->event_count);
    free(ram->events);
    for (size_t i = 0; i < ram->source_count; i++) {
        ram_free_source(&ram->sources[i]);
    }
    free(ram->sources);
}

static const struct journal_class ram_class = {
    .append = ram_append,
    .store_sinks = ram_store_sinks,
    .remove_sink = ram_remove_sink,
    .read = ram_read,
    .load_source = ram_load_source,
    .load_rows = ram_load_rows,
    .list_sources = ram_list_sources,
    .keep_sources = ram_keep_sources,
    .reject = ram_reject,
    .used = ram_used,
    .ack = ram_ack,
    .close = ram_close,
};

struct sw_journal *
sw_journal_open_ram(const struct sw_journal_options *options, uint64_t fail_at, struct sw_err *err)
{
    (void)err;
    struct ram_journal *ram = sw_calloc(1, sizeof(*ram));
    journal_init(&ram->base, &ram_class, options);
    ram->fail_at = fail_at;
    if (options->ids != NULL) {
        ram->base.epoch = sw_uuid_make(options->ids, options->now_ns);
    }
    return &ram->base;
}
