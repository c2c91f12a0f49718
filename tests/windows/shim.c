#include "tests/windows/shim.h"

#include <direct.h>
#include <errno.h>
#include <process.h>
#include <stdio.h>
#include <string.h>

char *
mkdtemp(char *pattern)
{
    static unsigned count;
    char *end = pattern + strlen(pattern) - 6;
    for (int i = 0; i < 1000; i++) {
        snprintf(end, 7, "%06x", ((unsigned)_getpid() * 1009 + count++) & 0xFFFFFF);
        if (_mkdir(pattern) == 0) {
            return pattern;
        }
        if (errno != EEXIST) {
            return NULL;
        }
    }
    return NULL;
}

char *
strsep(char **text, const char *delimiters)
{
    char *begin = *text;
    if (begin == NULL) {
        return NULL;
    }
    char *end = begin + strcspn(begin, delimiters);
    *text = *end != '\0' ? end + 1 : NULL;
    *end = '\0';
    return begin;
}

char *
strcasestr(const char *text, const char *part)
{
    union {
        const char *borrowed;
        char *wanted;
    } at = {.borrowed = text};
    size_t size = strlen(part);
    for (; *at.borrowed != '\0'; at.borrowed++) {
        if (_strnicmp(at.borrowed, part, size) == 0) {
            return at.wanted;
        }
    }
    return NULL;
}
