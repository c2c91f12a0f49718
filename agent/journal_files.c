/* The few things with files that SQLite does not do for us. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "agent/journal_sql.h"

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
