#include <string.h>

#include "agent/platform/platform.h"
#include "config/host.h"
#include "config/key_text.h"
#include "config/read_value.h"
#include "config/value.h"

#define VALUE_SHOWN_MAX 64   /* bytes of a wrong value in a message */
#define VALUE_TEXT_MAX  4096 /* bytes of a text, unless its key says otherwise */
#define VALUE_WORDS_MAX 8192 /* bytes of a message's part */

/* What to call the value in a message. Never the text behind a reference, never a secret. */
static void
value_add_subject(struct sw_buf *buf, const struct sw_node *node, const struct sw_key *key)
{
    if (node->reference != NULL) {
        sw_buf_printf(buf, "the value of %s", node->reference);
    } else if (node->kind != SW_NODE_SCALAR) {
        sw_buf_add_text(buf, node->kind == SW_NODE_SEQUENCE ? "a list" : "a map");
    } else if (key->type == SW_KEY_SECRET || key->type == SW_KEY_SECRETS) {
        sw_buf_add_text(buf, "the secret");
    } else if (key->type == SW_KEY_PAIRS) {
        sw_buf_add_text(buf, "the value");
    } else {
        size_t size = sw_utf8_cut(node->text.data, node->text.size, VALUE_SHOWN_MAX);
        sw_buf_printf(
            buf, "'%.*s%s'", (int)size, node->text.data, size < node->text.size ? "…" : "");
    }
}

bool
sw_reader_refuse(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_key *key, const char *problem)
{
    struct sw_buf text;
    sw_buf_init(&text, VALUE_WORDS_MAX);
    if (sw_node_is_null(node)) {
        sw_buf_add_text(&text, "a value is missing");
    } else {
        value_add_subject(&text, node, key);
        sw_buf_printf(&text, " %s", problem);
    }
    sw_buf_add_text(&text, " (allowed: ");
    sw_key_describe(&text, key);
    sw_buf_add_char(&text, ')');
    if (key->type == SW_KEY_WORD && node->reference == NULL && node->kind == SW_NODE_SCALAR) {
        sw_key_add_nearest(&text, node->text.data, key->words);
    }
    sw_node_problem(reader->problems, node, "%s", sw_buf_text(&text));
    sw_buf_fini(&text);
    return false;
}

static bool
value_is_in_range(const struct sw_key *key, int64_t number)
{
    return (number == 0 && key->or_zero) ||
           (number >= key->min && (key->max == 0 || number <= key->max));
}

static const char *
value_problem(enum sw_value result)
{
    switch (result) {
    case SW_VALUE_NO_UNIT:
        return "has no unit";
    case SW_VALUE_OUT_OF_RANGE:
        return "is out of range";
    default:
        return "cannot stand here";
    }
}

static bool
value_number(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    void *value)
{
    int64_t number = 0;
    uint64_t size = 0;
    enum sw_value result;
    if (key->type == SW_KEY_INT) {
        result = sw_value_int(node->text, &number);
    } else if (key->type == SW_KEY_SIZE) {
        result = sw_value_size(node->text, &size);
        number = (int64_t)size;
    } else if (key->type == SW_KEY_RATE) {
        result = sw_value_rate(node->text, &number);
    } else {
        result = sw_value_duration(node->text, &number);
    }
    if (result == SW_VALUE_OK && !value_is_in_range(key, number)) {
        result = SW_VALUE_OUT_OF_RANGE;
    }
    if (result != SW_VALUE_OK) {
        return sw_reader_refuse(reader, node, key, value_problem(result));
    }
    if (key->type == SW_KEY_SIZE) {
        *(uint64_t *)value = size;
    } else {
        *(int64_t *)value = number;
    }
    return true;
}

static bool
value_bool(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    void *value)
{
    bool is_true = sw_str_is(node->text, "true");
    if (!is_true && !sw_str_is(node->text, "false")) {
        return sw_reader_refuse(reader, node, key, "cannot stand here");
    }
    *(bool *)value = is_true;
    return true;
}

static bool
value_word(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    void *value)
{
    for (int i = 0; key->words[i] != NULL; i++) {
        if (sw_str_is(node->text, key->words[i])) {
            *(int *)value = i;
            return true;
        }
    }
    return sw_reader_refuse(reader, node, key, "cannot stand here");
}

