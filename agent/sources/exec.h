/* The configuration of a source of type exec. */
#ifndef SW_SOURCES_EXEC_H
#define SW_SOURCES_EXEC_H

#include "config/schema.h"

struct sw_exec_conf {
    struct sw_key_strings command; /* program and arguments */
    const char *server;            /* for documents that name none; NULL: this machine */
};

#endif
