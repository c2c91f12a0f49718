#include "agent/platform/platform.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/platform/posix/timer.h"

/* fds[0] is an eventfd that nobody ever reads: once written it stays ready for every waiter. */
bool
sw_latch_init(struct sw_latch *latch, struct sw_err *err)
{
    *latch = (struct sw_latch){.fds = {eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), -1}};
    return latch->fds[0] >= 0 || sw_err_set_os(err, errno, "make a latch");
}

void
sw_latch_fini(struct sw_latch *latch)
{
    if (latch->fds[0] >= 0) {
        close(latch->fds[0]);
    }
    latch->fds[0] = -1;
}

void
sw_latch_set(struct sw_latch *latch)
{
    static const uint64_t one = 1;
    if (!__atomic_exchange_n(&latch->set, true, __ATOMIC_ACQ_REL)) {
        /* The first write to an eventfd always finds room. */
        ssize_t written = write(latch->fds[0], &one, sizeof(one));
        (void)written;
    }
}

bool
sw_latch_is_set(const struct sw_latch *latch)
{
    return __atomic_load_n(&latch->set, __ATOMIC_ACQUIRE);
}

bool
sw_latch_wait(const struct sw_latch *latch, int64_t until_ns)
{
    if (sw_latch_is_set(latch) || until_ns <= sw_clock_boot_ns()) {
        return sw_latch_is_set(latch);
    }
    struct sw_timer timer;
    sw_timer_start(&timer, until_ns);
    struct pollfd fds[2] = {{.fd = latch->fds[0], .events = POLLIN}};
    bool is_set = sw_timer_poll(&timer, fds, 1) > 0;
    sw_timer_stop(&timer);
    return is_set;
}
