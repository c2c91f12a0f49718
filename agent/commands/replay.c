#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/commands/commands.h"
#include "agent/poller.h"
#include "agent/setup.h"
#include "agent/sources/replay.h"
#include "agent/sources/sources.h"

/* Everything that is not in the documents comes from here, so that the same input gives the same
 * output on every machine and every day. */
#define REPLAY_SEED     UINT64_C(20260101)
#define REPLAY_EPOCH_NS (INT64_C(1767225600) * SW_NS_PER_S) /* 2026-01-01T00:00:00Z */
#define REPLAY_JOURNAL  ((uint64_t)1 << 40)
#define REPLAY_OUTPUT   ((size_t)1 << 30)

struct replay {
    const char *config_path;
    const char *source; /* whose settings are used */
    const char *sink;   /* the only one shown, as on the wire */
    struct sw_config *config;
    const struct sw_source_settings *settings;
    const char *source_name;
    struct sw_journal *journal;
    struct sw_format_context format;
    struct sw_log log;
    uint64_t seed;
    int64_t clock_ns;     /* of looks without a time of their own: one interval after another */
    int64_t last_look_ns; /* time of the last complete look that the clock has followed */
    uint64_t shown;       /* sequence of the last event printed */
    uint64_t told;        /* events printed */
};

static int64_t
replay_clock(void *context)
{
    struct replay *replay = context;
    int64_t now_ns = replay->clock_ns;
    replay->clock_ns += replay->settings->interval_ns;
    return now_ns;
}

/* A look without a time comes one interval after the last one that had one. */
static void
replay_follow(struct replay *replay, const struct sw_poller *poller)
{
    int64_t last_look_ns = sw_poller_last_look_ns(poller);
    if (last_look_ns != replay->last_look_ns) {
        replay->last_look_ns = last_look_ns;
        replay->clock_ns = last_look_ns + replay->settings->interval_ns;
    }
}

/* ---- output */

static void
replay_print(struct replay *replay, const struct sw_event *event, uint64_t seq, struct sw_buf *out)
{
    for (size_t i = 0; i < replay->config->sink_count; i++) {
        const struct sw_config_part *part = &replay->config->sinks[i];
        if (replay->sink != NULL && strcmp(replay->sink, part->name) != 0) {
            continue;
        }
        if (replay->sink == NULL) {
            sw_buf_printf(out, "%s: ", part->name);
        }
        struct sw_format_choice choice = sw_setup_sink_class(part)->format(part->conf);
        const struct sw_format_record record = {event, seq, replay->told};
        choice.format->write(&record, choice.options, &replay->format, out);
        sw_buf_add_char(out, '\n');
    }
}

static bool
replay_print_batch(struct replay *replay, const struct sw_journal_batch *batch, struct sw_err *err)
{
    struct sw_buf out;
    bool good = true;
    sw_buf_init(&out, REPLAY_OUTPUT);
    for (size_t i = 0; good && i < batch->count; i++) {
        struct sw_event event;
        good = sw_event_decode(&event, batch->records[i].body, err);
        if (good) {
            replay->told++;
            replay_print(replay, &event, batch->records[i].seq, &out);
            replay->shown = batch->records[i].seq;
        }
    }
    if (good && !sw_command_write(&out, stdout)) {
        good = sw_err_set(err, "standard output takes no more");
    }
    sw_buf_fini(&out);
    return good;
}

/* Prints what the last look has told. */
static bool
replay_show(struct replay *replay, struct sw_err *err)
{
    struct sw_journal_batch batch = {0};
    bool good;
    do {
        good = sw_journal_read(replay->journal, replay->shown, 0, &batch, err) &&
               replay_print_batch(replay, &batch, err);
    } while (good && batch.count > 0);
    sw_journal_batch_fini(&batch);
    return good;
}

/* ---- input */

static bool
replay_conf(struct replay *replay, const struct sw_replay_conf *conf, struct sw_err *err)
{
    /* One history over all files: which of them a document came from says nothing. */
    struct sw_source_class class = sw_source_replay;
    class.identity = NULL;
    struct sw_poller_options options = {
        .name = replay->source_name,
        .class = &class,
        .conf = conf,
        .settings = replay->settings,
        .journal = replay->journal,
        .log = &replay->log,
        .host_name = "replay",
        .from_start = true,
        .wall_ns = replay_clock,
        .clock = replay,
        .random = sw_uuid_seeded_random,
        .seed = &replay->seed,
    };
    struct sw_poller *poller = sw_poller_new(&options, err);
    bool good = poller != NULL;
    while (good && sw_poller_step(poller)) {
        good = replay_show(replay, err);
        replay_follow(replay, poller);
    }
    if (poller != NULL) {
        sw_poller_stop(poller);
        sw_poller_free(poller);
    }
    return good;
}

