#include "sinks/syslog/route.h"

#include "agent/base/time_text.h"

#define ROUTE_FRESH_NS (60 * SW_NS_PER_S)
#define ROUTE_WAIT_NS  (2 * SW_NS_PER_S)

void
sw_syslog_route_init(struct sw_syslog_route *route)
{
    *route = (struct sw_syslog_route){.asked_at_ns = SW_TIME_NONE};
}

bool
sw_syslog_route_is_due(const struct sw_syslog_route *route, int64_t now_ns)
{
    return route->known.count == 0 || route->is_doubtful || route->asked_at_ns != SW_TIME_NONE ||
           now_ns - route->fresh_at_ns >= ROUTE_FRESH_NS;
}

int64_t
sw_syslog_route_ask(struct sw_syslog_route *route, int64_t now_ns, int64_t deadline_ns)
{
    if (route->asked_at_ns == SW_TIME_NONE) {
        route->asked_at_ns = now_ns;
    }
    int64_t patience_ns = route->asked_at_ns + ROUTE_WAIT_NS;
    return route->known.count > 0 && patience_ns < deadline_ns ? patience_ns : deadline_ns;
}

const struct sw_address *
sw_syslog_route_address(const struct sw_syslog_route *route)
{
    return &route->known.items[route->at];
}

/* The answer's place of the address that is sent to; count: it is not among them. */
static size_t
route_place(const struct sw_syslog_route *route, const struct sw_addresses *found)
{
    size_t at = 0;
    while (route->known.count > 0 && at < found->count &&
           !sw_address_equal(&found->items[at], sw_syslog_route_address(route))) {
        at++;
    }
    return route->known.count > 0 ? at : found->count;
}

enum sw_syslog_turn
sw_syslog_route_found(struct sw_syslog_route *route, const struct sw_addresses *found)
{
    size_t at = route_place(route, found);
    enum sw_syslog_turn turn = at < found->count ? SW_SYSLOG_TURN_NONE : SW_SYSLOG_TURN_MOVE;
    if (turn == SW_SYSLOG_TURN_NONE && route->is_doubtful && found->count > 1) {
        turn = SW_SYSLOG_TURN_NEXT;
        at++;
    }
    route->known = *found;
    route->at = at % found->count;
    route->fresh_at_ns = found->found_at_ns;
    route->asked_at_ns = SW_TIME_NONE;
    route->is_doubtful = false;
    return turn;
}

enum sw_syslog_turn
sw_syslog_route_not_found(struct sw_syslog_route *route, int64_t now_ns)
{
    bool turns = route->is_doubtful && route->known.count > 1;
    route->fresh_at_ns = now_ns;
    route->asked_at_ns = SW_TIME_NONE;
    route->is_doubtful = false;
    if (turns) {
        sw_syslog_route_skip(route);
    }
    return turns ? SW_SYSLOG_TURN_NEXT : SW_SYSLOG_TURN_NONE;
}

void
sw_syslog_route_doubt(struct sw_syslog_route *route)
{
    route->is_doubtful = true;
}

void
sw_syslog_route_skip(struct sw_syslog_route *route)
{
    route->at = (route->at + 1) % route->known.count;
}
