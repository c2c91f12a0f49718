#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"

/* The stream owns the handle. */
static FILE *
stream_of(HANDLE handle, int flags, const char *mode, const char *path, struct sw_err *err)
{
    int fd = _open_osfhandle((intptr_t)handle, flags | _O_BINARY | _O_NOINHERIT);
    FILE *file = fd >= 0 ? _fdopen(fd, mode) : NULL;
    if (file == NULL) {
        sw_err_set(err, "open %s: too many files are open", path);
        if (fd >= 0) {
            _close(fd);
        } else {
            CloseHandle(handle);
        }
    }
    return file;
}

FILE *
sw_file_open(const char *path, uint64_t *size, struct sw_err *err)
{
    wchar_t *wide = win_path(path, err);
    if (wide == NULL) {
        return NULL;
    }
    HANDLE handle =
        CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            NULL, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    DWORD code = GetLastError();
    LARGE_INTEGER bytes = {.QuadPart = 0};
    DWORD attributes = GetFileAttributesW(wide);
    free(wide);
    bool is_folder =
        attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    if (handle == INVALID_HANDLE_VALUE && !is_folder) {
        win_fail(err, code, "open %s", path);
        return NULL;
    }
    if (is_folder || GetFileType(handle) != FILE_TYPE_DISK || !GetFileSizeEx(handle, &bytes)) {
        sw_err_set(err, "%s is not a regular file", path);
        if (handle != INVALID_HANDLE_VALUE) {
            CloseHandle(handle);
        }
        return NULL;
    }
    *size = (uint64_t)bytes.QuadPart;
    return stream_of(handle, _O_RDONLY, "rb", path, err);
}

/* The C library's tmpfile() makes it in the root of the drive, where few may write. */
FILE *
sw_file_temporary(struct sw_err *err)
{
    wchar_t folder[MAX_PATH + 1];
    wchar_t path[MAX_PATH + 64];
    uint64_t number;
    DWORD size = GetTempPathW(MAX_PATH + 1, folder);
    if (size == 0 || size > MAX_PATH) {
        win_fail(err, GetLastError(), "find the folder of temporary files");
        return NULL;
    }
    sw_random(NULL, (uint8_t *)&number, sizeof(number));
    swprintf(path, sizeof(path) / sizeof(path[0]), L"%lssharewatch-%016llx.tmp", folder,
        (unsigned long long)number);
    HANDLE handle = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE, 0, NULL, CREATE_NEW,
        FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        win_fail(err, GetLastError(), "make a temporary file");
        return NULL;
    }
    return stream_of(handle, _O_RDWR, "w+b", "a temporary file", err);
}
