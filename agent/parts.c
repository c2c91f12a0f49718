#include "agent/parts.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/setup.h"

/* How long a part that a reload removes may take to end. */
#define PARTS_STOP_NS (5 * SW_NS_PER_S)

/* A configuration lives as long as one of its parts runs. */
struct generation {
    struct sw_config *config;
    size_t users;
};

struct part {
    const struct sw_config_part *conf; /* of generation */
    struct generation *generation;
    struct sw_poller *poller;       /* a source … */
    struct sw_forwarder *forwarder; /* … or a sink */
    struct sw_journal *journal;
    bool started;
    atomic_bool asked;
    atomic_bool ended;
};

struct part_list {
    struct part **items;
    size_t count;
};

struct sw_parts {
    struct sw_parts_options options;
    struct part_list sources;
    struct part_list sinks;
};

struct sw_parts *
sw_parts_new(const struct sw_parts_options *options)
{
    struct sw_parts *parts = sw_calloc(1, sizeof(*parts));
    parts->options = *options;
    return parts;
}

static void
generation_release(struct generation *generation)
{
    if (--generation->users == 0) {
        sw_config_free(generation->config);
        free(generation);
    }
}

/* Stops it if it runs. */
static void
part_free(struct part *part, int64_t until_ns)
{
    if (part->poller != NULL) {
        sw_poller_interrupt(part->poller);
        sw_poller_stop(part->poller);
        sw_poller_free(part->poller);
    }
    if (part->forwarder != NULL) {
        sw_forwarder_drain(part->forwarder, until_ns);
        sw_forwarder_stop(part->forwarder);
        sw_forwarder_free(part->forwarder);
    }
    generation_release(part->generation);
    free(part);
}

static void
list_free(struct part_list *list, int64_t until_ns)
{
    for (size_t i = 0; i < list->count; i++) {
        part_free(list->items[i], until_ns);
    }
    free(list->items);
    *list = (struct part_list){0};
}

void
sw_parts_free(struct sw_parts *parts)
{
    if (parts != NULL) {
        list_free(&parts->sources, 0);
        list_free(&parts->sinks, 0);
        free(parts);
    }
}

/* The poller's thread, after every look. */
static void
part_looked(void *context, bool ended)
{
    struct part *part = context;
    bool first = !atomic_exchange(&part->asked, true);
    if (ended) {
        atomic_store(&part->ended, true);
    }
    if (first || ended || sw_journal_is_damaged(part->journal)) {
        sw_signals_wake();
    }
}

static struct sw_poller_options
poller_options(const struct sw_parts *parts, const struct sw_config_part *conf, struct part *part)
{
    return (struct sw_poller_options){
        .name = conf->name,
        .class = sw_setup_source_class(conf),
        .conf = conf->conf,
        .settings = conf->settings,
        .journal = parts->options.journal,
        .log = parts->options.log,
        .host_name = parts->options.host_name,
        .tell_baseline = parts->options.journal_lost,
        .looked = part_looked,
        .context = part,
    };
}

static struct sw_forwarder_options
forwarder_options(const struct sw_parts *parts, const struct sw_config_part *conf)
{
    return (struct sw_forwarder_options){
        .name = conf->name,
        .class = sw_setup_sink_class(conf),
        .conf = conf->conf,
        .settings = conf->settings,
        .journal = parts->options.journal,
        .format = parts->options.format,
        .from_oldest = parts->options.from_oldest,
        .log = parts->options.log,
    };
}

static struct part *
part_new(struct sw_parts *parts, struct generation *generation, const struct sw_config_part *conf,
    bool is_source, struct sw_err *err)
{
    struct part *part = sw_calloc(1, sizeof(*part));
    part->conf = conf;
    part->journal = parts->options.journal;
    part->generation = generation;
    generation->users++;
    if (is_source) {
        struct sw_poller_options options = poller_options(parts, conf, part);
        part->poller = sw_poller_new(&options, err);
    } else {
        struct sw_forwarder_options options = forwarder_options(parts, conf);
        part->forwarder = sw_forwarder_new(&options, err);
    }
    if (part->poller == NULL && part->forwarder == NULL) {
        part_free(part, 0);
        return NULL;
    }
    return part;
}

