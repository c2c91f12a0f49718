/*
 * A program in a job of its own: whatever it starts dies with the job, and so does all when we end
 * in any way. Its output comes through named pipes, because only those can be read with a deadline.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/platform/windows/system.h"

#define PROCESS_CHUNK ((size_t)16 * 1024)

enum process_stream { STREAM_OUT, STREAM_ERR, STREAM_COUNT };

/* What the program writes to one stream. */
struct process_pipe {
    HANDLE read;
    HANDLE write; /* the program's; closed here once it runs */
    OVERLAPPED under_way;
    bool is_open; /* a read is under way */
    char chunk[PROCESS_CHUNK];
};

/* One run. Everything that must be given back is in here; NULL is nothing. */
struct process_run {
    const struct sw_process *asked;
    struct sw_process_result *result;
    int64_t started_ns;
    HANDLE job;
    HANDLE process;
    HANDLE thread;
    HANDLE null;
    struct process_pipe pipes[STREAM_COUNT];
};

static void
process_close(HANDLE *handle)
{
    if (*handle != NULL && *handle != INVALID_HANDLE_VALUE) {
        CloseHandle(*handle);
    }
    *handle = NULL;
}

/* ---- start */

static bool
process_make_pipe(struct process_pipe *pipe, SECURITY_ATTRIBUTES *inherited, struct sw_err *err)
{
    wchar_t name[96];
    uint64_t number[2];
    /* A name that nobody can guess, and that must be new. */
    sw_random(NULL, (uint8_t *)number, sizeof(number));
    swprintf(name, sizeof(name) / sizeof(name[0]), L"\\\\.\\pipe\\sharewatch-%016llx%016llx",
        (unsigned long long)number[0], (unsigned long long)number[1]);
    HANDLE read = CreateNamedPipeW(name,
        PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
        PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, 0, 65536, 0, NULL);
    if (read == INVALID_HANDLE_VALUE) {
        return win_fail(err, GetLastError(), "make a pipe");
    }
    pipe->read = read;
    HANDLE write = CreateFileW(name, GENERIC_WRITE, 0, inherited, OPEN_EXISTING, 0, NULL);
    if (write == INVALID_HANDLE_VALUE) {
        return win_fail(err, GetLastError(), "open a pipe");
    }
    pipe->write = write;
    pipe->under_way.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    return pipe->under_way.hEvent != NULL || win_fail(err, GetLastError(), "make an event");
}

static bool
process_make_job(struct process_run *run, struct sw_err *err)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
    if (run->asked->memory_max > 0) {
        limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
        limits.JobMemoryLimit = (SIZE_T)run->asked->memory_max;
    }
    run->job = CreateJobObjectW(NULL, NULL);
    return (run->job != NULL && SetInformationJobObject(run->job, JobObjectExtendedLimitInformation,
                                    &limits, sizeof(limits))) ||
           win_fail(err, GetLastError(), "make a job");
}

/* Exactly these three are inherited, whatever else of ours is inheritable at this moment. */
static bool
process_create(struct process_run *run, wchar_t *command, wchar_t *environment, struct sw_err *err)
{
    HANDLE handles[3] = {run->null, run->pipes[STREAM_OUT].write, run->pipes[STREAM_ERR].write};
    STARTUPINFOEXW start = {.StartupInfo = {.cb = sizeof(start),
                                .dwFlags = STARTF_USESTDHANDLES,
                                .hStdInput = handles[0],
                                .hStdOutput = handles[1],
                                .hStdError = handles[2]}};
    PROCESS_INFORMATION made = {0};
    SIZE_T size = 0;
    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    start.lpAttributeList = sw_calloc(size, 1);
    wchar_t *program = win_path(run->asked->argv[0], err);
    bool done = program != NULL &&
                InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size) &&
                UpdateProcThreadAttribute(start.lpAttributeList, 0,
                    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles, sizeof(handles), NULL, NULL);
    if (done) {
        DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW |
                      CREATE_NEW_PROCESS_GROUP | EXTENDED_STARTUPINFO_PRESENT;
        flags |= run->asked->nice > 0 ? BELOW_NORMAL_PRIORITY_CLASS : 0;
        done = CreateProcessW(program, command, NULL, NULL, TRUE, flags, environment, NULL,
            &start.StartupInfo, &made);
    }
    if (!done && program != NULL) {
        win_fail(err, GetLastError(), "start %s", run->asked->argv[0]);
    }
    DeleteProcThreadAttributeList(start.lpAttributeList);
    free(start.lpAttributeList);
    free(program);
    run->process = made.hProcess;
    run->thread = made.hThread;
    return done;
}

