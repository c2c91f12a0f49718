#include "agent/forwarder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/forwarder/forwarder_private.h"
#include "agent/platform/platform.h"

#define FORWARD_DEADLINE_NS (30 * SW_NS_PER_S)
/* How long the journal may keep acknowledgements in memory (journal.h). */
#define FORWARD_FLUSH_NS  SW_NS_PER_S
#define FORWARD_LOG_BURST 20

static const char *const forward_starts[] = {"now", "oldest", NULL};

const struct sw_key sw_sink_settings_keys[] = {
    {.name = "start",
        .type = SW_KEY_WORD,
        .offset = offsetof(struct sw_sink_settings, start),
        .fallback = "now",
        .words = forward_starts,
        .help = "where a sink that was not there before begins: with what comes, or with the "
                "oldest event that is kept"},
    {.name = "max_age",
        .type = SW_KEY_DURATION,
        .offset = offsetof(struct sw_sink_settings, max_age_ns),
        .fallback = "0",
        .help = "events older than this are passed over (and counted); 0 sends all"},
    SW_KEY_END,
};

static int64_t
forward_system_boot_ns(void *context)
{
    (void)context;
    return sw_clock_boot_ns();
}

static int64_t
forward_system_wall_ns(void *context)
{
    (void)context;
    return sw_clock_wall_ns();
}

static bool
forward_system_wait(
    void *context, struct sw_journal *journal, uint64_t after, int64_t until_ns, uint64_t *wakes)
{
    (void)context;
    return sw_journal_wait(journal, after, until_ns, wakes);
}

static const struct sw_forwarder_clock forward_system_clock = {
    forward_system_boot_ns, forward_system_wall_ns, forward_system_wait, NULL};

int64_t
forward_boot_ns(const struct sw_forwarder *forwarder)
{
    return forwarder->options.clock->boot_ns(forwarder->options.clock->context);
}

int64_t
forward_wall_ns(const struct sw_forwarder *forwarder)
{
    return forwarder->options.clock->wall_ns(forwarder->options.clock->context);
}

/* INT64_MAX while nobody wants the end. */
static int64_t
forward_until_ns(struct sw_forwarder *forwarder, bool *draining)
{
    pthread_mutex_lock(&forwarder->mutex);
    int64_t until_ns = forwarder->until_ns;
    *draining = forwarder->draining;
    pthread_mutex_unlock(&forwarder->mutex);
    return until_ns;
}

int64_t
forward_deadline_ns(struct sw_forwarder *forwarder)
{
    bool draining;
    int64_t until_ns = forward_until_ns(forwarder, &draining);
    int64_t deadline_ns = forward_boot_ns(forwarder) + FORWARD_DEADLINE_NS;
    return deadline_ns < until_ns ? deadline_ns : until_ns;
}

void
forward_disconnect(struct sw_forwarder *forwarder)
{
    forwarder->options.class->disconnect(&forwarder->sink);
    forwarder->connected = false;
}

void
forward_say(
    struct sw_forwarder *forwarder, enum sw_log_level level, const char *what, const char *text)
{
    unsigned suppressed;
    if (!sw_log_limit_allows(
            &forwarder->log_limit, forward_boot_ns(forwarder), FORWARD_LOG_BURST, &suppressed)) {
        return;
    }
    if (suppressed > 0) {
        sw_log(forwarder->options.log, SW_LOG_INFO, forwarder->log_part,
            "%u messages of the last hour were not shown", suppressed);
    }
    sw_log(forwarder->options.log, level, forwarder->log_part, "%s%s%s", what,
        text[0] != '\0' ? ": " : "", text);
}

void
forward_note(struct sw_forwarder *forwarder, enum forward_mood mood, const char *text)
{
    static const struct {
        enum sw_log_level level;
        const char *what;
    } words[] = {
        [FORWARD_NEW] = {SW_LOG_DEBUG, ""},
        [FORWARD_WELL] = {SW_LOG_INFO, "delivers"},
        [FORWARD_TROUBLED] = {SW_LOG_WARN, "cannot deliver, goes on trying"},
        [FORWARD_PAUSED] = {SW_LOG_ERROR, "is refused, tries again every 1 to 30 minutes"},
    };
    if (mood != forwarder->mood) {
        forward_say(forwarder, words[mood].level, words[mood].what, text);
        forwarder->mood = mood;
    }
    forwarder->state.paused = mood == FORWARD_PAUSED;
    forwarder->state.answer_ns = forward_wall_ns(forwarder);
    if (strcmp(forwarder->state.answer, text) != 0) {
        sw_state_set(&forwarder->state.answer, text);
    }
}

void
forward_ack(struct sw_forwarder *forwarder)
{
    struct sw_err err;
    bool pending;
    int64_t now_ns = forward_boot_ns(forwarder);
    forwarder->ack_failed =
        !sw_journal_ack(forwarder->options.journal, &forwarder->state, now_ns, &pending, &err);
    if (forwarder->ack_failed) {
        forward_say(forwarder, SW_LOG_ERROR, "the journal does not take how far it is", err.text);
    }
    atomic_store(&forwarder->passed, forwarder->state.position);
    forwarder->flush_at_ns =
        pending || forwarder->ack_failed ? now_ns + FORWARD_FLUSH_NS : INT64_MAX;
}

