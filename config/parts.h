/* What stands below `sources:` and `sinks:`: named parts of a type each. */
#ifndef SW_CONFIG_PARTS_H
#define SW_CONFIG_PARTS_H

#include "config/read.h"

struct sw_parts_list {
    const char *name; /* "sources" or "sinks" */
    const struct sw_config_kind *kind;
    struct sw_config_part *items; /* filled, in the reader's arena */
    size_t count;
};

/* Whether nothing was written there; a damaged place is not empty. */
bool sw_parts_is_empty(const struct sw_node *node);

/* Fills the list with the parts that are good; tells of the others. node may be NULL. */
void sw_parts_read(
    const struct sw_reader *reader, const struct sw_node *node, struct sw_parts_list *list);

#endif
