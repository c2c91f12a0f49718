/* The configuration of a source of type replay. */
#ifndef SW_SOURCES_REPLAY_H
#define SW_SOURCES_REPLAY_H

#include <stdio.h>

struct sw_replay_conf {
    const char *path; /* snapshot documents, one a line */
    FILE *input;      /* read instead of path, which is then only its name; can be rewound, is
                         not closed. NULL from a configuration */
};

#endif
