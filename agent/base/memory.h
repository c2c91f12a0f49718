/*
 * Small allocations of our own: they abort when there is no memory, which is safe because the
 * journal is the truth and a supervisor starts us again. What configuration or network can make
 * large goes through struct sw_buf or a declared maximum instead and returns an error.
 */
#ifndef SW_BASE_MEMORY_H
#define SW_BASE_MEMORY_H

#include <stddef.h>

/* count * size zeroed bytes. Freed with free(). Never NULL. */
void *sw_calloc(size_t count, size_t size);

/* Grows or shrinks; new bytes are not initialised. Never NULL unless count * size is 0. */
void *sw_realloc(void *memory, size_t count, size_t size);

/* A copy the caller frees. Never NULL. */
char *sw_strdup(const char *text);
char *sw_strndup(const char *bytes, size_t size);

/* Zeroes a secret that is not needed any more; unlike memset, never left out by a compiler that
 * sees the memory freed next. NULL with size 0 is fine. */
void sw_wipe(void *memory, size_t size);

#endif
