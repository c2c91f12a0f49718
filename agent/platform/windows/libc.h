/*
 * The few functions of the C library that the code outside this folder uses and Windows' own has
 * not. CMake includes this file first in every source of the Windows build.
 */
#ifndef SW_PLATFORM_WINDOWS_LIBC_H
#define SW_PLATFORM_WINDOWS_LIBC_H

#include <stddef.h>

/* As GNU's: the text may be in buffer or not. */
char *strerror_r(int code, char *buffer, size_t size);

void *memmem(const void *where, size_t where_size, const void *what, size_t what_size);

#endif
