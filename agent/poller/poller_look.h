/* One look on its way, shared by poller_look.c (asking), poller_failed.c, poller_complete.c and
 * poller_store.c. */
#ifndef SW_POLLER_LOOK_H
#define SW_POLLER_LOOK_H

#include "agent/base/time_text.h"
#include "agent/poller/poller_private.h"

/* The journal hears of a state that has not changed this often. */
#define LOOK_STATE_EVERY_NS (60 * SW_NS_PER_S)

/* Everything about one look, so that nothing of the poller changes before the journal has it. */
struct look {
    struct sw_look_facts facts;
    int64_t boot_ns; /* when it ended */
    int64_t wall_ns;
    struct sw_snapshot *snapshot;
    bool repeated;
    bool dated; /* the look came with a time of its own */
    bool first; /* a new baseline: nothing to compare with */
    bool pointed_elsewhere;
    bool several_servers; /* answer to the name: more looks would not make it surer */
    struct sw_diff diff;
    struct sw_row_writes writes;
    struct sw_source_state state; /* as it will be */
    struct sw_poll_policy policy; /* as it will be */
};

bool look_is_recorded(const struct sw_poller *poller);

/* One transaction: the state, the rows (NULL: none) and what the poller has collected to tell. A
 * refusal is said in the log, not too often. */
bool look_append(struct sw_poller *poller, const struct sw_source_state *state,
    const struct sw_row_writes *writes, bool replace_rows, struct sw_err *err);

/* The look is done with: a source that has to begin anew begins behind it. */
void look_set_done(struct sw_poller *poller, const struct look *look);

/* The status to come, and since when. */
void look_set_status(struct look *look, enum sw_source_status status, const char *error);

/* A position without its identity is none: a restart reads those looks once more, and must not
 * count them twice. */
bool look_can_be_stored(const struct sw_poller *poller, const struct sw_source_state *state);

/* The look has failed, for the reason in err: backoff, unreachable, state. */
enum sw_looked look_failed(
    struct sw_poller *poller, struct look *look, enum sw_poll_result result, struct sw_err *err);

/* The look has a snapshot: compared, told, stored, believed; or failed after all. */
enum sw_looked look_complete(struct sw_poller *poller, struct look *look, struct sw_err *err);

#endif
