#include "config/read.h"

#include <string.h>

#include "config/key_text.h"
#include "config/read_value.h"

#define READ_NAMES_MAX 128 /* keys that may stand in one mapping */
#define READ_TEXT_MAX  8192

static const struct sw_key *
read_find(const struct sw_reader_layer *layers, size_t count, const char *name, void **value)
{
    for (size_t i = 0; i < count; i++) {
        const struct sw_key *key = layers[i].keys;
        for (; key != NULL && key->name != NULL; key++) {
            if (strcmp(key->name, name) == 0) {
                *value = (char *)layers[i].base + key->offset;
                return key;
            }
        }
    }
    return NULL;
}

static void
read_unknown(const struct sw_reader *reader, const struct sw_node *child,
    const struct sw_reader_layer *layers, size_t count)
{
    const char *names[READ_NAMES_MAX + 1];
    size_t used = 0;
    struct sw_buf text;
    for (size_t i = 0; i < count; i++) {
        const struct sw_key *key = layers[i].keys;
        for (; key != NULL && key->name != NULL && used < READ_NAMES_MAX; key++) {
            names[used++] = key->name;
        }
    }
    names[used] = NULL;
    sw_buf_init(&text, READ_TEXT_MAX);
    sw_buf_add_text(&text, "unknown key (allowed: ");
    sw_key_add_names(&text, names, ", ");
    sw_buf_add_char(&text, ')');
    sw_key_add_nearest(&text, child->key, names);
    sw_node_key_problem(reader->problems, child, "%s", sw_buf_text(&text));
    sw_buf_fini(&text);
}

/* Defaults are as good as what a person writes, so they come in by the same way. Only lists and
 * pairs need YAML; a default such as `*` would not survive it. */
static bool
read_default(const struct sw_reader *reader, const struct sw_key *key, void *value)
{
    struct sw_arena arena;
    if (key->fallback == NULL) {
        return true;
    }
    sw_arena_init(&arena, SW_NODE_MEMORY_MAX);
    struct sw_node *node = sw_reader_is_list(key)
                               ? sw_node_parse(sw_str_of(key->fallback), &arena, reader->problems)
                               : sw_node_scalar(&arena, key->fallback);
    bool good = node != NULL && sw_reader_value(reader, node, key, value);
    sw_arena_fini(&arena);
    return good;
}

static bool read_map(const struct sw_reader *reader, const struct sw_node *mapping,
    const struct sw_reader_layer *layers, size_t count, bool is_open);

/* Of a map with one_of. What is no map, or has lost a pair, was told already. */
static bool
read_is_one(const struct sw_reader *reader, const struct sw_node *mapping, const struct sw_key *key)
{
    struct sw_buf text;
    bool is_told =
        mapping->kind == SW_NODE_MAPPING ? mapping->is_incomplete : !sw_node_is_null(mapping);
    if (is_told || mapping->count == 1) {
        return true;
    }
    sw_buf_init(&text, READ_TEXT_MAX);
    sw_key_describe(&text, key);
    sw_node_problem(
        reader->problems, mapping, "%zu keys (allowed: %s)", mapping->count, sw_buf_text(&text));
    sw_buf_fini(&text);
    return false;
}

static bool
read_child(const struct sw_reader *reader, const struct sw_node *child, const struct sw_key *key,
    void *value)
{
    if (key->type == SW_KEY_NODE) {
        *(const struct sw_node **)value = child;
        return true;
    }
    if (key->type == SW_KEY_MAP) {
        bool good = read_map(reader, child, &(struct sw_reader_layer){key->keys, value}, 1, false);
        return (!key->one_of || read_is_one(reader, child, key)) && good;
    }
    return sw_reader_value(reader, child, key, value);
}

/* What is not written: nested maps still have defaults in them, although nothing in a map that is
 * left out is required. */
static bool
read_absent(const struct sw_reader *reader, const struct sw_node *mapping, const struct sw_key *key,
    void *value)
{
    if (key->required && mapping != NULL && !mapping->is_incomplete) {
        struct sw_buf text;
        sw_buf_init(&text, READ_TEXT_MAX);
        sw_key_describe(&text, key);
        sw_node_missing(reader->problems, mapping, key->name, "this key is required (allowed: %s)",
            sw_buf_text(&text));
        sw_buf_fini(&text);
        return false;
    }
    if (key->type == SW_KEY_MAP) {
        return read_map(reader, NULL, &(struct sw_reader_layer){key->keys, value}, 1, false);
    }
    return key->type == SW_KEY_NODE || read_default(reader, key, value);
}

static bool
read_layer(const struct sw_reader *reader, const struct sw_node *mapping,
    const struct sw_reader_layer *layer)
{
    bool good = true;
    for (const struct sw_key *key = layer->keys; key != NULL && key->name != NULL; key++) {
        void *value = (char *)layer->base + key->offset;
        const struct sw_node *child = sw_node_find(mapping, key->name);
        if (child == NULL) {
            good = read_absent(reader, mapping, key, value) && good;
            continue;
        }
        bool fine = read_child(reader, child, key, value);
        /* So that checks that come later find something sensible. */
        if ((!fine || child->is_unset) && key->type != SW_KEY_MAP) {
            good = read_default(reader, key, value) && good;
        }
        good = fine && good;
    }
    return good;
}

static void
read_not_a_map(const struct sw_reader *reader, const struct sw_node *node)
{
    if (node->kind != SW_NODE_DAMAGED) {
        sw_node_problem(reader->problems, node,
            "%s where keys are expected (allowed: lines such as 'key: value' below it)",
            node->kind == SW_NODE_SEQUENCE ? "a list" : "a value");
    }
}

static bool
read_map(const struct sw_reader *reader, const struct sw_node *mapping,
    const struct sw_reader_layer *layers, size_t count, bool is_open)
{
    bool good = true;
    void *unused;
    if (mapping != NULL && mapping->kind != SW_NODE_MAPPING && !sw_node_is_null(mapping)) {
        read_not_a_map(reader, mapping);
        mapping = NULL;
        good = false;
    }
    const struct sw_node *child = mapping != NULL ? mapping->first : NULL;
    for (; child != NULL && !is_open; child = child->next) {
        if (read_find(layers, count, child->key, &unused) == NULL) {
            read_unknown(reader, child, layers, count);
        }
    }
    for (size_t i = 0; i < count; i++) {
        good = read_layer(reader, mapping, &layers[i]) && good;
    }
    return good;
}

bool
sw_reader_read(const struct sw_reader *reader, const struct sw_node *mapping,
    const struct sw_reader_layer *layers, size_t count, bool is_open)
{
    return read_map(reader, mapping, layers, count, is_open);
}
