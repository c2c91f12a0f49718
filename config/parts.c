#include "config/parts.h"

#include <string.h>

#include "config/key_text.h"

#define PARTS_NAME_MAX  32
#define PARTS_TYPES_MAX 64
#define PARTS_NAMES_MAX 4096

/* `type` is read by hand, because what else is allowed depends on it; the table makes it known. */
static const struct sw_key parts_type_key[] = {
    {.name = "type", .type = SW_KEY_NODE},
    SW_KEY_END,
};

bool
sw_parts_is_empty(const struct sw_node *node)
{
    return node == NULL || sw_node_is_null(node) ||
           (node->kind == SW_NODE_MAPPING && node->count == 0 && !node->is_incomplete);
}

/* [a-z0-9][a-z0-9_-]{0,31} */
static bool
parts_name_is_good(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t size = strlen(name);
    return size <= PARTS_NAME_MAX && strspn(name, first) > 0 && strspn(name, others) == size;
}

static void
parts_refuse_type(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_node *type, const struct sw_config_kind *kind)
{
    const char *names[PARTS_TYPES_MAX + 1];
    size_t count = 0;
    struct sw_buf allowed;
    for (const struct sw_part *part; count < PARTS_TYPES_MAX; count++) {
        if ((part = kind->part_at(count)) == NULL) {
            break;
        }
        names[count] = part->name;
    }
    names[count] = NULL;
    sw_buf_init(&allowed, PARTS_NAMES_MAX);
    sw_key_add_names(&allowed, names, " | ");
    sw_buf_add_char(&allowed, ')');
    if (type == NULL) {
        sw_node_missing(reader->problems, node, "type", "this key is required (allowed: %s",
            sw_buf_text(&allowed));
    } else if (type->kind != SW_NODE_SCALAR || sw_node_is_null(type)) {
        sw_node_problem(reader->problems, type, "no type (allowed: %s", sw_buf_text(&allowed));
    } else {
        sw_key_add_nearest(&allowed, type->text.data, names);
        size_t size = sw_utf8_cut(type->text.data, type->text.size, 64);
        sw_node_problem(reader->problems, type, "unknown type '%.*s' (allowed: %s",
            type->reference != NULL ? 0 : (int)size, type->text.data, sw_buf_text(&allowed));
    }
    sw_buf_fini(&allowed);
}

/* NULL, told: no type that is known. */
static const struct sw_part *
parts_type(
    const struct sw_reader *reader, const struct sw_node *node, const struct sw_config_kind *kind)
{
    const struct sw_node *type = sw_node_find(node, "type");
    bool is_silent =
        type == NULL ? node->is_incomplete : type->kind == SW_NODE_DAMAGED || type->is_unset;
    if (type != NULL && type->kind == SW_NODE_SCALAR) {
        const struct sw_part *part;
        for (size_t i = 0; (part = kind->part_at(i)) != NULL; i++) {
            if (sw_str_is(type->text, part->name)) {
                return part;
            }
        }
    }
    if (!is_silent) {
        parts_refuse_type(reader, node, type, kind);
    }
    return NULL;
}

static const char *
parts_freeze(const struct sw_reader *reader, const struct sw_config_kind *kind,
    const struct sw_config_part *item)
{
    struct sw_buf buf;
    sw_buf_init(&buf, SW_CONFIG_MEMORY_MAX);
    sw_buf_printf(&buf, "type=%s\n", item->part->name);
    sw_reader_freeze(&buf, kind->settings, item->settings);
    sw_reader_freeze(&buf, item->part->keys, item->conf);
    const char *text = sw_arena_text(reader->arena, (struct sw_str){sw_buf_text(&buf), buf.size});
    if (buf.failed) {
        text = NULL;
    }
    sw_buf_fini(&buf);
    return text;
}

/* Always false, so that `return` reads well. */
static bool
parts_are_too_large(const struct sw_reader *reader, const struct sw_node *node)
{
    sw_node_problem(reader->problems, node, "the values of the configuration are too large");
    return false;
}

/* The rules that tables cannot say, on values that are known to be what was written. */
static void
parts_check(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_config_kind *kind, const struct sw_config_part *item)
{
    if (sw_node_has_unset(node)) {
        return;
    }
    reader->problems->scope = node;
    if (item->part->check != NULL) {
        item->part->check(item->conf, reader->problems);
    }
    if (kind->check != NULL) {
        kind->check(item->settings, item->part, item->conf, reader->problems);
    }
    reader->problems->scope = NULL;
}

/* true: the item is whole. */
static bool
parts_item(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_config_kind *kind, struct sw_config_part *item)
{
    const struct sw_part *part = parts_type(reader, node, kind);
    void *conf = sw_arena_take(reader->arena, part != NULL ? part->conf_size : 0);
    void *settings = sw_arena_take(reader->arena, kind->settings_size);
    const struct sw_node *type = NULL;
    if (conf == NULL || settings == NULL) {
        return parts_are_too_large(reader, node);
    }
    const struct sw_reader_layer layers[] = {{parts_type_key, &type}, {kind->settings, settings},
        {part != NULL ? part->keys : NULL, conf}};
    bool good = sw_reader_read(reader, node, layers, 3, part == NULL);
    if (part == NULL || !good) {
        return false;
    }
    *item = (struct sw_config_part){.name = sw_arena_text(reader->arena, sw_str_of(node->key)),
        .part = part,
        .conf = conf,
        .settings = settings};
    parts_check(reader, node, kind, item);
    if (part->prepare != NULL) {
        part->prepare(conf);
    }
    item->frozen = parts_freeze(reader, kind, item);
    return (item->frozen != NULL && item->name != NULL) || parts_are_too_large(reader, node);
}

static void
parts_one(const struct sw_reader *reader, const struct sw_node *node, struct sw_parts_list *list)
{
    if (!parts_name_is_good(node->key)) {
        sw_node_key_problem(reader->problems, node,
            "a name that cannot be used (allowed: a-z, 0-9, and behind the first also _ and -, at "
            "most %d)",
            PARTS_NAME_MAX);
    }
    if (node->kind == SW_NODE_MAPPING) {
        list->count += parts_item(reader, node, list->kind, &list->items[list->count]) ? 1 : 0;
    } else if (node->kind != SW_NODE_DAMAGED) {
        sw_node_problem(
            reader->problems, node, "keys are expected below this name (allowed: at least 'type')");
    }
}

void
sw_parts_read(
    const struct sw_reader *reader, const struct sw_node *node, struct sw_parts_list *list)
{
    if (sw_parts_is_empty(node) || node->kind == SW_NODE_DAMAGED) {
        return;
    }
    if (node->kind != SW_NODE_MAPPING) {
        sw_node_problem(reader->problems, node,
            "names are expected below it (allowed: lines such as 'name: {type: …}')");
        return;
    }
    if (node->count > SW_CONFIG_PARTS_MAX) {
        sw_node_key_problem(reader->problems, node, "%zu %s (allowed: at most %d)", node->count,
            list->name, SW_CONFIG_PARTS_MAX);
        return;
    }
    list->items = sw_arena_take(reader->arena, node->count * sizeof(list->items[0]));
    if (list->items == NULL) {
        parts_are_too_large(reader, node);
        return;
    }
    for (const struct sw_node *child = node->first; child != NULL; child = child->next) {
        parts_one(reader, child, list);
    }
}
