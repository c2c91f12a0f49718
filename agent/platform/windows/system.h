/*
 * What the files of this folder share: UTF-8 outside and UTF-16 at the edge, the system's errors as
 * ours, waiting on the boot clock, and who may touch what is private.
 *
 * platform.h keeps handles in ints, which is safe: Windows promises that only the lower 32 bits of
 * a handle are significant ("Interprocess Communication Between 32-bit and 64-bit Applications").
 */
#ifndef SW_PLATFORM_WINDOWS_SYSTEM_H
#define SW_PLATFORM_WINDOWS_SYSTEM_H

#include <winsock2.h>

#include <windows.h>

#include "agent/platform/platform.h"

static inline HANDLE
win_handle(int fd)
{
    return (HANDLE)(intptr_t)fd;
}

static inline int
win_fd(HANDLE handle)
{
    return (int)(intptr_t)handle;
}

/* ---- text.c */

/* UTF-8 to UTF-16 and back; freed by the caller, never NULL. Lone surrogates travel as the three
 * bytes their value has; other bytes that are no UTF-8 become U+FFFD. */
wchar_t *win_wide(const char *text);
char *win_narrow(const wchar_t *text);

/* What a path may begin with, for the folder that the variable names. */
#define WIN_PROGRAM_DATA "%ProgramData%"

/* The absolute form of a path, with \\?\ in front where it is too long for MAX_PATH; freed by the
 * caller. NULL: err says why. */
wchar_t *win_path(const char *path, struct sw_err *err);

/* ---- error.c */

/* The errno that callers know for a code of GetLastError() or WSAGetLastError(); EIO: none fits. */
int win_errno(DWORD code);

/* As sw_err_set, with ": " and the system's text for the code; err->code is win_errno(code). */
bool win_fail(struct sw_err *err, DWORD code, const char *format, ...) SW_PRINTF(3, 4);

/* A function that not every Windows (or Wine) has; NULL. */
sw_symbol win_function(const wchar_t *library, const char *name);

/* ---- command.c */

/* The arguments as one line that programs take apart again; freed by the caller. NULL: too long. */
wchar_t *win_command_line(const char *const *argv);

/* "NAME=value" one behind the other, a NUL behind each and one at the end; freed by the caller. */
wchar_t *win_environment_block(const char *const *env);

/* ---- wait.c */

#define WIN_WAIT_MAX  8
#define WIN_WAIT_OVER SIZE_MAX

/* Waits until one of the handles is signalled (its index, the first one's) or the boot clock passes
 * until_ns (WIN_WAIT_OVER; INT64_MAX: never), also when the machine slept meanwhile. NULL handles
 * are passed over. */
size_t win_wait(const HANDLE *handles, size_t count, int64_t until_ns);

/* ---- security.c */

/* For what is to be made: full access for SYSTEM, Administrators and ourselves, nobody else,
 * nothing inherited from above; in a folder, all that is made in it is the same. */
struct win_private {
    SECURITY_ATTRIBUTES attributes;
    void *descriptor;
};

bool win_private_init(struct win_private *private, struct sw_err *err);
void win_private_fini(struct win_private *private);

enum win_access {
    WIN_ACCESS_READ,    /* who can read or change it */
    WIN_ACCESS_REPLACE, /* who can change it or put another in its place */
    WIN_ACCESS_PASS,    /* of a folder on the way: who can replace what lies in it */
};

/* false (err names the path, who, and the remedy) when somebody other than SYSTEM, Administrators,
 * TrustedInstaller and ourselves owns the file or folder or has that access to it. */
bool win_access_check(HANDLE file, const char *path, enum win_access access, struct sw_err *err);

#endif
