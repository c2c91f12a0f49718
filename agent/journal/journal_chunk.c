#include "agent/journal/journal_chunk.h"

#include <string.h>

#include "agent/journal.h"

#define CHUNK_SIZE 4 /* bytes of an event's size */

size_t
journal_chunk_fit(const struct sw_str *events, size_t count, size_t *size)
{
    size_t fit = 0;
    *size = 0;
    while (fit < count && fit < JOURNAL_CHUNK_EVENTS) {
        size_t next = *size + CHUNK_SIZE + events[fit].size;
        if (fit > 0 && next > JOURNAL_CHUNK_BYTES) {
            break;
        }
        *size = next;
        fit++;
    }
    return fit;
}

void
journal_chunk_write(const struct sw_str *events, size_t count, char *to)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = events[i].size;
        for (size_t byte = 0; byte < CHUNK_SIZE; byte++) {
            *to++ = (char)(size >> (8 * byte) & 0xFF);
        }
        if (size > 0) {
            memcpy(to, events[i].data, size);
        }
        to += size;
    }
}

static size_t
chunk_size_at(const char *at)
{
    size_t size = 0;
    for (size_t byte = 0; byte < CHUNK_SIZE; byte++) {
        size |= (size_t)(unsigned char)at[byte] << (8 * byte);
    }
    return size;
}

bool
journal_chunk_begin(
    struct journal_chunk *chunk, uint64_t first, uint64_t count, struct sw_str bytes)
{
    const char *at = bytes.data;
    size_t left = bytes.size;
    *chunk = (struct journal_chunk){0};
    if (count == 0 || count > JOURNAL_CHUNK_EVENTS || first == 0 || first > INT64_MAX - count) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        size_t size = left >= CHUNK_SIZE ? chunk_size_at(at) : SIZE_MAX;
        if (size > SW_JOURNAL_EVENT_MAX || size > left - CHUNK_SIZE) {
            return false;
        }
        at += CHUNK_SIZE + size;
        left -= CHUNK_SIZE + size;
    }
    *chunk = (struct journal_chunk){first, first + count, bytes.data};
    return left == 0;
}

bool
journal_chunk_next(struct journal_chunk *chunk, uint64_t *seq, struct sw_str *event)
{
    if (chunk->seq == chunk->end) {
        return false;
    }
    *event = (struct sw_str){chunk->at + CHUNK_SIZE, chunk_size_at(chunk->at)};
    *seq = chunk->seq++;
    chunk->at = event->data + event->size;
    return true;
}
