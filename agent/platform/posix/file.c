#include "agent/platform/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/base/memory.h"

#define FILE_CHUNK     ((size_t)16 * 1024)
#define FILE_MAX_LINKS 40 /* symbolic links on the way, as the kernel has it */
#define FILE_OTHERS    (S_IRWXG | S_IRWXO)

/* The path without the slashes at its end, which would make O_NOFOLLOW follow; freed by the
 * caller. */
static char *
file_without_slash(const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') {
        size--;
    }
    return sw_strndup(path, size);
}

static bool
folder_check(const char *path, struct sw_err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        return sw_err_set(err, "%s: a folder is needed, not a file or a symbolic link", path);
    }
    if (fd < 0 || fstat(fd, &info) != 0) {
        sw_err_set_os(err, errno, "open folder %s", path);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    close(fd);
    if (info.st_uid != geteuid()) {
        return sw_err_set(err, "%s: belongs to user %u, we are user %u: chown it or name another",
            path, (unsigned)info.st_uid, (unsigned)geteuid());
    }
    /* Not changed by us: the folder could be one that is meant for others too. */
    if ((info.st_mode & FILE_OTHERS) != 0) {
        return sw_err_set(err, "%s: open to other users (mode %04o): chmod 0700 %s", path,
            (unsigned)(info.st_mode & 07777), path);
    }
    return true;
}

void
sw_files_private(void)
{
    (void)umask(FILE_OTHERS);
}

bool
sw_folder_make(const char *path, struct sw_err *err)
{
    char *name = file_without_slash(path);
    bool done;
    if (mkdir(name, S_IRWXU) == 0) {
        done = sw_folder_sync(name, err);
    } else if (errno == EEXIST) {
        done = folder_check(name, err);
    } else {
        done = sw_err_set_os(err, errno, "make folder %s", name);
    }
    free(name);
    return done;
}

/* statfs(2) and linux/magic.h. Cluster file systems on shared disks (GFS2, OCFS2) keep locks and
 * syncs; 9p and FUSE say nothing of where they lead and are the root of many a virtual machine. */
static const struct {
    unsigned magic;
    const char *name;
} file_networks[] = {
    {0x00006969, "NFS"},
    {0x0000517B, "SMB"},
    {0xFF534D42, "SMB"},
    {0xFE534D42, "SMB"},
    {0x00C36400, "Ceph"},
    {0x5346414F, "AFS"},
    {0x6B414653, "AFS"},
    {0x73757245, "Coda"},
    {0x0000564C, "NCP"},
    {0x0BD00BD0, "Lustre"},
};

bool
sw_folder_is_local(const char *path, struct sw_err *err)
{
    struct statfs info;
    if (statfs(path, &info) != 0) {
        return sw_err_set_os(err, errno, "ask for the file system of %s", path);
    }
    for (size_t i = 0; i < sizeof(file_networks) / sizeof(file_networks[0]); i++) {
        if ((unsigned)info.f_type == file_networks[i].magic) {
            return sw_err_set(err,
                "%s: lies on %s, where locks and syncs cannot be trusted: name a local folder",
                path, file_networks[i].name);
        }
    }
    return true;
}

/* An open file description lock: it lasts until the last descriptor of this open() is closed,
 * whatever else of this process opens and closes the file, and so until we end in any way. */
bool
sw_lock_take(const char *path, int *lock, bool *taken, struct sw_err *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *taken = false;
    *lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, S_IRUSR | S_IWUSR);
    if (*lock < 0) {
        return sw_err_set_os(err, errno, "open lock file %s", path);
    }
    if (fcntl(*lock, F_OFD_SETLK, &whole) == 0) {
        return true;
    }
    *taken = errno == EAGAIN || errno == EACCES;
    if (*taken) {
        sw_err_set(err, "%s: locked by another process", path);
    } else {
        sw_err_set_os(err, errno, "lock %s", path);
    }
    sw_lock_release(*lock);
    *lock = -1;
    return false;
}

void
sw_lock_release(int lock)
{
    if (lock >= 0) {
        close(lock);
    }
}

bool
sw_lock_is_held(const char *path, bool *held, struct sw_err *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *held = false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT || sw_err_set_os(err, errno, "open %s", path);
    }
    /* Asking for a write lock finds every lock, and asking needs no right to write. */
    bool asked = fcntl(fd, F_GETLK, &whole) == 0 ||
                 sw_err_set_os(err, errno, "ask for the lock on %s", path);
    close(fd);
    *held = asked && whole.l_type != F_UNLCK;
    return asked;
}

/* Follows symbolic links: configuration and secrets are often given as such, and whether a link
 * can be trusted is what sw_file_is_trusted finds out. */
bool
sw_file_read(const char *path, size_t max, struct sw_buf *buf, struct sw_err *err)
{
    sw_buf_init(buf, max);
    /* Without O_NONBLOCK a FIFO would be waited for, by whoever made it, for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return sw_err_set_os(err, errno, "open %s", path);
    }
    char chunk[FILE_CHUNK];
    ssize_t size;
    do {
        size = read(fd, chunk, sizeof(chunk));
        if (size > 0) {
            sw_buf_add(buf, chunk, (size_t)size);
        }
    } while ((size > 0 && !buf->failed) || (size < 0 && errno == EINTR));
    int code = errno; /* EAGAIN: a FIFO that somebody holds open and writes nothing to */
    close(fd);
    if (size < 0) {
        return sw_err_set_os(err, code, "read %s", path);
    }
    return !buf->failed || sw_err_set(err, "%s: larger than %zu bytes", path, max);
}

