#include "agent/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/parts.h"
#include "agent/setup.h"
#include "agent/tell.h"

/* Ready is said when every source was asked once, and at the latest after this. */
#define AGENT_READY_NS (5 * SW_NS_PER_S)
/* How often `--until-done` looks whether the sinks have caught up. */
#define AGENT_DONE_NS (20 * SW_NS_PER_MS)

enum agent_end { AGENT_STOPPED, AGENT_FAILED, AGENT_JOURNAL_DAMAGED };

struct agent {
    const struct sw_agent_options *options;
    struct sw_log log;
    /* Of the configuration in force; the parts own it, so what is needed is copied. */
    struct sw_config_agent conf;
    char *state_dir;
    int lock;
    struct sw_journal *journal;
    struct sw_journal_opened opened;
    struct sw_buf host_name;
    struct sw_format_context format;
    struct sw_uuid_source ids;
    struct sw_parts *parts;
    int64_t next_heartbeat_ns;
};

/* ---- the agent's own events */

static struct sw_event
agent_event(enum sw_event_kind kind)
{
    struct sw_event event;
    sw_event_init(&event, kind);
    event.created_ns = sw_clock_wall_ns();
    return event;
}

/* A journal that is full or broken must not keep the agent from stopping or starting: said in the
 * log, and that is all. */
static void
agent_tell(struct agent *agent, struct sw_event *event)
{
    struct sw_err err;
    struct sw_tell tell;
    sw_tell_init(&tell, &agent->ids);
    sw_tell_add(&tell, event);
    struct sw_str *events = sw_tell_events(&tell);
    struct sw_journal_write write = {.events = events, .event_count = tell.count};
    if (!sw_journal_append(agent->journal, &write, NULL, &err)) {
        sw_log(&agent->log, SW_LOG_ERROR, "journal", "%s", err.text);
    }
    free(events);
    sw_tell_fini(&tell);
}

static void
agent_tell_started(struct agent *agent)
{
    struct sw_event event = agent_event(SW_EVENT_AGENT_STARTED);
    event.clean_stop = agent->opened.clean_stop ? 1 : 0;
    agent_tell(agent, &event);
    if (agent->opened.replaced) {
        char detail[640];
        snprintf(detail, sizeof(detail),
            "the journal was damaged and is kept as %s; %llu events and %llu sinks were saved",
            agent->opened.damaged_path, (unsigned long long)agent->opened.saved_events,
            (unsigned long long)agent->opened.saved_sinks);
        event = agent_event(SW_EVENT_JOURNAL_REPLACED);
        event.count = (int64_t)agent->opened.saved_events;
        event.detail = sw_str_of(detail);
        agent_tell(agent, &event);
        sw_log(&agent->log, SW_LOG_ERROR, "journal", "%s", detail);
    }
}

/* ---- starting */

static bool
agent_open_state(struct agent *agent, struct sw_err *err)
{
    bool taken = false;
    char *lock_path = sw_setup_lock_path(agent->state_dir);
    bool good = sw_folder_make(agent->state_dir, err) &&
                sw_folder_is_local(agent->state_dir, err) &&
                sw_lock_take(lock_path, &agent->lock, &taken, err);
    free(lock_path);
    if (!good && taken) {
        return sw_err_set(err,
            "another sharewatch already uses %s; stop it, or give this one a state_dir of its own",
            agent->state_dir);
    }
    return good;
}

static enum sw_on_full
agent_on_full(const struct agent *agent)
{
    return agent->conf.on_full == SW_CONFIG_ON_FULL_NEWEST ? SW_ON_FULL_NEWEST : SW_ON_FULL_OLDEST;
}

static bool
agent_open_journal(struct agent *agent, struct sw_err *err)
{
    char *path = sw_setup_journal_path(agent->state_dir);
    struct sw_journal_options options = {
        .path = path,
        .max_size = agent->conf.journal_max,
        .on_full = agent_on_full(agent),
        .log = &agent->log,
        .now_ns = sw_clock_wall_ns(),
        .ids = &agent->ids,
    };
    agent->journal = sw_journal_open(&options, &agent->opened, err);
    free(path);
    return agent->journal != NULL;
}

static void
agent_use_conf(struct agent *agent, const struct sw_config *config)
{
    agent->conf = config->agent;
    sw_log_set_level(&agent->log, (enum sw_log_level)config->agent.log_level);
    agent->next_heartbeat_ns =
        agent->conf.heartbeat_ns > 0 ? sw_clock_boot_ns() + agent->conf.heartbeat_ns : INT64_MAX;
}

