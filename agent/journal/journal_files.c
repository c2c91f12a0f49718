/* The few things with files that SQLite does not do for us. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "agent/journal/journal_sql.h"

/* SQLite would make it with the rights that the umask leaves; -wal and -shm take after it. */
bool
journal_file_create(const char *path, struct sw_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST || sw_err_set_os(err, errno, "make journal %s", path);
    }
    close(fd);
    return true;
}

bool
journal_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *
journal_file_resolve(const char *path, struct sw_err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    char *folder = slash == NULL ? sw_strdup(".")
                                 : sw_strndup(path, slash > path ? (size_t)(slash - path) : 1);
    char *real = realpath(folder, NULL);
    char *resolved = NULL;
    if (real == NULL) {
        sw_err_set_os(err, errno, "journal folder %s", folder);
    } else {
        struct sw_buf buf;
        sw_buf_init(&buf, 16384);
        sw_buf_printf(&buf, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
        resolved = sw_buf_take(&buf);
    }
    free(real);
    free(folder);
    return resolved;
}

void
journal_file_remove(const char *path)
{
    (void)unlink(path);
}

bool
journal_file_move(const char *from, const char *to, struct sw_err *err)
{
    return rename(from, to) == 0 || errno == ENOENT ||
           sw_err_set_os(err, errno, "rename %s to %s", from, to);
}

char *
journal_file_name(const char *path, const char *suffix)
{
    struct sw_buf buf;
    sw_buf_init(&buf, 16384);
    sw_buf_add_text(&buf, path);
    sw_buf_add_text(&buf, suffix);
    return sw_buf_take(&buf);
}

#define FILES_TIME_SIZE (sizeof("20261122T142617Z") - 1)

/* Removes the files whose name is prefix + a time before `before`, or finds the newest such time
 * below it: then nothing is removed. Names of one form sort as their times do. */
static bool
files_visit(const char *folder, const char *prefix, const char *before, char *newest)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    bool found = false;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const char *time = entry->d_name + strlen(prefix);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || strlen(time) < FILES_TIME_SIZE ||
            strncmp(time, before, FILES_TIME_SIZE) >= 0) {
            continue;
        }
        if (newest == NULL) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        } else if (!found || strncmp(time, newest, FILES_TIME_SIZE) > 0) {
            memcpy(newest, time, FILES_TIME_SIZE);
            found = true;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return found;
}

void
journal_file_prune_damaged(const char *path, size_t keep)
{
    const char *slash = strrchr(path, '/');
    char *folder = sw_strndup(path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
    char *prefix = journal_file_name(slash != NULL ? slash + 1 : path, ".damaged-");
    char before[FILES_TIME_SIZE + 1] = "~";
    bool more = true;
    for (size_t i = 0; i < keep && more; i++) {
        char newest[FILES_TIME_SIZE + 1] = "";
        more = files_visit(folder[0] != '\0' ? folder : ".", prefix, before, newest);
        memcpy(before, newest, sizeof(before));
    }
    if (more) {
        files_visit(folder[0] != '\0' ? folder : ".", prefix, before, NULL);
    }
    free(prefix);
    free(folder);
}
