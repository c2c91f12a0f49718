#include <stdlib.h>
#include <time.h>

#include "agent/base/time_text.h"
#include "agent/platform/windows/system.h"

#define THREAD_STACK_SIZE  ((size_t)128 * 1024)
#define THREAD_STACK_ROOMY ((size_t)1024 * 1024)

/* For a debugger and for whoever looks at the threads; Windows 10 1607 and later. */
static void
thread_set_name(pthread_t thread, const char *name)
{
    typedef HRESULT(WINAPI * thread_describe_t)(HANDLE thread, const wchar_t *text);
    thread_describe_t describe =
        (thread_describe_t)win_function(L"kernelbase.dll", "SetThreadDescription");
    if (describe != NULL) {
        wchar_t *wide = win_wide(name);
        (void)describe(pthread_gethandle(thread), wide);
        free(wide);
    }
}

static bool
thread_start(pthread_t *thread, void *(*run)(void *), void *argument, const char *name,
    size_t stack_size, struct sw_err *err)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_size);
    int code = pthread_create(thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    if (code != 0) {
        return sw_err_set_os(err, code, "start thread %s", name);
    }
    thread_set_name(*thread, name);
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
    pthread_cond_init(cond, NULL);
}

/* By what is left, not by a moment of a clock: winpthreads knows the wall clock only, and that may
 * be set meanwhile. */
bool
sw_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns)
{
    if (until_ns == INT64_MAX) {
        pthread_cond_wait(cond, mutex);
        return false;
    }
    int64_t left_ns = until_ns - sw_clock_boot_ns();
    if (left_ns <= 0) {
        return true;
    }
    struct timespec left = {
        .tv_sec = left_ns / SW_NS_PER_S, .tv_nsec = (long)(left_ns % SW_NS_PER_S)};
    (void)pthread_cond_timedwait_relative_np(cond, mutex, &left);
    return sw_clock_boot_ns() >= until_ns;
}
