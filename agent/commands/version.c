#include "agent/commands/commands.h"
#include "agent/setup.h"

static int
version(int argc, char **argv)
{
    static const struct sw_option options[] = {{.name = NULL}};
    if (!sw_command_options(&sw_command_version, argc, argv, options, NULL)) {
        return SW_EXIT_USAGE;
    }
    printf("sharewatch %s\nsources:", SW_VERSION);
    for (size_t i = 0; sw_source_classes[i] != NULL; i++) {
        printf(" %s", sw_source_classes[i]->part.name);
    }
    printf("\nsinks:");
    for (size_t i = 0; sw_sink_classes[i] != NULL; i++) {
        printf(" %s", sw_sink_classes[i]->part.name);
    }
    printf("\n");
    return fflush(stdout) == 0 ? SW_EXIT_OK : SW_EXIT_FAILED;
}

const struct sw_command sw_command_version = {
    .name = "version",
    .usage = "",
    .summary = "version, and the sources and sinks of this build",
    .help = "Prints the version and the types of sources and sinks that this build has.",
    .run = version,
};
