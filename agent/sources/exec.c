/* Sessions as a program of the administrator lists them: one snapshot document a run. */
#include "agent/sources/exec.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json_write.h"
#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/document.h"
#include "agent/sources/sources.h"

#define EXEC_MEMORY_MAX ((uint64_t)512 << 20)
#define EXEC_STDERR_MAX ((size_t)16 << 10)
#define EXEC_QUOTE_MAX  200 /* bytes of its words in our errors */
#define EXEC_ARGUMENTS  64

static const char *
exec_program(const struct sw_source *source)
{
    const struct sw_exec_conf *conf = source->conf;
    return conf->command.items[0];
}

/* Windows' numbers for an account that is refused (ERROR_ACCESS_DENIED, ERROR_LOGON_FAILURE and
 * its kin): trying again soon would lock the account. */
static bool
exec_is_refusal(int code)
{
    static const int refusals[] = {5, 1326, 1327, 1328, 1329, 1330, 1331, 1907, 1909};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i] == code) {
            return true;
        }
    }
    return false;
}

/* ": " and the first line it wrote to standard error, if any. */
static void
exec_quote(const struct sw_process_result *result, struct sw_buf *buf)
{
    const char *text = sw_buf_text(&result->err);
    size_t size = strcspn(text, "\n");
    sw_buf_init(buf, 4 * EXEC_QUOTE_MAX);
    if (size > 0) {
        sw_buf_add_text(buf, ": ");
        sw_buf_add(buf, text, sw_utf8_cut(text, size, EXEC_QUOTE_MAX));
    }
}

static bool
exec_run(struct sw_source *source, const struct sw_look_request *request,
    struct sw_process_result *result, struct sw_err *err)
{
    const struct sw_exec_conf *conf = source->conf;
    struct sw_buf quote;
    const char **argv = sw_calloc(conf->command.count + 1, sizeof(*argv));
    for (size_t i = 0; i < conf->command.count; i++) {
        argv[i] = conf->command.items[i];
    }
    struct sw_process process = {
        .argv = argv,
        .env = sw_process_environment(),
        .stdout_max = SW_DOCUMENT_MAX,
        .stderr_max = EXEC_STDERR_MAX,
        .memory_max = EXEC_MEMORY_MAX,
        .deadline_ns = request->deadline_ns,
        .stop = request->stop,
    };
    bool ended = sw_process_run(&process, result, err);
    free(argv);
    exec_quote(result, &quote);
    if (!ended && quote.size > 0) {
        struct sw_err reason = *err;
        sw_err_set(err, "%s%s", reason.text, sw_buf_text(&quote));
        err->code = reason.code;
    } else if (ended && result->exit_status < 0) {
        ended = sw_err_set(err, "%s was ended by signal %d%s", exec_program(source), result->signal,
            sw_buf_text(&quote));
    } else if (ended && result->exit_status != 0) {
        ended = sw_err_set(err, "%s ended with status %d%s", exec_program(source),
            result->exit_status, sw_buf_text(&quote));
    }
    sw_buf_fini(&quote);
    return ended;
}

static enum sw_look
exec_judge(const struct sw_source *source, enum sw_document document, struct sw_err *err)
{
    if (document == SW_DOCUMENT_BAD || document == SW_DOCUMENT_ERROR) {
        int code = err->code;
        sw_err_wrap(err, "%s", exec_program(source));
        return document == SW_DOCUMENT_ERROR && exec_is_refusal(code) ? SW_LOOK_REFUSED
                                                                      : SW_LOOK_FAILED;
    }
    if (document == SW_DOCUMENT_PARTIAL) {
        sw_err_set(err, "%s says that its document is not complete", exec_program(source));
        return SW_LOOK_PARTIAL;
    }
    return SW_LOOK_COMPLETE;
}

/* Also where the look failed: who is told that a server cannot be seen wants to know which. */
static void
exec_name_server(const struct sw_source *source, struct sw_builder *builder)
{
    const struct sw_exec_conf *conf = source->conf;
    if (sw_builder_facts(builder)->server.size == 0 && conf->server != NULL) {
        sw_builder_set_server(builder, sw_str_of(conf->server));
    }
}

static enum sw_look
exec_look(struct sw_source *source, const struct sw_look_request *request,
    struct sw_builder *builder, struct sw_err *err)
{
    struct sw_process_result result = {0};
    enum sw_look answer = SW_LOOK_FAILED;
    /* Each time: it is cheap, and the file may have been replaced since the start. */
    if (sw_file_is_trusted(exec_program(source), err) && exec_run(source, request, &result, err)) {
        struct sw_str out = {sw_buf_text(&result.out), result.out.size};
        answer = exec_judge(source, sw_document_read(out, builder, err), err);
    }
    sw_process_result_fini(&result);
    exec_name_server(source, builder);
    return answer;
}

static void
exec_identity(const void *conf, struct sw_buf *buf)
{
    const struct sw_exec_conf *exec = conf;
    for (size_t i = 0; i < exec->command.count; i++) {
        sw_json_add_raw_string(buf, sw_str_of(exec->command.items[i]));
        sw_buf_add_char(buf, ' ');
    }
    sw_json_add_raw_string(buf, sw_str_of(exec->server));
}

static void
exec_check(const void *conf, struct sw_problems *problems)
{
    const struct sw_exec_conf *exec = conf;
    if (exec->command.count > 0 && !sw_path_is_absolute(exec->command.items[0])) {
        sw_problems_add(problems, "command",
            "program '%s' is not an absolute path: programs are not searched, write it in full",
            exec->command.items[0]);
    }
}

static const struct sw_key exec_keys[] = {
    {.name = "command",
        .type = SW_KEY_STRINGS,
        .offset = offsetof(struct sw_exec_conf, command),
        .required = true,
        .min = 1,
        .max = EXEC_ARGUMENTS,
        .trusted = true,
        .help = "program (absolute path) and arguments; prints one snapshot document, no shell; of "
                "the environment it gets PATH and LANG, of memory (address space) 512MiB"},
    {.name = "server",
        .type = SW_KEY_STRING,
        .offset = offsetof(struct sw_exec_conf, server),
        .help = "the file server's name when the documents name none; left out: this machine"},
    SW_KEY_END,
};

const struct sw_source_class sw_source_exec = {
    .part =
        {
            .name = "exec",
            .summary = "a program of yours that prints a snapshot document",
            .keys = exec_keys,
            .conf_size = sizeof(struct sw_exec_conf),
            .check = exec_check,
        },
    .look = exec_look,
    .identity = exec_identity,
};
