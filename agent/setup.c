#include "agent/setup.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/base/time_text.h"
#include "agent/forwarder.h"
#include "agent/poller.h"

static const struct sw_part *
setup_source_at(size_t index)
{
    const struct sw_source_class *class = sw_source_classes[index];
    return class != NULL ? &class->part : NULL;
}

static const struct sw_part *
setup_sink_at(size_t index)
{
    const struct sw_sink_class *class = sw_sink_classes[index];
    return class != NULL ? &class->part : NULL;
}

static void
setup_check_source(const void *settings, const struct sw_part *part, const void *conf,
    struct sw_problems *problems)
{
    const struct sw_source_settings *source = settings;
    (void)part;
    (void)conf;
    if (source->timeout_ns > source->interval_ns) {
        struct sw_buf text;
        sw_buf_init(&text, 64);
        sw_duration_add(&text, source->interval_ns);
        sw_problems_add(problems, "timeout",
            "longer than the interval (%s): looks never overlap; lower it or raise interval",
            sw_buf_text(&text));
        sw_buf_fini(&text);
    }
}

const struct sw_config_types sw_setup_types = {
    .sources = {.part_at = setup_source_at,
        .settings = sw_source_settings_keys,
        .settings_size = sizeof(struct sw_source_settings),
        .check = setup_check_source},
    .sinks = {.part_at = setup_sink_at,
        .settings = sw_sink_settings_keys,
        .settings_size = sizeof(struct sw_sink_settings)},
};

struct sw_config *
sw_setup_load(const char *path)
{
    struct sw_config_options options = {.mode = SW_CONFIG_RUN, .types = &sw_setup_types};
    struct sw_problems problems;
    sw_problems_init(&problems);
    struct sw_config *config = sw_config_load(path, &options, &problems);
    sw_problems_print(&problems, stderr);
    sw_problems_fini(&problems);
    return config;
}

const struct sw_source_class *
sw_setup_source_class(const struct sw_config_part *part)
{
    return sw_source_class_find(part->part->name);
}

const struct sw_sink_class *
sw_setup_sink_class(const struct sw_config_part *part)
{
    return sw_sink_class_find(part->part->name);
}

/* One write a line, so that lines of several threads do not mix. */
static void
setup_write_log(void *context, enum sw_log_level level, const char *line, size_t size)
{
    static const struct {
        const char *word;
        char syslog; /* severity of RFC 5424 §6.2.1, as sd-daemon(3) wants it */
    } levels[] = {[SW_LOG_ERROR] = {"error", '3'},
        [SW_LOG_WARN] = {"warn ", '4'},
        [SW_LOG_INFO] = {"info ", '6'},
        [SW_LOG_DEBUG] = {"debug", '7'}};
    (void)context;
    struct sw_buf buf;
    sw_buf_init(&buf, size + 64);
    if (getenv("JOURNAL_STREAM") != NULL) {
        sw_buf_printf(&buf, "<%c>", levels[level].syslog);
    } else {
        sw_time_add(&buf, sw_clock_wall_ns());
        sw_buf_printf(&buf, " %s ", levels[level].word);
    }
    sw_buf_add(&buf, line, size);
    sw_buf_add_char(&buf, '\n');
    fwrite(buf.data, 1, buf.size, stderr);
    sw_buf_fini(&buf);
}

void
sw_setup_log(struct sw_log *log, enum sw_log_level level)
{
    *log = (struct sw_log){.level = level, .write = setup_write_log};
}

static char *
setup_path(const char *state_dir, const char *name)
{
    struct sw_buf path;
    sw_buf_init(&path, 8192);
    sw_path_join(state_dir, name, &path);
    return sw_buf_take(&path);
}

char *
sw_setup_journal_path(const char *state_dir)
{
    return setup_path(state_dir, "journal.db");
}

char *
sw_setup_lock_path(const char *state_dir)
{
    return setup_path(state_dir, "agent.lock");
}
