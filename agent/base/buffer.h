/*
 * A growing run of bytes with a declared maximum. The first append that would pass the maximum
 * (or finds no memory) sets `failed`, changes nothing, and makes all later appends do nothing:
 * a writer appends without looking and its caller asks once, at the end.
 */
#ifndef SW_BASE_BUFFER_H
#define SW_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/base/error.h"

struct sw_buf {
    char *data;  /* NUL-terminated once anything was appended; NULL before */
    size_t size; /* bytes in use, without that NUL */
    size_t capacity;
    size_t max; /* bytes; what no append may pass */
    bool failed;
};

/* Nothing is allocated before the first append. A zeroed struct with max set is the same. */
void sw_buf_init(struct sw_buf *buf, size_t max);

/* Frees the bytes; the buffer is empty and usable again with the same maximum. */
void sw_buf_fini(struct sw_buf *buf);

/* Keeps the memory, forgets the bytes and the failure. */
void sw_buf_clear(struct sw_buf *buf);

/* Drops what lies beyond size. */
void sw_buf_truncate(struct sw_buf *buf, size_t size);

void sw_buf_add_growing(struct sw_buf *buf, const void *bytes, size_t size);

/* Most appends fit into what is there, writers of records make dozens each, and the size is often
 * a constant: so this is inline. */
static inline void
sw_buf_add(struct sw_buf *buf, const void *bytes, size_t size)
{
    if (buf->failed || size >= buf->capacity - buf->size) {
        sw_buf_add_growing(buf, bytes, size);
    } else if (size > 0) {
        memcpy(buf->data + buf->size, bytes, size);
        buf->size += size;
        buf->data[buf->size] = '\0';
    }
}

static inline void
sw_buf_add_char(struct sw_buf *buf, char byte)
{
    sw_buf_add(buf, &byte, 1);
}

void sw_buf_add_text(struct sw_buf *buf, const char *text);
void sw_buf_add_int(struct sw_buf *buf, int64_t number);
void sw_buf_add_uint(struct sw_buf *buf, uint64_t number);
void sw_buf_printf(struct sw_buf *buf, const char *format, ...) SW_PRINTF(2, 3);

/* For what must be fast: writes the digits where the caller has room for SW_UINT_TEXT_MAX bytes,
 * without a NUL; returns where they end. */
#define SW_UINT_TEXT_MAX 20
char *sw_uint_put(char *at, uint64_t number);

/* Room for size more bytes and a NUL, to be filled by the caller who then adds to buf->size what it
 * wrote and ends it with that NUL (sw_buf_truncate does); NULL (and failed) when that would pass
 * the maximum. */
char *sw_buf_reserve(struct sw_buf *buf, size_t size);

/* The bytes as a NUL-terminated string that the caller frees; the buffer is empty afterwards.
 * "" when nothing was appended. */
char *sw_buf_take(struct sw_buf *buf);

/* The bytes as a string, borrowed; "" when nothing was appended. */
const char *sw_buf_text(const struct sw_buf *buf);

#endif
