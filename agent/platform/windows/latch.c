#include "agent/platform/windows/system.h"

/* fds[0] is an event that is never reset: once set it stays ready for every waiter. */
bool
sw_latch_init(struct sw_latch *latch, struct sw_err *err)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    *latch = (struct sw_latch){.fds = {event != NULL ? win_fd(event) : -1, -1}};
    return event != NULL || win_fail(err, GetLastError(), "make a latch");
}

void
sw_latch_fini(struct sw_latch *latch)
{
    if (latch->fds[0] >= 0) {
        CloseHandle(win_handle(latch->fds[0]));
    }
    latch->fds[0] = -1;
}

void
sw_latch_set(struct sw_latch *latch)
{
    if (!__atomic_exchange_n(&latch->set, true, __ATOMIC_ACQ_REL)) {
        (void)SetEvent(win_handle(latch->fds[0]));
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
    HANDLE handle = win_handle(latch->fds[0]);
    return win_wait(&handle, 1, until_ns) == 0;
}
