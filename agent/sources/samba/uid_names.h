/*
 * Names of numeric user ids: smbstatus' JSON has both, its numeric text only ids. What JSON once
 * said of an id is said again for the text, so that both forms name a user alike; ids never seen
 * are looked up once.
 */
#ifndef SW_SOURCES_SAMBA_UID_NAMES_H
#define SW_SOURCES_SAMBA_UID_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buffer.h"
#include "agent/base/string.h"

#define SW_UID_NAMES_MAX     16384 /* ids remembered; more are looked up each time */
#define SW_UID_NAME_SIZE_MAX 255   /* bytes; longer names are not remembered */

struct sw_uid_name {
    uint32_t uid;
    char *name;
};

struct sw_uid_names {
    struct sw_uid_name *items; /* sorted by uid */
    size_t count;
    size_t capacity;
    bool (*lookup)(uint32_t uid, struct sw_buf *name); /* the system's; NULL: none */
};

/* Frees what was learned; zeroed is empty. */
void sw_uid_names_fini(struct sw_uid_names *names);

void sw_uid_names_learn(struct sw_uid_names *names, uint32_t uid, struct sw_str name);

/* Appends the name: learned, else the system's (which is then learned), else the number. */
void sw_uid_names_add(struct sw_uid_names *names, uint32_t uid, struct sw_buf *buf);

#endif
