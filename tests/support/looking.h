/* Looks of a source across the real process boundary, with small scripts as its programs. */
#ifndef SW_TESTS_SUPPORT_LOOKING_H
#define SW_TESTS_SUPPORT_LOOKING_H

#include "agent/source.h"

struct looking {
    char folder[64]; /* made for the test; only we can write it */
    struct sw_source source;
    struct sw_log log;
    unsigned logged;  /* lines */
    char last[512];   /* the last one */
    int64_t limit_ms; /* of a look; 10 s unless changed */
    bool occupied;
    struct sw_latch *stop;

    /* The last look's. */
    struct sw_builder *builder;
    struct sw_err err;
};

void looking_start(struct looking *looking, const char *type, const void *conf);
void looking_end(struct looking *looking);

enum sw_look looking_look(struct looking *looking);

/* Writes folder/name, executable, beginning with #!/bin/sh. path gets its path. */
void looking_script(struct looking *looking, const char *name, const char *text, char path[128]);

bool looking_says(const struct looking *looking, const char *part);

#endif
