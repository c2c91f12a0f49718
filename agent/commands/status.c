#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/commands/commands.h"
#include "agent/journal.h"
#include "agent/poller.h"
#include "agent/setup.h"

/* A source that has not looked for so many intervals is late. */
#define STATUS_LATE_INTERVALS 3
/* The journal hears of unchanged looks once a minute at most. */
#define STATUS_WRITE_NS (60 * SW_NS_PER_S)
#define STATUS_TEXT_MAX ((size_t)16 << 20)

struct status {
    const struct sw_config *config;
    struct sw_journal *journal;
    int64_t now_ns;
    struct sw_buf out;
    bool well;
};

static void
status_trouble(struct status *status)
{
    status->well = false;
}

static void
status_add_ago(struct status *status, int64_t at_ns)
{
    if (at_ns == SW_TIME_NONE) {
        sw_buf_add_text(&status->out, "never");
        return;
    }
    sw_duration_add(&status->out, at_ns < status->now_ns ? status->now_ns - at_ns : 0);
    sw_buf_add_text(&status->out, " ago");
}

static void
status_add_size(struct sw_buf *buf, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double value = (double)bytes;
    for (; value >= 1024 && unit < 4; unit++) {
        value /= 1024;
    }
    sw_buf_printf(buf, unit == 0 || value >= 100 ? "%.0f%s" : "%.1f%s", value, units[unit]);
}

/* ---- sources */

static bool
status_is_late(const struct status *status, const struct sw_config_part *part,
    const struct sw_source_state *state)
{
    const struct sw_source_settings *settings = part->settings;
    return !sw_setup_source_class(part)->is_recorded &&
           status->now_ns - state->last_look_ns >
               STATUS_LATE_INTERVALS * settings->interval_ns + STATUS_WRITE_NS;
}

static void
status_source_words(
    struct status *status, const struct sw_config_part *part, const struct sw_source_state *state)
{
    static const char *const words[] = {[SW_SOURCE_NEW] = "not asked yet",
        [SW_SOURCE_OK] = "ok",
        [SW_SOURCE_FAILING] = "failing",
        [SW_SOURCE_UNREACHABLE] = "UNREACHABLE"};
    bool late = state->status == SW_SOURCE_OK && status_is_late(status, part, state);
    if (state->status != SW_SOURCE_OK || late) {
        status_trouble(status);
    }
    sw_buf_add_text(&status->out, late ? "LATE" : words[state->status]);
    if (state->status == SW_SOURCE_NEW) {
        return;
    }
    sw_buf_add_text(&status->out, " since ");
    sw_time_add(&status->out, state->since_ns);
    if (state->has_baseline) {
        sw_buf_printf(&status->out, "; %lld %s", (long long)state->sessions,
            state->sessions == 1 ? "session" : "sessions");
        sw_buf_add_text(&status->out, " on ");
        sw_text_printable(&status->out, sw_str_of(state->server));
    }
    if (state->level >= 0) {
        sw_buf_printf(&status->out, "; level %d", state->level);
    }
    sw_buf_add_text(&status->out, "; last complete look ");
    status_add_ago(status, state->last_look_ns);
    if (state->flooded) {
        sw_buf_add_text(&status->out, "; FLOODED with half-open connections");
        status_trouble(status);
    }
    if (state->error[0] != '\0') {
        sw_buf_add_text(&status->out, ": ");
        sw_text_printable(&status->out, sw_str_of(state->error));
    }
}

static bool
status_sources(struct status *status, struct sw_err *err)
{
    for (size_t i = 0; i < status->config->source_count; i++) {
        const struct sw_config_part *part = &status->config->sources[i];
        struct sw_source_state state;
        bool found;
        sw_source_state_init(&state, part->name, part->part->name);
        if (!sw_journal_load_source(status->journal, part->name, &state, &found, err)) {
            sw_source_state_fini(&state);
            return false;
        }
        sw_buf_printf(&status->out, "source %s: ", part->name);
        status_source_words(status, part, &state);
        sw_buf_add_char(&status->out, '\n');
        sw_source_state_fini(&state);
    }
    return true;
}

/* ---- sinks */

/* The time of the first event that the sink has not passed; SW_TIME_NONE: there is none. */
static bool
status_oldest(struct status *status, uint64_t position, int64_t *at_ns, struct sw_err *err)
{
    struct sw_journal_batch batch = {0};
    struct sw_event event;
    *at_ns = SW_TIME_NONE;
    bool good = sw_journal_read(status->journal, position, 1, &batch, err);
    if (good && batch.count > 0 && sw_event_decode(&event, batch.records[0].body, NULL)) {
        *at_ns = event.created_ns;
    }
    sw_journal_batch_fini(&batch);
    return good;
}

/* What it has been given it cannot deliver, and it goes on trying: its last answer brought no
 * record through. */
static bool
status_is_failing(const struct sw_sink_state *state, uint64_t behind)
{
    return behind > 0 && state->answer[0] != '\0' &&
           (state->last_sent_ns == SW_TIME_NONE || state->answer_ns > state->last_sent_ns);
}

