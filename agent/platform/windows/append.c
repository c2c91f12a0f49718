/*
 * A file that records are only ever added to: it is opened so that nobody else can write it, that
 * all can read it, and that it can be renamed and removed below us, as rotation does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <winsock2.h>

#include <windows.h>

#include <aclapi.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"

#define APPEND_CHUNK ((size_t)64 * 1024) /* bytes of one write: small parts are put together */

static HANDLE
append_create(const wchar_t *path, DWORD how)
{
    return CreateFileW(path, GENERIC_READ | GENERIC_WRITE | READ_CONTROL,
        FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, how,
        FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
}

/* Who may read the file before may read the next one: an access list set by hand is copied. */
static void
append_copy_access(HANDLE to, const struct sw_append *like)
{
    ACL *list = NULL;
    void *descriptor = NULL;
    if (like == NULL || like->fd < 0 ||
        GetSecurityInfo(win_handle(like->fd), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
            &list, NULL, &descriptor) != ERROR_SUCCESS) {
        return;
    }
    (void)SetSecurityInfo(to, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, list, NULL);
    LocalFree(descriptor);
}

static bool
append_number(HANDLE handle, struct sw_append *file)
{
    BY_HANDLE_FILE_INFORMATION info;
    if (GetFileType(handle) != FILE_TYPE_DISK || !GetFileInformationByHandle(handle, &info) ||
        (info.dwFileAttributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY)) != 0) {
        return false;
    }
    file->device = info.dwVolumeSerialNumber;
    file->number = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
    return true;
}

static bool
append_refuse(const char *path, const wchar_t *wide, DWORD code, bool *taken, struct sw_err *err)
{
    DWORD attributes = GetFileAttributesW(wide);
    *taken = code == ERROR_SHARING_VIOLATION;
    if (*taken) {
        return sw_err_set(err, "%s is being written by another sink or process", path);
    }
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        return sw_err_set(err, "%s is a folder: name a file in it", path);
    }
    if (code == ERROR_PATH_NOT_FOUND) {
        return sw_err_set(err, "the folder of %s does not exist: make it", path);
    }
    return win_fail(err, code, "open %s", path);
}

bool
sw_append_open(struct sw_append *file, const char *path, const struct sw_append *like, bool *made,
    bool *taken, struct sw_err *err)
{
    *taken = false;
    *made = false;
    *file = (struct sw_append){.fd = -1, .is_ours = true};
    wchar_t *wide = win_path(path, err);
    if (wide == NULL) {
        return false;
    }
    HANDLE handle = append_create(wide, OPEN_EXISTING);
    if (handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_FILE_NOT_FOUND) {
        handle = append_create(wide, CREATE_NEW);
        *made = handle != INVALID_HANDLE_VALUE;
        if (handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_FILE_EXISTS) {
            handle = append_create(wide, OPEN_EXISTING);
        }
    }
    bool good = false;
    if (handle == INVALID_HANDLE_VALUE) {
        append_refuse(path, wide, GetLastError(), taken, err);
    } else if (!append_number(handle, file)) {
        sw_err_set(err,
            "%s is a link or not a regular file (name one, or \"-\" for standard output)", path);
        CloseHandle(handle);
    } else {
        file->fd = win_fd(handle);
        if (*made) {
            append_copy_access(handle, like);
        }
        good = true;
    }
    free(wide);
    return good;
}

void
sw_append_open_stdout(struct sw_append *file)
{
    HANDLE handle = GetStdHandle(STD_OUTPUT_HANDLE);
    bool is_there = handle != NULL && handle != INVALID_HANDLE_VALUE;
    *file = (struct sw_append){.fd = is_there ? win_fd(handle) : -1,
        .waits = is_there && GetFileType(handle) != FILE_TYPE_DISK};
}

void
sw_append_close(struct sw_append *file)
{
    if (file->is_ours && file->fd >= 0) {
        CloseHandle(win_handle(file->fd));
    }
    file->fd = -1;
}

