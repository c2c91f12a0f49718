/* Values of several: lists, and free names with their texts. */
#include <string.h>

#include "agent/platform/platform.h"
#include "config/read_value.h"

#define LIST_ITEMS_MAX 256 /* unless the key says otherwise */
#define LIST_PAIRS_MAX 64

bool
sw_reader_is_list(const struct sw_key *key)
{
    return key->type == SW_KEY_STRINGS || key->type == SW_KEY_SECRETS ||
           key->type == SW_KEY_DURATIONS || key->type == SW_KEY_PAIRS;
}

static bool
list_is_in_range(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_key *key, size_t count)
{
    bool is_pairs = key->type == SW_KEY_PAIRS;
    int64_t max = key->max > 0 ? key->max : is_pairs ? LIST_PAIRS_MAX : LIST_ITEMS_MAX;
    if ((int64_t)count >= key->min && (int64_t)count <= max) {
        return true;
    }
    sw_node_problem(reader->problems, node, "%zu %s%s (allowed: %d to %d)", count,
        is_pairs ? "pair" : "item", count == 1 ? "" : "s", (int)key->min, (int)max);
    return false;
}

static bool
list_item(const struct sw_reader *reader, const struct sw_node *item, const struct sw_key *key,
    const char **text)
{
    if (item->kind == SW_NODE_DAMAGED) {
        return false;
    }
    if (item->kind != SW_NODE_SCALAR || sw_node_is_null(item)) {
        return sw_reader_refuse(reader, item, key, "cannot stand in this list");
    }
    /* Whoever lists a secret wants it used. */
    if (key->type == SW_KEY_SECRETS && item->text.size == 0 && !item->is_unset) {
        return sw_reader_refuse(reader, item, key, "is empty");
    }
    *text = sw_reader_is_line(reader, item, key) ? sw_reader_copy(reader, item, item->text) : NULL;
    return *text != NULL;
}

static bool
list_strings(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    struct sw_key_strings *strings)
{
    bool good = true;
    size_t count = 0;
    const char **items = sw_reader_take(reader, node, node->count * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (const struct sw_node *item = node->first; item != NULL; item = item->next) {
        good = list_item(reader, item, key, &items[count++]) && good;
    }
    *strings = (struct sw_key_strings){items, good ? count : 0};
    return good && (!key->trusted || count == 0 || node->first->is_unset ||
                       !sw_path_is_absolute(items[0]) ||
                       sw_reader_is_trusted(reader, node->first, items[0]));
}

/* A secret alone, as a list of one. */
static bool
list_single(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    struct sw_key_strings *strings)
{
    const char **items = sw_reader_take(reader, node, sizeof(*items));
    bool good = items != NULL && list_item(reader, node, key, &items[0]);
    *strings = (struct sw_key_strings){items, good ? 1 : 0};
    return good;
}

static bool
list_durations(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    struct sw_key_durations *durations)
{
    const struct sw_key element = {.type = SW_KEY_DURATION, .min = 1};
    bool good = true;
    size_t count = 0;
    int64_t *items = sw_reader_take(reader, node, node->count * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (const struct sw_node *item = node->first; item != NULL; item = item->next) {
        if (!sw_reader_value(reader, item, &element, &items[count])) {
            good = false;
        } else if (item->is_unset) {
            continue;
        } else if (count > 0 && items[count] <= items[count - 1]) {
            good = sw_reader_refuse(reader, item, key, "is not above the one before it");
        } else {
            count++;
        }
    }
    *durations = (struct sw_key_durations){items, good ? count : 0};
    return good;
}

static bool
list_pair(const struct sw_reader *reader, const struct sw_node *item, struct sw_key_pair *pair)
{
    /* To be told "allowed: text"; what stands there is not shown, for only no text is refused. */
    const struct sw_key text = {.type = SW_KEY_STRING};
    if (strpbrk(item->key, "\r\n") != NULL) {
        sw_node_key_problem(
            reader->problems, item, "a name with a line break (allowed: one line of text)");
        return false;
    }
    if (item->kind == SW_NODE_DAMAGED) {
        return false;
    }
    if (item->kind != SW_NODE_SCALAR || sw_node_is_null(item)) {
        return sw_reader_refuse(reader, item, &text, "cannot stand here");
    }
    if (!sw_reader_is_line(reader, item, &text)) {
        return false;
    }
    pair->name = sw_reader_copy(reader, item, sw_str_of(item->key));
    pair->value = sw_reader_copy(reader, item, item->text);
    return pair->name != NULL && pair->value != NULL;
}

static bool
list_pairs(const struct sw_reader *reader, const struct sw_node *node, struct sw_key_pairs *pairs)
{
    bool good = true;
    size_t count = 0;
    struct sw_key_pair *items = sw_reader_take(reader, node, node->count * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (const struct sw_node *item = node->first; item != NULL; item = item->next) {
        good = list_pair(reader, item, &items[count++]) && good;
    }
    *pairs = (struct sw_key_pairs){items, good ? count : 0};
    return good;
}

bool
sw_reader_list(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    void *value)
{
    bool is_pairs = key->type == SW_KEY_PAIRS;
    bool is_single = key->type == SW_KEY_SECRETS && node->kind == SW_NODE_SCALAR;
    /* As with all maps, nothing below the key is one without names. */
    bool is_empty = is_pairs && sw_node_is_null(node);
    bool is_none = sw_node_is_null(node) && !is_empty;
    enum sw_node_kind kind = is_pairs ? SW_NODE_MAPPING : SW_NODE_SEQUENCE;
    if (is_none || (node->kind != kind && !is_single && !is_empty)) {
        return sw_reader_refuse(reader, node, key, is_pairs ? "is no map" : "is no list");
    }
    /* Which of a damaged map's names are missing is not known. */
    if (!node->is_incomplete && !list_is_in_range(reader, node, key, is_single ? 1 : node->count)) {
        return false;
    }
    if (is_pairs) {
        return list_pairs(reader, node, value);
    }
    if (key->type == SW_KEY_DURATIONS) {
        return list_durations(reader, node, key, value);
    }
    return is_single ? list_single(reader, node, key, value)
                     : list_strings(reader, node, key, value);
}