static bool
agent_start_parts(struct agent *agent, struct sw_config **config, struct sw_err *err)
{
    sw_host_name(&agent->host_name);
    agent->format = (struct sw_format_context){
        .agent_name = {sw_buf_text(&agent->host_name), agent->host_name.size},
        .agent_version = SW_STR(SW_VERSION),
        .journal = sw_journal_epoch(agent->journal),
    };
    struct sw_parts_options options = {
        .journal = agent->journal,
        .format = &agent->format,
        .log = &agent->log,
        .host_name = sw_buf_text(&agent->host_name),
        .journal_lost = agent->opened.replaced,
        .from_oldest = agent->opened.replaced && agent->opened.saved_sinks == 0,
    };
    agent->parts = sw_parts_new(&options);
    struct sw_config *taken = *config;
    *config = NULL; /* moved to the parts */
    if (!sw_parts_apply(agent->parts, taken, err)) {
        return false;
    }
    /* The sinks are attached: from here on nothing passes them by. */
    agent_tell_started(agent);
    return sw_parts_start(agent->parts, err);
}

static bool
agent_config_suits(const struct sw_agent_options *options, const struct sw_config *config)
{
    for (size_t i = 0; options->until_done && i < config->source_count; i++) {
        if (!sw_setup_source_class(&config->sources[i])->is_recorded) {
            fprintf(stderr,
                "%s: sources.%s: type %s never ends (--until-done: sources of type replay only)\n",
                config->path, config->sources[i].name, config->sources[i].part->name);
            return false;
        }
    }
    return true;
}

/* ---- reload */

static void
agent_tell_reloaded(struct agent *agent, const char *problem)
{
    struct sw_event event = agent_event(SW_EVENT_AGENT_RELOADED);
    if (problem != NULL) {
        event.error_text = sw_str_of(problem);
        sw_log(&agent->log, SW_LOG_ERROR, "reload", "%s", problem);
    } else {
        sw_log(&agent->log, SW_LOG_INFO, "reload", "the configuration is in force");
    }
    agent_tell(agent, &event);
}

static const char *
agent_reload_config(struct agent *agent, char *problem, size_t size)
{
    struct sw_err err = {0};
    struct sw_config *config = sw_setup_load(agent->options->config_path);
    if (config == NULL) {
        return "the new configuration has errors, the old one goes on; sharewatch check tells them";
    }
    if (strcmp(config->agent.state_dir, agent->state_dir) != 0) {
        snprintf(problem, size,
            "agent.state_dir cannot change while running (%s, now %s): the old configuration goes "
            "on; restart to move",
            agent->state_dir, config->agent.state_dir);
        sw_config_free(config);
        return problem;
    }
    if (!agent_config_suits(agent->options, config)) {
        sw_config_free(config);
        return "--until-done takes sources of type replay only; the old configuration goes on";
    }
    if (!sw_parts_try(agent->parts, config, &err)) {
        snprintf(problem, size, "%s: the old configuration goes on", err.text);
        sw_config_free(config);
        return problem;
    }
    agent_use_conf(agent, config);
    sw_journal_set_cap(agent->journal, agent->conf.journal_max, agent_on_full(agent));
    bool applied = sw_parts_apply(agent->parts, config, &err);
    bool started = sw_parts_start(agent->parts, &err);
    if (!applied || !started) {
        snprintf(problem, size, "not all parts could be started: %s", err.text);
        return problem;
    }
    return NULL;
}

static void
agent_reload(struct agent *agent)
{
    char problem[1024];
    sw_service_notify("RELOADING=1");
    sw_parts_reopen(agent->parts);
    agent_tell_reloaded(agent, agent_reload_config(agent, problem, sizeof(problem)));
    sw_service_notify("READY=1");
}

/* ---- running */

static bool
agent_is_done(struct agent *agent)
{
    struct sw_err err;
    struct sw_journal_usage usage;
    return agent->options->until_done && sw_parts_are_ended(agent->parts) &&
           sw_journal_get_usage(agent->journal, &usage, &err) &&
           sw_parts_have_passed(agent->parts, usage.last_seq);
}

