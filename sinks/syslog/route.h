/*
 * Which of a name's addresses a sink sends to, and when the name is looked up again: when the last
 * lookup is a minute old, and after an error. Pure: `now` in.
 */
#ifndef SW_SYSLOG_ROUTE_H
#define SW_SYSLOG_ROUTE_H

#include "agent/platform/platform.h"

struct sw_syslog_route {
    struct sw_addresses known; /* count 0: none yet */
    size_t at;                 /* of them, the one that is sent to */
    int64_t fresh_at_ns;       /* when they were found, or last not found */
    int64_t asked_at_ns;       /* SW_TIME_NONE: no lookup is under way */
    bool is_doubtful;          /* there was an error since */
};

void sw_syslog_route_init(struct sw_syslog_route *route);

/* Is the name to be looked up before this send? */
bool sw_syslog_route_is_due(const struct sw_syslog_route *route, int64_t now_ns);

/* A lookup is begun, or one that is under way is waited for; until when, at most the deadline:
 * where an address is known, name servers that hang must not hold up events for long. */
int64_t sw_syslog_route_ask(struct sw_syslog_route *route, int64_t now_ns, int64_t deadline_ns);

enum sw_syslog_turn {
    SW_SYSLOG_TURN_NONE, /* the address is the one from before */
    SW_SYSLOG_TURN_NEXT, /* another one of the same name, after an error */
    SW_SYSLOG_TURN_MOVE, /* the name leads elsewhere now; also the very first answer */
};

enum sw_syslog_turn
sw_syslog_route_found(struct sw_syslog_route *route, const struct sw_addresses *found);

/* The lookup failed: what is known stays. */
enum sw_syslog_turn sw_syslog_route_not_found(struct sw_syslog_route *route, int64_t now_ns);

/* The address is no good: the next send looks again, and takes another if there is one. */
void sw_syslog_route_doubt(struct sw_syslog_route *route);

/* The next of the known ones, right now (this one cannot even be tried). */
void sw_syslog_route_skip(struct sw_syslog_route *route);

/* known.count must not be 0. */
const struct sw_address *sw_syslog_route_address(const struct sw_syslog_route *route);

#endif
