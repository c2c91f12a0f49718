/* A file that records are only ever added to: whoever writes it is alone with it (flock), and no
 * name that somebody else placed there leads the writing elsewhere (O_NOFOLLOW). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/platform/platform.h"

#define APPEND_MODE 0640

/* poll() says that a pipe takes this much without blocking, and no more than that. */
#define APPEND_CHUNK PIPE_BUF

#define APPEND_PARTS_MAX 1024 /* IOV_MAX of Linux */

/* A pipe with nobody at its other end would block in open(); so it is opened without waiting and
 * found out by its type. */
static int
append_open_fd(const char *path, bool *made)
{
    const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    *made = false;
    int fd = open(path, flags);
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, flags | O_CREAT | O_EXCL, APPEND_MODE);
        *made = fd >= 0;
        if (fd < 0 && errno == EEXIST) {
            fd = open(path, flags);
        }
    }
    return fd;
}

/* What reads the log was given its rights on the file before: the next one keeps them. That group
 * may be one that we cannot give; then it is without. */
static void
append_set_mode(int fd, const struct sw_append *like)
{
    mode_t mode = APPEND_MODE;
    struct stat info;
    if (like != NULL && like->fd >= 0 && fstat(like->fd, &info) == 0) {
        mode = info.st_mode & 0777;
        if (fchown(fd, (uid_t)-1, info.st_gid) != 0) {
            mode &= (mode_t)~0070;
        }
    }
    (void)fchmod(fd, mode);
}

static bool
append_check(struct sw_append *file, const char *path, struct sw_err *err)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0) {
        return sw_err_set_os(err, errno, "%s", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return sw_err_set(
            err, "%s is not a regular file (name one, or \"-\" for standard output)", path);
    }
    file->device = (uint64_t)info.st_dev;
    file->number = (uint64_t)info.st_ino;
    return true;
}

static bool
append_lock(const struct sw_append *file, const char *path, bool *taken, struct sw_err *err)
{
    /* A file system without locks is no reason to refuse it. */
    *taken = flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    return !*taken || sw_err_set(err, "%s is being written by another sink or process", path);
}

bool
sw_append_open(struct sw_append *file, const char *path, const struct sw_append *like, bool *made,
    bool *taken, struct sw_err *err)
{
    *taken = false;
    *file = (struct sw_append){.fd = append_open_fd(path, made), .is_ours = true};
    if (file->fd < 0) {
        switch (errno) {
        case ELOOP:
            return sw_err_set(err, "%s is a link: name the file itself", path);
        case EISDIR:
            return sw_err_set(err, "%s is a folder: name a file in it", path);
        case ENOENT:
            return sw_err_set(err, "the folder of %s does not exist: make it", path);
        default:
            return sw_err_set_os(err, errno, "open %s", path);
        }
    }
    if (*made) {
        append_set_mode(file->fd, like);
    }
    if (!append_check(file, path, err) || !append_lock(file, path, taken, err)) {
        sw_append_close(file);
        return false;
    }
    return true;
}

void
sw_append_open_stdout(struct sw_append *file)
{
    struct stat info;
    bool is_regular = fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode);
    *file = (struct sw_append){.fd = STDOUT_FILENO, .waits = !is_regular};
}

void
sw_append_close(struct sw_append *file)
{
    if (file->is_ours && file->fd >= 0) {
        close(file->fd);
    }
    file->fd = -1;
}

