#include "config/node.h"

#include <string.h>

#define NODE_PATH_MAX ((size_t)SW_NODE_DEPTH_MAX * (SW_NODE_KEY_MAX + 32))

struct sw_node *
sw_node_scalar(struct sw_arena *arena, const char *text)
{
    struct sw_node *node = sw_arena_take(arena, sizeof(*node));
    char *copy = sw_arena_text(arena, sw_str_of(text));
    if (node == NULL || copy == NULL) {
        return NULL;
    }
    node->kind = SW_NODE_SCALAR;
    node->text = sw_str_of(copy);
    node->is_plain = true;
    return node;
}

bool
sw_node_is_null(const struct sw_node *node)
{
    return node->kind == SW_NODE_SCALAR && node->is_plain && node->reference == NULL &&
           (node->text.size == 0 || sw_str_is(node->text, "~") || sw_str_is(node->text, "null"));
}

const struct sw_node *
sw_node_find(const struct sw_node *mapping, const char *path)
{
    if (mapping == NULL || mapping->kind != SW_NODE_MAPPING) {
        return NULL;
    }
    for (const struct sw_node *child = mapping->first; child != NULL; child = child->next) {
        size_t size = strlen(child->key);
        if (strcmp(child->key, path) == 0) {
            return child;
        }
        if (strncmp(child->key, path, size) == 0 && path[size] == '.') {
            const struct sw_node *found = sw_node_find(child, path + size + 1);
            if (found != NULL) {
                return found;
            }
        }
    }
    return NULL;
}

bool
sw_node_has_unset(const struct sw_node *node)
{
    for (const struct sw_node *child = node->first; child != NULL; child = child->next) {
        if (sw_node_has_unset(child)) {
            return true;
        }
    }
    return node->is_unset;
}

void
sw_node_add_path(const struct sw_node *node, struct sw_buf *buf)
{
    if (node == NULL || node->parent == NULL) {
        return;
    }
    sw_node_add_path(node->parent, buf);
    if (node->key == NULL) {
        sw_buf_printf(buf, "[%zu]", node->index);
    } else {
        if (buf->size > 0) {
            sw_buf_add_char(buf, '.');
        }
        sw_buf_add_text(buf, node->key);
    }
}

/* text with every value that came from a reference of the tree replaced by the reference. */
static void
node_mask(const struct sw_node *node, struct sw_buf *text)
{
    for (const struct sw_node *child = node->first; child != NULL; child = child->next) {
        node_mask(child, text);
    }
    if (node->reference == NULL || node->text.size == 0) {
        return;
    }
    struct sw_buf masked;
    const char *hit;
    const char *from = sw_buf_text(text);
    const char *end = from + text->size;
    sw_buf_init(&masked, text->max);
    while ((hit = memmem(from, (size_t)(end - from), node->text.data, node->text.size)) != NULL) {
        sw_buf_add(&masked, from, (size_t)(hit - from));
        sw_buf_add_text(&masked, node->reference);
        from = hit + node->text.size;
    }
    sw_buf_add(&masked, from, (size_t)(end - from));
    sw_buf_fini(text);
    *text = masked; /* moved */
}

void
sw_node_tell(struct sw_problems *problems, const struct sw_node_place *place, const char *format,
    va_list args)
{
    struct sw_buf path;
    struct sw_buf text;
    const struct sw_node *node = place->node;
    bool at_key = place->at_key && node->key != NULL;
    sw_buf_init(&path, NODE_PATH_MAX);
    sw_node_add_path(node, &path);
    if (place->name != NULL) {
        sw_buf_printf(&path, "%s%s", path.size > 0 ? "." : "", place->name);
    }
    sw_buf_init(&text, (size_t)2 * SW_PROBLEM_TEXT_MAX);
    sw_problems_format(&text, format, args);
    node_mask(place->masked != NULL ? place->masked : node, &text);
    sw_problems_at(problems, place->is_warning, at_key ? node->key_line : node->line,
        at_key ? node->key_column : node->column, sw_buf_text(&path), sw_buf_text(&text));
    sw_buf_fini(&path);
    sw_buf_fini(&text);
}

void
sw_node_problem(struct sw_problems *problems, const struct sw_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sw_node_tell(problems, &(struct sw_node_place){.node = node}, format, args);
    va_end(args);
}

void
sw_node_warning(struct sw_problems *problems, const struct sw_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sw_node_tell(problems, &(struct sw_node_place){.node = node, .is_warning = true}, format, args);
    va_end(args);
}

void
sw_node_key_problem(
    struct sw_problems *problems, const struct sw_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sw_node_tell(problems, &(struct sw_node_place){.node = node, .at_key = true}, format, args);
    va_end(args);
}

void
sw_node_missing(struct sw_problems *problems, const struct sw_node *mapping, const char *name,
    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sw_node_tell(problems, &(struct sw_node_place){.node = mapping, .name = name, .at_key = true},
        format, args);
    va_end(args);
}