static void
forward_flush(struct sw_forwarder *forwarder)
{
    struct sw_err err;
    if (forwarder->ack_failed) {
        forward_ack(forwarder);
    }
    int64_t now_ns = forward_boot_ns(forwarder);
    bool flushed = sw_journal_flush(forwarder->options.journal, now_ns, &err);
    if (!flushed) {
        forward_say(forwarder, SW_LOG_ERROR, "the journal does not take how far it is", err.text);
    }
    forwarder->flush_at_ns =
        flushed && !forwarder->ack_failed ? INT64_MAX : now_ns + FORWARD_JOURNAL_WAIT_NS;
}

/* Waits for an event behind `after`, a wake or a time, whichever is first. */
static void
forward_wait(struct sw_forwarder *forwarder, uint64_t after, int64_t until_ns)
{
    const struct sw_forwarder_clock *clock = forwarder->options.clock;
    bool draining;
    int64_t end_ns = forward_until_ns(forwarder, &draining);
    int64_t first_ns = until_ns < end_ns ? until_ns : end_ns;
    first_ns = first_ns < forwarder->flush_at_ns ? first_ns : forwarder->flush_at_ns;
    if (forward_boot_ns(forwarder) < first_ns) {
        clock->wait(clock->context, forwarder->options.journal, after, first_ns, &forwarder->wakes);
    }
    if (forward_boot_ns(forwarder) >= forwarder->flush_at_ns) {
        forward_flush(forwarder);
    }
}

/* Everything is sent. draining: the end was wanted before the journal was read, so that there is
 * nothing behind; asked only now, an event of the time between would stay behind. false: that was
 * all. */
static bool
forward_idle(struct sw_forwarder *forwarder, bool draining)
{
    uint64_t last = forwarder->batch.read.last;
    if (last > forwarder->state.position) {
        /* All that was behind us has been dropped: nothing of it will ever come. */
        forwarder->state.position = last;
        forward_ack(forwarder);
    }
    if (forward_tell_dropped(forwarder)) {
        return true;
    }
    if (draining) {
        return false;
    }
    forward_batch_shrink(&forwarder->batch);
    forward_wait(forwarder, forwarder->state.position, forwarder->idle_until_ns);
    return true;
}

/* true: what is in hand waits for more to come, and is read again then. */
static bool
forward_fills(struct sw_forwarder *forwarder)
{
    const struct sw_journal_batch *read = &forwarder->batch.read;
    struct sw_forward_pace *pace = &forwarder->pace;
    size_t most = forwarder->policy.max;
    bool is_full = read->count >= most || read->records[read->count - 1].seq < read->last;
    if (sw_forward_pace_is_due(pace, is_full, forward_boot_ns(forwarder))) {
        return false;
    }
    forwarder->batch.first = read->count;
    forward_wait(forwarder, read->records[0].seq + most - 2, pace->go_at_ns);
    return true;
}

static void
forward_journal_failed(struct sw_forwarder *forwarder, const struct sw_err *err)
{
    forward_say(forwarder, SW_LOG_ERROR, "the journal fails, goes on trying", err->text);
    forwarder->retry_at_ns = forward_boot_ns(forwarder) + FORWARD_JOURNAL_WAIT_NS;
}

/* One step of the thread; false at the end. */
static bool
forward_step(struct sw_forwarder *forwarder)
{
    struct sw_err err;
    bool draining;
    int64_t now_ns = forward_boot_ns(forwarder);
    if (now_ns >= forward_until_ns(forwarder, &draining)) {
        return false;
    }
    if (atomic_exchange(&forwarder->reopen, false)) {
        forward_disconnect(forwarder);
        forwarder->retry_at_ns = 0;
    }
    if (now_ns < forwarder->retry_at_ns) {
        forward_wait(forwarder, UINT64_MAX, forwarder->retry_at_ns);
        return true;
    }
    if (forward_batch_is_empty(&forwarder->batch)) {
        if (!forward_batch_read(forwarder, &err)) {
            forward_journal_failed(forwarder, &err);
            return true;
        }
        if (forwarder->batch.read.count == 0) {
            return forward_idle(forwarder, draining);
        }
        if (!draining && forward_fills(forwarder)) {
            return true;
        }
    }
    if (!forward_batch_send(forwarder, &err)) {
        forward_journal_failed(forwarder, &err);
    }
    return true;
}

/* The forwarder's thread. */
static void *
forward_run(void *argument)
{
    struct sw_forwarder *forwarder = argument;
    while (forward_step(forwarder)) {
    }
    forward_disconnect(forwarder);
    forward_flush(forwarder);
    pthread_mutex_lock(&forwarder->mutex);
    forwarder->ended = true;
    pthread_cond_broadcast(&forwarder->changed);
    pthread_mutex_unlock(&forwarder->mutex);
    return NULL;
}