/* true: it takes something. */
static bool
append_wait(const struct sw_append *file, int64_t deadline_ns, const struct sw_latch *stop,
    struct sw_err *err)
{
    struct pollfd fds[2] = {{.fd = file->fd, .events = POLLOUT},
        {.fd = stop != NULL ? stop->fds[0] : -1, .events = POLLIN}};
    for (;;) {
        int64_t left_ns = deadline_ns - sw_clock_boot_ns();
        int64_t left_ms = left_ns > 0 ? left_ns / 1000000 + 1 : 0;
        int ready = poll(fds, 2, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        if (ready < 0 && errno != EINTR) {
            return sw_err_set_os(err, errno, "wait for standard output");
        }
        if (stop != NULL && sw_latch_is_set(stop)) {
            return sw_err_set(err, "interrupted");
        }
        if (ready > 0 && fds[0].revents != 0) {
            return true;
        }
        if (ready == 0 && left_ms < INT_MAX) {
            return sw_err_set(err, "standard output is not being read");
        }
    }
}

/* Standard output may be shared with other programs, so that it cannot be made non-blocking: a
 * socket is asked per call, a pipe is never given more than it has just said to take. */
static ssize_t
append_write_some(const struct sw_append *file, struct iovec *parts, size_t count)
{
    if (!file->waits) {
        return writev(file->fd, parts, (int)count);
    }
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent = sendmsg(file->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != ENOTSOCK) {
        return sent;
    }
    size_t fitting = 0;
    for (size_t size = 0; fitting < count && size + parts[fitting].iov_len <= APPEND_CHUNK;) {
        size += parts[fitting++].iov_len;
    }
    return fitting > 0 ? writev(file->fd, parts, (int)fitting)
                       : write(file->fd, parts[0].iov_base, APPEND_CHUNK);
}

/* Takes size bytes off the front; the number of parts that are gone. */
static size_t
append_advance(struct iovec *parts, size_t count, size_t size)
{
    size_t gone = 0;
    while (gone < count && size >= parts[gone].iov_len) {
        size -= parts[gone++].iov_len;
    }
    if (gone < count) {
        parts[gone].iov_base = (char *)parts[gone].iov_base + size;
        parts[gone].iov_len -= size;
    }
    return gone;
}

static bool
append_write_parts(struct sw_append *file, struct iovec *parts, size_t count, int64_t deadline_ns,
    const struct sw_latch *stop, uint64_t *written, struct sw_err *err)
{
    size_t gone = append_advance(parts, count, 0);
    while (gone < count) {
        if (file->waits && !append_wait(file, deadline_ns, stop, err)) {
            return false;
        }
        ssize_t size = append_write_some(file, parts + gone, count - gone);
        if (size < 0 && errno != EINTR && errno != EAGAIN) {
            return sw_err_set_os(err, errno, "write");
        }
        if (size > 0) {
            *written += (uint64_t)size;
            gone += append_advance(parts + gone, count - gone, (size_t)size);
        }
    }
    return true;
}

bool
sw_append_write(struct sw_append *file, const struct sw_str *parts, size_t count,
    int64_t deadline_ns, const struct sw_latch *stop, uint64_t *written, struct sw_err *err)
{
    struct iovec iov[APPEND_PARTS_MAX];
    *written = 0;
    while (count > 0) {
        size_t now = count < APPEND_PARTS_MAX ? count : APPEND_PARTS_MAX;
        for (size_t i = 0; i < now; i++) {
            /* writev() does not write there. */
            iov[i].iov_base = (void *)(uintptr_t)parts[i].data;
            iov[i].iov_len = parts[i].size;
        }
        if (!append_write_parts(file, iov, now, deadline_ns, stop, written, err)) {
            return false;
        }
        parts += now;
        count -= now;
    }
    return true;
}

bool
sw_append_is_full(const struct sw_err *err)
{
    return err->code == ENOSPC || err->code == EDQUOT || err->code == EFBIG;
}

bool
sw_append_is_closed(const struct sw_err *err)
{
    return err->code == EPIPE || err->code == ECONNRESET || err->code == EBADF;
}

bool
sw_append_sync(struct sw_append *file, struct sw_err *err)
{
    if (fdatasync(file->fd) == 0 || errno == EINVAL || errno == ENOTSUP) {
        return true;
    }
    return sw_err_set_os(err, errno, "sync");
}

bool
sw_append_size(const struct sw_append *file, uint64_t *size, struct sw_err *err)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0) {
        return sw_err_set_os(err, errno, "ask for the size");
    }
    *size = (uint64_t)info.st_size;
    return true;
}

bool
sw_append_truncate(struct sw_append *file, uint64_t size, struct sw_err *err)
{
    return ftruncate(file->fd, (off_t)size) == 0 || sw_err_set_os(err, errno, "shorten");
}

bool
sw_append_read(
    const struct sw_append *file, uint64_t from, size_t max, struct sw_buf *buf, struct sw_err *err)
{
    while (max > 0) {
        char *room = sw_buf_reserve(buf, max);
        if (room == NULL) {
            return sw_err_set(err, "no memory for %zu bytes", max);
        }
        ssize_t size = pread(file->fd, room, max, (off_t)from);
        if (size < 0 && errno != EINTR) {
            return sw_err_set_os(err, errno, "read");
        }
        if (size == 0) {
            break;
        }
        if (size > 0) {
            buf->size += (size_t)size;
            buf->data[buf->size] = '\0';
            from += (uint64_t)size;
            max -= (size_t)size;
        }
    }
    return true;
}

bool
sw_append_is_at(const struct sw_append *file, const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && (uint64_t)info.st_dev == file->device &&
           (uint64_t)info.st_ino == file->number;
}

bool
sw_file_rename(const char *from, const char *to, struct sw_err *err)
{
    return rename(from, to) == 0 || sw_err_set_os(err, errno, "rename %s to %s", from, to);
}
