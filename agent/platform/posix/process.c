#include "agent/platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/posix/timer.h"

#define PROCESS_CHUNK     ((size_t)16 * 1024)
#define PROCESS_LOOK_NS   (20 * SW_NS_PER_MS) /* where the system cannot announce an end */
#define PROCESS_CLOSE_MAX 65536u              /* descriptors closed one by one on old kernels */

enum process_pipe { PIPE_OUT, PIPE_ERR, PIPE_START, PIPE_COUNT };

/* One run. Everything that must be given back is in here; -1 is nothing. */
struct process_run {
    const struct sw_process *asked;
    struct sw_process_result *result;
    int64_t started_ns;
    pid_t pid;
    int pid_fd;
    int null;
    int reads[PIPE_COUNT];
    int writes[PIPE_COUNT];
};

static void
process_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* ---- In the child, between fork and exec. Other threads may hold any lock at the moment of the
 * fork, so only async-signal-safe calls (signal-safety(7)) and plain system calls. */

static void
child_reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &action, NULL); /* refused for KILL, STOP and the library's own */
    }
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* memory_max: bytes of address space, 0 for no limit of ours. */
static void
child_limit(uint64_t memory_max)
{
    static const struct rlimit nothing;
    struct rlimit limit;
    (void)setrlimit(RLIMIT_CORE, &nothing);
    if (memory_max > 0 && getrlimit(RLIMIT_AS, &limit) == 0) {
        /* Raising the hard limit again would be refused. */
        if (limit.rlim_max > memory_max) {
            limit.rlim_max = memory_max;
        }
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_AS, &limit);
    }
}

static void
child_close_from(unsigned first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0u, 0u) == 0) {
        return;
    }
#endif
    struct rlimit limit;
    unsigned end = PROCESS_CLOSE_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < end) {
        end = (unsigned)limit.rlim_cur;
    }
    for (unsigned fd = first; fd < end; fd++) {
        (void)close((int)fd);
    }
}

/* Descriptors 0, 1, 2, and the one to tell about a failed start as 3, which exec closes. They are
 * moved out of the way first, because we may have been started with some of 0 to 2 closed. */
static bool
child_set_descriptors(const struct process_run *run)
{
    const int from[4] = {
        run->null, run->writes[PIPE_OUT], run->writes[PIPE_ERR], run->writes[PIPE_START]};
    int moved[4];
    for (int i = 0; i < 4; i++) {
        moved[i] = fcntl(from[i], F_DUPFD, 4);
        if (moved[i] < 0) {
            return false;
        }
    }
    for (int i = 0; i < 4; i++) {
        if (dup3(moved[i], i, i == 3 ? O_CLOEXEC : 0) < 0) {
            return false;
        }
    }
    child_close_from(4);
    return true;
}

/* The strings are only read; execve has kept its old signature. */
static char *const *
child_strings(const char *const *strings)
{
    union {
        const char *const *borrowed;
        char *const *wanted;
    } same = {.borrowed = strings};
    return same.wanted;
}

static _Noreturn void
child_start(const struct process_run *run, pid_t parent)
{
    const struct sw_process *asked = run->asked;
    int tell = run->writes[PIPE_START];
    /* It dies with us. To the kernel "us" is the thread that forked: each waits here for the
     * program's end, so it cannot end before. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    child_reset_signals();
    /* A session is a process group too, and has no terminal to ask for passwords on. */
    (void)setsid();
    if (asked->nice != 0) {
        (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + asked->nice);
    }
    if (child_set_descriptors(run)) {
        tell = 3;
        child_limit(asked->memory_max);
        (void)execve(asked->argv[0], child_strings(asked->argv), child_strings(asked->env));
    }
    int code = errno;
    ssize_t written = write(tell, &code, sizeof(code));
    (void)written;
    _exit(1);
}

/* ---- In the agent. */

static bool
process_start(struct process_run *run, struct sw_err *err)
{
    const char *name = run->asked->argv[0];
    run->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (run->null < 0) {
        return sw_err_set_os(err, errno, "open /dev/null for %s", name);
    }
    for (size_t i = 0; i < PIPE_COUNT; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            return sw_err_set_os(err, errno, "make a pipe for %s", name);
        }
        run->reads[i] = ends[0];
        run->writes[i] = ends[1];
    }
    pid_t parent = getpid();
    run->pid = fork();
    if (run->pid == 0) {
        child_start(run, parent);
    }
    if (run->pid < 0) {
        return sw_err_set_os(err, errno, "fork for %s", name);
    }
    for (size_t i = 0; i < PIPE_COUNT; i++) {
        process_close(&run->writes[i]);
    }
#ifdef SYS_pidfd_open
    run->pid_fd = (int)syscall(SYS_pidfd_open, run->pid, 0); /* always close-on-exec */
#endif
    return true;
}

/* Reads once. At most max bytes of the stream are kept; false: it was more. The descriptor is
 * closed at the end of the stream. */
static bool
process_read(int *fd, struct sw_buf *buf, size_t max, size_t ask)
{
    char chunk[PROCESS_CHUNK];
    ssize_t got = read(*fd, chunk, ask < sizeof(chunk) ? ask : sizeof(chunk));
    if (got <= 0) {
        if (got == 0 || errno != EINTR) {
            process_close(fd);
        }
        return true;
    }
    size_t room = max - buf->size;
    size_t size = (size_t)got;
    sw_buf_add(buf, chunk, size < room ? size : room);
    return size <= room;
}