static struct sw_sink
forward_new_sink(const struct sw_forwarder_options *options)
{
    const struct sw_sink_class *class = options->class;
    return (struct sw_sink){
        class, options->name, options->conf, sw_calloc(1, class->state_size + 1)};
}

bool
sw_forwarder_try(const struct sw_forwarder_options *options, struct sw_err *err)
{
    struct sw_sink sink = forward_new_sink(options);
    bool good = sink.class->init(&sink, err);
    sink.class->fini(&sink);
    free(sink.state);
    if (!good) {
        sw_err_wrap(err, "sink '%s'", options->name);
    }
    return good;
}

struct sw_forwarder *
sw_forwarder_new(const struct sw_forwarder_options *options, struct sw_err *err)
{
    struct sw_forwarder *forwarder = sw_calloc(1, sizeof(*forwarder));
    const struct sw_sink_class *class = options->class;
    forwarder->options = *options;
    if (options->clock == NULL) {
        forwarder->options.clock = &forward_system_clock;
    }
    forwarder->sink = forward_new_sink(options);
    forwarder->ids = (struct sw_uuid_source){.random = sw_random};
    forwarder->flush_at_ns = INT64_MAX;
    forwarder->idle_until_ns = INT64_MAX;
    forwarder->until_ns = INT64_MAX;
    size_t size = strlen(options->name) + sizeof("sink ");
    forwarder->log_part = sw_calloc(size, 1);
    snprintf(forwarder->log_part, size, "sink %s", options->name);
    sw_sink_state_init(&forwarder->state, options->name, class->part.name);
    sw_forward_pace_init(&forwarder->pace,
        class->pace != NULL ? class->pace(options->conf) : (struct sw_sink_pace){0});
    sw_forward_policy_init(&forwarder->policy, forwarder->pace.wish.records_max);
    forwarder->format = class->format(options->conf);
    pthread_mutex_init(&forwarder->mutex, NULL);
    sw_cond_init(&forwarder->changed);

    if (!class->init(&forwarder->sink, err) ||
        !sw_journal_attach_sink(options->journal, options->name, class->part.name,
            options->settings->start == SW_SINK_START_OLDEST || options->from_oldest,
            forward_wall_ns(forwarder), &forwarder->state, err)) {
        sw_err_wrap(err, "sink '%s'", options->name);
        sw_forwarder_free(forwarder);
        return NULL;
    }
    atomic_store(&forwarder->passed, forwarder->state.position);
    return forwarder;
}

bool
sw_forwarder_start(struct sw_forwarder *forwarder, struct sw_err *err)
{
    forwarder->started =
        sw_thread_start(&forwarder->thread, forward_run, forwarder, forwarder->options.name, err);
    return forwarder->started;
}

void
sw_forwarder_drain(struct sw_forwarder *forwarder, int64_t until_ns)
{
    pthread_mutex_lock(&forwarder->mutex);
    forwarder->draining = true;
    forwarder->until_ns = until_ns;
    pthread_mutex_unlock(&forwarder->mutex);
    sw_journal_wake(forwarder->options.journal);
}

void
sw_forwarder_reopen(struct sw_forwarder *forwarder)
{
    atomic_store(&forwarder->reopen, true);
    sw_journal_wake(forwarder->options.journal);
}

void
sw_forwarder_stop(struct sw_forwarder *forwarder)
{
    if (!forwarder->started) {
        return;
    }
    bool draining;
    int64_t until_ns = forward_until_ns(forwarder, &draining);
    if (!draining) {
        until_ns = 0;
        sw_forwarder_drain(forwarder, until_ns);
    }
    pthread_mutex_lock(&forwarder->mutex);
    bool is_over = false;
    while (!forwarder->ended && !is_over) {
        is_over = sw_cond_wait_until(&forwarder->changed, &forwarder->mutex, until_ns);
    }
    bool ended = forwarder->ended;
    pthread_mutex_unlock(&forwarder->mutex);
    if (!ended && forwarder->options.class->interrupt != NULL) {
        forwarder->options.class->interrupt(&forwarder->sink);
    }
    pthread_join(forwarder->thread, NULL);
    forwarder->started = false;
}

void
sw_forwarder_free(struct sw_forwarder *forwarder)
{
    if (forwarder == NULL) {
        return;
    }
    forwarder->options.class->fini(&forwarder->sink);
    free(forwarder->sink.state);
    forward_batch_fini(&forwarder->batch);
    sw_sink_state_fini(&forwarder->state);
    pthread_mutex_destroy(&forwarder->mutex);
    pthread_cond_destroy(&forwarder->changed);
    free(forwarder->log_part);
    free(forwarder);
}

bool
sw_forwarder_has_passed(struct sw_forwarder *forwarder, uint64_t seq)
{
    return atomic_load(&forwarder->passed) >= seq;
}