/* Where in the list the running part is that may go on as `conf`; list->count: nowhere. */
static size_t
list_find(const struct part_list *list, const struct sw_config_part *conf)
{
    size_t at = 0;
    for (; at < list->count; at++) {
        const struct part *part = list->items[at];
        if (part != NULL && strcmp(part->conf->name, conf->name) == 0 &&
            strcmp(part->conf->frozen, conf->frozen) == 0 &&
            (part->poller == NULL || !sw_poller_is_refused(part->poller))) {
            break;
        }
    }
    return at;
}

static struct part *
list_take(struct part_list *list, const struct sw_config_part *conf)
{
    size_t at = list_find(list, conf);
    struct part *part = NULL;
    if (at < list->count) {
        part = list->items[at];
        list->items[at] = NULL; /* moved to the caller */
    }
    return part;
}

static bool
list_has(const struct part_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i]->conf->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
conf_has(const struct sw_config_part *confs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(confs[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Behind what went wrong before. */
static void
parts_add_problem(struct sw_err *err, const struct sw_err *why)
{
    struct sw_err before = *err;
    sw_err_set(err, "%s%s%s", before.text, before.text[0] != '\0' ? "; " : "", why->text);
}

bool
sw_parts_try(const struct sw_parts *parts, const struct sw_config *config, struct sw_err *err)
{
    bool good = true;
    struct sw_err why;
    sw_err_clear(err);
    for (size_t i = 0; i < config->sink_count; i++) {
        struct sw_forwarder_options options = forwarder_options(parts, &config->sinks[i]);
        if (list_find(&parts->sinks, &config->sinks[i]) == parts->sinks.count &&
            !sw_forwarder_try(&options, &why)) {
            parts_add_problem(err, &why);
            good = false;
        }
    }
    for (size_t i = 0; i < config->source_count; i++) {
        struct sw_poller_options options = poller_options(parts, &config->sources[i], NULL);
        if (list_find(&parts->sources, &config->sources[i]) == parts->sources.count &&
            !sw_poller_try(&options, &why)) {
            parts_add_problem(err, &why);
            good = false;
        }
    }
    return good;
}

static bool
parts_detach_sink(struct sw_parts *parts, const char *name, struct sw_err *err)
{
    return sw_journal_detach_sink(parts->options.journal, name, sw_clock_wall_ns(), err);
}

/* Ends what is left in the old list; a changed part is built only then, because it takes over the
 * old one's place in the journal. */
static bool
list_replace(struct sw_parts *parts, struct part_list *list, struct generation *generation,
    const struct sw_config_part *confs, size_t count, bool is_source, struct sw_err *err)
{
    bool good = true;
    struct sw_err why;
    struct part_list next = {.items = sw_calloc(count, sizeof(*next.items))};
    for (size_t i = 0; i < count; i++) {
        next.items[i] = list_take(list, &confs[i]);
    }
    int64_t until_ns = sw_clock_boot_ns() + PARTS_STOP_NS;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] != NULL) {
            /* What a changed sink has not sent its successor sends; a removed one has no other. */
            bool has_heir = conf_has(confs, count, list->items[i]->conf->name);
            part_free(list->items[i], has_heir ? 0 : until_ns);
        }
    }
    free(list->items);
    for (size_t i = 0; i < count; i++) {
        struct part *part = next.items[i] != NULL
                                ? next.items[i]
                                : part_new(parts, generation, &confs[i], is_source, &why);
        if (part != NULL) {
            next.items[next.count++] = part;
        } else {
            parts_add_problem(err, &why);
            good = false;
        }
    }
    *list = next;
    return good;
}

