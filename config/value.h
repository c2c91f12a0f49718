/* One scalar's text as a value: pure parsing, no places, no messages. */
#ifndef SW_CONFIG_VALUE_H
#define SW_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/string.h"

enum sw_value {
    SW_VALUE_OK,
    SW_VALUE_NO_UNIT,     /* a number alone where a unit is needed */
    SW_VALUE_WRONG,       /* not of this type */
    SW_VALUE_OUT_OF_RANGE /* too large for the type itself */
};

/* -?[0-9]+ without leading zeros. */
enum sw_value sw_value_int(struct sw_str text, int64_t *number);
/* [0-9]+(ms|s|m|h|d), or 0. */
enum sw_value sw_value_duration(struct sw_str text, int64_t *duration_ns);
/* [0-9]+/s, or 0. */
enum sw_value sw_value_rate(struct sw_str text, int64_t *per_second);
/* [0-9]+(B|KB|MB|GB|KiB|MiB|GiB), or 0. */
enum sw_value sw_value_size(struct sw_str text, uint64_t *size);

#endif
