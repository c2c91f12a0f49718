#include "config/reference.h"

#include <string.h>

#include "agent/platform/platform.h"
#include "config/host.h"

#define REFERENCE_NAME_MAX 255 /* bytes of a variable's or credential's name */
#define REFERENCE_PATH_MAX 4096

#define REFERENCE_ALLOWED                                                                          \
    "(allowed: ${env:NAME}, ${env:NAME:-default}, ${file:PATH}, ${credential:NAME}; write $${ "    \
    "for a literal ${)"

/* One scalar at work. */
struct reference_value {
    const struct sw_references *all;
    struct sw_node *node;
    struct sw_buf out;
    struct sw_buf first; /* the first reference's name, for messages; never its default */
    bool is_wrong;
    bool is_unset;
};

enum reference_kind { REFERENCE_ENV, REFERENCE_FILE, REFERENCE_CREDENTIAL, REFERENCE_UNKNOWN };

static const char *const reference_prefixes[] = {"env:", "file:", "credential:"};

struct reference {
    enum reference_kind kind;
    char name[REFERENCE_PATH_MAX + 1];
    struct sw_str fallback; /* data NULL: none */
};

static bool
reference_is_name(const char *name, const char *more)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && strchr(more, c) == NULL) {
            return false;
        }
    }
    return size > 0 && size <= REFERENCE_NAME_MAX;
}

static bool
reference_is_good(const struct reference *reference)
{
    const char *name = reference->name;
    switch (reference->kind) {
    case REFERENCE_ENV:
        return reference_is_name(name, "_") && !(name[0] >= '0' && name[0] <= '9');
    case REFERENCE_CREDENTIAL:
        return reference_is_name(name, "_-.@") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    case REFERENCE_FILE:
        return name[0] != '\0';
    default:
        return false;
    }
}

/* The text between `${` and `}`. */
static bool
reference_parse(struct sw_str text, struct reference *reference)
{
    size_t kind = 0;
    while (kind < REFERENCE_UNKNOWN && !sw_str_starts(text, reference_prefixes[kind])) {
        kind++;
    }
    reference->kind = (enum reference_kind)kind;
    reference->fallback = (struct sw_str){NULL, 0};
    /* There are none in each other; the first `}` would end both. */
    if (kind == REFERENCE_UNKNOWN || memmem(text.data, text.size, "${", 2) != NULL) {
        return false;
    }
    size_t prefix = strlen(reference_prefixes[kind]);
    struct sw_str name = {text.data + prefix, text.size - prefix};
    const char *mark = kind == REFERENCE_ENV ? memmem(name.data, name.size, ":-", 2) : NULL;
    if (mark != NULL) {
        size_t size = (size_t)(mark - name.data);
        reference->fallback = (struct sw_str){mark + 2, name.size - size - 2};
        name.size = size;
    }
    if (name.size > REFERENCE_PATH_MAX || memchr(name.data, '\0', name.size) != NULL) {
        return false;
    }
    memcpy(reference->name, name.data, name.size);
    reference->name[name.size] = '\0';
    return reference_is_good(reference);
}

static void
reference_wrong(
    struct reference_value *value, const struct reference *reference, const char *problem)
{
    value->is_wrong = true;
    sw_node_problem(value->all->problems, value->node, "${%s%s}: %s",
        reference_prefixes[reference->kind], reference->name, problem);
}

static void
reference_unset(struct reference_value *value, const struct reference *reference, const char *text)
{
    if (value->all->mode == SW_CONFIG_RUN) {
        reference_wrong(value, reference, text);
        return;
    }
    value->is_unset = true;
    sw_node_warning(value->all->problems, value->node, "${%s%s}: %s",
        reference_prefixes[reference->kind], reference->name, text);
}

static void
reference_add(struct reference_value *value, const struct reference *reference, struct sw_str text)
{
    if (text.size > 0 &&
        (memchr(text.data, '\0', text.size) != NULL || memchr(text.data, '\n', text.size) != NULL ||
            memchr(text.data, '\r', text.size) != NULL)) {
        reference_wrong(value, reference, "holds a line break or NUL (allowed: one line of text)");
    } else if (!sw_utf8_is_valid(text)) {
        reference_wrong(value, reference, "is not UTF-8");
    } else {
        sw_buf_add(&value->out, text.data, text.size);
    }
}

static void
reference_env(struct reference_value *value, const struct reference *reference)
{
    const char *text = sw_config_host_env(value->all->host, reference->name);
    if (reference->fallback.data != NULL && (text == NULL || text[0] == '\0')) {
        reference_add(value, reference, reference->fallback);
    } else if (text == NULL) {
        reference_unset(value, reference, "this variable is not set");
    } else if (strlen(text) > SW_CONFIG_REFERENCE_MAX) {
        reference_wrong(value, reference, "is too large (allowed: at most 64KiB)");
    } else {
        reference_add(value, reference, sw_str_of(text));
    }
}

