/*
 * Walks key tables over a node tree: values land in structs, problems are told at their place.
 * Everything that is left out gets its default.
 */
#ifndef SW_CONFIG_READ_H
#define SW_CONFIG_READ_H

#include "config/config.h"
#include "config/node.h"

struct sw_reader {
    struct sw_arena *arena; /* values live here */
    struct sw_problems *problems;
    const char *folder; /* where relative paths start */
    const struct sw_config_host *host;
};

/* One table and the struct it fills. Several may share a mapping. */
struct sw_reader_layer {
    const struct sw_key *keys; /* NULL: none */
    void *base;                /* zeroed */
};

/* Reads a mapping; NULL or an empty scalar is one without keys. is_open: keys that no layer has are
 * not told (the type that would know them is not known). false when a value is wrong or missing:
 * the structs are then filled with defaults in its place. */
bool sw_reader_read(const struct sw_reader *reader, const struct sw_node *mapping,
    const struct sw_reader_layer *layers, size_t count, bool is_open);

/* One scalar or list for a key; false, told, when it does not suit. Used by sw_reader_read. */
bool sw_reader_value(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_key *key, void *value);

/* Appends "name=value" lines of all values in the order of the tables: equal text, equal values.
 * Secrets as SHA-256. */
void sw_reader_freeze(struct sw_buf *buf, const struct sw_key *keys, const void *base);

#endif