static bool
process_read_out(struct process_run *run, size_t ask, struct sw_err *err)
{
    struct sw_buf *out = &run->result->out;
    size_t max = run->asked->stdout_max;
    if (!process_read(&run->reads[PIPE_OUT], out, max, ask)) {
        return sw_err_set(err, "%s: wrote more than %zu bytes: killed", run->asked->argv[0], max);
    }
    return !out->failed ||
           sw_err_set(err, "%s: no memory for what it wrote: killed", run->asked->argv[0]);
}

static void
process_read_err(struct process_run *run, size_t ask)
{
    (void)process_read(&run->reads[PIPE_ERR], &run->result->err, run->asked->stderr_max, ask);
}

/* WNOWAIT leaves the zombie, and with it the group's number, where they are. */
static bool
process_has_ended(const struct process_run *run)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == run->pid;
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
process_follow(struct process_run *run, const struct sw_timer *timer, struct sw_err *err)
{
    const struct sw_latch *stop = run->asked->stop;
    for (;;) {
        struct pollfd fds[5] = {
            {.fd = run->reads[PIPE_OUT], .events = POLLIN},
            {.fd = run->reads[PIPE_ERR], .events = POLLIN},
            {.fd = run->pid_fd, .events = POLLIN},
            {.fd = stop != NULL ? stop->fds[0] : -1, .events = POLLIN},
        };
        struct sw_timer look = {.fd = -1};
        if (run->pid_fd < 0) {
            look.until_ns = sw_clock_boot_ns() + PROCESS_LOOK_NS;
        }
        (void)sw_timer_poll(run->pid_fd < 0 ? &look : timer, fds, 4);
        if (fds[3].revents != 0) {
            return sw_err_set(err, "%s: killed: we are stopping", run->asked->argv[0]);
        }
        if (fds[2].revents != 0 || (run->pid_fd < 0 && process_has_ended(run))) {
            return true;
        }
        if (sw_clock_boot_ns() >= timer->until_ns) {
            return process_overran(run, err);
        }
        if (fds[0].revents != 0 && !process_read_out(run, PROCESS_CHUNK, err)) {
            return false;
        }
        if (fds[1].revents != 0) {
            process_read_err(run, PROCESS_CHUNK);
        }
    }
}

/* What the pipe holds now. Whoever still has its other end may write on for ever. */
static size_t
process_waiting(int fd)
{
    int size = 0;
    return fd >= 0 && ioctl(fd, FIONREAD, &size) == 0 && size > 0 ? (size_t)size : 0;
}

static bool
process_drain(struct process_run *run, struct sw_err *err)
{
    size_t left = process_waiting(run->reads[PIPE_ERR]);
    while (left > 0 && run->reads[PIPE_ERR] >= 0) {
        size_t ask = left < PROCESS_CHUNK ? left : PROCESS_CHUNK;
        process_read_err(run, ask);
        left -= ask;
    }
    left = process_waiting(run->reads[PIPE_OUT]);
    while (left > 0 && run->reads[PIPE_OUT] >= 0) {
        size_t ask = left < PROCESS_CHUNK ? left : PROCESS_CHUNK;
        if (!process_read_out(run, ask, err)) {
            return false;
        }
        left -= ask;
    }
    return true;
}

/* The group before the process is reaped: afterwards its number may belong to strangers. The
 * process alone as well, because it may not have come to make its group yet. */
static bool
process_kill_and_reap(struct process_run *run, struct sw_err *err)
{
    int status = 0;
    pid_t reaped;
    (void)kill(-run->pid, SIGKILL);
    (void)kill(run->pid, SIGKILL);
    do {
        reaped = waitpid(run->pid, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    run->result->exit_status = reaped > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run->result->signal = reaped > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return reaped > 0 || sw_err_set_os(err, errno, "wait for %s", run->asked->argv[0]);
}

/* Whether exec failed: then the child wrote the reason before it ended. */
static bool
process_did_start(struct process_run *run, struct sw_err *err)
{
    int code = 0;
    if (process_waiting(run->reads[PIPE_START]) < sizeof(code) ||
        read(run->reads[PIPE_START], &code, sizeof(code)) != (ssize_t)sizeof(code)) {
        return true;
    }
    run->result->exit_status = -1;
    return sw_err_set_os(err, code, "start %s", run->asked->argv[0]);
}

static void
process_fini(struct process_run *run)
{
    process_close(&run->null);
    process_close(&run->pid_fd);
    for (size_t i = 0; i < PIPE_COUNT; i++) {
        process_close(&run->reads[i]);
        process_close(&run->writes[i]);
    }
}

bool
sw_process_run(
    const struct sw_process *process, struct sw_process_result *result, struct sw_err *err)
{
    struct process_run run = {
        .asked = process,
        .result = result,
        .started_ns = sw_clock_boot_ns(),
        .pid = -1,
        .pid_fd = -1,
        .null = -1,
        .reads = {-1, -1, -1},
        .writes = {-1, -1, -1},
    };
    *result = (struct sw_process_result){.exit_status = -1};
    sw_buf_init(&result->out, process->stdout_max);
    sw_buf_init(&result->err, process->stderr_max);

    bool done = process_start(&run, err);
    if (done) {
        struct sw_timer timer;
        sw_timer_start(&timer, process->deadline_ns);
        done = process_follow(&run, &timer, err);
        sw_timer_stop(&timer);
        /* The first reason that was found is the one to tell. */
        bool reaped = process_kill_and_reap(&run, done ? err : NULL);
        done = done && reaped && process_did_start(&run, err) && process_drain(&run, err);
    }
    process_fini(&run);
    return done;
}

void
sw_process_result_fini(struct sw_process_result *result)
{
    sw_buf_fini(&result->out);
    sw_buf_fini(&result->err);
}

const char *const *
sw_process_environment(void)
{
    static const char *const least[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        NULL,
    };
    return least;
}
