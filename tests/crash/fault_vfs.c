#include "tests/crash/fault_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a write has replaced, as long as it is not synced. */
struct fault_undo {
    struct fault_undo *older;
    sqlite3_int64 at;
    sqlite3_int64 old_file_size;
    int old_size; /* bytes of old; fewer than written at the file's end */
    unsigned char old[];
};

struct fault_file {
    sqlite3_file base;
    bool is_counted;
    struct fault_undo *undo;
    struct fault_file *next; /* of all open ones */
    sqlite3_file *real;      /* behind this struct */
};

static struct {
    pthread_mutex_t mutex;
    struct sw_fault_plan plan;
    uint64_t calls;
    uint64_t fired;
    bool is_dead; /* KILL or POWER has happened */
    bool is_real; /* they end the process */
    struct fault_file *files;
    sqlite3_vfs *real;
} fault = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static sqlite3_vfs fault_vfs;

static struct fault_file *
fault_of(sqlite3_file *file)
{
    return (struct fault_file *)file;
}

static void
fault_forget(struct fault_file *file)
{
    while (file->undo != NULL) {
        struct fault_undo *undo = file->undo;
        file->undo = undo->older;
        free(undo);
    }
}

/* Newest first, so that each write finds what it found when it was made. */
static void
fault_take_back(struct fault_file *file)
{
    uint64_t random = fault.plan.seed;
    for (struct fault_undo *undo = file->undo; undo != NULL; undo = undo->older) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (fault.plan.seed != 0 && (random >> 40 & 1) != 0) {
            continue;
        }
        file->real->pMethods->xWrite(file->real, undo->old, undo->old_size, undo->at);
        file->real->pMethods->xTruncate(file->real, undo->old_file_size);
    }
    fault_forget(file);
}

/* Counts a call. What it has to do: NONE is what was asked for, KILL is nothing at all. */
static enum sw_fault_kind
fault_meet(void)
{
    enum sw_fault_kind kind = SW_FAULT_NONE;
    pthread_mutex_lock(&fault.mutex);
    uint64_t count = fault.plan.count > 0 ? fault.plan.count : 1;
    fault.calls++;
    if (fault.is_dead) {
        kind = SW_FAULT_KILL;
    } else if (fault.calls >= fault.plan.at && fault.calls < fault.plan.at + count) {
        kind = fault.plan.kind;
        fault.fired += kind != SW_FAULT_NONE;
    }
    if (kind == SW_FAULT_POWER) {
        for (struct fault_file *file = fault.files; file != NULL; file = file->next) {
            fault_take_back(file);
        }
        kind = SW_FAULT_KILL;
    }
    fault.is_dead = kind == SW_FAULT_KILL;
    if (fault.is_dead && fault.is_real) {
        _exit(SW_FAULT_EXIT_STATUS);
    }
    pthread_mutex_unlock(&fault.mutex);
    return kind;
}

/* Does what is left of a call other than a write; code is its own SQLITE_IOERR_*. */
#define FAULT_CALL(kind, code, call)                                                               \
    switch (kind) {                                                                                \
    case SW_FAULT_NONE:                                                                            \
    case SW_FAULT_POWER:                                                                           \
        return call;                                                                               \
    case SW_FAULT_KILL:                                                                            \
        return SQLITE_OK;                                                                          \
    case SW_FAULT_EXIT:                                                                            \
        _exit(SW_FAULT_EXIT_STATUS);                                                               \
    case SW_FAULT_LIE:                                                                             \
        (void)(call);                                                                              \
        return code;                                                                               \
    case SW_FAULT_FULL:                                                                            \
        return SQLITE_FULL;                                                                        \
    case SW_FAULT_IOERR:                                                                           \
    case SW_FAULT_SHORT:                                                                           \
        return code;                                                                               \
    }                                                                                              \
    return code

static void
fault_remember(struct fault_file *file, int size, sqlite3_int64 at)
{
    struct fault_undo *undo = calloc(1, sizeof(*undo) + (size_t)size);
    if (undo == NULL) {
        abort();
    }
    undo->at = at;
    file->real->pMethods->xFileSize(file->real, &undo->old_file_size);
    sqlite3_int64 there = undo->old_file_size - at;
    undo->old_size = there <= 0 ? 0 : there < size ? (int)there : size;
    if (undo->old_size > 0) {
        file->real->pMethods->xRead(file->real, undo->old, undo->old_size, at);
    }
    undo->older = file->undo;
    file->undo = undo;
}

