/*
 * What the configuration knows of a source or sink type: its name, its keys, and how to check
 * them. Source and sink descriptors begin with one, so that the configuration needs to know
 * neither.
 */
#ifndef SW_CONFIG_PART_H
#define SW_CONFIG_PART_H

#include <stddef.h>

#include "agent/base/error.h"
#include "config/schema.h"

/* Where check() puts what it finds. */
struct sw_problems;

/* One problem with a key of the part (NULL: the part as a whole). `warning` does not refuse. */
void sw_problems_add(struct sw_problems *problems, const char *key, const char *format, ...)
    SW_PRINTF(3, 4);
void sw_problems_warn(struct sw_problems *problems, const char *key, const char *format, ...)
    SW_PRINTF(3, 4);

struct sw_part {
    const char *name;          /* the word in `type:` */
    const char *summary;       /* one line for `help` */
    const struct sw_key *keys; /* ends with a NULL name; offsets into the configuration struct */
    size_t conf_size;
    /* What the keys' own rules cannot say (two keys that exclude each other). No I/O but whether a
     * library is there; may be NULL. */
    void (*check)(const void *conf, struct sw_problems *problems);
    /* Once, after check: works out values that have no key of their own, in conf. Pure, and takes
     * what check has refused; may be NULL. */
    void (*prepare)(void *conf);
};

#endif
