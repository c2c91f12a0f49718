/* Which sessions the operator does not want to hear of. Pure. */
#ifndef SW_ROW_IGNORE_H
#define SW_ROW_IGNORE_H

#include "agent/snapshot.h"

/* Whether a pattern matches the user or the client, each as it came and bare: the user without its
 * domain (DOM\user, user@dom), the client without backslashes and brackets. What was not reported
 * matches nothing. */
bool sw_row_is_ignored(const struct sw_row *row, struct sw_globs users, struct sw_globs clients);

#endif
