/*
 * WaitForMultipleObjects() does not count the time asleep, a timer on the wall clock does but moves
 * when that clock is set. Together they are right: whichever comes first, the boot clock is asked.
 */
#include "agent/base/time_text.h"
#include "agent/platform/windows/system.h"

/* Below that a sleep in between is not worth a timer. */
#define WAIT_TIMER_NS (2 * SW_NS_PER_S)

#define WAIT_LONGEST_MS (24u * 3600 * 1000)

static HANDLE
wait_timer(int64_t left_ns)
{
    if (left_ns < WAIT_TIMER_NS) {
        return NULL;
    }
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    ULARGE_INTEGER ticks = {.LowPart = now.dwLowDateTime, .HighPart = now.dwHighDateTime};
    LARGE_INTEGER due = {.QuadPart = (LONGLONG)ticks.QuadPart + left_ns / 100};
    HANDLE timer = CreateWaitableTimerW(NULL, TRUE, NULL);
    if (timer != NULL && !SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE)) {
        CloseHandle(timer);
        timer = NULL;
    }
    return timer;
}

static DWORD
wait_ms(int64_t left_ns)
{
    int64_t left_ms = left_ns > 0 ? (left_ns - 1) / SW_NS_PER_MS + 1 : 0;
    return left_ms < WAIT_LONGEST_MS ? (DWORD)left_ms : WAIT_LONGEST_MS;
}

/* Once: until a handle is signalled, or a time has passed that may be the right one. */
static DWORD
wait_once(HANDLE *handles, DWORD count, int64_t until_ns)
{
    if (until_ns == INT64_MAX) {
        return count > 0 ? WaitForMultipleObjects(count, handles, FALSE, INFINITE)
                         : WaitForSingleObject(GetCurrentProcess(), INFINITE);
    }
    int64_t left_ns = until_ns - sw_clock_boot_ns();
    HANDLE timer = wait_timer(left_ns);
    if (timer != NULL) {
        handles[count] = timer;
    }
    DWORD used = count + (timer != NULL);
    DWORD ready = WAIT_TIMEOUT;
    if (used > 0) {
        ready = WaitForMultipleObjects(used, handles, FALSE, wait_ms(left_ns));
    } else {
        Sleep(wait_ms(left_ns));
    }
    if (timer != NULL) {
        CloseHandle(timer);
    }
    return ready;
}

size_t
win_wait(const HANDLE *handles, size_t count, int64_t until_ns)
{
    HANDLE room[WIN_WAIT_MAX + 1];
    size_t which[WIN_WAIT_MAX];
    DWORD used = 0;
    for (size_t i = 0; i < count && used < WIN_WAIT_MAX; i++) {
        if (handles[i] != NULL) {
            which[used] = i;
            room[used++] = handles[i];
        }
    }
    for (;;) {
        DWORD ready = wait_once(room, used, until_ns);
        if (ready < WAIT_OBJECT_0 + used) {
            return which[ready - WAIT_OBJECT_0];
        }
        if (until_ns != INT64_MAX && sw_clock_boot_ns() >= until_ns) {
            return WIN_WAIT_OVER;
        }
        if (ready == WAIT_FAILED) {
            Sleep(1); /* a handle that is none: a fault of ours, but not one to spin on */
        }
    }
}
