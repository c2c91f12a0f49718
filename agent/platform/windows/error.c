/* The system's codes: their text for people, and the errno that code elsewhere asks for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/platform/windows/system.h"

#ifndef ERROR_DISK_QUOTA_EXCEEDED /* mingw-w64 10 lacks it */
#define ERROR_DISK_QUOTA_EXCEEDED 1295
#endif

static const struct {
    DWORD code;
    int number;
} error_numbers[] = {
    {ERROR_FILE_NOT_FOUND, ENOENT},
    {ERROR_PATH_NOT_FOUND, ENOENT},
    {ERROR_INVALID_DRIVE, ENOENT},
    {ERROR_BAD_NETPATH, ENOENT},
    {ERROR_BAD_NET_NAME, ENOENT},
    {ERROR_INVALID_NAME, EINVAL},
    {ERROR_ACCESS_DENIED, EACCES},
    {ERROR_PRIVILEGE_NOT_HELD, EPERM},
    {ERROR_SHARING_VIOLATION, EBUSY},
    {ERROR_LOCK_VIOLATION, EBUSY},
    {ERROR_FILE_EXISTS, EEXIST},
    {ERROR_ALREADY_EXISTS, EEXIST},
    {ERROR_DIRECTORY, ENOTDIR},
    {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
    {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
    {ERROR_DISK_FULL, ENOSPC},
    {ERROR_HANDLE_DISK_FULL, ENOSPC},
    {ERROR_DISK_QUOTA_EXCEEDED, ENOSPC},
    {ERROR_FILE_TOO_LARGE, EFBIG},
    {ERROR_BROKEN_PIPE, EPIPE},
    {ERROR_NO_DATA, EPIPE},
    {ERROR_PIPE_NOT_CONNECTED, EPIPE},
    {ERROR_INVALID_HANDLE, EBADF},
    {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
    {ERROR_OUTOFMEMORY, ENOMEM},
    {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    {ERROR_WRITE_PROTECT, EROFS},
    {ERROR_INVALID_PARAMETER, EINVAL},
    {ERROR_BAD_EXE_FORMAT, ENOEXEC},
};

int
win_errno(DWORD code)
{
    for (size_t i = 0; i < sizeof(error_numbers) / sizeof(error_numbers[0]); i++) {
        if (error_numbers[i].code == code) {
            return error_numbers[i].number;
        }
    }
    return EIO;
}

/* "Access is denied." as "Access is denied (error 5)": people look for the number. */
static void
error_describe(DWORD code, char *text, size_t size)
{
    wchar_t *found = NULL;
    DWORD count = FormatMessageW(
        FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
        NULL, code, 0, (wchar_t *)(void *)&found, 0, NULL);
    while (count > 0 && wcschr(L" .\r\n", found[count - 1]) != NULL) {
        found[--count] = L'\0';
    }
    char *narrow = count > 0 ? win_narrow(found) : NULL;
    snprintf(text, size, "%.200s%serror %lu%s", narrow != NULL ? narrow : "",
        narrow != NULL ? " (" : "", (unsigned long)code, narrow != NULL ? ")" : "");
    free(narrow);
    LocalFree(found);
}

bool
win_fail(struct sw_err *err, DWORD code, const char *format, ...)
{
    if (err != NULL) {
        char what[SW_ERR_TEXT_SIZE];
        char why[256];
        va_list args;
        va_start(args, format);
        vsnprintf(what, sizeof(what), format, args);
        va_end(args);
        error_describe(code, why, sizeof(why));
        sw_err_set(err, "%s: %s", what, why);
        err->code = win_errno(code);
    }
    return false;
}

sw_symbol
win_function(const wchar_t *library, const char *name)
{
    HMODULE module = GetModuleHandleW(library);
    FARPROC function = module != NULL ? GetProcAddress(module, name) : NULL;
    sw_symbol symbol = NULL;
    memcpy(&symbol, &function, sizeof(symbol));
    return symbol;
}
