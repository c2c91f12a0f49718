/*
 * A chunk: events that follow each other, stored as one row. SQLite's price is by the row, an
 * event is small, and one look's events come, are read and go together. Pure.
 *
 * Stored form: of each event its size (4 bytes, little endian), then its bytes.
 */
#ifndef SW_JOURNAL_CHUNK_H
#define SW_JOURNAL_CHUNK_H

#include "agent/base/string.h"

/* A chunk is full at either. Small enough that what a damaged page takes along and what stays
 * behind when old events go is little; one large event may be a chunk of more bytes. */
#define JOURNAL_CHUNK_BYTES  ((size_t)16 << 10)
#define JOURNAL_CHUNK_EVENTS ((size_t)256)

/* How many of the first of the events go into one chunk (at least one), and its size in bytes. */
size_t journal_chunk_fit(const struct sw_str *events, size_t count, size_t *size);
/* Writes the chunk of these events; to: as many bytes as journal_chunk_fit has said. */
void journal_chunk_write(const struct sw_str *events, size_t count, char *to);

/* What is still to be read of a chunk. */
struct journal_chunk {
    uint64_t seq; /* of the next event */
    uint64_t end; /* behind the last */
    const char *at;
};

/* false: that is no chunk of `count` events from number `first` on. bytes are borrowed. */
bool journal_chunk_begin(
    struct journal_chunk *chunk, uint64_t first, uint64_t count, struct sw_str bytes);
/* The event chunk->seq, and on to the one behind it. false: that was all. */
bool journal_chunk_next(struct journal_chunk *chunk, uint64_t *seq, struct sw_str *event);

#endif
