#include <stdio.h>

#include "agent/base/time_text.h"
#include "agent/platform/windows/system.h"

#define CLOCK_EPOCH INT64_C(116444736000000000) /* 1970-01-01 in 100 ns since 1601 */

static int64_t
clock_ticks(const FILETIME *time)
{
    ULARGE_INTEGER ticks = {.LowPart = time->dwLowDateTime, .HighPart = time->dwHighDateTime};
    return (int64_t)ticks.QuadPart;
}

int64_t
sw_clock_wall_ns(void)
{
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return (clock_ticks(&now) - CLOCK_EPOCH) * 100;
}

int64_t
sw_clock_local_offset_s(int64_t wall_ns)
{
    ULARGE_INTEGER ticks = {.QuadPart = (ULONGLONG)(wall_ns / 100 + CLOCK_EPOCH)};
    FILETIME at = {.dwLowDateTime = ticks.LowPart, .dwHighDateTime = ticks.HighPart};
    FILETIME there;
    SYSTEMTIME utc;
    SYSTEMTIME local;
    /* With the rules of that year, as FileTimeToLocalFileTime() has not. */
    if (!FileTimeToSystemTime(&at, &utc) ||
        !SystemTimeToTzSpecificLocalTimeEx(NULL, &utc, &local) ||
        !SystemTimeToFileTime(&local, &there)) {
        return 0;
    }
    /* SYSTEMTIME has cut the time to milliseconds. */
    int64_t difference = clock_ticks(&there) - clock_ticks(&at) / 10000 * 10000;
    return difference / 10000000;
}

/* The interrupt time with its bias is the one that counts sleep (the "unbiased" one does not). The
 * precise form moves between two ticks of the system's clock. */
int64_t
sw_clock_boot_ns(void)
{
    typedef void(WINAPI * clock_read_t)(ULONGLONG * ticks);
    static clock_read_t clock_read;
    clock_read_t read = __atomic_load_n(&clock_read, __ATOMIC_RELAXED);
    if (read == NULL) {
        read = (clock_read_t)win_function(L"kernelbase.dll", "QueryInterruptTimePrecise");
        if (read == NULL) {
            return (int64_t)GetTickCount64() * SW_NS_PER_MS;
        }
        __atomic_store_n(&clock_read, read, __ATOMIC_RELAXED);
    }
    ULONGLONG ticks;
    read(&ticks);
    return (int64_t)ticks * 100;
}

/* The loader counts boots and leaves the number where every process can read it: in the page that
 * the kernel shares with all (KUSER_SHARED_DATA.BootId, at the same address everywhere). Wine and
 * Windows before 10 leave it 0. */
void
sw_clock_boot_id(char text[SW_BOOT_ID_SIZE])
{
    const volatile ULONG *number = (const volatile ULONG *)(uintptr_t)(0x7FFE0000u + 0x2C4u);
    text[0] = '\0';
    if (*number != 0) {
        snprintf(text, SW_BOOT_ID_SIZE, "boot-%lu", (unsigned long)*number);
    }
}
