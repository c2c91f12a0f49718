/* The configuration of a source of type replay. */
#ifndef SW_SOURCES_REPLAY_H
#define SW_SOURCES_REPLAY_H

struct sw_replay_conf {
    const char *path; /* snapshot documents, one a line */
};

#endif
