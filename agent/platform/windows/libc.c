#include "agent/platform/windows/libc.h"

#include <stdint.h>
#include <string.h>

char *
strerror_r(int code, char *buffer, size_t size)
{
    if (strerror_s(buffer, size, code) != 0 && size > 0) {
        buffer[0] = '\0';
    }
    return buffer;
}

void *
memmem(const void *where, size_t where_size, const void *what, size_t what_size)
{
    const unsigned char *at = where;
    const unsigned char *wanted = what;
    if (what_size == 0 || what_size > where_size) {
        return what_size == 0 ? (void *)(uintptr_t)at : NULL;
    }
    const unsigned char *end = at + (where_size - what_size);
    while (at <= end) {
        at = memchr(at, wanted[0], (size_t)(end - at) + 1);
        if (at == NULL) {
            return NULL;
        }
        if (memcmp(at, wanted, what_size) == 0) {
            return (void *)(uintptr_t)at;
        }
        at++;
    }
    return NULL;
}