static int
fault_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 at)
{
    struct fault_file *file = fault_of(base);
    sqlite3_file *real = file->real;
    if (!file->is_counted) {
        return real->pMethods->xWrite(real, bytes, size, at);
    }
    enum sw_fault_kind kind = fault_meet();
    if (kind == SW_FAULT_KILL) {
        return SQLITE_OK;
    }
    fault_remember(file, size, at);
    if (kind == SW_FAULT_SHORT || kind == SW_FAULT_FULL || kind == SW_FAULT_EXIT) {
        real->pMethods->xWrite(real, bytes, size / 2, at);
        if (kind == SW_FAULT_EXIT) {
            _exit(SW_FAULT_EXIT_STATUS);
        }
        return kind == SW_FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    FAULT_CALL(kind, SQLITE_IOERR_WRITE, real->pMethods->xWrite(real, bytes, size, at));
}

/* The disk is not asked: nothing here loses power but by plan, and the tests make many syncs. */
static int
fault_synced(struct fault_file *file)
{
    pthread_mutex_lock(&fault.mutex);
    fault_forget(file);
    pthread_mutex_unlock(&fault.mutex);
    return SQLITE_OK;
}

static int
fault_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    struct fault_file *file = fault_of(base);
    if (!file->is_counted) {
        return SQLITE_OK;
    }
    enum sw_fault_kind kind = fault_meet();
    FAULT_CALL(kind, SQLITE_IOERR_FSYNC, fault_synced(file));
}

static int
fault_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct fault_file *file = fault_of(base);
    sqlite3_file *real = file->real;
    enum sw_fault_kind kind = file->is_counted ? fault_meet() : SW_FAULT_NONE;
    FAULT_CALL(kind, SQLITE_IOERR_TRUNCATE, real->pMethods->xTruncate(real, size));
}

static int
fault_close(sqlite3_file *base)
{
    struct fault_file *file = fault_of(base);
    pthread_mutex_lock(&fault.mutex);
    struct fault_file **at = &fault.files;
    while (*at != NULL && *at != file) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = file->next;
    }
    fault_forget(file);
    pthread_mutex_unlock(&fault.mutex);
    return file->real->pMethods->xClose(file->real);
}

#define PASS(file, method, ...)                                                                    \
    fault_of(file)->real->pMethods->method(fault_of(file)->real, __VA_ARGS__)

static int
fault_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    return PASS(file, xRead, bytes, size, at);
}

static int
fault_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return PASS(file, xFileSize, size);
}

static int
fault_lock(sqlite3_file *file, int level)
{
    return PASS(file, xLock, level);
}

static int
fault_unlock(sqlite3_file *file, int level)
{
    return PASS(file, xUnlock, level);
}

static int
fault_check_reserved(sqlite3_file *file, int *result)
{
    return PASS(file, xCheckReservedLock, result);
}

/* A dead program's hints must not grow the file either. */
static int
fault_control(sqlite3_file *file, int operation, void *argument)
{
    return fault.is_dead && operation == SQLITE_FCNTL_SIZE_HINT
               ? SQLITE_OK
               : PASS(file, xFileControl, operation, argument);
}

static int
fault_sector_size(sqlite3_file *file)
{
    return fault_of(file)->real->pMethods->xSectorSize(fault_of(file)->real);
}

static int
fault_characteristics(sqlite3_file *file)
{
    return fault_of(file)->real->pMethods->xDeviceCharacteristics(fault_of(file)->real);
}

static int
fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
    return PASS(file, xShmMap, page, size, extend, memory);
}

static int
fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return PASS(file, xShmLock, offset, count, flags);
}

static void
fault_shm_barrier(sqlite3_file *file)
{
    fault_of(file)->real->pMethods->xShmBarrier(fault_of(file)->real);
}

