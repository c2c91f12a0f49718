/*
 * What went wrong, for a person: one caller-owned record, filled by the deepest function that
 * knows, wrapped on the way up ("sink 'print': open /x: permission denied"), logged once by the
 * layer that decides. No allocation, so that it works when memory is short.
 */
#ifndef SW_BASE_ERROR_H
#define SW_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#define SW_ERR_TEXT_SIZE 512 /* bytes, with the NUL; longer texts are cut at a UTF-8 boundary */

#if defined(__GNUC__)
#if defined(__clang__)
#define SW_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else /* where the C library's own printf differs, ours is still the standard's */
#define SW_PRINTF(format_at, args_at) __attribute__((format(gnu_printf, format_at, args_at)))
#endif
#define SW_MUST_CHECK __attribute__((warn_unused_result))
#else
#define SW_PRINTF(format_at, args_at)
#define SW_MUST_CHECK
#endif

struct sw_err {
    int code; /* the system's or the server's own number; 0 when there is none */
    char text[SW_ERR_TEXT_SIZE];
};

/* Empties *err. Like all functions here, does nothing when err is NULL. */
void sw_err_clear(struct sw_err *err);

/* Sets text and code (0). Always returns false, so that `return sw_err_set(err, …);` reads well. */
bool sw_err_set(struct sw_err *err, const char *format, ...) SW_PRINTF(2, 3);

/* As sw_err_set, with a code of the system (errno) appended as ": " + its text. */
bool sw_err_set_os(struct sw_err *err, int os_code, const char *format, ...) SW_PRINTF(3, 4);

/* Puts the formatted text and ": " in front of what *err says; keeps the code. Returns false. */
bool sw_err_wrap(struct sw_err *err, const char *format, ...) SW_PRINTF(2, 3);

#endif