static void
reference_file(struct reference_value *value, const struct reference *reference, const char *path)
{
    struct sw_err err = {0};
    struct sw_buf text;
    sw_buf_init(&text, SW_CONFIG_REFERENCE_MAX);
    if (!sw_config_host_read(value->all->host, path, SW_CONFIG_REFERENCE_MAX, &text, &err) ||
        !sw_config_host_is_trusted(value->all->host, path, &err)) {
        reference_wrong(value, reference, err.text);
    } else {
        struct sw_str line = {sw_buf_text(&text), text.size};
        if (line.size > 0 && line.data[line.size - 1] == '\n') {
            line.size -= line.size > 1 && line.data[line.size - 2] == '\r' ? 2 : 1;
        }
        reference_add(value, reference, line);
    }
    sw_buf_fini(&text);
}

static void
reference_replace(struct reference_value *value, const struct reference *reference)
{
    const char *folder = value->all->folder;
    if (value->first.size == 0) {
        sw_buf_printf(
            &value->first, "${%s%s}", reference_prefixes[reference->kind], reference->name);
    }
    if (reference->kind == REFERENCE_ENV) {
        reference_env(value, reference);
        return;
    }
    if (reference->kind == REFERENCE_CREDENTIAL) {
        folder = sw_config_host_env(value->all->host, "CREDENTIALS_DIRECTORY");
        if (folder == NULL) {
            reference_unset(value, reference,
                "CREDENTIALS_DIRECTORY is not set (the service manager sets it for "
                "LoadCredential=)");
            return;
        }
    }
    struct sw_buf path;
    sw_buf_init(&path, (size_t)2 * REFERENCE_PATH_MAX);
    sw_path_join(folder, reference->name, &path);
    reference_file(value, reference, sw_buf_text(&path));
    sw_buf_fini(&path);
}

/* text begins behind `${`; the size of what belongs to the reference, with its `}`. */
static size_t
reference_take(struct reference_value *value, struct sw_str text)
{
    struct reference reference;
    const char *end = text.size > 0 ? memchr(text.data, '}', text.size) : NULL;
    size_t size = end != NULL ? (size_t)(end - text.data) : 0;
    if (end == NULL) {
        value->is_wrong = true;
        sw_node_problem(
            value->all->problems, value->node, "a '${' without '}' (write $${ for a literal ${)");
        return text.size;
    }
    if (!reference_parse((struct sw_str){text.data, size}, &reference)) {
        value->is_wrong = true;
        sw_node_problem(value->all->problems, value->node, "unknown reference " REFERENCE_ALLOWED);
    } else {
        reference_replace(value, &reference);
    }
    return size + 1;
}

static void
reference_scan(struct reference_value *value)
{
    struct sw_str text = value->node->text;
    for (size_t at = 0; at < text.size;) {
        struct sw_str rest = {text.data + at, text.size - at};
        if (sw_str_starts(rest, "$${")) {
            sw_buf_add_text(&value->out, "${");
            at += 3;
        } else if (sw_str_starts(rest, "${")) {
            at += 2 + reference_take(value, (struct sw_str){rest.data + 2, rest.size - 2});
        } else {
            sw_buf_add_char(&value->out, rest.data[0]);
            at++;
        }
    }
}

static void
reference_scalar(const struct sw_references *all, struct sw_node *node)
{
    struct reference_value value = {.all = all, .node = node};
    sw_buf_init(&value.out, SW_CONFIG_SIZE_MAX + SW_CONFIG_REFERENCE_MAX);
    sw_buf_init(&value.first, (size_t)2 * REFERENCE_PATH_MAX);
    reference_scan(&value);
    const char *text =
        sw_arena_text(all->arena, (struct sw_str){sw_buf_text(&value.out), value.out.size});
    const char *first = sw_arena_text(all->arena, sw_str_of(sw_buf_text(&value.first)));
    if (!value.is_wrong && (text == NULL || first == NULL || value.out.failed)) {
        value.is_wrong = true;
        sw_node_problem(all->problems, node, "the values of the configuration are too large");
    }
    if (value.is_wrong) {
        node->kind = SW_NODE_DAMAGED;
    } else {
        node->text = (struct sw_str){text, value.out.size};
        node->reference = value.first.size > 0 ? first : NULL;
        node->is_unset = value.is_unset;
    }
    sw_buf_fini(&value.out);
    sw_buf_fini(&value.first);
}

void
sw_references_replace(const struct sw_references *references, struct sw_node *node)
{
    if (node->kind == SW_NODE_SCALAR && node->text.size > 0 &&
        memmem(node->text.data, node->text.size, "${", 2) != NULL) {
        reference_scalar(references, node);
    }
    for (struct sw_node *child = node->first; child != NULL; child = child->next) {
        sw_references_replace(references, child);
    }
}
