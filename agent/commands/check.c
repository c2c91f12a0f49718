#include "agent/commands/commands.h"
#include "agent/setup.h"

static void
check_say_good(const char *path, const struct sw_config *config)
{
    printf("%s: good (%zu %s, %zu %s)\n", path, config->source_count,
        config->source_count == 1 ? "source" : "sources", config->sink_count,
        config->sink_count == 1 ? "sink" : "sinks");
}

static int
check(int argc, char **argv)
{
    const char *path = SW_DEFAULT_CONFIG;
    const struct sw_option options[] = {
        {.name = "--config", .letter = "-c", .value = &path},
        {.name = NULL},
    };
    if (!sw_command_options(&sw_command_check, argc, argv, options, NULL)) {
        return SW_EXIT_USAGE;
    }

    struct sw_config_options load = {.mode = SW_CONFIG_CHECK, .types = &sw_setup_types};
    struct sw_problems problems;
    sw_problems_init(&problems);
    struct sw_config *config = sw_config_load(path, &load, &problems);
    sw_problems_print(&problems, stdout);
    if (config != NULL) {
        check_say_good(path, config);
    }
    int status = config != NULL ? SW_EXIT_OK : SW_EXIT_CONFIG;
    sw_problems_fini(&problems);
    sw_config_free(config);
    return status;
}

const struct sw_command sw_command_check = {
    .name = "check",
    .usage = "[-c FILE]",
    .summary = "tell every problem of a configuration",
    .help = "Loads the configuration as `run` does and prints each problem on a line of its own:\n"
            "file:line:column: key: problem. Lines that begin with \"warning:\" do not count.\n"
            "Exit status: 0 good, 78 not.",
    .run = check,
};
