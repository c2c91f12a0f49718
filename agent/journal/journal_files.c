/* The few things with files that SQLite does not do for us. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/journal/journal_sql.h"
#include "agent/platform/platform.h"

#define FILES_PATH_MAX ((size_t)128 * 1024) /* 32,767 characters of UTF-16 as UTF-8 */

/* SQLite would make it with the rights that the umask leaves; -wal and -shm take after it. */
bool
journal_file_create(const char *path, struct sw_err *err)
{
    return sw_file_make(path, err) || sw_err_wrap(err, "journal");
}

bool
journal_file_exists(const char *path)
{
    return sw_file_exists(path);
}

char *
journal_file_resolve(const char *path, struct sw_err *err)
{
    struct sw_buf folder;
    struct sw_buf whole;
    char *resolved = NULL;
    sw_buf_init(&folder, FILES_PATH_MAX);
    sw_buf_init(&whole, FILES_PATH_MAX);
    sw_path_folder(path, &folder);
    char *real = sw_path_resolve(sw_buf_text(&folder), err);
    if (real == NULL) {
        sw_err_wrap(err, "journal folder");
    } else {
        sw_path_join(real, sw_path_name(path), &whole);
        resolved = sw_buf_take(&whole);
    }
    free(real);
    sw_buf_fini(&folder);
    return resolved;
}

void
journal_file_remove(const char *path)
{
    (void)sw_file_remove(path, NULL);
}

bool
journal_file_move(const char *from, const char *to, struct sw_err *err)
{
    struct sw_err why = {0};
    if (sw_file_rename(from, to, &why) || why.code == ENOENT) {
        return true;
    }
    if (err != NULL) {
        *err = why;
    }
    return false;
}

char *
journal_file_name(const char *path, const char *suffix)
{
    struct sw_buf buf;
    sw_buf_init(&buf, FILES_PATH_MAX);
    sw_buf_add_text(&buf, path);
    sw_buf_add_text(&buf, suffix);
    return sw_buf_take(&buf);
}

#define FILES_TIME_SIZE (sizeof("20261122T142617Z") - 1)

/* Removes the files whose name is prefix + a time before `before`, or finds the newest such time
 * below it: then nothing is removed. Names of one form sort as their times do. */
struct files_visit {
    const char *folder;
    const char *prefix;
    const char *before;
    char *newest; /* NULL: remove */
    bool found;
};

static void
files_visit_one(void *context, const char *name)
{
    struct files_visit *visit = context;
    size_t size = strlen(visit->prefix);
    const char *time = strncmp(name, visit->prefix, size) == 0 ? name + size : "";
    if (strlen(time) < FILES_TIME_SIZE || strncmp(time, visit->before, FILES_TIME_SIZE) >= 0) {
        return;
    }
    if (visit->newest == NULL) {
        struct sw_buf path;
        sw_buf_init(&path, FILES_PATH_MAX);
        sw_path_join(visit->folder, name, &path);
        journal_file_remove(sw_buf_text(&path));
        sw_buf_fini(&path);
    } else if (!visit->found || strncmp(time, visit->newest, FILES_TIME_SIZE) > 0) {
        memcpy(visit->newest, time, FILES_TIME_SIZE);
        visit->found = true;
    }
}

static bool
files_visit(const char *folder, const char *prefix, const char *before, char *newest)
{
    struct files_visit visit = {folder, prefix, before, newest, false};
    (void)sw_folder_each(folder, files_visit_one, &visit, NULL);
    return visit.found;
}

void
journal_file_prune_damaged(const char *path, size_t keep)
{
    struct sw_buf folder;
    char *prefix = journal_file_name(sw_path_name(path), ".damaged-");
    char before[FILES_TIME_SIZE + 1] = "~";
    bool more = true;
    sw_buf_init(&folder, FILES_PATH_MAX);
    sw_path_folder(path, &folder);
    for (size_t i = 0; i < keep && more; i++) {
        char newest[FILES_TIME_SIZE + 1] = "";
        more = files_visit(sw_buf_text(&folder), prefix, before, newest);
        memcpy(before, newest, sizeof(before));
    }
    if (more) {
        files_visit(sw_buf_text(&folder), prefix, before, NULL);
    }
    sw_buf_fini(&folder);
    free(prefix);
}