/* ---- A pipe or console may block for as long as nobody reads it, and its handle came to us
 * without a way to be asked: a thread of its own writes, and is interrupted when the time is over.
 */

struct append_job {
    HANDLE file;
    const char *bytes;
    DWORD size;
    DWORD written;
    DWORD code; /* 0: good */
    struct sw_latch done;
};

static void *
append_job_run(void *argument)
{
    struct append_job *job = argument;
    if (!WriteFile(job->file, job->bytes, job->size, &job->written, NULL)) {
        job->code = GetLastError();
    }
    sw_latch_set(&job->done);
    return NULL;
}

/* The thread may not have come to its write yet, so it is interrupted until it is gone. */
static void
append_job_end(pthread_t thread, const struct append_job *job)
{
    while (!sw_latch_wait(&job->done, sw_clock_boot_ns() + 10000000)) {
        (void)CancelSynchronousIo(pthread_gethandle(thread));
    }
    pthread_join(thread, NULL);
}

static bool
append_write_waiting(HANDLE handle, const char *bytes, DWORD size, int64_t deadline_ns,
    const struct sw_latch *stop, DWORD *written, struct sw_err *err)
{
    pthread_t thread;
    struct append_job job = {.file = handle, .bytes = bytes, .size = size};
    *written = 0;
    if (stop != NULL && sw_latch_is_set(stop)) {
        return sw_err_set(err, "interrupted");
    }
    if (!sw_latch_init(&job.done, err)) {
        return false;
    }
    bool started = sw_thread_start(&thread, append_job_run, &job, "write", err);
    if (started) {
        HANDLE handles[2] = {
            win_handle(job.done.fds[0]), stop != NULL ? win_handle(stop->fds[0]) : NULL};
        (void)win_wait(handles, 2, deadline_ns);
        bool is_done = sw_latch_is_set(&job.done);
        append_job_end(thread, &job);
        *written = job.written;
        if (job.code != 0 && !is_done) {
            sw_err_set(err, "%s",
                stop != NULL && sw_latch_is_set(stop) ? "interrupted"
                                                      : "standard output is not being read");
        } else if (job.code != 0) {
            win_fail(err, job.code, "write");
        }
    }
    sw_latch_fini(&job.done);
    return started && job.code == 0;
}

/* ---- write */

static bool
append_write_some(struct sw_append *file, const char *bytes, size_t size, int64_t deadline_ns,
    const struct sw_latch *stop, uint64_t *written, struct sw_err *err)
{
    while (size > 0) {
        DWORD now = size < APPEND_CHUNK ? (DWORD)size : (DWORD)APPEND_CHUNK;
        DWORD did = 0;
        bool good;
        if (file->waits) {
            good = append_write_waiting(
                win_handle(file->fd), bytes, now, deadline_ns, stop, &did, err);
        } else {
            /* That offset is the end of the file (WriteFile). Only what is ours has none of its
             * own: standard output goes on where the program that shares it is. */
            OVERLAPPED at = {.Offset = 0xFFFFFFFF, .OffsetHigh = 0xFFFFFFFF};
            good = WriteFile(win_handle(file->fd), bytes, now, &did, file->is_ours ? &at : NULL) ||
                   win_fail(err, GetLastError(), "write");
        }
        *written += did;
        if (!good) {
            return false;
        }
        bytes += did;
        size -= did;
    }
    return true;
}

