#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"

#define FILE_CHUNK ((size_t)16 * 1024)
#define FILE_SHARE (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* INVALID_HANDLE_VALUE: *code says why. security: of a file that is made; may be NULL. */
static HANDLE
file_open(const char *path, DWORD access, DWORD share, DWORD how, DWORD flags,
    SECURITY_ATTRIBUTES *security, DWORD *code)
{
    struct sw_err err = {0};
    HANDLE handle = INVALID_HANDLE_VALUE;
    wchar_t *wide = win_path(path, &err);
    *code = ERROR_INVALID_NAME;
    if (wide != NULL) {
        handle = CreateFileW(wide, access, share, security, how, flags, NULL);
        *code = GetLastError();
        free(wide);
    }
    return handle;
}

/* What is made in the state folder inherits who may read it; what an administrator has us write
 * elsewhere inherits what that folder's administrator wants. */
void
sw_files_private(void)
{
}

static bool
folder_check(const char *path, struct sw_err *err)
{
    DWORD code;
    BY_HANDLE_FILE_INFORMATION info;
    HANDLE handle = file_open(path, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_SHARE, OPEN_EXISTING,
        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL, &code);
    if (handle == INVALID_HANDLE_VALUE) {
        return win_fail(err, code, "open folder %s", path);
    }
    bool good = GetFileInformationByHandle(handle, &info) &&
                (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 &&
                (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0;
    good = good ? win_access_check(handle, path, WIN_ACCESS_READ, err)
                : sw_err_set(err, "%s: a folder is needed, not a file, link or junction", path);
    CloseHandle(handle);
    return good;
}

bool
sw_folder_make(const char *path, struct sw_err *err)
{
    struct win_private private;
    wchar_t *wide = win_path(path, err);
    if (wide == NULL || !win_private_init(&private, err)) {
        free(wide);
        return false;
    }
    bool made = CreateDirectoryW(wide, &private.attributes);
    DWORD code = GetLastError();
    win_private_fini(&private);
    free(wide);
    if (!made && code == ERROR_ALREADY_EXISTS) {
        return folder_check(path, err);
    }
    return made || win_fail(err, code, "make folder %s", path);
}

bool
sw_folder_is_local(const char *path, struct sw_err *err)
{
    wchar_t root[MAX_PATH + 1];
    char *real = sw_path_resolve(path, err);
    if (real == NULL) {
        return false;
    }
    wchar_t *wide = win_wide(real);
    bool is_share = wide[0] == L'\\' && wide[1] == L'\\';
    bool asked = is_share || GetVolumePathNameW(wide, root, MAX_PATH + 1);
    bool is_remote = is_share || (asked && GetDriveTypeW(root) == DRIVE_REMOTE);
    if (!asked) {
        win_fail(err, GetLastError(), "ask for the drive of %s", path);
    } else if (is_remote) {
        sw_err_set(err,
            "%s: lies on a network drive, where locks and syncs cannot be trusted: name a local "
            "folder",
            path);
    }
    free(wide);
    free(real);
    return asked && !is_remote;
}

/* NTFS and ReFS log what happens to names; no handle of a folder can be flushed by an ordinary
 * account, and nothing needs it. */
bool
sw_folder_sync(const char *path, struct sw_err *err)
{
    (void)path;
    (void)err;
    return true;
}

bool
sw_folder_each(const char *path, void (*visit)(void *context, const char *name), void *context,
    struct sw_err *err)
{
    struct sw_buf pattern;
    sw_buf_init(&pattern, (size_t)128 * 1024);
    sw_path_join(path, "*", &pattern);
    wchar_t *wide = win_path(sw_buf_text(&pattern), err);
    sw_buf_fini(&pattern);
    if (wide == NULL) {
        return false;
    }
    WIN32_FIND_DATAW found;
    HANDLE search = FindFirstFileW(wide, &found);
    DWORD code = GetLastError();
    free(wide);
    if (search == INVALID_HANDLE_VALUE) {
        return code == ERROR_FILE_NOT_FOUND || win_fail(err, code, "list folder %s", path);
    }
    do {
        if (wcscmp(found.cFileName, L".") != 0 && wcscmp(found.cFileName, L"..") != 0) {
            char *name = win_narrow(found.cFileName);
            visit(context, name);
            free(name);
        }
    } while (FindNextFileW(search, &found));
    FindClose(search);
    return true;
}

/* ---- files */

bool
sw_file_make(const char *path, struct sw_err *err)
{
    DWORD code;
    struct win_private private;
    if (!win_private_init(&private, err)) {
        return false;
    }
    HANDLE handle = file_open(path, GENERIC_WRITE, FILE_SHARE, CREATE_NEW, FILE_ATTRIBUTE_NORMAL,
        &private.attributes, &code);
    win_private_fini(&private);
    if (handle == INVALID_HANDLE_VALUE) {
        return code == ERROR_FILE_EXISTS || win_fail(err, code, "make %s", path);
    }
    CloseHandle(handle);
    return true;
}

bool
sw_file_remove(const char *path, struct sw_err *err)
{
    wchar_t *wide = win_path(path, err);
    if (wide == NULL) {
        return false;
    }
    bool done = DeleteFileW(wide);
    DWORD code = GetLastError();
    free(wide);
    return done || code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ||
           win_fail(err, code, "remove %s", path);
}

bool
sw_file_exists(const char *path)
{
    wchar_t *wide = win_path(path, NULL);
    bool exists = wide != NULL && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    free(wide);
    return exists;
}

/* The bytes that a lock covers cannot be read by others, so it covers one far behind the end. */
static bool
file_lock(HANDLE handle, DWORD flags)
{
    OVERLAPPED at = {.Offset = 0, .OffsetHigh = 0x40000000};
    return LockFileEx(handle, flags | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at);
}

bool
sw_lock_take(const char *path, int *lock, bool *taken, struct sw_err *err)
{
    DWORD code;
    struct win_private private;
    *taken = false;
    *lock = -1;
    if (!win_private_init(&private, err)) {
        return false;
    }
    /* Others may open it to ask for the lock, but neither remove nor rename it. */
    HANDLE handle = file_open(path, GENERIC_READ | GENERIC_WRITE,
        FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_ALWAYS,
        FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, &private.attributes, &code);
    win_private_fini(&private);
    if (handle == INVALID_HANDLE_VALUE) {
        return win_fail(err, code, "open lock file %s", path);
    }
    if (file_lock(handle, LOCKFILE_EXCLUSIVE_LOCK)) {
        *lock = win_fd(handle);
        return true;
    }
    code = GetLastError();
    *taken = code == ERROR_LOCK_VIOLATION || code == ERROR_IO_PENDING;
    CloseHandle(handle);
    return *taken ? sw_err_set(err, "%s: locked by another process", path)
                  : win_fail(err, code, "lock %s", path);
}

void
sw_lock_release(int lock)
{
    if (lock >= 0) {
        CloseHandle(win_handle(lock));
    }
}

bool
sw_lock_is_held(const char *path, bool *held, struct sw_err *err)
{
    DWORD code;
    HANDLE handle = file_open(
        path, GENERIC_READ, FILE_SHARE, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL, &code);
    *held = false;
    if (handle == INVALID_HANDLE_VALUE) {
        return win_errno(code) == win_errno(ERROR_FILE_NOT_FOUND) ||
               win_fail(err, code, "open %s", path);
    }
    /* Closing gives back what was taken only to ask. */
    bool took = file_lock(handle, 0);
    code = GetLastError();
    CloseHandle(handle);
    *held = !took && (code == ERROR_LOCK_VIOLATION || code == ERROR_IO_PENDING);
    return took || *held || win_fail(err, code, "ask for the lock on %s", path);
}

bool
sw_file_read(const char *path, size_t max, struct sw_buf *buf, struct sw_err *err)
{
    DWORD code;
    sw_buf_init(buf, max);
    HANDLE handle = file_open(
        path, GENERIC_READ, FILE_SHARE, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL, &code);
    if (handle == INVALID_HANDLE_VALUE) {
        return win_fail(err, code, "open %s", path);
    }
    /* A pipe would be waited for, by whoever made it, for ever. */
    bool good = GetFileType(handle) == FILE_TYPE_DISK ||
                sw_err_set(err, "open %s: it is not a regular file", path);
    char chunk[FILE_CHUNK];
    DWORD size = 1;
    while (good && size > 0 && !buf->failed) {
        good = ReadFile(handle, chunk, sizeof(chunk), &size, NULL) ||
               win_fail(err, GetLastError(), "read %s", path);
        sw_buf_add(buf, chunk, good ? size : 0);
    }
    CloseHandle(handle);
    return good && (!buf->failed || sw_err_set(err, "%s: larger than %zu bytes", path, max));
}

/* ---- trust */

/* Each folder that leads to a path, and what it names. full is changed and restored. */
static bool
trust_walk(char *full, struct sw_err *err)
{
    bool good = true;
    size_t size = strlen(full);
    size_t from = full[0] == '\\' ? strcspn(full + 2, "\\") + 3 : 3; /* behind \\server\ or C:\ */
    for (size_t at = from; good && at <= size; at++) {
        if (at != from && full[at] != '\\' && full[at] != '\0') {
            continue;
        }
        DWORD code;
        char kept = full[at];
        full[at] = '\0';
        HANDLE handle = file_open(full, READ_CONTROL, FILE_SHARE, OPEN_EXISTING,
            FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL, &code);
        if (handle == INVALID_HANDLE_VALUE) {
            good = win_fail(err, code, "look at %s", full);
        } else {
            good = win_access_check(
                handle, full, at == size ? WIN_ACCESS_REPLACE : WIN_ACCESS_PASS, err);
            CloseHandle(handle);
        }
        full[at] = kept;
    }
    return good;
}

/* The path as it is written, links and junctions themselves, and then where they lead. */
bool
sw_file_is_trusted(const char *path, struct sw_err *err)
{
    wchar_t *wide = win_path(path, err);
    char *full = wide != NULL ? win_narrow(wide) : NULL;
    char *real = full != NULL ? sw_path_resolve(path, err) : NULL;
    bool trusted = false;
    if (real != NULL) {
        size_t skip = strncmp(full, "\\\\?\\", 4) == 0 ? 4 : 0;
        trusted = trust_walk(full + skip, err) &&
                  (strcmp(full + skip, real) == 0 || trust_walk(real, err));
    }
    free(real);
    free(full);
    free(wide);
    return trusted;
}
