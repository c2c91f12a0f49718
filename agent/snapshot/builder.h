/* The inside of a snapshot builder, shared by builder.c (rows come in) and snapshot.c (the snapshot
 * goes out). */
#ifndef SW_BUILDER_H
#define SW_BUILDER_H

#include "agent/snapshot.h"

/* Names are copied here one behind the other; chunks never move, so rows point into them. */
struct builder_chunk {
    struct builder_chunk *next;
    size_t used;
    size_t size;
    char bytes[];
};

struct sw_builder {
    struct sw_look_facts facts;
    char *server; /* what facts.server points to */
    struct sw_row *rows;
    size_t count;
    size_t capacity;
    size_t with_id;
    size_t names_size;
    struct builder_chunk *chunks; /* the one being filled first */
};

/* Forgets and frees rows and names; facts stay. */
void sw_builder_clear_rows(struct sw_builder *builder);

#endif
