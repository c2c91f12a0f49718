#include "agent/platform/platform.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/time_text.h"

#ifdef SW_SANITIZED
#define THREAD_STACK_SIZE ((size_t)1024 * 1024)
#else
#define THREAD_STACK_SIZE ((size_t)128 * 1024)
#endif
#define THREAD_STACK_ROOMY ((size_t)1024 * 1024)
#define THREAD_NAME_SIZE   16 /* the kernel's limit, with the NUL */

/* Signals are the main thread's business; faults are left alone, for a sanitizer or a debugger
 * to see them. */
static void
thread_signals(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigfillset(set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigdelset(set, faults[i]);
    }
}

static size_t
thread_stack_size(size_t wanted)
{
    /* What the system needs grows with the processor's vector registers. */
    long least = sysconf(_SC_THREAD_STACK_MIN);
    return least > 0 && (size_t)least > wanted / 2 ? (size_t)least + wanted : wanted;
}

static bool
thread_start(pthread_t *thread, void *(*run)(void *), void *argument, const char *name,
    size_t stack_size, struct sw_err *err)
{
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, thread_stack_size(stack_size));
    thread_signals(&blocked);

    /* A new thread inherits the mask, so that there is no moment in which it has another. */
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int code = pthread_create(thread, &attributes, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (code != 0) {
        return sw_err_set_os(err, code, "start thread %s", name);
    }
    char short_name[THREAD_NAME_SIZE];
    snprintf(short_name, sizeof(short_name), "%.15s", name);
    pthread_setname_np(*thread, short_name);
    return true;
}

bool
sw_thread_start(
    pthread_t *thread, void *(*run)(void *), void *argument, const char *name, struct sw_err *err)
{
    return thread_start(thread, run, argument, name, THREAD_STACK_SIZE, err);
}

bool
sw_thread_start_roomy(
    pthread_t *thread, void *(*run)(void *), void *argument, const char *name, struct sw_err *err)
{
    return thread_start(thread, run, argument, name, THREAD_STACK_ROOMY, err);
}

void
sw_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

/*
 * Condition variables know no boot clock, so what is left of the time is waited for on the
 * monotonic one. That one stands still while the machine sleeps: after a suspend a wait that was
 * under way ends late, by at most the time asleep. Waking up now and then to look would cost
 * more than that is worth; what must be prompt after a suspend waits for a latch instead.
 */
bool
sw_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns)
{
    if (until_ns == INT64_MAX) {
        pthread_cond_wait(cond, mutex);
        return false;
    }
    int64_t boot_ns = sw_clock_boot_ns();
    if (until_ns <= boot_ns) {
        return true;
    }
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    /* No overflow: the monotonic clock is never ahead of the boot clock. */
    int64_t at_ns = (int64_t)at.tv_sec * SW_NS_PER_S + at.tv_nsec + (until_ns - boot_ns);
    at.tv_sec = at_ns / SW_NS_PER_S;
    at.tv_nsec = at_ns % SW_NS_PER_S;
    return pthread_cond_timedwait(cond, mutex, &at) == ETIMEDOUT;
}
