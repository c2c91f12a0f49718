#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/platform/platform.h"

/* Where the last part begins; *end: where it ends, in front of slashes. */
static size_t
path_last(const char *path, size_t *end)
{
    *end = strlen(path);
    while (*end > 1 && path[*end - 1] == '/') {
        (*end)--;
    }
    size_t begin = *end;
    while (begin > 0 && path[begin - 1] != '/') {
        begin--;
    }
    return begin;
}

void
sw_path_folder(const char *path, struct sw_buf *buf)
{
    size_t end;
    size_t begin = path_last(path, &end);
    if (begin == 0) {
        sw_buf_add_text(buf, ".");
        return;
    }
    while (begin > 1 && path[begin - 1] == '/') {
        begin--;
    }
    sw_buf_add(buf, path, begin);
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
    return path[0] == '/';
}

void
sw_path_join(const char *folder, const char *path, struct sw_buf *buf)
{
    if (!sw_path_is_absolute(path) && folder[0] != '\0') {
        sw_buf_add_text(buf, folder);
        if (folder[strlen(folder) - 1] != '/') {
            sw_buf_add_char(buf, '/');
        }
    }
    sw_buf_add_text(buf, path);
}

char *
sw_path_resolve(const char *path, struct sw_err *err)
{
    char *resolved = realpath(path, NULL);
    if (resolved == NULL) {
        sw_err_set_os(err, errno, "%s", path);
    }
    return resolved;
}