static int
fault_shm_unmap(sqlite3_file *file, int remove)
{
    return PASS(file, xShmUnmap, remove);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_file_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_reserved,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int
fault_open_real(const char *name, struct fault_file *file, int flags, int *out_flags)
{
    int rc = fault.real->xOpen(fault.real, name, file->real, flags, out_flags);
    if (rc == SQLITE_OK) {
        file->base.pMethods = &fault_methods;
        pthread_mutex_lock(&fault.mutex);
        file->next = fault.files;
        fault.files = file;
        pthread_mutex_unlock(&fault.mutex);
    }
    return rc;
}

static int
fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
    (void)vfs;
    static const int counted = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    struct fault_file *file = fault_of(base);
    memset(file, 0, sizeof(*file));
    file->real = (sqlite3_file *)(file + 1);
    file->is_counted = (flags & counted) != 0;
    enum sw_fault_kind kind = file->is_counted ? fault_meet() : SW_FAULT_NONE;
    if (kind == SW_FAULT_KILL || kind == SW_FAULT_LIE) {
        kind = SW_FAULT_IOERR; /* a file that is not open cannot pretend to be */
    }
    FAULT_CALL(kind, SQLITE_CANTOPEN, fault_open_real(name, file, flags, out_flags));
}

static int
fault_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    (void)sync_folder;
    enum sw_fault_kind kind = fault_meet();
    FAULT_CALL(kind, SQLITE_IOERR_DELETE, fault.real->xDelete(fault.real, name, 0));
}

void
sw_fault_vfs_register(bool make_default)
{
    if (fault.real == NULL) {
        fault.real = sqlite3_vfs_find(NULL);
        fault_vfs = *fault.real;
        fault_vfs.szOsFile = (int)sizeof(struct fault_file) + fault.real->szOsFile;
        fault_vfs.zName = SW_FAULT_VFS;
        fault_vfs.pNext = NULL;
        fault_vfs.xOpen = fault_open;
        fault_vfs.xDelete = fault_delete;
    }
    sqlite3_vfs_register(&fault_vfs, make_default);
}

void
sw_fault_arm(const struct sw_fault_plan *plan)
{
    pthread_mutex_lock(&fault.mutex);
    fault.plan = plan != NULL ? *plan : (struct sw_fault_plan){0};
    fault.calls = 0;
    fault.fired = 0;
    fault.is_dead = false;
    pthread_mutex_unlock(&fault.mutex);
}

uint64_t
sw_fault_calls(void)
{
    pthread_mutex_lock(&fault.mutex);
    uint64_t calls = fault.calls;
    pthread_mutex_unlock(&fault.mutex);
    return calls;
}

uint64_t
sw_fault_fired(void)
{
    pthread_mutex_lock(&fault.mutex);
    uint64_t fired = fault.fired;
    pthread_mutex_unlock(&fault.mutex);
    return fired;
}

static bool
fault_parse_kind(const char *text, enum sw_fault_kind *kind)
{
    static const struct {
        const char *name;
        enum sw_fault_kind kind;
    } kinds[] = {
#define X(name, text) {text, SW_FAULT_##name},
        SW_FAULT_KINDS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, text) == 0) {
            *kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

bool
sw_fault_vfs_from_environment(void)
{
    const char *text = getenv(SW_FAULT_ENVIRONMENT);
    struct sw_fault_plan plan = {0};
    char word[32];
    int used = 0;
    if (text == NULL) {
        return true;
    }
    for (; sscanf(text, " %31s%n", word, &used) == 1; text += used) {
        char *value = strchr(word, '=');
        if (value == NULL) {
            break;
        }
        *value++ = '\0';
        uint64_t number = strtoull(value, NULL, 10);
        if (strcmp(word, "at") == 0) {
            plan.at = number;
        } else if (strcmp(word, "count") == 0) {
            plan.count = number;
        } else if (strcmp(word, "seed") == 0) {
            plan.seed = number;
        } else if (strcmp(word, "kind") != 0 || !fault_parse_kind(value, &plan.kind)) {
            break;
        }
        used = used > 0 ? used : 1;
    }
    if (text[strspn(text, " ")] != '\0') {
        fprintf(stderr, "%s: cannot read '%s'\n", SW_FAULT_ENVIRONMENT, text);
        return false;
    }
    fault.is_real = true;
    sw_fault_vfs_register(true);
    sw_fault_arm(&plan);
    return true;
}