/* One object on the way. Its owner can change its mode, so the owner counts first. */
static bool
trust_check(const char *path, const struct stat *info, bool is_last, struct sw_err *err)
{
    if (info->st_uid != 0 && info->st_uid != geteuid()) {
        return sw_err_set(err, "%s: belongs to user %u, who can change it: chown root %s", path,
            (unsigned)info->st_uid, path);
    }
    unsigned writers = info->st_mode & (S_IWGRP | S_IWOTH);
    /* A link has no mode of its own. In a sticky folder (/tmp) others can add entries, but only
     * the owner of an entry or of the folder can rename or remove it: both were found to be root
     * or us, the entry below in its own turn. */
    bool harmless = S_ISLNK(info->st_mode) ||
                    (!is_last && S_ISDIR(info->st_mode) && (info->st_mode & S_ISVTX) != 0);
    if (writers == 0 || harmless) {
        return true;
    }
    static const char *const who[] = {"others", "group", "group and others"};
    static const char *const remedy[] = {"o-w", "g-w", "go-w"};
    size_t i = writers == S_IWOTH ? 0 : writers == S_IWGRP ? 1 : 2;
    return sw_err_set(err, "%s: %s can write it (mode %04o): chmod %s %s", path, who[i],
        (unsigned)(info->st_mode & 07777), remedy[i], path);
}

/* A path on its way: what was walked (links resolved, checked) and what is still to be walked. */
struct trust_walk {
    char done[PATH_MAX];
    char todo[PATH_MAX];
    unsigned links;
};

/* Puts a link's target in front of what is to be walked; an absolute one begins at the root. */
static bool
trust_follow(struct trust_walk *walk, const char *rest, struct sw_err *err)
{
    char target[PATH_MAX];
    char todo[PATH_MAX];
    ssize_t size = readlink(walk->done, target, sizeof(target) - 1);
    if (size < 0) {
        return sw_err_set_os(err, errno, "read link %s", walk->done);
    }
    target[size] = '\0';
    int need = snprintf(todo, sizeof(todo), "%s/%s", target, rest);
    if (need >= (int)sizeof(todo) || ++walk->links > FILE_MAX_LINKS) {
        return sw_err_set_os(err, ELOOP, "follow link %s", walk->done);
    }
    memcpy(walk->todo, todo, (size_t)need + 1);
    *strrchr(walk->done, '/') = '\0';
    if (target[0] == '/') {
        walk->done[0] = '\0';
    }
    return true;
}

/* Takes one component off todo, checks the object it names and appends it to done, also `.` and
 * `..`: what is done has no links left in it, so they name what they seem to. */
static bool
trust_step(struct trust_walk *walk, struct sw_err *err)
{
    char *name = walk->todo + strspn(walk->todo, "/");
    size_t size = strcspn(name, "/");
    const char *rest = name + size;
    size_t used = strlen(walk->done);
    struct stat info;
    if (size > 0) {
        int need = snprintf(walk->done + used, sizeof(walk->done) - used, "/%.*s", (int)size, name);
        if (need >= (int)(sizeof(walk->done) - used)) {
            return sw_err_set_os(err, ENAMETOOLONG, "%s", walk->done);
        }
        bool is_last = rest[strspn(rest, "/")] == '\0';
        if (lstat(walk->done, &info) != 0) {
            return sw_err_set_os(err, errno, "look at %s", walk->done);
        }
        if (!trust_check(walk->done, &info, is_last, err)) {
            return false;
        }
        if (S_ISLNK(info.st_mode)) {
            return trust_follow(walk, rest, err);
        }
    }
    memmove(walk->todo, rest, strlen(rest) + 1);
    return true;
}

/* Walks the path as the kernel would, so that every folder and every link that leads to the file
 * is seen: whoever can replace one of them can replace the file. */
bool
sw_file_is_trusted(const char *path, struct sw_err *err)
{
    struct stat info;
    char here[PATH_MAX] = "";
    if (!sw_path_is_absolute(path) && getcwd(here, sizeof(here)) == NULL) {
        return sw_err_set_os(err, errno, "find the current folder");
    }
    struct trust_walk *walk = sw_calloc(1, sizeof(*walk));
    int need = snprintf(walk->todo, sizeof(walk->todo), "%s/%s", here, path);
    bool trusted = need < (int)sizeof(walk->todo)
                       ? stat("/", &info) == 0 && trust_check("/", &info, false, err)
                       : sw_err_set_os(err, ENAMETOOLONG, "%s", path);
    while (trusted && walk->todo[0] != '\0') {
        trusted = trust_step(walk, err);
    }
    free(walk);
    return trusted;
}

bool
sw_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool
sw_file_make(const char *path, struct sw_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return errno == EEXIST || sw_err_set_os(err, errno, "make %s", path);
    }
    close(fd);
    return true;
}

bool
sw_file_remove(const char *path, struct sw_err *err)
{
    return unlink(path) == 0 || errno == ENOENT || sw_err_set_os(err, errno, "remove %s", path);
}

bool
sw_folder_each(const char *path, void (*visit)(void *context, const char *name), void *context,
    struct sw_err *err)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    if (folder == NULL) {
        return sw_err_set_os(err, errno, "list folder %s", path);
    }
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            visit(context, entry->d_name);
        }
    }
    closedir(folder);
    return true;
}

bool
sw_folder_sync(const char *path, struct sw_err *err)
{
    struct sw_buf folder;
    sw_buf_init(&folder, PATH_MAX);
    sw_path_folder(path, &folder);
    int fd = open(sw_buf_text(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (!done) {
        sw_err_set_os(err, errno, "sync folder %s", sw_buf_text(&folder));
    }
    if (fd >= 0) {
        close(fd);
    }
    sw_buf_fini(&folder);
    return done;
}
