#include "agent/platform/platform.h"

#include <errno.h>
#include <malloc.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/memory.h"

#define HOST_KEEP_FREE     (128 * 1024) /* bytes of free memory that the allocator may hold */
#define HOST_USER_SIZE     1024         /* bytes of a passwd entry: the first try */
#define HOST_USER_SIZE_MAX (1024 * 1024)

void
sw_program_init(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

const char *
sw_environment_get(const char *name)
{
    return getenv(name);
}

void
sw_random(void *context, uint8_t *bytes, size_t size)
{
    (void)context;
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        if (got < 0 && errno != EINTR) {
            fputs("sharewatch: the system gives no random bytes\n", stderr);
            abort();
        }
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        }
    }
}

void
sw_host_name(struct sw_buf *buf)
{
    char name[256] = "";
    if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0' || name[0] == '.') {
        snprintf(name, sizeof(name), "localhost");
    }
    name[strcspn(name, ".")] = '\0';
    sw_buf_add_text(buf, name);
}

void
sw_memory_tune(void)
{
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 1);
    /* Set once, they no longer grow with the largest block ever freed: a snapshot's memory goes
     * back to the system when the snapshot does. */
    mallopt(M_MMAP_THRESHOLD, HOST_KEEP_FREE);
    mallopt(M_TRIM_THRESHOLD, HOST_KEEP_FREE);
#endif
}

void
sw_memory_trim(void)
{
#ifdef M_ARENA_MAX
    malloc_trim(0);
#endif
}

bool
sw_is_superuser(void)
{
    return geteuid() == 0;
}

bool
sw_user_name(uint32_t uid, struct sw_buf *buf)
{
    bool found = false;
    for (size_t size = HOST_USER_SIZE; size <= HOST_USER_SIZE_MAX; size *= 4) {
        struct passwd entry;
        struct passwd *result = NULL;
        char *text = sw_calloc(size, 1);
        int code = getpwuid_r((uid_t)uid, &entry, text, size, &result);
        found = code == 0 && result != NULL;
        if (found) {
            sw_buf_add_text(buf, result->pw_name);
        }
        free(text);
        if (code != ERANGE) {
            break;
        }
    }
    return found && !buf->failed;
}

/* The address of NOTIFY_SOCKET (sd_notify(3)): a path, or with a leading '@' an abstract name. */
static socklen_t
host_notify_address(struct sockaddr_un *address)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t size = name != NULL ? strlen(name) : 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (size < 2 || size >= sizeof(address->sun_path) || (name[0] != '/' && name[0] != '@')) {
        return 0;
    }
    memcpy(address->sun_path, name, size);
    if (name[0] == '@') {
        address->sun_path[0] = '\0';
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void
sw_service_notify(const char *state)
{
    struct sockaddr_un address;
    socklen_t size = host_notify_address(&address);
    int fd = size > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0) {
        return;
    }
    /* A service manager that is busy must hear READY=1; one that hangs must not stop us. */
    struct timeval patience = {.tv_sec = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    close(fd);
}

bool
sw_is_terminal(int fd)
{
    return isatty(fd) == 1;
}
