/*
 * A YAML text as a tree of nodes that know their place. It is built once from libyaml's events,
 * walked by the schema, and forgotten when the values are frozen.
 *
 * What YAML can say and a configuration must not is told while building: duplicate keys, aliases,
 * merge keys, tags, a second document. Such a place is left out of the tree, or stands in it as
 * DAMAGED, so that nobody complains of it a second time.
 */
#ifndef SW_CONFIG_NODE_H
#define SW_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/string.h"
#include "config/arena.h"
#include "config/problems.h"

#define SW_NODE_DEPTH_MAX    16                 /* containers in each other */
#define SW_NODE_COUNT_MAX    20000              /* nodes of a tree */
#define SW_NODE_CHILDREN_MAX 1000               /* of one mapping or sequence */
#define SW_NODE_KEY_MAX      128                /* bytes of a key */
#define SW_NODE_MEMORY_MAX   ((size_t)12 << 20) /* bytes of a tree: text, replaced text, nodes */

enum sw_node_kind { SW_NODE_SCALAR, SW_NODE_SEQUENCE, SW_NODE_MAPPING, SW_NODE_DAMAGED };

struct sw_node {
    enum sw_node_kind kind;
    unsigned line, column; /* from 1; columns in characters */

    struct sw_str text;    /* SCALAR; NUL-terminated, but may hold NULs */
    bool is_plain;         /* SCALAR: written without quotes */
    bool is_unset;         /* SCALAR: a reference in it has no value here */
    const char *reference; /* SCALAR: "${env:NAME}", the first one that was replaced; or NULL */

    const struct sw_node *parent;
    const char *key; /* of a mapping's child */
    unsigned key_line, key_column;
    size_t index; /* of a sequence's child, from 0 */

    struct sw_node *first, *last, *next;
    size_t count;
    unsigned depth;
    bool is_incomplete; /* MAPPING: a pair was left out; what is missing is not told */
};

/* The tree of a text, all memory from the arena. NULL after a problem that ends reading (syntax,
 * limits). An empty text is an empty plain scalar. */
struct sw_node *
sw_node_parse(struct sw_str text, struct sw_arena *arena, struct sw_problems *problems);

/* A plain scalar without place, for defaults. NULL when the arena is full. */
struct sw_node *sw_node_scalar(struct sw_arena *arena, const char *text);

/* Nothing, `~` or `null` without quotes. */
bool sw_node_is_null(const struct sw_node *node);

/* The child of a mapping (NULL: of none), or NULL. "a.b" goes down, or is a key with a dot. */
const struct sw_node *sw_node_find(const struct sw_node *mapping, const char *path);

/* Whether a scalar of the tree is_unset. */
bool sw_node_has_unset(const struct sw_node *node);

/* Appends "sources.local.ignore.users[0]"; nothing for the root. */
void sw_node_add_path(const struct sw_node *node, struct sw_buf *buf);

/* Where a problem is, and what it must not show. */
struct sw_node_place {
    const struct sw_node *node;
    const char *name; /* of what is missing below the node; or NULL */
    bool at_key;      /* at the node's key, not at its value */
    bool is_warning;
    /* NULL: the node. Of values that came from references in it, messages show the references,
     * whoever wrote the message. */
    const struct sw_node *masked;
};
void sw_node_tell(struct sw_problems *problems, const struct sw_node_place *place,
    const char *format, va_list args) SW_PRINTF(3, 0);

/* A problem of the value (at its place), of the key (at the key's), or of what is missing below a
 * mapping: at the key's place, with name appended to the path. */
void sw_node_problem(struct sw_problems *problems, const struct sw_node *node, const char *format,
    ...) SW_PRINTF(3, 4);
void sw_node_warning(struct sw_problems *problems, const struct sw_node *node, const char *format,
    ...) SW_PRINTF(3, 4);
void sw_node_key_problem(struct sw_problems *problems, const struct sw_node *node,
    const char *format, ...) SW_PRINTF(3, 4);
void sw_node_missing(struct sw_problems *problems, const struct sw_node *mapping, const char *name,
    const char *format, ...) SW_PRINTF(4, 5);

#endif
