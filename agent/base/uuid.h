/*
 * UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, the rest random. Pure: whoever makes one
 * brings time and random bits, so that `replay` gives the same ids for the same input.
 */
#ifndef SW_BASE_UUID_H
#define SW_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buffer.h"
#include "agent/base/string.h"

#define SW_UUID_TEXT_SIZE 36 /* characters, no NUL */

struct sw_uuid {
    uint8_t bytes[16];
};

#define SW_UUID_POOL_SIZE 512 /* bytes; a multiple of the 8 that one id takes */

/* Where ids come from: random() fills bytes. One source serves one thread. */
struct sw_uuid_source {
    void (*random)(void *context, uint8_t *bytes, size_t size);
    void *context;
    /* Random bytes are taken in stock, because asking the system costs more than the rest. */
    uint8_t pool[SW_UUID_POOL_SIZE];
    size_t pool_left;
    /* Ids of one source and one millisecond ascend: a counter in the 12 bits of rand_a
     * (RFC 9562 §6.2, method 1). */
    int64_t last_ms;
    uint16_t counter;
};

struct sw_uuid sw_uuid_make(struct sw_uuid_source *source, int64_t wall_ns);

bool sw_uuid_is_nil(const struct sw_uuid *uuid);
int sw_uuid_compare(const struct sw_uuid *a, const struct sw_uuid *b);

/* 8-4-4-4-12, lower case. */
void sw_uuid_add(struct sw_buf *buf, const struct sw_uuid *uuid);
void sw_uuid_put(char text[SW_UUID_TEXT_SIZE], const struct sw_uuid *uuid); /* no NUL */

/* A random() whose context is a uint64_t seed (SplitMix64): for tests and for `replay`. */
void sw_uuid_seeded_random(void *seed, uint8_t *bytes, size_t size);

#endif
