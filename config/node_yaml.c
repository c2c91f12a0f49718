#include <string.h>
#include <yaml.h>

#include "config/node.h"
#include "config/node_syntax.h"

struct yaml_build {
    yaml_parser_t parser;
    struct sw_str text;
    struct sw_arena *arena;
    struct sw_problems *problems;
    size_t nodes;
};

static unsigned
yaml_line(yaml_mark_t mark)
{
    return (unsigned)mark.line + 1;
}

static unsigned
yaml_column(yaml_mark_t mark)
{
    return (unsigned)mark.column + 1;
}

static bool
yaml_next(struct yaml_build *build, yaml_event_t *event)
{
    if (yaml_parser_parse(&build->parser, event) == 0) {
        sw_node_syntax(&build->parser, build->text, build->problems);
        return false;
    }
    return true;
}

/* ---- nodes */

/* The failsafe schema's tags change nothing; all others would. */
static void
yaml_check_tag(struct yaml_build *build, const struct sw_node *node, const yaml_char_t *tag)
{
    static const char *const plain[] = {
        "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", "!"};
    if (tag == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp((const char *)tag, plain[i]) == 0) {
            return;
        }
    }
    sw_node_problem(build->problems, node, "tags are not supported (leave out the '!')");
}

static void
yaml_append(struct sw_node *parent, struct sw_node *child)
{
    if (parent->last != NULL) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->count++;
}

static struct sw_node *
yaml_new(struct yaml_build *build, const struct sw_node *origin, yaml_mark_t mark)
{
    struct sw_node *node = NULL;
    if (++build->nodes <= SW_NODE_COUNT_MAX) {
        node = sw_arena_take(build->arena, sizeof(*node));
    }
    if (node == NULL) {
        sw_problems_tell(build->problems, yaml_line(mark), yaml_column(mark),
            "too many values (allowed: at most %d in a file)", SW_NODE_COUNT_MAX);
        return NULL;
    }
    *node = *origin;
    node->line = yaml_line(mark);
    node->column = yaml_column(mark);
    node->depth = origin->parent != NULL ? origin->parent->depth + 1 : 1;
    return node;
}

/* Always false, so that `return` reads well. */
static bool
yaml_is_too_large(struct yaml_build *build, yaml_mark_t mark)
{
    sw_problems_tell(
        build->problems, yaml_line(mark), yaml_column(mark), "the configuration is too large");
    return false;
}

static bool
yaml_scalar(struct yaml_build *build, struct sw_node *node, const yaml_event_t *event)
{
    struct sw_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    const char *copy = sw_arena_text(build->arena, text);
    if (copy == NULL) {
        return yaml_is_too_large(build, event->start_mark);
    }
    node->kind = SW_NODE_SCALAR;
    node->text = (struct sw_str){copy, text.size};
    node->is_plain =
        event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.tag == NULL;
    yaml_check_tag(build, node, event->data.scalar.tag);
    return true;
}

static struct sw_node *
yaml_node(struct yaml_build *build, const yaml_event_t *event, const struct sw_node *origin);

static bool
yaml_has_room(struct yaml_build *build, const struct sw_node *node)
{
    if (node->count < SW_NODE_CHILDREN_MAX) {
        return true;
    }
    sw_node_problem(build->problems, node, "%zu entries (allowed: at most %d)", node->count + 1,
        SW_NODE_CHILDREN_MAX);
    return false;
}

static bool
yaml_sequence(struct yaml_build *build, struct sw_node *node)
{
    node->kind = SW_NODE_SEQUENCE;
    for (;;) {
        yaml_event_t event;
        if (!yaml_next(build, &event)) {
            return false;
        }
        bool is_end = event.type == YAML_SEQUENCE_END_EVENT;
        struct sw_node *child = NULL;
        if (!is_end && yaml_has_room(build, node)) {
            struct sw_node origin = {.parent = node, .index = node->count};
            child = yaml_node(build, &event, &origin);
        }
        yaml_event_delete(&event);
        if (child == NULL) {
            return is_end;
        }
        yaml_append(node, child);
    }
}

/* The key of a pair, in origin. false: reading ends. A key that cannot be one leaves key NULL. */
static bool
yaml_key(struct yaml_build *build, const yaml_event_t *event, struct sw_node *origin)
{
    struct sw_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    origin->key_line = yaml_line(event->start_mark);
    origin->key_column = yaml_column(event->start_mark);
    if (event->type != YAML_SCALAR_EVENT) {
        struct sw_node nobody = {.parent = origin->parent, .key = "?"};
        sw_problems_tell(build->problems, origin->key_line, origin->key_column,
            "a key must be one word, not a list, a map or an alias");
        return event->type == YAML_ALIAS_EVENT || yaml_node(build, event, &nobody) != NULL;
    }
    if (text.size == 0 || text.size > SW_NODE_KEY_MAX || memchr(text.data, '\0', text.size)) {
        sw_problems_tell(build->problems, origin->key_line, origin->key_column,
            "a key of %zu bytes (allowed: 1 to %d, no NUL)", text.size, SW_NODE_KEY_MAX);
        return true;
    }
    origin->key = sw_arena_text(build->arena, text);
    return origin->key != NULL || yaml_is_too_large(build, event->start_mark);
}

