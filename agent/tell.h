/*
 * From changes to events: what the diff found and what the poller decided becomes stored forms,
 * collected for one transaction. Pure but for the ids and times it is given.
 */
#ifndef SW_TELL_H
#define SW_TELL_H

#include "agent/diff.h"
#include "agent/event.h"

/* Events of one look, in order, in their stored form. Zeroed and given ids is ready. */
struct sw_tell {
    struct sw_buf bytes;
    size_t *ends; /* of each event in bytes */
    size_t count;
    size_t capacity;
    struct sw_uuid_source *ids;
};

void sw_tell_init(struct sw_tell *tell, struct sw_uuid_source *ids);
void sw_tell_fini(struct sw_tell *tell);
void sw_tell_clear(struct sw_tell *tell);

/* Gives the event its id and adds it. false: the look's events have reached 256 MiB. */
bool sw_tell_add(struct sw_tell *tell, struct sw_event *event);

/* The events as one array for sw_journal_write; the caller frees it. */
struct sw_str *sw_tell_events(const struct sw_tell *tell);

struct sw_tell_look {
    const char *source;
    struct sw_str server;
    int64_t taken_at_ns;      /* of the look that noticed */
    int64_t last_taken_at_ns; /* of the last complete look before it: what was there was last seen
                                 then */
    bool baseline;            /* opens are told from a first look */
    size_t max_events;        /* what is beyond is summed up in one source.flooded */
};

/* Adds an event for every change of the diff. old: the baseline that the diff compared with (NULL
 * at a first look). */
void sw_tell_diff(struct sw_tell *tell, const struct sw_tell_look *look, const struct sw_diff *diff,
    const struct sw_baseline *old);

#endif
