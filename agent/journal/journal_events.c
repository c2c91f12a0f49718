/* Events to rows of chunks and back. */
#include <inttypes.h>
#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/journal/journal_sql.h"

void
sql_put_events(struct journal_sql *sql, uint64_t first, const struct sw_str *events, size_t count)
{
    char *bytes = NULL;
    size_t capacity = 0;
    while (count > 0 && sql->rc == SQLITE_OK) {
        size_t size;
        size_t fit = journal_chunk_fit(events, count, &size);
        if (size > capacity) {
            capacity = size;
            bytes = sw_realloc(bytes, capacity, 1);
        }
        journal_chunk_write(events, fit, bytes);
        struct sql_use use = sql_use(sql, SQL_CHUNK_ADD);
        sql_put_uint(&use, first);
        sql_put_uint(&use, fit);
        sql_put_bytes(&use, bytes, size);
        sql_run(&use);
        first += fit;
        events += fit;
        count -= fit;
    }
    free(bytes);
}

bool
sql_take_chunk(struct sql_use *use, struct journal_chunk *chunk)
{
    uint64_t first = sql_take_uint(use);
    uint64_t count = sql_take_uint(use);
    if (journal_chunk_begin(chunk, first, count, sql_take_bytes(use))) {
        return true;
    }
    sql_note_damage(use->sql, "the events from %" PRIu64 " on are damaged", first);
    return false;
}

void
sql_read_events(
    struct journal_sql *sql, uint64_t after, size_t max_records, struct sw_journal_batch *batch)
{
    struct sql_use use = sql_use(sql, SQL_CHUNK_READ);
    struct journal_chunk chunk;
    bool goes_on = true;
    sql_put_uint(&use, after + 1);
    while (goes_on && sql_step(&use) && sql_take_chunk(&use, &chunk)) {
        uint64_t seq;
        struct sw_str event;
        while (goes_on && journal_chunk_next(&chunk, &seq, &event)) {
            if (seq > after) {
                goes_on = journal_batch_add(batch, seq, event) && batch->count < max_records;
            }
        }
    }
    sql_end(&use);
}

uint64_t
sql_last_event(struct journal_sql *sql)
{
    struct sql_use use = sql_use(sql, SQL_CHUNK_NEWEST);
    struct journal_chunk chunk = {0};
    bool found = sql_step(&use) && sql_take_chunk(&use, &chunk);
    sql_end(&use);
    return found ? chunk.end - 1 : 0;
}
