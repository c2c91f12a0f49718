/* Keys and values in words: what a key takes, for errors and `help`; durations, sizes and rates the
 * way a configuration writes them. */
#ifndef SW_CONFIG_KEY_TEXT_H
#define SW_CONFIG_KEY_TEXT_H

#include <stdint.h>

#include "agent/base/buffer.h"
#include "config/schema.h"

/* "30s": the largest unit that needs no fraction. */
void sw_key_add_duration(struct sw_buf *buf, int64_t duration_ns);
void sw_key_add_size(struct sw_buf *buf, uint64_t size);
/* "2000/s" */
void sw_key_add_rate(struct sw_buf *buf, int64_t per_second);

/* "a duration such as 30s, 100ms or more". */
void sw_key_describe(struct sw_buf *buf, const struct sw_key *key);

/* "; did you mean 'interval'?" when one of names (NULL at its end) is near enough. */
void sw_key_add_nearest(struct sw_buf *buf, const char *name, const char *const *names);

/* "a, b, c" */
void sw_key_add_names(struct sw_buf *buf, const char *const *names, const char *between);

#endif
