/*
 * The order of a snapshot's rows. Total: rows that compare equal are the same in every reported
 * field, so the order does not depend on the one in which a server lists its sessions.
 */
#ifndef SW_ROW_SORT_H
#define SW_ROW_SORT_H

#include "agent/snapshot.h"

/* Fills order[count] with indices of rows: with by_id by id, else by key, active (oldest first,
 * unknown last), and then whatever else tells two rows apart. At most count * log2(count)
 * comparisons whatever the names. false: no memory. count is at most SW_ROWS_MAX. */
SW_MUST_CHECK bool
sw_row_sort(const struct sw_row *rows, size_t count, bool by_id, uint32_t *order);

#endif
