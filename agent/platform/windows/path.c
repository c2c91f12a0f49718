#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"

static bool
path_is_slash(char byte)
{
    return byte == '/' || byte == '\\';
}

static bool
path_has_drive(const char *path)
{
    return ((path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z')) &&
           path[1] == ':';
}

/* Bytes that lead to the root of what the path is on: "C:\", "\\", "\", "C:". */
static size_t
path_root(const char *path)
{
    if (path_has_drive(path)) {
        return path_is_slash(path[2]) ? 3 : 2;
    }
    return path_is_slash(path[0]) ? 1 + (size_t)path_is_slash(path[1]) : 0;
}

/* Where the last part begins; *end: where it ends, in front of slashes. */
static size_t
path_last(const char *path, size_t *end)
{
    size_t root = path_root(path);
    *end = strlen(path);
    while (*end > root && path_is_slash(path[*end - 1])) {
        (*end)--;
    }
    size_t begin = *end;
    while (begin > root && !path_is_slash(path[begin - 1])) {
        begin--;
    }
    return begin;
}

void
sw_path_folder(const char *path, struct sw_buf *buf)
{
    size_t end;
    size_t root = path_root(path);
    size_t begin = path_last(path, &end);
    while (begin > root && path_is_slash(path[begin - 1])) {
        begin--;
    }
    if (begin == 0) {
        sw_buf_add_text(buf, ".");
    } else {
        sw_buf_add(buf, path, begin);
    }
}

const char *
sw_path_name(const char *path)
{
    size_t end;
    return path + path_last(path, &end);
}

bool
sw_path_is_absolute(const char *path)
{
    return (path_has_drive(path) && path_is_slash(path[2])) ||
           (path_is_slash(path[0]) && path_is_slash(path[1])) ||
           _strnicmp(path, WIN_PROGRAM_DATA, sizeof(WIN_PROGRAM_DATA) - 1) == 0;
}

/* "\folder" and "C:folder" are of some drive's current folder: left as they are, for the system to
 * make of them what it always does. The slash is the one that whoever wrote the folder uses. */
void
sw_path_join(const char *folder, const char *path, struct sw_buf *buf)
{
    if (!sw_path_is_absolute(path) && path_root(path) == 0 && folder[0] != '\0') {
        char last = folder[strlen(folder) - 1];
        bool is_slashed = strchr(folder, '/') != NULL && strchr(folder, '\\') == NULL;
        sw_buf_add_text(buf, folder);
        if (!path_is_slash(last) && last != ':') {
            sw_buf_add_char(buf, is_slashed ? '/' : '\\');
        }
    }
    sw_buf_add_text(buf, path);
}

/* Without the \\?\ that it begins with: libraries, and people, do not expect it. */
static char *
path_of_handle(HANDLE handle, struct sw_err *err, const char *path)
{
    DWORD size = GetFinalPathNameByHandleW(handle, NULL, 0, 0);
    wchar_t *wide = sw_calloc((size_t)size + 1, sizeof(*wide));
    DWORD used = GetFinalPathNameByHandleW(handle, wide, size + 1, 0);
    char *narrow = NULL;
    if (used == 0 || used > size) {
        win_fail(err, GetLastError(), "find out where %s leads", path);
    } else if (wcsncmp(wide, L"\\\\?\\UNC\\", 8) == 0) {
        wide[6] = L'\\';
        narrow = win_narrow(wide + 6);
    } else {
        narrow = win_narrow(wide + (wcsncmp(wide, L"\\\\?\\", 4) == 0 ? 4 : 0));
    }
    free(wide);
    return narrow;
}

char *
sw_path_resolve(const char *path, struct sw_err *err)
{
    wchar_t *wide = win_path(path, err);
    if (wide == NULL) {
        return NULL;
    }
    HANDLE handle = CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
        NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD code = GetLastError();
    free(wide);
    if (handle == INVALID_HANDLE_VALUE) {
        win_fail(err, code, "%s", path);
        return NULL;
    }
    char *found = path_of_handle(handle, err, path);
    CloseHandle(handle);
    return found;
}
