#include "agent/base/log.h"

#include <stdio.h>

#include "agent/base/string.h"
#include "agent/base/time_text.h"

void
sw_log(const struct sw_log *log, enum sw_log_level level, const char *part, const char *format, ...)
{
    if (log == NULL || log->write == NULL ||
        level > __atomic_load_n(&log->level, __ATOMIC_RELAXED)) {
        return;
    }
    char text[SW_LOG_LINE_MAX];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (size < 0) {
        return;
    }
    size_t used = (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1;

    struct sw_buf line;
    sw_buf_init(&line, (size_t)16 * SW_LOG_LINE_MAX);
    if (part != NULL) {
        sw_text_printable(&line, sw_str_of(part));
        sw_buf_add_text(&line, ": ");
    }
    sw_text_printable(&line, (struct sw_str){text, used});
    log->write(log->context, level, sw_buf_text(&line), line.size);
    sw_buf_fini(&line);
}

void
sw_log_set_level(struct sw_log *log, enum sw_log_level level)
{
    __atomic_store_n(&log->level, level, __ATOMIC_RELAXED);
}

bool
sw_log_limit_allows(
    struct sw_log_limit *limit, int64_t now_ns, unsigned burst, unsigned *suppressed)
{
    *suppressed = 0;
    if (limit->count == 0 || now_ns - limit->window_from_ns >= 3600 * SW_NS_PER_S) {
        *suppressed = limit->suppressed;
        *limit = (struct sw_log_limit){.window_from_ns = now_ns};
    }
    if (limit->count < burst) {
        limit->count++;
        return true;
    }
    limit->suppressed++;
    return false;
}
