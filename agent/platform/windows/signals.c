/*
 * The console tells Ctrl+C, Ctrl+Break and its closing on a thread of its own; events hand them to
 * the main thread. What a service manager says will come the same way.
 */
#include "agent/base/time_text.h"
#include "agent/platform/windows/system.h"

#define SIGNALS_TWIN_NS (50 * SW_NS_PER_MS)

/* In the order in which the main thread wants to hear of them. */
enum { SIGNALS_STOP, SIGNALS_RELOAD, SIGNALS_WAKE, SIGNALS_COUNT };

/* The one console handler of a process has no argument to find its state by. */
static HANDLE signals_events[SIGNALS_COUNT];
static int64_t signals_kills_from_ns = INT64_MAX;

static BOOL WINAPI
signals_hear(DWORD control)
{
    if (sw_clock_boot_ns() >= __atomic_load_n(&signals_kills_from_ns, __ATOMIC_ACQUIRE)) {
        (void)TerminateProcess(GetCurrentProcess(), (UINT)STATUS_CONTROL_C_EXIT);
    }
    SetEvent(signals_events[SIGNALS_STOP]);
    if (control != CTRL_C_EVENT && control != CTRL_BREAK_EVENT) {
        /* Closing, logging off, shutting down: the process is ended as soon as this returns. */
        Sleep(INFINITE);
    }
    return TRUE;
}

void
sw_signals_init(void)
{
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        signals_events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
    }
    /* Whoever started us may have switched Ctrl+C off, which is inherited. */
    SetConsoleCtrlHandler(NULL, FALSE);
    SetConsoleCtrlHandler(signals_hear, TRUE);
}

enum sw_signal
sw_signals_wait(int64_t until_ns)
{
    switch (win_wait(signals_events, SIGNALS_COUNT, until_ns)) {
    case SIGNALS_STOP:
        return SW_SIGNAL_STOP;
    case SIGNALS_RELOAD:
        return SW_SIGNAL_RELOAD;
    case SIGNALS_WAKE:
        return SW_SIGNAL_WAKE;
    default:
        return SW_SIGNAL_NONE;
    }
}

void
sw_signals_wake(void)
{
    (void)SetEvent(signals_events[SIGNALS_WAKE]);
}

/* A console tells every process that shares it, and a wrapper may hand it on: one stop, heard
 * twice. */
void
sw_signals_second_stop_kills(void)
{
    __atomic_store_n(
        &signals_kills_from_ns, sw_clock_boot_ns() + SIGNALS_TWIN_NS, __ATOMIC_RELEASE);
}
