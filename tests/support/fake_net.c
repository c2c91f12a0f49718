#include "tests/support/fake_net.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/unit.h"

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    char name[64];
    char addresses[256];
    bool hangs;
    unsigned count;
    unsigned under_way;
    uint64_t room;
    int code;
    char calls[256];
} fake = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .room = UINT64_MAX};

void
fake_name_set(const char *name, const char *addresses)
{
    pthread_mutex_lock(&fake.mutex);
    snprintf(fake.name, sizeof(fake.name), "%s", name);
    snprintf(fake.addresses, sizeof(fake.addresses), "%s", addresses);
    pthread_mutex_unlock(&fake.mutex);
}

void
fake_name_hang(bool hangs)
{
    pthread_mutex_lock(&fake.mutex);
    fake.hangs = hangs;
    pthread_cond_broadcast(&fake.changed);
    while (!hangs && fake.under_way > 0) {
        pthread_cond_wait(&fake.changed, &fake.mutex);
    }
    pthread_mutex_unlock(&fake.mutex);
}

unsigned
fake_name_count(void)
{
    pthread_mutex_lock(&fake.mutex);
    unsigned count = fake.count;
    pthread_mutex_unlock(&fake.mutex);
    return count;
}

void
fake_name_wait(unsigned count)
{
    pthread_mutex_lock(&fake.mutex);
    while (fake.count < count) {
        pthread_cond_wait(&fake.changed, &fake.mutex);
    }
    pthread_mutex_unlock(&fake.mutex);
}

void
fake_send_room(uint64_t bytes, int code)
{
    pthread_mutex_lock(&fake.mutex);
    fake.room = bytes;
    fake.code = code;
    pthread_mutex_unlock(&fake.mutex);
}

const char *
fake_send_calls(void)
{
    static char calls[sizeof(fake.calls)];
    pthread_mutex_lock(&fake.mutex);
    memcpy(calls, fake.calls, sizeof(calls));
    fake.calls[0] = '\0';
    pthread_mutex_unlock(&fake.mutex);
    return calls;
}

void
fake_net_reset(void)
{
    (void)fake_send_calls();
    fake_name_hang(false);
    fake_name_set("", "");
    fake_send_room(UINT64_MAX, 0);
    pthread_mutex_lock(&fake.mutex);
    fake.count = 0;
    pthread_mutex_unlock(&fake.mutex);
}

typedef int (*getaddrinfo_function)(
    const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int
real_getaddrinfo(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **first)
{
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    getaddrinfo_function function;
    assert_non_null(symbol);
    memcpy(&function, &symbol, sizeof(function));
    return function(host, service, hints, first);
}

/* glibc frees a chain of answers one by one, so that they can be joined. */
static int
fake_answer(char *addresses, const struct addrinfo *hints, struct addrinfo **first)
{
    char *rest = NULL;
    *first = NULL;
    struct addrinfo **last = first;
    for (char *one = strtok_r(addresses, " ", &rest); one != NULL;
         one = strtok_r(NULL, " ", &rest)) {
        assert_int_equal(real_getaddrinfo(one, NULL, hints, last), 0);
        last = &(*last)->ai_next;
    }
    return *first != NULL ? 0 : EAI_NONAME;
}

int
getaddrinfo(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **first)
{
    pthread_mutex_lock(&fake.mutex);
    if (strcmp(host, fake.name) != 0 || (hints->ai_flags & AI_NUMERICHOST) != 0) {
        pthread_mutex_unlock(&fake.mutex);
        return real_getaddrinfo(host, service, hints, first);
    }
    fake.count++;
    fake.under_way++;
    pthread_cond_broadcast(&fake.changed);
    while (fake.hangs) {
        pthread_cond_wait(&fake.changed, &fake.mutex);
    }
    char addresses[sizeof(fake.addresses)];
    memcpy(addresses, fake.addresses, sizeof(addresses));
    int code = fake_answer(addresses, hints, first);
    fake.under_way--;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mutex);
    return code;
}

/* How many of the messages there is room for. */
static unsigned
fake_fitting(const struct mmsghdr *messages, unsigned count)
{
    unsigned fitting = 0;
    while (fitting < count && messages[fitting].msg_hdr.msg_iov[0].iov_len <= fake.room) {
        fake.room -= messages[fitting++].msg_hdr.msg_iov[0].iov_len;
    }
    fake.room = fitting < count ? 0 : fake.room;
    return fitting;
}

int
sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    pthread_mutex_lock(&fake.mutex);
    bool is_limited = fake.room != UINT64_MAX;
    unsigned fitting = is_limited ? fake_fitting(messages, count) : count;
    int code = fake.code;
    size_t used = strlen(fake.calls);
    snprintf(fake.calls + used, sizeof(fake.calls) - used, used > 0 ? " %u" : "%u", count);
    pthread_mutex_unlock(&fake.mutex);
    if (fitting == 0) {
        errno = code;
        return -1;
    }
    return (int)syscall(SYS_sendmmsg, fd, messages, fitting, flags);
}
