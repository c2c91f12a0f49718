/* What test programs use of POSIX and mingw-w64 lacks. CMake includes it first in every source of a
 * test that is built for Windows. */
#ifndef SW_TESTS_WINDOWS_SHIM_H
#define SW_TESTS_WINDOWS_SHIM_H

char *mkdtemp(char *pattern);
char *strsep(char **text, const char *delimiters);
char *strcasestr(const char *text, const char *part);

#endif
