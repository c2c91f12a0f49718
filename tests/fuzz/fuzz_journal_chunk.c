/* Chunks of events: the first byte says how many there are to be; there is one form of each chunk,
 * so what is read must be written as the very same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/journal/journal_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_chunk chunk;
    struct sw_str events[UINT8_MAX];
    size_t count = 0;
    uint64_t seq;
    if (size == 0 || !journal_chunk_begin(
                         &chunk, 1, data[0], (struct sw_str){(const char *)data + 1, size - 1})) {
        return 0;
    }
    while (count < data[0] && journal_chunk_next(&chunk, &seq, &events[count])) {
        count++;
    }
    char *again = malloc(size);
    journal_chunk_write(events, count, again);
    if (count != data[0] || memcmp(again, data + 1, size - 1) != 0) {
        abort();
    }
    free(again);
    return 0;
}
