/*
 * The agent's own log: one line an entry, the part that speaks first ("source fs01: …"). There is
 * no global: whoever may speak was given a struct sw_log.
 */
#ifndef SW_BASE_LOG_H
#define SW_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"

enum sw_log_level { SW_LOG_ERROR, SW_LOG_WARN, SW_LOG_INFO, SW_LOG_DEBUG };

#define SW_LOG_LINE_MAX 2048 /* bytes; longer lines are cut */

struct sw_log {
    enum sw_log_level level; /* entries above it are dropped; read and written atomically */
    /* Writes one line without newline, already printable (sw_text_printable); any thread. */
    void (*write)(void *context, enum sw_log_level level, const char *line, size_t size);
    void *context;
};

/* Safe with log == NULL (says nothing). */
void sw_log(const struct sw_log *log, enum sw_log_level level, const char *part, const char *format,
    ...) SW_PRINTF(4, 5);

/* While other threads may be speaking. */
void sw_log_set_level(struct sw_log *log, enum sw_log_level level);

/* Lets `burst` entries an hour through. Pure; zeroed is ready. */
struct sw_log_limit {
    int64_t window_from_ns;
    unsigned count;
    unsigned suppressed; /* since the window began */
};

/* true: speak. When a new window begins, *suppressed tells how many stayed unsaid in the last. */
bool sw_log_limit_allows(
    struct sw_log_limit *limit, int64_t now_ns, unsigned burst, unsigned *suppressed);

#endif
