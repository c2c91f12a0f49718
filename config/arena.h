/* Memory that is given back all at once, with a declared maximum: nodes and frozen values. */
#ifndef SW_CONFIG_ARENA_H
#define SW_CONFIG_ARENA_H

#include <stddef.h>

#include "agent/base/string.h"

struct sw_arena_block;

struct sw_arena {
    struct sw_arena_block *blocks; /* the newest first */
    size_t used;                   /* bytes handed out */
    size_t max;                    /* what used may not pass */
};

/* A zeroed struct with max set is the same. */
void sw_arena_init(struct sw_arena *arena, size_t max);
void sw_arena_fini(struct sw_arena *arena);

/* size zeroed bytes, aligned for anything; NULL when that would pass the maximum. */
void *sw_arena_take(struct sw_arena *arena, size_t size);

/* A NUL-terminated copy; NULL as above. */
char *sw_arena_text(struct sw_arena *arena, struct sw_str text);

#endif
