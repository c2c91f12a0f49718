/* In which order rows without ids are walked, and which of equal rows goes on. Private to diff*.c.
 */
#ifndef SW_DIFF_ORDER_H
#define SW_DIFF_ORDER_H

#include "agent/diff/diff_match.h"

/* Walks a side in place when its order is that of the key fields both looks reported; sorts an
 * index otherwise (the level changed). */
void sw_match_keyed_init(struct sw_match_keyed *keyed, struct sw_match *match);
void sw_match_keyed_fini(struct sw_match_keyed *keyed);

/* Among old rows of one key and age hands the partners to the smallest session ids. */
void sw_match_settle_ties(struct sw_match_keyed *keyed);

#endif
