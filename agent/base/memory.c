#include "agent/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
memory_or_abort(void *memory)
{
    if (memory == NULL) {
        fputs("sharewatch: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *
sw_calloc(size_t count, size_t size)
{
    return memory_or_abort(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *
sw_realloc(void *memory, size_t count, size_t size)
{
    if (count == 0 || size == 0) {
        free(memory);
        return NULL;
    }
    return memory_or_abort(count > SIZE_MAX / size ? NULL : realloc(memory, count * size));
}

char *
sw_strndup(const char *bytes, size_t size)
{
    char *copy = sw_calloc(size + 1, 1);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *
sw_strdup(const char *text)
{
    return sw_strndup(text, strlen(text));
}

void
sw_wipe(void *memory, size_t size)
{
    volatile unsigned char *at = memory;
    while (size-- > 0) {
        *at++ = 0;
    }
}
