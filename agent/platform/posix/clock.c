#include "agent/platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/posix/timer.h"

static int64_t
clock_read(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now); /* cannot fail for clocks that every kernel since 2.6.39 has */
    return (int64_t)now.tv_sec * SW_NS_PER_S + now.tv_nsec;
}

int64_t
sw_clock_wall_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

int64_t
sw_clock_local_offset_s(int64_t wall_ns)
{
    struct tm local;
    time_t at_s = (time_t)(wall_ns / SW_NS_PER_S - (wall_ns % SW_NS_PER_S < 0));
    return localtime_r(&at_s, &local) != NULL ? local.tm_gmtoff : 0;
}

int64_t
sw_clock_boot_ns(void)
{
    return clock_read(CLOCK_BOOTTIME);
}

void
sw_clock_boot_id(char text[SW_BOOT_ID_SIZE])
{
    ssize_t size = -1;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        size = read(fd, text, SW_BOOT_ID_SIZE - 1);
        close(fd);
    }
    text[size > 0 ? size : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

void
sw_timer_start(struct sw_timer *timer, int64_t until_ns)
{
    *timer = (struct sw_timer){.fd = -1, .until_ns = until_ns};
    if (until_ns == INT64_MAX) {
        return;
    }
    /* Zero would disarm the timer instead of firing it. */
    int64_t at_ns = until_ns > 0 ? until_ns : 1;
    struct itimerspec when = {
        .it_value = {.tv_sec = at_ns / SW_NS_PER_S, .tv_nsec = at_ns % SW_NS_PER_S},
    };
    timer->fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer->fd >= 0 && timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &when, NULL) != 0) {
        sw_timer_stop(timer);
    }
}

void
sw_timer_stop(struct sw_timer *timer)
{
    if (timer->fd >= 0) {
        close(timer->fd);
    }
    timer->fd = -1;
}

/* For poll(), rounded up so that it never returns early and spins. */
static int
timer_left_ms(const struct sw_timer *timer)
{
    if (timer->fd >= 0 || timer->until_ns == INT64_MAX) {
        return -1;
    }
    int64_t now_ns = sw_clock_boot_ns();
    if (timer->until_ns <= now_ns) {
        return 0;
    }
    int64_t left_ms = (timer->until_ns - now_ns - 1) / SW_NS_PER_MS + 1;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

size_t
sw_timer_poll(const struct sw_timer *timer, struct pollfd *fds, size_t count)
{
    for (;;) {
        int timeout_ms = timer_left_ms(timer);
        fds[count] = (struct pollfd){.fd = timer->fd, .events = POLLIN};
        int ready = poll(fds, (nfds_t)count + 1, timeout_ms);
        if (ready > 0) {
            return (size_t)ready - (fds[count].revents != 0);
        }
        /* Otherwise a signal, or a timeout that was cut to what an int holds: once more. */
        if (ready == 0 && timer_left_ms(timer) == 0) {
            for (size_t i = 0; i < count; i++) {
                fds[i].revents = 0;
            }
            return 0;
        }
    }
}
