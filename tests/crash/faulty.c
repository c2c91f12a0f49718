/* Makes the real program, linked with this, run on the failing VFS (fault_vfs.h) when
 * SHAREWATCH_TEST_FAULT says so, and tell at its end how many calls there were. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/crash/fault_vfs.h"

static void
faulty_report(void)
{
    fprintf(stderr, "faulty: calls %" PRIu64 ", failed %" PRIu64 "\n", sw_fault_calls(),
        sw_fault_fired());
}

__attribute__((constructor)) static void
faulty_begin(void)
{
    if (!sw_fault_vfs_from_environment()) {
        _exit(2);
    }
    if (getenv(SW_FAULT_ENVIRONMENT) != NULL) {
        atexit(faulty_report);
    }
}
