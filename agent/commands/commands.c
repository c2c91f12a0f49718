#include "agent/commands/commands.h"

#include <string.h>

#include "agent/setup.h"

const struct sw_command *const sw_commands[] = {
    &sw_command_run,
    &sw_command_check,
    &sw_command_sessions,
    &sw_command_replay,
    &sw_command_status,
    &sw_command_version,
    &sw_command_help,
    NULL,
};

const struct sw_command *
sw_command_find(const char *name)
{
    for (size_t i = 0; sw_commands[i] != NULL; i++) {
        if (strcmp(sw_commands[i]->name, name) == 0) {
            return sw_commands[i];
        }
    }
    return NULL;
}

int
sw_command_usage(const struct sw_command *command, const char *problem)
{
    struct sw_buf text;
    sw_buf_init(&text, 16384);
    sw_text_printable(&text, sw_str_of(problem));
    fprintf(stderr, "sharewatch %s: %s\nusage: sharewatch %s %s\n", command->name,
        sw_buf_text(&text), command->name, command->usage);
    sw_buf_fini(&text);
    return SW_EXIT_USAGE;
}

bool
sw_command_write(struct sw_buf *buf, FILE *file)
{
    bool good = !buf->failed && fwrite(sw_buf_text(buf), 1, buf->size, file) == buf->size &&
                fflush(file) == 0;
    sw_buf_clear(buf);
    return good;
}

static const struct sw_option *
option_find(const struct sw_option *options, struct sw_str name)
{
    for (; options->name != NULL; options++) {
        if (sw_str_is(name, options->name) ||
            (options->letter != NULL && sw_str_is(name, options->letter))) {
            return options;
        }
    }
    return NULL;
}

static bool
option_problem(const struct sw_command *command, const char *argument, const char *problem)
{
    char text[512];
    snprintf(text, sizeof(text), "%.200s: %s", argument, problem);
    sw_command_usage(command, text);
    return false;
}

bool
sw_command_options(const struct sw_command *command, int argc, char **argv,
    const struct sw_option *options, int *count)
{
    bool only_arguments = false;
    int others = 0;
    for (int i = 1; i < argc; i++) {
        char *argument = argv[i];
        if (only_arguments || argument[0] != '-' || argument[1] == '\0') {
            argv[others++] = argument;
            continue;
        }
        if (strcmp(argument, "--") == 0) {
            only_arguments = true;
            continue;
        }
        const char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;
        size_t size = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
        const struct sw_option *option = option_find(options, (struct sw_str){argument, size});
        if (option == NULL) {
            return option_problem(command, argument, "unknown option");
        }
        if (option->flag != NULL) {
            if (equals != NULL) {
                return option_problem(command, argument, "takes no value");
            }
            *option->flag = true;
        } else if (equals != NULL) {
            *option->value = equals + 1;
        } else if (i + 1 < argc) {
            *option->value = argv[++i];
        } else {
            return option_problem(command, argument, "needs a value");
        }
    }
    if (count == NULL && others > 0) {
        return option_problem(command, argv[0], "takes no arguments, only options");
    }
    if (count != NULL) {
        *count = others;
    }
    return true;
}