/* The journal forgets sources that are gone, and lets no absent sink hold anything back. */
static bool
parts_settle_journal(struct sw_parts *parts, const struct sw_config *config, struct sw_err *err)
{
    const char **names = sw_calloc(config->source_count, sizeof(*names));
    for (size_t i = 0; i < config->source_count; i++) {
        names[i] = config->sources[i].name;
    }
    bool good = sw_journal_keep_sources(parts->options.journal, names, config->source_count, err);
    free(names);

    struct sw_sink_state *states = NULL;
    size_t count = 0;
    good = good && sw_journal_list_sinks(parts->options.journal, &states, &count, err);
    for (size_t i = 0; i < count; i++) {
        if (good && states[i].absent_since_ns == SW_TIME_NONE &&
            !list_has(&parts->sinks, states[i].name)) {
            good = parts_detach_sink(parts, states[i].name, err);
        }
        sw_sink_state_fini(&states[i]);
    }
    free(states);
    return good;
}

bool
sw_parts_apply(struct sw_parts *parts, struct sw_config *config, struct sw_err *err)
{
    struct generation *generation = sw_calloc(1, sizeof(*generation));
    generation->config = config;
    generation->users = 1;
    sw_err_clear(err);
    bool sinks_good = list_replace(
        parts, &parts->sinks, generation, config->sinks, config->sink_count, false, err);
    bool sources_good = list_replace(
        parts, &parts->sources, generation, config->sources, config->source_count, true, err);
    bool good = sinks_good && sources_good && parts_settle_journal(parts, config, err);
    generation_release(generation);
    return good;
}

static bool
part_start(struct part *part, struct sw_err *err)
{
    if (!part->started) {
        part->started = part->poller != NULL ? sw_poller_start(part->poller, err)
                                             : sw_forwarder_start(part->forwarder, err);
    }
    return part->started;
}

bool
sw_parts_start(struct sw_parts *parts, struct sw_err *err)
{
    bool good = true;
    for (size_t i = 0; i < parts->sinks.count; i++) {
        good = part_start(parts->sinks.items[i], err) && good;
    }
    for (size_t i = 0; i < parts->sources.count; i++) {
        good = part_start(parts->sources.items[i], err) && good;
    }
    return good;
}

void
sw_parts_reopen(struct sw_parts *parts)
{
    for (size_t i = 0; i < parts->sinks.count; i++) {
        if (sw_setup_sink_class(parts->sinks.items[i]->conf)->reopens) {
            sw_forwarder_reopen(parts->sinks.items[i]->forwarder);
        }
    }
}

bool
sw_parts_are_asked(const struct sw_parts *parts)
{
    for (size_t i = 0; i < parts->sources.count; i++) {
        if (!atomic_load(&parts->sources.items[i]->asked)) {
            return false;
        }
    }
    return true;
}

bool
sw_parts_are_ended(const struct sw_parts *parts)
{
    for (size_t i = 0; i < parts->sources.count; i++) {
        if (!atomic_load(&parts->sources.items[i]->ended)) {
            return false;
        }
    }
    return true;
}

bool
sw_parts_have_passed(const struct sw_parts *parts, uint64_t seq)
{
    for (size_t i = 0; i < parts->sinks.count; i++) {
        if (!sw_forwarder_has_passed(parts->sinks.items[i]->forwarder, seq)) {
            return false;
        }
    }
    return true;
}

void
sw_parts_stop_sources(struct sw_parts *parts)
{
    for (size_t i = 0; i < parts->sources.count; i++) {
        sw_poller_interrupt(parts->sources.items[i]->poller);
    }
    list_free(&parts->sources, 0);
}

void
sw_parts_stop_sinks(struct sw_parts *parts, int64_t until_ns)
{
    for (size_t i = 0; i < parts->sinks.count; i++) {
        sw_forwarder_drain(parts->sinks.items[i]->forwarder, until_ns);
    }
    list_free(&parts->sinks, until_ns);
}
