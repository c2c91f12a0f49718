/* Running smbstatus: limits, and what its exit status and standard error mean. */
#include <string.h>

#include "agent/sources/samba/samba.h"

#define RUN_MEMORY_MAX ((uint64_t)512 << 20) /* JSON of 4,000 rows would take 833 MB */
#define RUN_STDOUT_MAX ((size_t)64 << 20)
#define RUN_STDERR_MAX ((size_t)16 << 10)

const char *const sw_samba_environment[] = {"TZ=UTC0", "LC_ALL=C", NULL};

/* Said with status 0 although the list is then not whole. */
static const char *const run_failures[] = {
    "Can't load",
    "not initialised",
    "Unable to",
    "Can't initialise",
};

/* What JSON says when memory ends: 4,000 rows within 512 MiB end as status 0 and "json_get_object:
 * Unable to get object [sessions]" (measured with 4.17.12). */
static const char *const run_memory[] = {"alloc", "memory", "Memory", "Unable to"};

/* Samba before 4.17, or built without jansson. */
static const char *const run_no_json[] = {
    "nvalid option --json",
    "nknown option --json",
    "--json: unknown option",
    "JSON support not available",
    "JSON support is not",
};

static struct sw_str
run_stderr(const struct sw_process_result *result)
{
    return (struct sw_str){sw_buf_text(&result->err), result->err.size};
}

/* The first line that holds one of the texts (no texts: that is not blank); empty if none does. */
static struct sw_str
run_find_line(struct sw_str text, const char *const *texts, size_t count)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        struct sw_str line = {text.data, size};
        if (count == 0 && size > 0) {
            return line;
        }
        for (size_t i = 0; i < count; i++) {
            if (memmem(line.data, line.size, texts[i], strlen(texts[i])) != NULL) {
                return line;
            }
        }
        size += end != NULL;
        text.data += size;
        text.size -= size;
    }
    return (struct sw_str){NULL, 0};
}

static bool
run_says(const struct sw_process_result *result, const char *const *texts, size_t count)
{
    return run_find_line(run_stderr(result), texts, count).data != NULL;
}

#define RUN_SAYS(result, texts) run_says(result, texts, sizeof(texts) / sizeof((texts)[0]))

static enum sw_samba_run
run_failed(const struct sw_process_result *result, struct sw_err *err)
{
    struct sw_str line = run_find_line(run_stderr(result), NULL, 0);
    int size = line.size < 200 ? (int)line.size : 200;
    if (result->exit_status < 0) {
        sw_err_set(err, "smbstatus was ended by signal %d", result->signal);
    } else if (size > 0) {
        sw_err_set(
            err, "smbstatus ended with status %d: %.*s", result->exit_status, size, line.data);
    } else {
        sw_err_set(err, "smbstatus ended with status %d", result->exit_status);
    }
    return SW_SAMBA_RUN_FAILED;
}

enum sw_samba_run
sw_samba_run_judge(const struct sw_process_result *result, bool text, struct sw_err *err)
{
    static const char *const root[] = {"only works as root", "should not be run setuid"};
    static const char *const conf[] = {"Can't load"};
    if (RUN_SAYS(result, root)) {
        sw_err_set(err, "smbstatus needs root: run sharewatch as root");
        return SW_SAMBA_RUN_REFUSED;
    }
    struct sw_str line = run_find_line(
        run_stderr(result), run_failures, sizeof(run_failures) / sizeof(run_failures[0]));
    bool ended_well = result->exit_status == 0;
    if (ended_well && line.data == NULL && (result->out.size > 0 || text)) {
        return SW_SAMBA_RUN_OK;
    }
    run_failed(result, err);
    if (ended_well && line.data != NULL) {
        sw_err_set(err, "smbstatus did not see all: %.*s", line.size < 200 ? (int)line.size : 200,
            line.data);
    } else if (ended_well) {
        sw_err_set(err, "smbstatus printed nothing");
    }
    bool is_json_trouble = result->exit_status < 0 || result->out.size == 0 ||
                           RUN_SAYS(result, run_memory) || RUN_SAYS(result, run_no_json);
    return !text && is_json_trouble && !RUN_SAYS(result, conf) ? SW_SAMBA_RUN_TRY_TEXT
                                                               : SW_SAMBA_RUN_FAILED;
}

/* Longest form: smbstatus -f --json -p -s FILE */
#define RUN_ARGV_SIZE 8

static void
run_argv(const struct sw_samba_command *command, const char *argv[RUN_ARGV_SIZE])
{
    size_t count = 0;
    argv[count++] = command->smbstatus;
    if (command->fast) {
        argv[count++] = "-f";
    }
    argv[count++] = command->text ? "-n" : "--json";
    argv[count++] = "-p";
    if (command->smb_conf != NULL) {
        argv[count++] = "-s";
        argv[count++] = command->smb_conf;
    }
    argv[count] = NULL;
}

enum sw_samba_run
sw_samba_run(
    const struct sw_samba_command *command, struct sw_process_result *result, struct sw_err *err)
{
    const char *argv[RUN_ARGV_SIZE];
    run_argv(command, argv);
    struct sw_process process = {
        .argv = argv,
        .env = sw_samba_environment,
        .stdout_max = RUN_STDOUT_MAX,
        .stderr_max = RUN_STDERR_MAX,
        .memory_max = RUN_MEMORY_MAX,
        .nice = SW_SAMBA_NICE,
        .deadline_ns = command->deadline_ns,
        .stop = command->stop,
    };
    *result = (struct sw_process_result){0};
    if (sw_process_run(&process, result, err)) {
        return sw_samba_run_judge(result, command->text, err);
    }
    bool stopped = command->stop != NULL && sw_latch_is_set(command->stop);
    return stopped || command->text ? SW_SAMBA_RUN_FAILED : SW_SAMBA_RUN_TRY_TEXT;
}
