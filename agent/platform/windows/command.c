/* What a program is started with: its command line and its environment. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"

#define COMMAND_SIZE ((size_t)32767 * 4) /* CreateProcessW: 32,767 characters with the NUL */

/* One argument as every program's C library takes it apart again ("Parsing C command-line
 * arguments"): a quote is escaped, and so are the backslashes right in front of one. */
static void
command_quote(struct sw_buf *line, const char *argument)
{
    if (argument[0] != '\0' && argument[strcspn(argument, " \t\n\v\"")] == '\0') {
        sw_buf_add_text(line, argument);
        return;
    }
    size_t backslashes = 0;
    sw_buf_add_char(line, '"');
    for (const char *at = argument; *at != '\0'; at++) {
        size_t more = *at == '"' ? backslashes + 1 : 0;
        for (size_t i = 0; i < more; i++) {
            sw_buf_add_char(line, '\\');
        }
        sw_buf_add_char(line, *at);
        backslashes = *at == '\\' ? backslashes + 1 : 0;
    }
    for (size_t i = 0; i < backslashes; i++) {
        sw_buf_add_char(line, '\\');
    }
    sw_buf_add_char(line, '"');
}

wchar_t *
win_command_line(const char *const *argv)
{
    struct sw_buf line;
    sw_buf_init(&line, COMMAND_SIZE);
    for (size_t i = 0; argv[i] != NULL; i++) {
        if (i > 0) {
            sw_buf_add_char(&line, ' ');
        }
        command_quote(&line, argv[i]);
    }
    wchar_t *wide = line.failed ? NULL : win_wide(sw_buf_text(&line));
    sw_buf_fini(&line);
    return wide;
}

wchar_t *
win_environment_block(const char *const *env)
{
    size_t size = 2;
    for (size_t i = 0; env[i] != NULL; i++) {
        size += strlen(env[i]) + 1;
    }
    wchar_t *block = sw_calloc(size, sizeof(*block));
    wchar_t *at = block;
    for (size_t i = 0; env[i] != NULL; i++) {
        wchar_t *wide = win_wide(env[i]);
        wcscpy(at, wide);
        at += wcslen(at) + 1;
        free(wide);
    }
    return block;
}

static pthread_once_t command_once = PTHREAD_ONCE_INIT;
static char *command_least[5];

/* Without SystemRoot not even sockets start in a program. */
static void
command_make_least(void)
{
    const char *root = sw_environment_get("SystemRoot");
    const char *drive = sw_environment_get("SystemDrive");
    struct sw_buf buf;
    root = root != NULL ? root : "C:\\Windows";
    sw_buf_init(&buf, 8192);
    sw_buf_printf(
        &buf, "PATH=%s\\System32;%s;%s\\System32\\WindowsPowerShell\\v1.0", root, root, root);
    command_least[0] = sw_buf_take(&buf);
    sw_buf_printf(&buf, "SystemDrive=%s", drive != NULL ? drive : "C:");
    command_least[1] = sw_buf_take(&buf);
    sw_buf_printf(&buf, "SystemRoot=%s", root);
    command_least[2] = sw_buf_take(&buf);
    sw_buf_printf(&buf, "windir=%s", root);
    command_least[3] = sw_buf_take(&buf);
    sw_buf_fini(&buf);
}

const char *const *
sw_process_environment(void)
{
    union {
        char **ours;
        const char *const *borrowed;
    } same = {.ours = command_least};
    pthread_once(&command_once, command_make_least);
    return same.borrowed;
}
