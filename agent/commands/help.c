#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands/commands.h"
#include "agent/setup.h"

static void
help_overview(struct sw_buf *buf)
{
    sw_buf_add_text(buf, "sharewatch tells who connects to SMB file servers, the moment it "
                         "changes.\n\nusage: sharewatch COMMAND [OPTIONS]\n\ncommands:\n");
    for (size_t i = 0; sw_commands[i] != NULL; i++) {
        sw_buf_printf(buf, "  %-10s %s\n", sw_commands[i]->name, sw_commands[i]->summary);
    }
    sw_buf_add_text(buf, "\nconfiguration (default " SW_DEFAULT_CONFIG "), `help TOPIC`:\n");
    sw_config_help_topics(&sw_setup_types, buf);
}

static bool
help_topic(const char *topic, struct sw_buf *buf)
{
    const struct sw_command *command = sw_command_find(topic);
    struct sw_buf part;
    if (command != NULL) {
        sw_buf_printf(buf, "usage: sharewatch %s%s%s\n\n%s\n", command->name,
            command->usage[0] != '\0' ? " " : "", command->usage, command->help);
    }
    /* `replay` is a command and a source. */
    sw_buf_init(&part, (size_t)1 << 20);
    bool is_part = sw_config_help(&sw_setup_types, topic, &part);
    if (is_part) {
        sw_buf_add_text(buf, command != NULL ? "\n" : "");
        sw_buf_add(buf, sw_buf_text(&part), part.size);
    }
    sw_buf_fini(&part);
    return command != NULL || is_part;
}

static int
help(int argc, char **argv)
{
    static const struct sw_option options[] = {{.name = NULL}};
    struct sw_buf buf;
    int count;
    if (!sw_command_options(&sw_command_help, argc, argv, options, &count)) {
        return SW_EXIT_USAGE;
    }
    sw_buf_init(&buf, (size_t)1 << 20);
    if (count == 0) {
        help_overview(&buf);
    } else if (count > 1 || !help_topic(argv[0], &buf)) {
        char text[200];
        sw_buf_fini(&buf);
        snprintf(text, sizeof(text), "no topic '%.100s'; `sharewatch help` lists them", argv[0]);
        return sw_command_usage(&sw_command_help, count > 1 ? "one topic at a time" : text);
    }
    bool written = sw_command_write(&buf, stdout);
    sw_buf_fini(&buf);
    return written ? SW_EXIT_OK : SW_EXIT_FAILED;
}

const struct sw_command sw_command_help = {
    .name = "help",
    .usage = "[TOPIC]",
    .summary = "this text, or the reference of a command or configuration key",
    .help = "TOPIC is a command, or one of the topics that `sharewatch help` lists.",
    .run = help,
};
