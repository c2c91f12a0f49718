/* Rows that keep what the new look did not report. Private to diff*.c. */
#ifndef SW_DIFF_MERGE_H
#define SW_DIFF_MERGE_H

#include "agent/diff/diff_match.h"

/*
 * When matched old rows hold fields that no row of *snapshot has (the level fell), replaces it by
 * one whose matched rows have them too, with kept ages grown by the time that passed; from and to
 * follow the new order of rows, and match->now is *snapshot again. Ids are not kept: a snapshot has
 * them on all rows or on none. When there is no room for the kept names nothing is kept.
 */
void sw_diff_merge(struct sw_match *match, struct sw_snapshot **snapshot);

#endif
