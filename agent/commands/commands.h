/* The commands of the program, one file each; argv[0] is the command's name. Each returns the
 * exit status that the README promises. */
#ifndef SW_COMMANDS_H
#define SW_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/base/buffer.h"

struct sw_command {
    const char *name;
    const char *usage;   /* what follows the name */
    const char *summary; /* one line */
    const char *help;    /* more lines for `help NAME` */
    int (*run)(int argc, char **argv);
};

extern const struct sw_command sw_command_run;
extern const struct sw_command sw_command_check;
extern const struct sw_command sw_command_sessions;
extern const struct sw_command sw_command_replay;
extern const struct sw_command sw_command_status;
extern const struct sw_command sw_command_version;
extern const struct sw_command sw_command_help;

/* All of them, in the order of `help`; ends with NULL. */
extern const struct sw_command *const sw_commands[];

const struct sw_command *sw_command_find(const char *name);

/* Says what is wrong and how the command is used; returns 2. */
int sw_command_usage(const struct sw_command *command, const char *problem);

/* Writes the buffer to the file, empties it; false when the reader is gone or the disk full. */
bool sw_command_write(struct sw_buf *buf, FILE *file);

/* One option of a command line. */
struct sw_option {
    const char *name;   /* "--config" */
    const char *letter; /* "-c" or NULL */
    const char **value; /* of an option that takes one … */
    bool *flag;         /* … or of one that does not */
};

/* Reads options (`--name VALUE`, `--name=VALUE`, `-c VALUE`; `--` ends them) into their places and
 * moves the other arguments to the front of argv: *count of them, from argv[0]; count NULL: there
 * must be none. false: a usage problem, told. options ends with a NULL name. */
bool sw_command_options(const struct sw_command *command, int argc, char **argv,
    const struct sw_option *options, int *count);

#endif
