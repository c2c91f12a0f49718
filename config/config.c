#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/platform/platform.h"
#include "config/host.h"
#include "config/node.h"
#include "config/parts.h"
#include "config/reference.h"

/* What is handed out, and what keeps it. */
struct config_whole {
    struct sw_config config; /* first: freed through it */
    struct sw_arena arena;
};

/* The file's first level. */
struct config_top {
    struct sw_config_agent agent;
    const struct sw_node *sources;
    const struct sw_node *sinks;
};

static const struct sw_key config_top_keys[] = {
    {.name = "agent",
        .type = SW_KEY_MAP,
        .offset = offsetof(struct config_top, agent),
        .keys = sw_config_agent_keys},
    {.name = "sources", .type = SW_KEY_NODE, .offset = offsetof(struct config_top, sources)},
    {.name = "sinks", .type = SW_KEY_NODE, .offset = offsetof(struct config_top, sinks)},
    SW_KEY_END,
};

static const char *
config_freeze_agent(struct sw_arena *arena, const struct sw_config_agent *agent)
{
    struct sw_buf buf;
    sw_buf_init(&buf, SW_CONFIG_MEMORY_MAX);
    sw_reader_freeze(&buf, sw_config_agent_keys, agent);
    const char *text = sw_arena_text(arena, (struct sw_str){sw_buf_text(&buf), buf.size});
    sw_buf_fini(&buf);
    return text;
}

static void
config_from_tree(struct sw_config *config, struct sw_reader *reader, const struct sw_node *root,
    const struct sw_config_types *types)
{
    struct config_top top = {0};
    const struct sw_reader_layer layer = {config_top_keys, &top};
    sw_reader_read(reader, root, &layer, 1, false);
    config->agent = top.agent;
    config->agent_frozen = config_freeze_agent(reader->arena, &top.agent);

    struct sw_parts_list sources = {.name = "sources", .kind = &types->sources};
    struct sw_parts_list sinks = {.name = "sinks", .kind = &types->sinks};
    sw_parts_read(reader, top.sources, &sources);
    sw_parts_read(reader, top.sinks, &sinks);
    config->sources = sources.items;
    config->source_count = sources.count;
    config->sinks = sinks.items;
    config->sink_count = sinks.count;

    bool is_whole = root->kind == SW_NODE_MAPPING ? !root->is_incomplete : sw_node_is_null(root);
    reader->problems->scope = root;
    if (is_whole && sw_parts_is_empty(top.sources)) {
        sw_problems_add(reader->problems, "sources",
            "none, nothing would be watched (allowed: at least one, as in 'local: {type: samba}')");
    }
    if (is_whole && sw_parts_is_empty(top.sinks)) {
        sw_problems_warn(reader->problems, "sinks",
            "none, events stay in the journal (as in 'print: {type: file, path: \"-\"}')");
    }
    reader->problems->scope = NULL;
}

/* Where relative paths start. */
static const char *
config_folder(struct sw_arena *arena, const char *path)
{
    struct sw_buf folder;
    sw_buf_init(&folder, 8192);
    sw_path_folder(path, &folder);
    const char *text = sw_arena_text(arena, (struct sw_str){sw_buf_text(&folder), folder.size});
    sw_buf_fini(&folder);
    return text;
}

static void
config_read_text(struct sw_config *config, struct sw_arena *arena, struct sw_str text,
    const struct sw_config_options *options, struct sw_problems *problems)
{
    struct sw_arena tree;
    sw_arena_init(&tree, SW_NODE_MEMORY_MAX);
    struct sw_node *root = sw_node_parse(text, &tree, problems);
    if (root != NULL) {
        struct sw_references references = {.arena = &tree,
            .problems = problems,
            .folder = config->folder,
            .mode = options->mode,
            .host = options->host};
        struct sw_reader reader = {
            .arena = arena, .problems = problems, .folder = config->folder, .host = options->host};
        sw_references_replace(&references, root);
        config_from_tree(config, &reader, root, options->types);
    }
    problems->scope = NULL;
    sw_arena_fini(&tree);
}

struct sw_config *
sw_config_parse(const char *path, struct sw_str text, const struct sw_config_options *options,
    struct sw_problems *problems)
{
    struct config_whole *whole = sw_calloc(1, sizeof(*whole));
    struct sw_config *config = &whole->config;
    sw_arena_init(&whole->arena, SW_CONFIG_MEMORY_MAX);
    if (problems->file == NULL) {
        problems->file = sw_strdup(path);
    }
    config->path = sw_arena_text(&whole->arena, sw_str_of(path));
    config->folder = config_folder(&whole->arena, path);
    if (text.size > SW_CONFIG_SIZE_MAX) {
        sw_problems_tell(problems, 1, 1, "the file is too large (allowed: at most 1MiB)");
    } else {
        config_read_text(config, &whole->arena, text, options, problems);
    }
    if (problems->errors > 0) {
        sw_config_free(config);
        return NULL;
    }
    return config;
}

static void
config_tell_unreadable(struct sw_problems *problems, const char *path, const struct sw_err *err)
{
    if (err->code == ENOENT) {
        sw_problems_tell(problems, 0, 0,
            "no such file (write one, beginning with the example 'sharewatch.example.yaml', or "
            "name another with -c FILE)");
        return;
    }
    /* The platform says "open PATH: …"; the line has the path already. */
    const char *text = err->text;
    const char *behind = strstr(text, path);
    if (behind != NULL && strncmp(behind + strlen(path), ": ", 2) == 0) {
        text = behind + strlen(path) + 2;
    }
    sw_problems_tell(problems, 0, 0, "%s", text);
}

struct sw_config *
sw_config_load(
    const char *path, const struct sw_config_options *options, struct sw_problems *problems)
{
    struct sw_err err = {0};
    struct sw_buf text;
    struct sw_config *config = NULL;
    sw_buf_init(&text, SW_CONFIG_SIZE_MAX);
    problems->file = sw_strdup(path);
    if (!sw_config_host_read(options->host, path, SW_CONFIG_SIZE_MAX, &text, &err)) {
        config_tell_unreadable(problems, path, &err);
    } else {
        if (!sw_config_host_is_trusted(options->host, path, &err)) {
            sw_problems_tell(problems, 1, 1, "%s", err.text);
        }
        config = sw_config_parse(
            path, (struct sw_str){sw_buf_text(&text), text.size}, options, problems);
    }
    sw_buf_fini(&text);
    return config;
}

void
sw_config_free(struct sw_config *config)
{
    struct config_whole *whole = (struct config_whole *)(void *)config;
    if (whole != NULL) {
        sw_arena_fini(&whole->arena);
        free(whole);
    }
}

static const struct sw_config_part *
config_find(const struct sw_config_part *parts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            return &parts[i];
        }
    }
    return NULL;
}

const struct sw_config_part *
sw_config_source(const struct sw_config *config, const char *name)
{
    return config_find(config->sources, config->source_count, name);
}

const struct sw_config_part *
sw_config_sink(const struct sw_config *config, const char *name)
{
    return config_find(config->sinks, config->sink_count, name);
}
