/* Rows for tests: random ones with names that strangers would choose, and exact comparison. */
#ifndef SW_TESTS_SUPPORT_ROWS_H
#define SW_TESTS_SUPPORT_ROWS_H

#include "agent/snapshot.h"

/* Names with everything in them that a format, a terminal or a parser could trip over. */
extern const struct sw_str rows_hostile_names[];
extern const size_t rows_hostile_count;

/* 0 to limit - 1, the same for the same seed. */
uint32_t rows_random(uint64_t *seed, uint32_t limit);

/* Names come from rows_hostile_names and stay valid; keys repeat, any field but the client may be
 * missing. The row has no id. */
struct sw_row rows_random_row(uint64_t *seed);

/* Both in every field, "not reported" and empty apart. */
bool rows_equal(const struct sw_row *a, const struct sw_row *b);
bool rows_snapshots_equal(const struct sw_snapshot *a, const struct sw_snapshot *b);

#endif