static int64_t
agent_next_look(const struct agent *agent, int64_t now_ns, bool ready, int64_t ready_by_ns)
{
    int64_t until_ns = agent->next_heartbeat_ns;
    if (!ready && ready_by_ns < until_ns) {
        until_ns = ready_by_ns;
    }
    if (agent->options->until_done && now_ns + AGENT_DONE_NS < until_ns) {
        until_ns = now_ns + AGENT_DONE_NS;
    }
    return until_ns;
}

static enum agent_end
agent_loop(struct agent *agent)
{
    bool ready = false;
    int64_t ready_by_ns = sw_clock_boot_ns() + AGENT_READY_NS;
    while (!agent_is_done(agent)) {
        int64_t now = sw_clock_boot_ns();
        if (!ready && (now >= ready_by_ns || sw_parts_are_asked(agent->parts))) {
            ready = true;
            sw_service_notify("READY=1\nSTATUS=watching");
        }
        if (now >= agent->next_heartbeat_ns) {
            struct sw_event event = agent_event(SW_EVENT_AGENT_ALIVE);
            agent_tell(agent, &event);
            agent->next_heartbeat_ns = now + agent->conf.heartbeat_ns;
        }
        switch (sw_signals_wait(agent_next_look(agent, now, ready, ready_by_ns))) {
        case SW_SIGNAL_STOP:
            return AGENT_STOPPED;
        case SW_SIGNAL_RELOAD:
            agent_reload(agent);
            break;
        case SW_SIGNAL_WAKE:
        case SW_SIGNAL_NONE:
            break;
        }
        if (sw_journal_is_damaged(agent->journal)) {
            return AGENT_JOURNAL_DAMAGED;
        }
    }
    return AGENT_STOPPED;
}

static void
agent_stop(struct agent *agent)
{
    sw_parts_stop_sources(agent->parts);
    struct sw_event event = agent_event(SW_EVENT_AGENT_STOPPED);
    agent_tell(agent, &event);
    sw_parts_stop_sinks(agent->parts, sw_clock_boot_ns() + agent->conf.stop_timeout_ns);
}

static void
agent_fini(struct agent *agent, bool clean)
{
    sw_parts_free(agent->parts);
    sw_journal_close(agent->journal, clean);
    if (agent->lock >= 0) {
        sw_lock_release(agent->lock);
    }
    sw_buf_fini(&agent->host_name);
    free(agent->state_dir);
}

/* One life: from the configuration to the last event. */
static enum agent_end
agent_live(const struct sw_agent_options *options, struct sw_config *config)
{
    struct sw_err err = {0};
    struct agent agent = {.options = options, .lock = -1, .ids = {.random = sw_random}};
    enum agent_end end = AGENT_FAILED;
    size_t sources = config->source_count;
    size_t sinks = config->sink_count;
    sw_buf_init(&agent.host_name, 1024);
    sw_setup_log(&agent.log, SW_LOG_INFO);
    agent_use_conf(&agent, config);
    agent.state_dir = sw_strdup(config->agent.state_dir);

    if (agent_open_state(&agent, &err) && agent_open_journal(&agent, &err) &&
        agent_start_parts(&agent, &config, &err)) {
        sw_log(&agent.log, SW_LOG_INFO, "agent", "sharewatch %s watches (sources %zu, sinks %zu)",
            SW_VERSION, sources, sinks);
        end = agent_loop(&agent);
        if (end == AGENT_STOPPED) {
            sw_signals_second_stop_kills();
            sw_service_notify("STOPPING=1");
        }
        agent_stop(&agent);
        sw_log(&agent.log, SW_LOG_INFO, "agent", "stopped");
    } else {
        sw_log(&agent.log, SW_LOG_ERROR, "agent", "%s", err.text);
    }
    sw_config_free(config);
    agent_fini(&agent, end == AGENT_STOPPED);
    return end;
}

int
sw_agent_run(const struct sw_agent_options *options)
{
    enum agent_end end;
    sw_memory_tune();
    sw_files_private();
    sw_signals_init();
    /* A damaged journal is replaced when it is opened, so the agent begins anew. */
    do {
        struct sw_config *config = sw_setup_load(options->config_path);
        if (config == NULL || !agent_config_suits(options, config)) {
            sw_config_free(config);
            return SW_EXIT_CONFIG;
        }
        end = agent_live(options, config);
    } while (end == AGENT_JOURNAL_DAMAGED);
    return end == AGENT_STOPPED ? SW_EXIT_OK : SW_EXIT_FAILED;
}
