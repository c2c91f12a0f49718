/* Old files of a log: PATH.1 is the youngest. */
#ifndef SW_ROTATE_H
#define SW_ROTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/error.h"

#define SW_ROTATE_KEEP_MAX 1000

/* Renames path to path.1, path.1 to path.2 … up to the first number that is free; with all `keep`
 * of them taken the oldest goes. On failure path is where it was. */
bool sw_rotate_shift(const char *path, int64_t keep, struct sw_err *err);

#endif