/* It runs only once the job holds it. */
static bool
process_launch(struct process_run *run, struct sw_err *err)
{
    const char *name = run->asked->argv[0];
    wchar_t *command = win_command_line(run->asked->argv);
    wchar_t *environment = win_environment_block(run->asked->env);
    bool done = command != NULL ? process_create(run, command, environment, err)
                                : sw_err_set(err, "start %s: its arguments are too long", name);
    free(command);
    free(environment);
    if (done && !AssignProcessToJobObject(run->job, run->process)) {
        win_fail(err, GetLastError(), "put %s into a job", name);
        (void)TerminateProcess(run->process, 1);
        done = false;
    }
    if (done) {
        (void)ResumeThread(run->thread);
    }
    process_close(&run->thread);
    return done;
}

static bool
process_start(struct process_run *run, struct sw_err *err)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    HANDLE null = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
        OPEN_EXISTING, 0, NULL);
    if (null == INVALID_HANDLE_VALUE) {
        return win_fail(err, GetLastError(), "open NUL for %s", run->asked->argv[0]);
    }
    run->null = null;
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        if (!process_make_pipe(&run->pipes[i], &inherited, err)) {
            return sw_err_wrap(err, "%s", run->asked->argv[0]);
        }
    }
    if (!process_make_job(run, err) || !process_launch(run, err)) {
        return false;
    }
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        process_close(&run->pipes[i].write);
    }
    return true;
}

/* ---- read */

/* Asks for more. An answer that comes at once sets the event as well. */
static void
pipe_ask(struct process_pipe *pipe)
{
    HANDLE event = pipe->under_way.hEvent;
    pipe->under_way = (OVERLAPPED){.hEvent = event};
    (void)ResetEvent(event);
    pipe->is_open =
        ReadFile(pipe->read, pipe->chunk, (DWORD)PROCESS_CHUNK, NULL, &pipe->under_way) ||
        GetLastError() == ERROR_IO_PENDING;
}

/* Takes what was read; at most max bytes of the stream are kept; false: it was more. */
static bool
pipe_take(struct process_pipe *pipe, struct sw_buf *buf, size_t max)
{
    DWORD got = 0;
    if (!GetOverlappedResult(pipe->read, &pipe->under_way, &got, TRUE)) {
        pipe->is_open = false;
        return true;
    }
    size_t room = max - buf->size;
    sw_buf_add(buf, pipe->chunk, got < room ? got : room);
    pipe_ask(pipe);
    return got <= room;
}

static bool
process_take(struct process_run *run, enum process_stream stream, struct sw_err *err)
{
    const char *name = run->asked->argv[0];
    struct process_pipe *pipe = &run->pipes[stream];
    if (stream == STREAM_ERR) {
        (void)pipe_take(pipe, &run->result->err, run->asked->stderr_max);
        return true;
    }
    if (!pipe_take(pipe, &run->result->out, run->asked->stdout_max)) {
        return sw_err_set(
            err, "%s: wrote more than %zu bytes: killed", name, run->asked->stdout_max);
    }
    return !run->result->out.failed ||
           sw_err_set(err, "%s: no memory for what it wrote: killed", name);
}

static bool
process_overran(const struct process_run *run, struct sw_err *err)
{
    char room[64];
    struct sw_buf after = {.data = room, .capacity = sizeof(room), .max = sizeof(room) - 1};
    sw_duration_add(&after, sw_clock_boot_ns() - run->started_ns);
    return sw_err_set(
        err, "%s: not done after %s: killed", run->asked->argv[0], sw_buf_text(&after));
}

