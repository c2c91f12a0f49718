#include "agent/agent.h"
#include "agent/commands/commands.h"
#include "agent/setup.h"

static int
run(int argc, char **argv)
{
    struct sw_agent_options agent = {.config_path = SW_DEFAULT_CONFIG};
    const struct sw_option options[] = {
        {.name = "--config", .letter = "-c", .value = &agent.config_path},
        {.name = "--until-done", .flag = &agent.until_done},
        {.name = NULL},
    };
    if (!sw_command_options(&sw_command_run, argc, argv, options, NULL)) {
        return SW_EXIT_USAGE;
    }
    return sw_agent_run(&agent);
}

const struct sw_command sw_command_run = {
    .name = "run",
    .usage = "[-c FILE] [--until-done]",
    .summary = "watch and tell, in the foreground, until a signal stops it",
    .help =
        "SIGTERM and SIGINT stop it (a second one at once), SIGHUP loads the configuration again "
        "and\n"
        "reopens files. --until-done (sources of type replay only) ends when all is replayed and\n"
        "every sink has caught up.\n"
        "Exit status: 0 stopped on request, 1 failed, 78 bad configuration.",
    .run = run,
};
