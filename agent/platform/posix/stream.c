#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/platform/platform.h"

/* The open does not wait where the path is a pipe: what it is, is found out behind it. */
FILE *
sw_file_open(const char *path, uint64_t *size, struct sw_err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0) {
        sw_err_set_os(err, errno, "open %s", path);
    } else if (!S_ISREG(info.st_mode)) {
        sw_err_set(err, "%s is not a regular file", path);
    } else {
        FILE *file = fdopen(fd, "rb");
        if (file != NULL) {
            *size = (uint64_t)info.st_size;
            return file;
        }
        sw_err_set_os(err, errno, "open %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

FILE *
sw_file_temporary(struct sw_err *err)
{
    FILE *file = tmpfile();
    if (file == NULL) {
        sw_err_set_os(err, errno, "make a temporary file");
    }
    return file;
}
