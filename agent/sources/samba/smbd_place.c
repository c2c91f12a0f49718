#include "agent/sources/samba/smbd_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "agent/sources/samba/samba.h"

#define PLACE_DEFAULT    "/run/samba"
#define PLACE_OUTPUT_MAX (64 * 1024)
#define PLACE_MEMORY_MAX ((uint64_t)512 << 20)

/* The folder is the last line of what testparm prints; its exit status also speaks of matters that
 * are none of ours (a missing cache folder). */
static char *
place_folder_of(struct sw_str text)
{
    while (text.size > 0 && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == ' ')) {
        text.size--;
    }
    size_t from = text.size;
    while (from > 0 && text.data[from - 1] != '\n') {
        from--;
    }
    if (from == text.size || text.data[from] != '/') {
        return NULL;
    }
    return sw_strndup(text.data + from, text.size - from);
}

static char *
place_ask(const char *testparm, const char *parameter, const char *smb_conf, int64_t deadline_ns,
    const struct sw_latch *stop)
{
    const char *argv[] = {testparm, "-s", parameter, smb_conf, NULL};
    struct sw_process process = {
        .argv = argv,
        .env = sw_samba_environment,
        .stdout_max = PLACE_OUTPUT_MAX,
        .stderr_max = PLACE_OUTPUT_MAX,
        .memory_max = PLACE_MEMORY_MAX,
        .nice = SW_SAMBA_NICE,
        .deadline_ns = deadline_ns,
        .stop = stop,
    };
    struct sw_process_result result = {0};
    char *folder = NULL;
    if (sw_process_run(&process, &result, NULL) && result.exit_status >= 0) {
        folder = place_folder_of((struct sw_str){sw_buf_text(&result.out), result.out.size});
    }
    sw_process_result_fini(&result);
    return folder;
}

static char *
place_join(const char *folder, const char *name)
{
    struct sw_buf path;
    sw_buf_init(&path, 64 * 1024);
    sw_path_join(folder, name, &path);
    return sw_buf_take(&path);
}

void
sw_smbd_place_find(struct sw_smbd_place *place, const char *testparm, const char *smb_conf,
    int64_t deadline_ns, const struct sw_latch *stop)
{
    char *pid_folder = NULL;
    char *lock_folder = NULL;
    if (testparm != NULL) {
        pid_folder =
            place_ask(testparm, "--parameter-name=pid directory", smb_conf, deadline_ns, stop);
    }
    if (pid_folder != NULL) {
        lock_folder =
            place_ask(testparm, "--parameter-name=lock directory", smb_conf, deadline_ns, stop);
    }
    *place = (struct sw_smbd_place){.guessed = lock_folder == NULL};
    place->pid_file = place_join(place->guessed ? PLACE_DEFAULT : pid_folder, "smbd.pid");
    place->locking_file = place_join(place->guessed ? PLACE_DEFAULT : lock_folder, "locking.tdb");
    free(pid_folder);
    free(lock_folder);
}

void
sw_smbd_place_fini(struct sw_smbd_place *place)
{
    free(place->pid_file);
    free(place->locking_file);
    *place = (struct sw_smbd_place){0};
}

bool
sw_smbd_place_equal(const struct sw_smbd_place *a, const struct sw_smbd_place *b)
{
    return strcmp(a->pid_file, b->pid_file) == 0 && strcmp(a->locking_file, b->locking_file) == 0;
}

static uint64_t
place_read_number(int fd)
{
    char text[32];
    uint64_t number = 0;
    ssize_t size = read(fd, text, sizeof(text));
    size_t digits = 0;
    while (size > 0 && digits < (size_t)size && text[digits] >= '0' && text[digits] <= '9') {
        digits++;
    }
    return sw_parse_uint((struct sw_str){text, digits}, INT32_MAX, &number) ? number : 0;
}

enum sw_smbd
sw_smbd_place_judge(int64_t holder, uint64_t written)
{
    if (holder <= 0) {
        return SW_SMBD_ELSEWHERE;
    }
    return written == 0 || written == (uint64_t)holder ? SW_SMBD_RUNS : SW_SMBD_ELSEWHERE;
}

/* The kernel tells the holder as a number of our own PID namespace, smbd wrote the number it has
 * in its own: a lock's holder is the one thing that is seen across namespaces. */
enum sw_smbd
sw_smbd_place_state(const struct sw_smbd_place *place, struct sw_err *err)
{
    int fd = open(place->pid_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return SW_SMBD_STOPPED;
    }
    if (fd < 0) {
        sw_err_set_os(err, errno, "open %s", place->pid_file);
        return SW_SMBD_UNKNOWN;
    }
    enum sw_smbd state = SW_SMBD_STOPPED;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &lock) != 0) {
        sw_err_set_os(err, errno, "ask who locks %s", place->pid_file);
        state = SW_SMBD_UNKNOWN;
    } else if (lock.l_type != F_UNLCK) {
        state = sw_smbd_place_judge(lock.l_pid, place_read_number(fd));
    }
    close(fd);
    return state;
}