bool
sw_append_write(struct sw_append *file, const struct sw_str *parts, size_t count,
    int64_t deadline_ns, const struct sw_latch *stop, uint64_t *written, struct sw_err *err)
{
    char *chunk = sw_calloc(APPEND_CHUNK, 1);
    size_t used = 0;
    bool good = true;
    *written = 0;
    for (size_t i = 0; good && i < count; i++) {
        const char *bytes = parts[i].data;
        size_t left = parts[i].size;
        while (good && left > 0) {
            size_t room = APPEND_CHUNK - used;
            size_t now = left < room ? left : room;
            memcpy(chunk + used, bytes, now);
            used += now;
            bytes += now;
            left -= now;
            if (used == APPEND_CHUNK) {
                good = append_write_some(file, chunk, used, deadline_ns, stop, written, err);
                used = 0;
            }
        }
    }
    good = good && append_write_some(file, chunk, used, deadline_ns, stop, written, err);
    free(chunk);
    return good;
}

bool
sw_append_is_full(const struct sw_err *err)
{
    return err->code == ENOSPC || err->code == EFBIG;
}

bool
sw_append_is_closed(const struct sw_err *err)
{
    return err->code == EPIPE || err->code == EBADF;
}

bool
sw_append_sync(struct sw_append *file, struct sw_err *err)
{
    return file->waits || FlushFileBuffers(win_handle(file->fd)) ||
           GetFileType(win_handle(file->fd)) != FILE_TYPE_DISK ||
           win_fail(err, GetLastError(), "sync");
}

bool
sw_append_size(const struct sw_append *file, uint64_t *size, struct sw_err *err)
{
    LARGE_INTEGER bytes;
    if (!GetFileSizeEx(win_handle(file->fd), &bytes)) {
        return win_fail(err, GetLastError(), "ask for the size");
    }
    *size = (uint64_t)bytes.QuadPart;
    return true;
}

bool
sw_append_truncate(struct sw_append *file, uint64_t size, struct sw_err *err)
{
    FILE_END_OF_FILE_INFO end = {.EndOfFile = {.QuadPart = (LONGLONG)size}};
    return SetFileInformationByHandle(win_handle(file->fd), FileEndOfFileInfo, &end, sizeof(end)) ||
           win_fail(err, GetLastError(), "shorten");
}

bool
sw_append_read(
    const struct sw_append *file, uint64_t from, size_t max, struct sw_buf *buf, struct sw_err *err)
{
    while (max > 0) {
        DWORD size = 0;
        char *room = sw_buf_reserve(buf, max);
        if (room == NULL) {
            return sw_err_set(err, "no memory for %zu bytes", max);
        }
        OVERLAPPED at = {.Offset = (DWORD)from, .OffsetHigh = (DWORD)(from >> 32)};
        DWORD ask = max < APPEND_CHUNK ? (DWORD)max : (DWORD)APPEND_CHUNK;
        if (!ReadFile(win_handle(file->fd), room, ask, &size, &at) &&
            GetLastError() != ERROR_HANDLE_EOF) {
            return win_fail(err, GetLastError(), "read");
        }
        if (size == 0) {
            break;
        }
        buf->size += size;
        buf->data[buf->size] = '\0';
        from += size;
        max -= size;
    }
    return true;
}

bool
sw_append_is_at(const struct sw_append *file, const char *path)
{
    struct sw_append there = {.fd = -1};
    wchar_t *wide = win_path(path, NULL);
    HANDLE handle = INVALID_HANDLE_VALUE;
    if (wide != NULL) {
        handle = CreateFileW(wide, FILE_READ_ATTRIBUTES,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
            FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    }
    bool is_same = handle != INVALID_HANDLE_VALUE && append_number(handle, &there) &&
                   there.device == file->device && there.number == file->number;
    if (handle != INVALID_HANDLE_VALUE) {
        CloseHandle(handle);
    }
    free(wide);
    return is_same;
}

bool
sw_file_rename(const char *from, const char *to, struct sw_err *err)
{
    wchar_t *wide_from = win_path(from, err);
    wchar_t *wide_to = wide_from != NULL ? win_path(to, err) : NULL;
    bool done = wide_to != NULL;
    if (done &&
        !MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        done = win_fail(err, GetLastError(), "rename %s to %s", from, to);
    }
    free(wide_from);
    free(wide_to);
    return done;
}
