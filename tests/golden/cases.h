/*
 * Events that every format is tested with: one per kind, and what strangers can put into names;
 * and their comparison with golden files, byte by byte. After an intended change write them anew
 * and read the difference:
 *
 *     SW_GOLDEN_UPDATE=1 build/dev/tests/golden/golden_json && git diff tests/golden
 */
#ifndef SW_TESTS_GOLDEN_CASES_H
#define SW_TESTS_GOLDEN_CASES_H

#include "sinks/format/format.h"

struct golden_case {
    const char *name;
    struct sw_event (*event)(void); /* strings are static */
};

extern const struct golden_case golden_cases[];
extern const size_t golden_cases_count;

/* The agent runs on fs01. */
struct sw_format_context golden_context(void);

size_t golden_find(const char *name);

/* Initialises buf and writes the case into it; returns what the format does. */
bool
golden_format(size_t at, const struct sw_format *format, const void *options, struct sw_buf *buf);

/* Every case against tests/golden/FOLDER/CASE and suffix, which hold it with a newline. */
void golden_compare(
    const char *folder, const char *suffix, const struct sw_format *format, const void *options);

#endif
