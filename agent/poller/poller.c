#include "agent/poller.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/poller/poller_private.h"

/* Before a recorded look that the journal did not take is read again: doubles. */
#define POLLER_RETRY_FIRST_NS (100 * SW_NS_PER_MS)
#define POLLER_RETRY_MAX_NS   (5 * SW_NS_PER_S)

/* Everything that decides which sessions a baseline is about. */
static char *
poller_identity(const struct sw_poller_options *options)
{
    const struct sw_key_strings *ignored[] = {
        &options->settings->ignore.users, &options->settings->ignore.clients};
    struct sw_buf buf;
    sw_buf_init(&buf, (size_t)1 << 20);
    sw_buf_printf(&buf, "type=%s;", options->class->part.name);
    if (options->class->identity != NULL) {
        options->class->identity(options->conf, &buf);
    }
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        sw_buf_add_text(&buf, ";ignore");
        for (size_t j = 0; j < ignored[i]->count; j++) {
            sw_buf_printf(&buf, "=%zu:%s", strlen(ignored[i]->items[j]), ignored[i]->items[j]);
        }
    }
    return sw_buf_take(&buf);
}

static void
poller_init_rules(struct sw_poller *poller)
{
    const struct sw_source_settings *settings = poller->options.settings;
    poller->rules = (struct sw_diff_rules){
        .opens_delta = (uint32_t)settings->changed.opens,
        .idle_borders_ns = settings->changed.idle.items_ns,
        .idle_border_count = settings->changed.idle.count,
        .flags = settings->changed.flags,
    };
    poller->policy = (struct sw_poll_policy){
        .interval_ns = settings->interval_ns,
        .unreachable_after = (unsigned)settings->unreachable_after,
        /* How many they were is not stored; that the last look failed is. */
        .failures = poller->state.status == SW_SOURCE_UNREACHABLE ||
                    poller->state.status == SW_SOURCE_FAILING,
        .unreachable = poller->state.status == SW_SOURCE_UNREACHABLE,
    };
}

/* What the journal knows from before the restart. */
static bool
poller_load(struct sw_poller *poller, struct sw_err *err)
{
    bool found;
    struct sw_source_state *state = &poller->state;
    if (!sw_journal_load_source(
            poller->options.journal, poller->options.name, state, &found, err)) {
        return false;
    }
    if (!state->has_baseline) {
        return true;
    }
    if (strcmp(state->type, poller->options.class->part.name) != 0) {
        sw_state_set(&state->type, poller->options.class->part.name);
        state->position = -1;
    }
    if (!sw_baseline_load(poller->options.journal, state, &poller->baseline, err)) {
        return false;
    }
    poller->baseline.boot_ns =
        state->boot_id[0] != '\0' && strcmp(state->boot_id, poller->boot_id) == 0
            ? state->last_boot_ns
            : SW_TIME_NONE;
    const struct sw_snapshot *snapshot = poller->baseline.snapshot;
    poller->stored = sw_calloc(snapshot->count, sizeof(*poller->stored));
    for (size_t i = 0; i < snapshot->count; i++) {
        poller->stored[i] = (struct sw_stored_age){snapshot->taken_at_ns, snapshot->rows[i].active};
    }
    return true;
}

static bool
poller_init_source(struct sw_poller *poller, struct sw_err *err)
{
    const struct sw_source_class *class = poller->options.class;
    bool same = strcmp(poller->state.identity, poller->identity) == 0;
    poller->source = (struct sw_source){
        .class = class,
        .name = poller->options.name,
        .conf = poller->options.conf,
        .state = sw_calloc(1, class->state_size),
        .log = poller->options.log,
        .position = same && !poller->options.from_start ? poller->state.position : -1,
    };
    poller->source_ready = true;
    return class->init == NULL || class->init(&poller->source, err);
}

bool
sw_poller_try(const struct sw_poller_options *options, struct sw_err *err)
{
    const struct sw_source_class *class = options->class;
    struct sw_source source = {
        .class = class,
        .name = options->name,
        .conf = options->conf,
        .state = sw_calloc(1, class->state_size),
        .log = options->log,
        .position = -1,
    };
    bool good = class->init == NULL || class->init(&source, err);
    if (class->fini != NULL) {
        class->fini(&source);
    }
    free(source.state);
    if (!good) {
        sw_err_wrap(err, "source %s", options->name);
    }
    return good;
}

