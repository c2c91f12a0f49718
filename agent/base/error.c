#include "agent/base/error.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/string.h"

void
sw_err_clear(struct sw_err *err)
{
    if (err != NULL) {
        err->code = 0;
        err->text[0] = '\0';
    }
}

static void SW_PRINTF(2, 0) err_format(struct sw_err *err, const char *format, va_list args)
{
    int size = vsnprintf(err->text, sizeof(err->text), format, args);
    if (size >= (int)sizeof(err->text)) {
        err->text[sw_utf8_cut(err->text, sizeof(err->text) - 1, sizeof(err->text) - 1)] = '\0';
    }
}

bool
sw_err_set(struct sw_err *err, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->code = 0;
        err_format(err, format, args);
        va_end(args);
    }
    return false;
}

bool
sw_err_set_os(struct sw_err *err, int os_code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err_format(err, format, args);
        va_end(args);

        char reason[128];
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof(err->text) - used, ": %s",
            strerror_r(os_code, reason, sizeof(reason)));
        err->code = os_code;
    }
    return false;
}

bool
sw_err_wrap(struct sw_err *err, const char *format, ...)
{
    if (err != NULL) {
        struct sw_err inner = *err;
        va_list args;
        va_start(args, format);
        err_format(err, format, args);
        va_end(args);

        size_t used = strlen(err->text);
        int size = snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner.text);
        if (size >= (int)(sizeof(err->text) - used)) {
            err->text[sw_utf8_cut(err->text, sizeof(err->text) - 1, sizeof(err->text) - 1)] = '\0';
        }
    }
    return false;
}
