#include "agent/platform/platform.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/posix/timer.h"

#define SIGNALS_TWIN_NS (50 * SW_NS_PER_MS)

static void
signals_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1); /* our own: sw_signals_wake */
}

static void
signals_action(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void
sw_signals_init(void)
{
    sigset_t set;
    signals_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signals_action(SIGPIPE, SIG_IGN);
    /* Whoever started us may have ignored it, and then no child's exit status can be had. */
    signals_action(SIGCHLD, SIG_DFL);
}

static enum sw_signal
signals_take(int64_t wait_ns)
{
    struct timespec wait = {.tv_sec = wait_ns / SW_NS_PER_S, .tv_nsec = wait_ns % SW_NS_PER_S};
    sigset_t set;
    signals_set(&set);
    switch (sigtimedwait(&set, NULL, &wait)) {
    case SIGTERM:
    case SIGINT:
        return SW_SIGNAL_STOP;
    case SIGHUP:
        return SW_SIGNAL_RELOAD;
    case SIGUSR1:
        return SW_SIGNAL_WAKE;
    default:
        return SW_SIGNAL_NONE;
    }
}

/* sigtimedwait() alone does not count the time asleep, so it only takes what a descriptor
 * announced; without a descriptor to spare, late is better than deaf. */
enum sw_signal
sw_signals_wait(int64_t until_ns)
{
    sigset_t set;
    signals_set(&set);
    struct pollfd fds[2] = {
        {.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN}};
    if (fds[0].fd < 0) {
        int64_t now_ns = sw_clock_boot_ns();
        return signals_take(until_ns > now_ns ? until_ns - now_ns : 0);
    }
    struct sw_timer timer;
    sw_timer_start(&timer, until_ns);
    enum sw_signal taken = SW_SIGNAL_NONE;
    while (taken == SW_SIGNAL_NONE && sw_timer_poll(&timer, fds, 1) > 0) {
        taken = signals_take(0);
    }
    sw_timer_stop(&timer);
    close(fds[0].fd);
    return taken;
}

void
sw_signals_wake(void)
{
    (void)kill(getpid(), SIGUSR1);
}

/* timeout(1) and some supervisors tell the process and then its group: one stop, heard twice.
 * Taken for a second one it would end us before agent.stopped is stored. */
static void
signals_take_twin(const sigset_t *stops)
{
    int64_t until_ns = sw_clock_boot_ns() + SIGNALS_TWIN_NS;
    int64_t left_ns = SIGNALS_TWIN_NS;
    int taken = -1;
    while (taken < 0 && left_ns > 0) {
        const struct timespec left = {.tv_nsec = left_ns};
        taken = sigtimedwait(stops, NULL, &left);
        left_ns = until_ns - sw_clock_boot_ns();
    }
}

void
sw_signals_second_stop_kills(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signals_take_twin(&set);
    signals_action(SIGTERM, SIG_DFL);
    signals_action(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