bool
sw_reader_is_line(
    const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key)
{
    struct sw_str text = node->text;
    if (memchr(text.data, '\0', text.size) != NULL || memchr(text.data, '\n', text.size) != NULL ||
        memchr(text.data, '\r', text.size) != NULL) {
        sw_node_problem(
            reader->problems, node, "holds a line break or NUL (allowed: one line of text)");
        return false;
    }
    if (text.size > VALUE_TEXT_MAX && (sw_reader_is_list(key) || key->max == 0)) {
        sw_node_problem(
            reader->problems, node, "%zu bytes (allowed: at most %d)", text.size, VALUE_TEXT_MAX);
        return false;
    }
    return true;
}

static void *
value_told(const struct sw_reader *reader, const struct sw_node *node, void *memory)
{
    if (memory == NULL) {
        sw_node_problem(reader->problems, node, "the values of the configuration are too large");
    }
    return memory;
}

void *
sw_reader_take(const struct sw_reader *reader, const struct sw_node *node, size_t size)
{
    return value_told(reader, node, sw_arena_take(reader->arena, size));
}

const char *
sw_reader_copy(const struct sw_reader *reader, const struct sw_node *node, struct sw_str text)
{
    return value_told(reader, node, sw_arena_text(reader->arena, text));
}

bool
sw_reader_is_trusted(const struct sw_reader *reader, const struct sw_node *node, const char *path)
{
    struct sw_err err = {0};
    if (!sw_config_host_exists(reader->host, path)) {
        sw_node_warning(reader->problems, node, "%s is not there", path);
        return true;
    }
    if (!sw_config_host_is_trusted(reader->host, path, &err)) {
        sw_node_problem(reader->problems, node, "%s", err.text);
        return false;
    }
    return true;
}

static const char *
value_path(const struct sw_reader *reader, const struct sw_node *node)
{
    struct sw_buf path;
    if (sw_str_is(node->text, "-")) {
        return sw_reader_copy(reader, node, node->text);
    }
    sw_buf_init(&path, (size_t)4 * VALUE_TEXT_MAX);
    sw_path_join(reader->folder, node->text.data, &path);
    const char *copy = sw_reader_copy(reader, node, (struct sw_str){sw_buf_text(&path), path.size});
    sw_buf_fini(&path);
    return copy;
}

static bool
value_text(const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key,
    void *value)
{
    int64_t size = (int64_t)node->text.size;
    bool may_be_empty = !key->required && key->type != SW_KEY_PATH;
    if (!sw_reader_is_line(reader, node, key)) {
        return false;
    }
    if (size == 0 && !may_be_empty && !node->is_unset) {
        return sw_reader_refuse(reader, node, key, "is empty");
    }
    if (!value_is_in_range(key, size) && !node->is_unset) {
        return sw_reader_refuse(
            reader, node, key, size < key->min ? "is too short" : "is too long");
    }
    const char *text = key->type == SW_KEY_PATH ? value_path(reader, node)
                                                : sw_reader_copy(reader, node, node->text);
    *(const char **)value = text;
    return text != NULL &&
           (!key->trusted || node->is_unset || sw_reader_is_trusted(reader, node, text));
}

/* true and false, and numbers, are those only without quotes: in quotes they are text. A reference
 * often needs the quotes, so its value is taken as it is. */
static bool
value_is_quoted(const struct sw_node *node)
{
    return !node->is_plain && node->reference == NULL;
}

bool
sw_reader_value(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_key *key, void *value)
{
    if (node->kind == SW_NODE_DAMAGED) {
        return false;
    }
    if (sw_reader_is_list(key)) {
        return sw_reader_list(reader, node, key, value);
    }
    if (node->kind != SW_NODE_SCALAR || sw_node_is_null(node)) {
        return sw_reader_refuse(reader, node, key, "cannot stand here");
    }
    switch (key->type) {
    case SW_KEY_BOOL:
    case SW_KEY_INT:
        if (node->is_unset) {
            return true;
        }
        if (value_is_quoted(node)) {
            return sw_reader_refuse(reader, node, key, "is text (leave out the quotes)");
        }
        return key->type == SW_KEY_BOOL ? value_bool(reader, node, key, value)
                                        : value_number(reader, node, key, value);
    case SW_KEY_SIZE:
    case SW_KEY_DURATION:
    case SW_KEY_RATE:
        return node->is_unset || value_number(reader, node, key, value);
    case SW_KEY_WORD:
        return node->is_unset || value_word(reader, node, key, value);
    default:
        return value_text(reader, node, key, value);
    }
}
