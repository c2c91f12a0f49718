/* The agent as a whole: starts the parts in order, hears signals, stops in reverse. */
#ifndef SW_AGENT_H
#define SW_AGENT_H

#include <stdbool.h>

struct sw_agent_options {
    const char *config_path;
    bool until_done; /* ends when every source (all of type replay) is at its end and every sink
                        has caught up */
};

/* Runs in the foreground until a signal stops it; returns the exit status of `run`. */
int sw_agent_run(const struct sw_agent_options *options);

#endif