struct sw_poller *
sw_poller_new(const struct sw_poller_options *options, struct sw_err *err)
{
    struct sw_poller *poller = sw_calloc(1, sizeof(*poller));
    poller->options = *options;
    poller->fresh = true;
    poller->retry = (struct sw_backoff){POLLER_RETRY_FIRST_NS, POLLER_RETRY_MAX_NS, 0};
    snprintf(poller->part, sizeof(poller->part), "source %s", options->name);
    poller->ids.random = options->random != NULL ? options->random : sw_random;
    poller->ids.context = options->seed;
    poller->identity = poller_identity(options);
    poller->builder = sw_builder_new();
    sw_clock_boot_id(poller->boot_id);
    sw_source_state_init(&poller->state, options->name, options->class->part.name);
    sw_tell_init(&poller->tell, &poller->ids);
    if (!sw_latch_init(&poller->stop, err) || !poller_load(poller, err) ||
        !poller_init_source(poller, err)) {
        sw_err_wrap(err, "source %s", options->name);
        sw_poller_free(poller);
        return NULL;
    }
    poller_init_rules(poller);
    return poller;
}

void
sw_poller_free(struct sw_poller *poller)
{
    if (poller == NULL) {
        return;
    }
    if (poller->source_ready && poller->source.class->fini != NULL) {
        poller->source.class->fini(&poller->source);
    }
    free(poller->source.state);
    sw_baseline_free(&poller->baseline);
    free(poller->stored);
    sw_source_state_fini(&poller->state);
    sw_tell_fini(&poller->tell);
    sw_builder_free(poller->builder);
    free(poller->identity);
    sw_latch_fini(&poller->stop);
    free(poller);
}

bool
sw_poller_is_refused(const struct sw_poller *poller)
{
    return atomic_load(&poller->refused);
}

static int64_t
poller_repeat_wait(const struct sw_poller *poller)
{
    int64_t wait = poller->options.repeat_ns > 0 ? poller->options.repeat_ns : SW_POLL_REPEAT_NS;
    return wait < poller->policy.interval_ns ? wait : poller->policy.interval_ns;
}

int64_t
sw_poller_last_look_ns(const struct sw_poller *poller)
{
    return poller->state.last_look_ns;
}

/* A recording is read once: what the journal did not take must be read again, which the source
 * does from behind the last look that is done with. Nobody else waits for this journal, so that
 * there is no need for jitter. */
static void
poller_retry(struct sw_poller *poller)
{
    struct sw_err err;
    int64_t wait = sw_backoff_fail(&poller->retry, UINT32_MAX, 0);
    if (sw_latch_wait(&poller->stop, sw_clock_boot_ns() + wait)) {
        return;
    }
    poller->source.class->fini(&poller->source);
    memset(poller->source.state, 0, poller->source.class->state_size);
    if (!poller->source.class->init(&poller->source, &err)) {
        sw_log(poller->options.log, SW_LOG_ERROR, poller->part, "%s", err.text);
    }
}

bool
sw_poller_step(struct sw_poller *poller)
{
    enum sw_looked looked = sw_poller_look(poller, false);
    if (looked == SW_LOOKED_AGAIN) {
        int64_t wait = poller_repeat_wait(poller);
        if (!sw_latch_wait(&poller->stop, sw_clock_boot_ns() + wait)) {
            looked = sw_poller_look(poller, true);
        }
    }
    if (looked == SW_LOOKED_RETRY) {
        poller_retry(poller);
    } else {
        sw_backoff_reset(&poller->retry);
    }
    atomic_store(&poller->refused, poller->policy.refusals > 0);
    if (poller->options.looked != NULL) {
        poller->options.looked(poller->options.context, looked == SW_LOOKED_END);
    }
    return looked != SW_LOOKED_END;
}

/* The source's thread. */
static void *
poller_run(void *argument)
{
    struct sw_poller *poller = argument;
    uint32_t random;
    sw_random(NULL, (uint8_t *)&random, sizeof(random));
    sw_poll_start(&poller->policy, sw_clock_boot_ns(), random);
    bool recorded = poller->options.class->is_recorded;
    while (!sw_latch_wait(&poller->stop, recorded ? 0 : poller->policy.tick_ns)) {
        if (!sw_poller_step(poller)) {
            sw_log(poller->options.log, SW_LOG_INFO, poller->part, "all is replayed");
            break;
        }
    }
    return NULL;
}

bool
sw_poller_start(struct sw_poller *poller, struct sw_err *err)
{
    poller->started =
        sw_thread_start(&poller->thread, poller_run, poller, poller->options.name, err);
    return poller->started;
}

void
sw_poller_interrupt(struct sw_poller *poller)
{
    sw_latch_set(&poller->stop);
}

void
sw_poller_stop(struct sw_poller *poller)
{
    if (poller->started) {
        pthread_join(poller->thread, NULL);
        poller->started = false;
    }
    sw_poller_store_state(poller);
}