/* Whether the pair may stand in the mapping; tells why not. */
static bool
yaml_accepts(struct yaml_build *build, const struct sw_node *mapping, const struct sw_node *pair,
    bool is_plain_key)
{
    if (is_plain_key && strcmp(pair->key, "<<") == 0) {
        sw_node_key_problem(
            build->problems, pair, "merge keys are not supported (write the keys out)");
        return false;
    }
    for (const struct sw_node *child = mapping->first; child != NULL; child = child->next) {
        if (strcmp(child->key, pair->key) == 0) {
            sw_node_key_problem(
                build->problems, pair, "duplicate key (first in line %u)", child->key_line);
            return false;
        }
    }
    return true;
}

/* One pair, its key in event. */
static bool
yaml_pair(struct yaml_build *build, struct sw_node *mapping, const yaml_event_t *event)
{
    struct sw_node origin = {.parent = mapping};
    yaml_event_t value;
    if (!yaml_has_room(build, mapping) || !yaml_key(build, event, &origin)) {
        return false;
    }
    bool accepted = origin.key != NULL && yaml_accepts(build, mapping, &origin,
                                              event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
    if (origin.key == NULL) {
        origin.key = "?";
    }
    if (!yaml_next(build, &value)) {
        return false;
    }
    mapping->is_incomplete = mapping->is_incomplete || !accepted;
    if (!accepted && value.type == YAML_ALIAS_EVENT) {
        yaml_event_delete(&value); /* its pair was told already */
        return true;
    }
    struct sw_node *child = yaml_node(build, &value, &origin);
    yaml_event_delete(&value);
    if (child != NULL && accepted) {
        yaml_append(mapping, child);
    }
    return child != NULL;
}

static bool
yaml_mapping(struct yaml_build *build, struct sw_node *node)
{
    node->kind = SW_NODE_MAPPING;
    for (;;) {
        yaml_event_t event;
        if (!yaml_next(build, &event)) {
            return false;
        }
        bool is_end = event.type == YAML_MAPPING_END_EVENT;
        bool goes_on = !is_end && yaml_pair(build, node, &event);
        yaml_event_delete(&event);
        if (!goes_on) {
            return is_end;
        }
    }
}

/* The node that event is or begins, with place and name from origin. NULL: reading ends, told. */
static struct sw_node *
yaml_node(struct yaml_build *build, const yaml_event_t *event, const struct sw_node *origin)
{
    struct sw_node *node = yaml_new(build, origin, event->start_mark);
    if (node == NULL) {
        return NULL;
    }
    bool is_container =
        event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;
    if (is_container && node->depth > SW_NODE_DEPTH_MAX) {
        sw_node_problem(build->problems, node, "nested too deep (allowed: %d)", SW_NODE_DEPTH_MAX);
        return NULL;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return yaml_scalar(build, node, event) ? node : NULL;
    case YAML_SEQUENCE_START_EVENT:
        yaml_check_tag(build, node, event->data.sequence_start.tag);
        return yaml_sequence(build, node) ? node : NULL;
    case YAML_MAPPING_START_EVENT:
        yaml_check_tag(build, node, event->data.mapping_start.tag);
        return yaml_mapping(build, node) ? node : NULL;
    default:
        node->kind = SW_NODE_DAMAGED;
        sw_node_problem(build->problems, node, "aliases are not supported (write the value out)");
        return node;
    }
}

/* ---- the whole */

/* The root, whose first event is in event; what follows it must be the end. */
static struct sw_node *
yaml_root(struct yaml_build *build, const yaml_event_t *event)
{
    static const struct sw_node nowhere;
    struct sw_node *root = yaml_node(build, event, &nowhere);
    for (bool is_end = root == NULL; !is_end;) {
        yaml_event_t next;
        if (!yaml_next(build, &next)) {
            return NULL;
        }
        is_end = next.type != YAML_DOCUMENT_END_EVENT;
        if (next.type == YAML_DOCUMENT_START_EVENT) {
            sw_problems_tell(build->problems, yaml_line(next.start_mark),
                yaml_column(next.start_mark),
                "a second document begins here (allowed: one in a file)");
        }
        yaml_event_delete(&next);
    }
    return root;
}

static struct sw_node *
yaml_empty(struct yaml_build *build)
{
    struct sw_node *root = sw_node_scalar(build->arena, "");
    if (root == NULL) {
        sw_problems_tell(build->problems, 1, 1, "the configuration is too large");
        return NULL;
    }
    root->line = root->column = 1;
    return root;
}

static struct sw_node *
yaml_stream(struct yaml_build *build)
{
    for (;;) {
        struct sw_node *root = NULL;
        yaml_event_t event;
        if (!yaml_next(build, &event)) {
            return NULL;
        }
        bool is_frame =
            event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT;
        if (event.type == YAML_STREAM_END_EVENT) {
            root = yaml_empty(build);
        } else if (!is_frame) {
            root = yaml_root(build, &event);
        }
        yaml_event_delete(&event);
        if (!is_frame) {
            return root;
        }
    }
}

struct sw_node *
sw_node_parse(struct sw_str text, struct sw_arena *arena, struct sw_problems *problems)
{
    struct yaml_build build = {.arena = arena, .problems = problems};
    if (!sw_node_check_text(&text, problems)) {
        return NULL;
    }
    if (yaml_parser_initialize(&build.parser) == 0) {
        sw_problems_tell(problems, 1, 1, "out of memory");
        return NULL;
    }
    build.text = text;
    /* Told, so that libyaml does not guess UTF-16 from the first bytes. */
    yaml_parser_set_encoding(&build.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&build.parser, (const unsigned char *)text.data, text.size);
    struct sw_node *root = yaml_stream(&build);
    yaml_parser_delete(&build.parser);
    return root;
}