static bool
status_sink_words(
    struct status *status, const struct sw_sink_state *state, uint64_t last_seq, struct sw_err *err)
{
    int64_t oldest_ns;
    uint64_t behind = last_seq > state->position ? last_seq - state->position : 0;
    if (!status_oldest(status, state->position, &oldest_ns, err)) {
        return false;
    }
    bool failing = status_is_failing(state, behind);
    const char *word = state->paused ? "PAUSED" : failing ? "FAILING" : "ok";
    sw_buf_printf(&status->out, "%s; behind by %llu", word, (unsigned long long)behind);
    if (behind > 0 && oldest_ns != SW_TIME_NONE) {
        sw_buf_add_text(&status->out, ", oldest from ");
        status_add_ago(status, oldest_ns);
    }
    sw_buf_add_text(&status->out, "; last sent ");
    status_add_ago(status, state->last_sent_ns);
    sw_buf_printf(&status->out, "; sent %llu", (unsigned long long)state->sent);
    if (state->cut > 0) {
        sw_buf_printf(&status->out, " (%llu cut to size)", (unsigned long long)state->cut);
    }
    sw_buf_printf(&status->out, ", rejected %llu, passed over %llu, dropped %llu",
        (unsigned long long)state->rejected, (unsigned long long)state->passed_over,
        (unsigned long long)state->dropped);
    if (state->answer[0] != '\0') {
        sw_buf_add_text(&status->out, "; last answer ");
        status_add_ago(status, state->answer_ns);
        sw_buf_add_text(&status->out, ": ");
        sw_text_printable(&status->out, sw_str_of(state->answer));
    }
    if (state->paused || failing || state->drop_count > 0) {
        status_trouble(status);
    }
    return true;
}

static bool
status_sinks(struct status *status, struct sw_err *err)
{
    struct sw_journal_usage usage;
    if (!sw_journal_get_usage(status->journal, &usage, err)) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; good && i < status->config->sink_count; i++) {
        const struct sw_config_part *part = &status->config->sinks[i];
        struct sw_sink_state state;
        bool found;
        sw_sink_state_init(&state, part->name, part->part->name);
        good = sw_journal_get_sink(status->journal, part->name, &state, &found, err);
        sw_buf_printf(&status->out, "sink %s: ", part->name);
        if (good && found) {
            good = status_sink_words(status, &state, usage.last_seq, err);
        } else if (good) {
            sw_buf_add_text(&status->out, "not started yet");
            status_trouble(status);
        }
        sw_buf_add_char(&status->out, '\n');
        sw_sink_state_fini(&state);
    }
    return good;
}

/* ---- the whole */

static bool
status_journal(struct status *status, const char *path, struct sw_err *err)
{
    struct sw_journal_usage usage;
    if (!sw_journal_get_usage(status->journal, &usage, err)) {
        return false;
    }
    sw_buf_add_text(&status->out, "journal: ");
    sw_text_printable(&status->out, sw_str_of(path));
    sw_buf_add_text(&status->out, ", ");
    status_add_size(&status->out, usage.used);
    sw_buf_add_text(&status->out, " of ");
    status_add_size(&status->out, status->config->agent.journal_max);
    sw_buf_printf(&status->out, ", %llu events kept, last sequence %llu\n",
        (unsigned long long)usage.events, (unsigned long long)usage.last_seq);
    return true;
}

static void
status_agent(struct status *status)
{
    char *lock_path = sw_setup_lock_path(status->config->agent.state_dir);
    struct sw_err err;
    bool held = false;
    if (!sw_lock_is_held(lock_path, &held, &err)) {
        sw_buf_printf(&status->out, "agent: cannot be told: %s\n", err.text);
    } else if (held) {
        sw_buf_add_text(&status->out, "agent: running\n");
    } else {
        sw_buf_add_text(&status->out, "agent: NOT RUNNING\n");
        status_trouble(status);
    }
    free(lock_path);
}

static int
status_show(const struct sw_config *config)
{
    struct sw_err err = {0};
    struct status status = {.config = config, .now_ns = sw_clock_wall_ns(), .well = true};
    char *path = sw_setup_journal_path(config->agent.state_dir);
    sw_buf_init(&status.out, STATUS_TEXT_MAX);
    status_agent(&status);
    status.journal = sw_journal_open_readonly(path, &err);
    bool good = status.journal != NULL && status_journal(&status, path, &err) &&
                status_sources(&status, &err) && status_sinks(&status, &err);
    sw_command_write(&status.out, stdout);
    if (!good) {
        fprintf(stderr, "sharewatch: %s\n", err.text);
    }
    sw_journal_close(status.journal, false);
    sw_buf_fini(&status.out);
    free(path);
    return good && status.well ? SW_EXIT_OK : SW_EXIT_FAILED;
}

static int
status(int argc, char **argv)
{
    const char *path = SW_DEFAULT_CONFIG;
    const struct sw_option options[] = {
        {.name = "--config", .letter = "-c", .value = &path},
        {.name = NULL},
    };
    if (!sw_command_options(&sw_command_status, argc, argv, options, NULL)) {
        return SW_EXIT_USAGE;
    }
    struct sw_config *config = sw_setup_load(path);
    if (config == NULL) {
        return SW_EXIT_CONFIG;
    }
    int result = status_show(config);
    sw_config_free(config);
    return result;
}

const struct sw_command sw_command_status = {
    .name = "status",
    .usage = "[-c FILE]",
    .summary = "how the agent's sources and sinks are doing",
    .help =
        "Reads the journal for a moment; needs no running agent. Words in capitals are trouble.\n"
        "Exit status: 0 all well, 1 something is not, 78 bad configuration.",
    .run = status,
};
