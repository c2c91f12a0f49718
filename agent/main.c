/* Picks the command; everything else is in the libraries, so that tests can link it. */
#include <stdio.h>
#include <string.h>

#include "agent/commands/commands.h"
#include "agent/platform/platform.h"
#include "agent/setup.h"

int
main(int argc, char **argv)
{
    sw_program_init(&argc, &argv);
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    const struct sw_command *command = sw_command_find(name);
    if (command == NULL) {
        struct sw_buf text;
        sw_buf_init(&text, 16384);
        sw_text_printable(&text, sw_str_of(name));
        fprintf(stderr, "sharewatch: '%s' is no command; `sharewatch help` lists them\n",
            sw_buf_text(&text));
        sw_buf_fini(&text);
        return SW_EXIT_USAGE;
    }
    return command->run(argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : argv);
}