/* Until it has ended by itself (true), or must be killed (false). */
static bool
process_follow(struct process_run *run, struct sw_err *err)
{
    const struct sw_latch *stop = run->asked->stop;
    enum { WAIT_STOP, WAIT_ENDED, WAIT_OUT, WAIT_ERR, WAIT_COUNT };
    for (;;) {
        struct process_pipe *pipes = run->pipes;
        HANDLE handles[WAIT_COUNT] = {
            [WAIT_STOP] = stop != NULL ? win_handle(stop->fds[0]) : NULL,
            [WAIT_ENDED] = run->process,
            [WAIT_OUT] = pipes[STREAM_OUT].is_open ? pipes[STREAM_OUT].under_way.hEvent : NULL,
            [WAIT_ERR] = pipes[STREAM_ERR].is_open ? pipes[STREAM_ERR].under_way.hEvent : NULL,
        };
        switch (win_wait(handles, WAIT_COUNT, run->asked->deadline_ns)) {
        case WAIT_STOP:
            return sw_err_set(err, "%s: killed: we are stopping", run->asked->argv[0]);
        case WAIT_ENDED:
            return true;
        case WAIT_OUT:
            if (!process_take(run, STREAM_OUT, err)) {
                return false;
            }
            break;
        case WAIT_ERR:
            (void)process_take(run, STREAM_ERR, err);
            break;
        default:
            return process_overran(run, err);
        }
        if (sw_clock_boot_ns() >= run->asked->deadline_ns) {
            return process_overran(run, err);
        }
    }
}

/* What the pipes hold when nobody can write to them any more: the job is dead. */
static bool
process_drain(struct process_run *run, struct sw_err *err)
{
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        while (run->pipes[i].is_open) {
            if (!process_take(run, (enum process_stream)i, err)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- end */

/* A program that crashes ends with the exception's code (0xC0000005 …), which is no exit status. */
static void
process_kill_and_reap(struct process_run *run)
{
    DWORD status = 0;
    bool had_ended = WaitForSingleObject(run->process, 0) == WAIT_OBJECT_0;
    (void)TerminateJobObject(run->job, 1);
    (void)WaitForSingleObject(run->process, INFINITE);
    (void)GetExitCodeProcess(run->process, &status);
    bool has_crashed = !had_ended || status >= 0xC0000000u;
    run->result->exit_status = has_crashed ? -1 : (int)status;
    run->result->signal = had_ended && has_crashed ? (int)(status & 0xFFFFu) : 0;
}

static void
process_fini(struct process_run *run)
{
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        struct process_pipe *pipe = &run->pipes[i];
        if (pipe->is_open) {
            DWORD ignored;
            (void)CancelIoEx(pipe->read, &pipe->under_way);
            (void)GetOverlappedResult(pipe->read, &pipe->under_way, &ignored, TRUE);
        }
        process_close(&pipe->read);
        process_close(&pipe->write);
        process_close(&pipe->under_way.hEvent);
    }
    process_close(&run->process);
    process_close(&run->job);
    process_close(&run->null);
}

bool
sw_process_run(
    const struct sw_process *process, struct sw_process_result *result, struct sw_err *err)
{
    struct process_run *run = sw_calloc(1, sizeof(*run));
    run->asked = process;
    run->result = result;
    run->started_ns = sw_clock_boot_ns();
    *result = (struct sw_process_result){.exit_status = -1};
    sw_buf_init(&result->out, process->stdout_max);
    sw_buf_init(&result->err, process->stderr_max);

    bool done = process_start(run, err);
    if (done) {
        pipe_ask(&run->pipes[STREAM_OUT]);
        pipe_ask(&run->pipes[STREAM_ERR]);
        done = process_follow(run, err);
        process_kill_and_reap(run);
        done = done && process_drain(run, err);
    }
    process_fini(run);
    free(run);
    return done;
}

void
sw_process_result_fini(struct sw_process_result *result)
{
    sw_buf_fini(&result->out);
    sw_buf_fini(&result->err);
}
