/* What single values and the elements of lists have in common. For read_value.c and read_list.c. */
#ifndef SW_CONFIG_READ_VALUE_H
#define SW_CONFIG_READ_VALUE_H

#include "config/read.h"

/* Tells "'10' has no unit (allowed: a duration in …)"; a secret or what a reference brought is not
 * shown. Always false, so that `return` reads well. */
bool sw_reader_refuse(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_key *key, const char *problem);

/* The rules of one line of text; false, told. */
bool sw_reader_is_line(
    const struct sw_reader *reader, const struct sw_node *node, const struct sw_key *key);

/* Zeroed memory that lives as long as the values, and a copy of a text in it. NULL, told, when
 * there is too much of them. */
void *sw_reader_take(const struct sw_reader *reader, const struct sw_node *node, size_t size);
const char *
sw_reader_copy(const struct sw_reader *reader, const struct sw_node *node, struct sw_str text);

/* Somebody else's program or key is no good (false, told), one that is not there yet may come. */
bool
sw_reader_is_trusted(const struct sw_reader *reader, const struct sw_node *node, const char *path);

/* A value of several: SW_KEY_STRINGS, SW_KEY_SECRETS, SW_KEY_DURATIONS, SW_KEY_PAIRS. */
bool sw_reader_is_list(const struct sw_key *key);
bool sw_reader_list(const struct sw_reader *reader, const struct sw_node *node,
    const struct sw_key *key, void *value);

#endif