/* Standard input as a file that can be read twice: a pipe cannot be rewound. */
static FILE *
replay_spool(struct sw_err *err)
{
    char chunk[65536];
    size_t size;
    FILE *spool = sw_file_temporary(err);
    bool good = spool != NULL;
    if (spool == NULL) {
        return NULL;
    }
    while (good && (size = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
        good = fwrite(chunk, 1, size, spool) == size;
    }
    if (good && fflush(spool) == 0 && !ferror(stdin)) {
        rewind(spool);
        return spool;
    }
    sw_err_set_os(err, errno, "keep standard input in a temporary file");
    fclose(spool);
    return NULL;
}

static bool
replay_file(struct replay *replay, const char *path, struct sw_err *err)
{
    struct sw_replay_conf conf = {.path = path};
    if (strcmp(path, "-") == 0) {
        conf.path = "standard input";
        conf.input = replay_spool(err);
        if (conf.input == NULL) {
            return false;
        }
    }
    bool good = replay_conf(replay, &conf, err);
    if (conf.input != NULL) {
        fclose(conf.input);
    }
    return good;
}

/* ---- the configuration that decides how it is told */

static bool
replay_load_config(struct replay *replay)
{
    static const char defaults[] = "sources: {replay: {type: replay, path: documents}}\n"
                                   "sinks: {print: {type: file, path: \"-\"}}\n";
    if (replay->config_path != NULL) {
        replay->config = sw_setup_load(replay->config_path);
    } else {
        struct sw_config_options load = {.mode = SW_CONFIG_RUN, .types = &sw_setup_types};
        struct sw_problems problems;
        sw_problems_init(&problems);
        replay->config = sw_config_parse("defaults", sw_str_of(defaults), &load, &problems);
        sw_problems_print(&problems, stderr);
        sw_problems_fini(&problems);
    }
    return replay->config != NULL;
}

/* false: a name that is not in the file. */
static bool
replay_choose(struct replay *replay)
{
    const struct sw_config_part *part = replay->source != NULL
                                            ? sw_config_source(replay->config, replay->source)
                                            : &replay->config->sources[0];
    if (part == NULL ||
        (replay->sink != NULL && sw_config_sink(replay->config, replay->sink) == NULL)) {
        return false;
    }
    replay->settings = part->settings;
    replay->source_name = part->name;
    return true;
}

static int
replay_run(struct replay *replay, char **paths, int count)
{
    struct sw_err err = {0};
    struct sw_uuid_source ids = {.random = sw_uuid_seeded_random, .context = &replay->seed};
    struct sw_journal_options options = {
        .max_size = REPLAY_JOURNAL, .now_ns = REPLAY_EPOCH_NS, .ids = &ids};
    replay->journal = sw_journal_open_ram(&options, 0, &err);
    bool good = replay->journal != NULL;
    if (good) {
        replay->format = (struct sw_format_context){.agent_name = SW_STR("replay"),
            .agent_version = SW_STR(SW_VERSION),
            .journal = sw_journal_epoch(replay->journal)};
    }
    for (int i = 0; good && i < count; i++) {
        good = replay_file(replay, paths[i], &err);
    }
    if (!good) {
        sw_log(&replay->log, SW_LOG_ERROR, "replay", "%s", err.text);
    }
    sw_journal_close(replay->journal, true);
    return good ? SW_EXIT_OK : SW_EXIT_FAILED;
}

static int
replay(int argc, char **argv)
{
    struct replay replay = {
        .seed = REPLAY_SEED, .clock_ns = REPLAY_EPOCH_NS, .last_look_ns = SW_TIME_NONE};
    const struct sw_option options[] = {
        {.name = "--config", .letter = "-c", .value = &replay.config_path},
        {.name = "--source", .value = &replay.source},
        {.name = "--sink", .value = &replay.sink},
        {.name = NULL},
    };
    int count;
    if (!sw_command_options(&sw_command_replay, argc, argv, options, &count)) {
        return SW_EXIT_USAGE;
    }
    if (count == 0) {
        return sw_command_usage(
            &sw_command_replay, "name a file of documents, or - for standard input");
    }
    sw_setup_log(&replay.log, SW_LOG_WARN);
    int status = SW_EXIT_CONFIG;
    if (replay_load_config(&replay)) {
        status = replay_choose(&replay) ? replay_run(&replay, argv, count)
                                        : sw_command_usage(&sw_command_replay,
                                              "no source or sink of that name in the file");
    }
    sw_config_free(replay.config);
    return status;
}

const struct sw_command sw_command_replay = {
    .name = "replay",
    .usage = "[-c FILE] [--source NAME] [--sink NAME] DOCUMENTS...|-",
    .summary = "show what recorded looks would have told",
    .help =
        "Reads snapshot documents, one a line, and prints each event as every sink would get it,\n"
        "after its name; with --sink that sink's bytes alone. The settings are those of the "
        "source\n"
        "NAME, or of the first one; without a file the defaults. Sends and stores nothing. Times\n"
        "come from the documents, ids from a fixed seed: the same input gives the same output.\n"
        "Exit status: 0, 1 a file could not be read, 78 bad configuration.",
    .run = replay,
};
