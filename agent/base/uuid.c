#include "agent/base/uuid.h"

#include <string.h>

static void
uuid_take_random(struct sw_uuid_source *source, uint8_t bytes[8])
{
    if (source->pool_left == 0) {
        source->random(source->context, source->pool, sizeof(source->pool));
        source->pool_left = sizeof(source->pool);
    }
    source->pool_left -= 8;
    memcpy(bytes, source->pool + source->pool_left, 8);
}

struct sw_uuid
sw_uuid_make(struct sw_uuid_source *source, int64_t wall_ns)
{
    struct sw_uuid uuid;

    int64_t ms = wall_ns / 1000000;
    if (ms > source->last_ms) {
        source->last_ms = ms;
        source->counter = 0;
    } else if (++source->counter > 0x0FFF) {
        /* More than 4,096 in a millisecond, or a clock that went back: the id's own time goes on.
         */
        source->last_ms++;
        source->counter = 0;
    }
    ms = source->last_ms;
    for (size_t i = 0; i < 6; i++) {
        uuid.bytes[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
    }
    uuid.bytes[6] = (uint8_t)(0x70 | source->counter >> 8);
    uuid.bytes[7] = (uint8_t)source->counter;
    uuid_take_random(source, uuid.bytes + 8);
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3F));
    return uuid;
}

bool
sw_uuid_is_nil(const struct sw_uuid *uuid)
{
    static const struct sw_uuid nil;
    return memcmp(uuid, &nil, sizeof(nil)) == 0;
}

int
sw_uuid_compare(const struct sw_uuid *a, const struct sw_uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void
sw_uuid_put(char text[SW_UUID_TEXT_SIZE], const struct sw_uuid *uuid)
{
    static const uint8_t group_size[5] = {4, 2, 2, 2, 6};
    size_t at = 0;
    size_t byte = 0;
    for (size_t group = 0; group < 5; group++) {
        if (group > 0) {
            text[at++] = '-';
        }
        sw_hex_encode(text + at, uuid->bytes + byte, group_size[group]);
        at += 2u * group_size[group];
        byte += group_size[group];
    }
}

void
sw_uuid_add(struct sw_buf *buf, const struct sw_uuid *uuid)
{
    char text[SW_UUID_TEXT_SIZE];
    sw_uuid_put(text, uuid);
    sw_buf_add(buf, text, sizeof(text));
}

/* SplitMix64, Steele, Lea and Flood 2014. */
void
sw_uuid_seeded_random(void *seed, uint8_t *bytes, size_t size)
{
    uint64_t *state = seed;
    for (size_t i = 0; i < size; i++) {
        static const unsigned per_word = 8;
        uint64_t z;
        if (i % per_word == 0) {
            *state += 0x9E3779B97F4A7C15u;
        }
        z = *state;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        bytes[i] = (uint8_t)(z >> (8 * (i % per_word)));
    }
}
