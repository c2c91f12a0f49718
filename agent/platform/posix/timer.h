/*
 * poll() with a deadline on the boot clock, for the other files of this folder. poll()'s own
 * timeout stands still while the machine sleeps; a timer descriptor on CLOCK_BOOTTIME fires right
 * after it wakes, and costs no wake-ups in between.
 */
#ifndef SW_PLATFORM_POSIX_TIMER_H
#define SW_PLATFORM_POSIX_TIMER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

struct sw_timer {
    int fd; /* -1: none is needed, or no descriptor was left: poll's own timeout serves then */
    int64_t until_ns;
};

/* until_ns on the boot clock; INT64_MAX never fires. */
void sw_timer_start(struct sw_timer *timer, int64_t until_ns);
void sw_timer_stop(struct sw_timer *timer);

/* Waits until one of fds[0] to fds[count - 1] is ready; fds[count] is room that this function
 * needs. How many of them are ready; 0: the time is over and none is. */
size_t sw_timer_poll(const struct sw_timer *timer, struct pollfd *fds, size_t count);

#endif
