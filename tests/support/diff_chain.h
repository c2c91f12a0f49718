/* A chain of looks for tests of the diff: each is compared with the one before and becomes the
 * next baseline. What must hold for every diff is checked at every look. */
#ifndef SW_TESTS_SUPPORT_DIFF_CHAIN_H
#define SW_TESTS_SUPPORT_DIFF_CHAIN_H

#include <stdint.h>

#include "agent/diff.h"

struct diff_chain {
    struct sw_baseline old; /* snapshot == NULL: no look so far */
    struct sw_diff diff;    /* of the last look; its baseline is still in it */
    struct sw_diff_rules rules;
    enum sw_close_reason reason;
    uint64_t seed;
    struct sw_uuid_source ids;
};

void diff_chain_init(struct diff_chain *chain, uint64_t seed);
void diff_chain_fini(struct diff_chain *chain);

/* Compares; boot_ns may be SW_TIME_NONE. The last look becomes the baseline first. */
void diff_chain_look(struct diff_chain *chain, const struct sw_row *rows, size_t count,
    int64_t wall_ns, int64_t boot_ns, int64_t took_ns);

/* Whether every row of both sides is accounted for exactly once, changes are in order, sessions
 * that go on keep id and start, and ids are unique; *problem says what does not hold. */
bool diff_chain_holds(const struct diff_chain *chain, const char **problem);

#endif
