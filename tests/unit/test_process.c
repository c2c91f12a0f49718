#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"

#define MANY_NS (20 * SW_NS_PER_S) /* a deadline that no passing test reaches */

static const char *const no_env[] = {"PATH=/usr/bin:/bin", NULL};

static struct sw_process
program(const char *const *argv)
{
    return (struct sw_process){
        .argv = argv,
        .env = no_env,
        .stdout_max = 1 << 20,
        .stderr_max = 1 << 16,
        .deadline_ns = sw_clock_boot_ns() + MANY_NS,
    };
}

/* Runs a line of shell with the limits of *limits (argv is set here). */
static bool
run_shell(struct sw_process limits, const char *line, struct sw_process_result *result,
    struct sw_err *err)
{
    const char *const argv[] = {"/bin/sh", "-c", line, NULL};
    limits.argv = argv;
    sw_err_clear(err);
    return sw_process_run(&limits, result, err);
}

static int
count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static int descriptors_before;

static int
setup(void **state)
{
    (void)state;
    descriptors_before = count_descriptors();
    return prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* No path may leave a descriptor or a zombie. */
static int
teardown(void **state)
{
    (void)state;
    int status;
    bool clean = count_descriptors() == descriptors_before;
    clean = clean && waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD;
    return clean ? 0 : -1;
}

static void
test_output_and_status(void **state)
{
    (void)state;
    struct sw_process_result result;
    struct sw_err err;
    assert_true(run_shell(program(NULL), "printf 'a\\000b'; echo oops >&2; exit 3", &result, &err));
    assert_buf(&result.out, "a\0b");
    assert_buf(&result.err, "oops\n");
    assert_int_equal(result.exit_status, 3);
    assert_int_equal(result.signal, 0);
    sw_process_result_fini(&result);

    assert_true(run_shell(program(NULL), ":", &result, &err));
    assert_int_equal(result.exit_status, 0);
    assert_int_equal(result.out.size, 0);
    assert_int_equal(result.err.size, 0);
    sw_process_result_fini(&result);
}

static void
test_death_by_signal(void **state)
{
    (void)state;
    struct sw_process_result result;
    struct sw_err err;
    assert_true(run_shell(program(NULL), "echo before; kill -TERM $$", &result, &err));
    assert_buf(&result.out, "before\n");
    assert_int_equal(result.exit_status, -1);
    assert_int_equal(result.signal, SIGTERM);
    sw_process_result_fini(&result);
}

static void
test_cannot_start(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int code;
    } rows[] = {
        {"/nonexistent/program", ENOENT},
        {"/etc/passwd", EACCES},
        {"/etc", EACCES},
        {"/etc/passwd/x", ENOTDIR},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const argv[] = {rows[i].path, NULL};
        struct sw_process process = program(argv);
        struct sw_process_result result;
        struct sw_err err;
        assert_false(sw_process_run(&process, &result, &err));
        assert_int_equal(err.code, rows[i].code);
        assert_contains(err.text, rows[i].path);
        assert_int_equal(result.exit_status, -1);
        sw_process_result_fini(&result);
    }
}

static void
test_stdin_is_empty(void **state)
{
    (void)state;
    const char *const argv[] = {"/bin/cat", NULL};
    struct sw_process process = program(argv);
    struct sw_process_result result;
    assert_true(sw_process_run(&process, &result, NULL));
    assert_int_equal(result.out.size, 0);
    assert_int_equal(result.exit_status, 0);
    sw_process_result_fini(&result);
}

static void
test_environment_is_exact(void **state)
{
    (void)state;
    const char *const argv[] = {"/usr/bin/env", NULL};
    const char *const env[] = {"TZ=UTC0", "LC_ALL=C", NULL};
    struct sw_process process = program(argv);
    process.env = env;
    struct sw_process_result result;
    assert_int_equal(setenv("SECRET_OF_OURS", "1", 1), 0);
    assert_true(sw_process_run(&process, &result, NULL));
    assert_buf(&result.out, "TZ=UTC0\nLC_ALL=C\n");
    sw_process_result_fini(&result);
}

static void
test_descriptors_are_closed(void **state)
{
    (void)state;
    int leaky = open("/dev/zero", O_RDONLY);
    int high = fcntl(leaky, F_DUPFD, 300);
    assert_true(leaky >= 0 && high >= 300);
    const char *const argv[] = {"/bin/ls", "-l", "/proc/self/fd", NULL};
    struct sw_process process = program(argv);
    struct sw_process_result result;
    assert_true(sw_process_run(&process, &result, NULL));
    const char *text = sw_buf_text(&result.out);
    assert_null(strstr(text, "/dev/zero"));
    assert_contains(text, " 0 -> /dev/null");
    assert_contains(text, " 1 -> pipe:");
    assert_contains(text, " 2 -> pipe:");
    assert_contains(text, " 3 -> /proc/"); /* ls's own */
    assert_null(strstr(text, " 4 -> "));
    sw_process_result_fini(&result);
    close(leaky);
    close(high);
}

static void
test_signals_are_reset(void **state)
{
    (void)state;
    sigset_t set;
    sigset_t before;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    const char *const argv[] = {"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};
    struct sw_process process = program(argv);
    struct sw_process_result result;
    bool done = sw_process_run(&process, &result, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, old);
    assert_true(done);
    assert_buf(&result.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    sw_process_result_fini(&result);
}

static void
test_own_group_without_terminal(void **state)
{
    (void)state;
    struct sw_process_result result;
    struct sw_err err;
    assert_true(run_shell(program(NULL),
        "set -- $(cat /proc/$$/stat); test $5 = $$ -a $6 = $$ -a $7 = 0 && echo alone", &result,
        &err));
    assert_buf(&result.out, "alone\n");
    sw_process_result_fini(&result);
}

static void
test_limits_are_set(void **state)
{
    (void)state;
    struct sw_process limits = program(NULL);
    limits.memory_max = (uint64_t)64 << 20;
    limits.nice = 3;
    struct sw_process_result result;
    struct sw_err err;
    struct rlimit core;
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    struct rlimit raised = {.rlim_cur = core.rlim_max, .rlim_max = core.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_CORE, &raised), 0);
    bool done = run_shell(limits, "ulimit -v; ulimit -c; nice", &result, &err);
    assert_int_equal(setrlimit(RLIMIT_CORE, &core), 0);
    assert_true(done);
    int base = getpriority(PRIO_PROCESS, 0);
    char expected[64];
    snprintf(expected, sizeof(expected), "65536\n0\n%d\n", base + 3 > 19 ? 19 : base + 3);
    assert_string_equal(sw_buf_text(&result.out), expected);
    sw_process_result_fini(&result);
}

static void
test_memory_is_limited(void **state)
{
    (void)state;
    static const char line[] = "dd if=/dev/zero of=/dev/null bs=256M count=1";
    struct sw_process limits = program(NULL);
    struct sw_process_result result;
    struct sw_err err;
    assert_true(run_shell(limits, line, &result, &err));
    assert_int_equal(result.exit_status, 0);
    sw_process_result_fini(&result);

    limits.memory_max = (uint64_t)100 << 20;
    assert_true(run_shell(limits, line, &result, &err));
    assert_int_not_equal(result.exit_status, 0);
    sw_process_result_fini(&result);
}

static void
test_killed_at_the_deadline(void **state)
{
    (void)state;
    struct sw_process limits = program(NULL);
    int64_t from_ns = sw_clock_boot_ns();
    limits.deadline_ns = from_ns + 200 * SW_NS_PER_MS;
    struct sw_process_result result;
    struct sw_err err;
    /* It holds on to every signal that can be held, and prints so that partial output shows. */
    assert_false(run_shell(limits, "trap '' TERM INT HUP; echo begun; sleep 30", &result, &err));
    int64_t took_ns = sw_clock_boot_ns() - from_ns;
    assert_true(took_ns >= 200 * SW_NS_PER_MS);
    assert_true(took_ns < 10 * SW_NS_PER_S);
    assert_contains(err.text, "/bin/sh: not done after ");
    assert_int_equal(result.exit_status, -1);
    assert_int_equal(result.signal, SIGKILL);
    assert_buf(&result.out, "begun\n");
    sw_process_result_fini(&result);
}

static void
test_deadline_that_is_over(void **state)
{
    (void)state;
    struct sw_process limits = program(NULL);
    struct sw_process_result result;
    struct sw_err err;
    limits.deadline_ns = 0;
    assert_false(run_shell(limits, "sleep 30", &result, &err));
    assert_contains(err.text, "not done after");
    sw_process_result_fini(&result);
}

static void
test_flood_is_cut_off(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool done;
    } rows[] = {
        {"head -c 99999 /dev/zero", true},
        {"head -c 100000 /dev/zero", true},
        {"head -c 100001 /dev/zero", false},
        {"exec yes", false},
        {"yes & sleep 30", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sw_process limits = program(NULL);
        struct sw_process_result result;
        struct sw_err err;
        limits.stdout_max = 100000;
        assert_int_equal(run_shell(limits, rows[i].line, &result, &err), rows[i].done);
        if (!rows[i].done) {
            assert_contains(err.text, "wrote more than 100000 bytes");
        }
        assert_int_equal(result.out.size, i == 0 ? 99999 : 100000);
        sw_process_result_fini(&result);
    }
}

static void
test_error_text_is_kept_up_to_its_maximum(void **state)
{
    (void)state;
    struct sw_process limits = program(NULL);
    struct sw_process_result result;
    struct sw_err err;
    limits.stderr_max = 1000;
    limits.stdout_max = 4 << 20;
    /* More than any pipe holds on both at once: neither may hold up the other. */
    assert_true(run_shell(limits,
        "head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait; echo end >&2", &result,
        &err));
    assert_int_equal(result.err.size, 1000);
    assert_int_equal(result.out.size, 3000000);
    assert_int_equal(result.exit_status, 0);
    sw_process_result_fini(&result);
}

static void
test_closed_output_does_not_end_it(void **state)
{
    (void)state;
    struct sw_process_result result;
    struct sw_err err;
    assert_true(run_shell(program(NULL), "exec >&- 2>&-; sleep 0.1; exit 7", &result, &err));
    assert_int_equal(result.exit_status, 7);
    sw_process_result_fini(&result);
}

/* Orphans come to us, so that it can be seen how they ended. */
static int
wait_for_orphan(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

static void
test_grandchild_keeps_the_pipe(void **state)
{
    (void)state;
    struct sw_process_result result;
    struct sw_err err;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    int64_t from_ns = sw_clock_boot_ns();
    assert_true(run_shell(program(NULL), "sleep 30 & echo $!", &result, &err));
    assert_true(sw_clock_boot_ns() - from_ns < 10 * SW_NS_PER_S);
    assert_int_equal(result.exit_status, 0);
    pid_t pid = (pid_t)strtol(sw_buf_text(&result.out), NULL, 10);
    assert_true(pid > 0);
    assert_int_equal(wait_for_orphan(pid), SIGKILL);
    sw_process_result_fini(&result);
}

/* One that left the group cannot be found, but neither can it hold us. */
static void
test_escaped_grandchild_floods(void **state)
{
    (void)state;
    struct sw_process limits = program(NULL);
    struct sw_process_result result;
    struct sw_err err;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    limits.stdout_max = (size_t)64 << 20;
    assert_true(run_shell(
        limits, "echo first; setsid sh -c 'while echo y; do :; done' & sleep 0.1", &result, &err));
    assert_int_equal(result.exit_status, 0);
    assert_memory_equal(sw_buf_text(&result.out), "first\n", 6);
    siginfo_t info;
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(wait_for_orphan(info.si_pid), SIGPIPE);
    sw_process_result_fini(&result);
}

struct stopper {
    const char *fifo;
    struct sw_latch latch;
};

/* Sets the latch as soon as the program is known to run. */
static void *
stopper_run(void *argument)
{
    struct stopper *stopper = argument;
    int fd = open(stopper->fifo, O_RDONLY | O_CLOEXEC);
    char byte;
    ssize_t size = read(fd, &byte, 1);
    (void)size;
    close(fd);
    sw_latch_set(&stopper->latch);
    return NULL;
}

static void
make_fifo(char *folder, char *fifo, size_t size)
{
    assert_non_null(mkdtemp(folder));
    snprintf(fifo, size, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
}

static void
remove_fifo(const char *folder, const char *fifo)
{
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void
test_stop_latch_ends_it(void **state)
{
    (void)state;
    char folder[] = "/tmp/sw-process-XXXXXX";
    char fifo[64];
    char line[128];
    make_fifo(folder, fifo, sizeof(fifo));
    snprintf(line, sizeof(line), "echo x > %s; sleep 30", fifo);
    struct stopper stopper = {.fifo = fifo};
    struct sw_process limits = program(NULL);
    struct sw_process_result result;
    struct sw_err err;
    pthread_t thread;
    assert_true(sw_latch_init(&stopper.latch, NULL));
    limits.stop = &stopper.latch;
    assert_true(sw_thread_start(&thread, stopper_run, &stopper, "stopper", NULL));
    assert_false(run_shell(limits, line, &result, &err));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_contains(err.text, "stopping");
    assert_int_equal(result.signal, SIGKILL);
    sw_process_result_fini(&result);

    /* Set from the beginning. */
    assert_false(run_shell(limits, "sleep 30", &result, &err));
    sw_process_result_fini(&result);
    sw_latch_fini(&stopper.latch);
    remove_fifo(folder, fifo);
}

static void
test_dies_with_us(void **state)
{
    (void)state;
    char folder[] = "/tmp/sw-process-XXXXXX";
    char fifo[64];
    char line[128];
    make_fifo(folder, fifo, sizeof(fifo));
    snprintf(line, sizeof(line), "echo $$ > %s; exec sleep 30", fifo);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t agent = fork();
    if (agent == 0) {
        struct sw_process_result result;
        struct sw_err err;
        (void)run_shell(program(NULL), line, &result, &err);
        _exit(0);
    }
    char text[32] = "";
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_int_equal(kill(agent, SIGKILL), 0);
    assert_int_equal(wait_for_orphan(agent), SIGKILL);
    assert_int_equal(wait_for_orphan((pid_t)strtol(text, NULL, 10)), SIGKILL);
    remove_fifo(folder, fifo);
}

/* With ever fewer descriptors to spare: it says so or works, and never leaves one open. */
static void
test_descriptors_run_out(void **state)
{
    (void)state;
    struct rlimit before;
    bool failed = false;
    bool worked = false;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int first_free = dup(0);
    close(first_free);
    for (int spare = 0; spare < 20; spare++) {
        struct rlimit tight = {
            .rlim_cur = (rlim_t)(first_free + spare), .rlim_max = before.rlim_max};
        struct sw_process_result result;
        struct sw_err err;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        bool done = run_shell(program(NULL), "echo here", &result, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (done) {
            assert_buf(&result.out, "here\n");
            worked = true;
        } else {
            assert_int_equal(err.code, EMFILE);
            failed = true;
        }
        sw_process_result_fini(&result);
        assert_int_equal(count_descriptors(), descriptors_before);
    }
    assert_true(failed && worked);
}

/* In a process of its own, because cmocka needs what is taken away there. 0: all was well. */
static int
in_child(int (*check)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(check());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
check_echo(void)
{
    struct sw_process_result result;
    struct sw_err err;
    bool good = run_shell(program(NULL), "cat; echo out; echo err >&2; exit 5", &result, &err) &&
                strcmp(sw_buf_text(&result.out), "out\n") == 0 &&
                strcmp(sw_buf_text(&result.err), "err\n") == 0 && result.exit_status == 5;
    sw_process_result_fini(&result);
    return good ? 0 : 1;
}

static int
check_without_standard_descriptors(void)
{
    close(0);
    close(1);
    close(2);
    return check_echo();
}

static void
test_started_without_standard_descriptors(void **state)
{
    (void)state;
    assert_int_equal(in_child(check_without_standard_descriptors), 0);
}

/* A kernel without pidfd_open (before 5.3), close_range (before 5.9): both answer ENOSYS. */
static bool
become_old_kernel(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = COUNT_OF(code), .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static int
check_on_old_kernel(void)
{
    struct sw_process_result result;
    struct sw_err err;
    if (!become_old_kernel() || syscall(SYS_pidfd_open, getpid(), 0) != -1 || errno != ENOSYS) {
        return 77;
    }
    if (check_echo() != 0) {
        return 1;
    }
    int leaky = open("/dev/zero", O_RDONLY);
    bool good = run_shell(program(NULL), "sleep 30 & ls -l /proc/self/fd", &result, &err) &&
                strstr(sw_buf_text(&result.out), "/dev/zero") == NULL;
    sw_process_result_fini(&result);
    close(leaky);
    if (!good) {
        return 2;
    }
    struct sw_process limits = program(NULL);
    limits.deadline_ns = sw_clock_boot_ns() + 100 * SW_NS_PER_MS;
    good = !run_shell(limits, "exec >&- 2>&-; sleep 30", &result, &err) && result.signal == SIGKILL;
    sw_process_result_fini(&result);
    return good ? 0 : 3;
}

static void
test_old_kernel(void **state)
{
    (void)state;
    int result = in_child(check_on_old_kernel);
    if (result == 77) {
        skip();
    }
    assert_int_equal(result, 0);
}

static void *
crowd_run(void *argument)
{
    bool *good = argument;
    *good = true;
    for (int i = 0; i < 8; i++) {
        *good = *good && check_echo() == 0;
    }
    return NULL;
}

static void
test_several_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    bool good[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_true(sw_thread_start(&threads[i], crowd_run, &good[i], "crowd", NULL));
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(good[i]);
    }
}

#define PROCESS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PROCESS_TEST(test_output_and_status),
        PROCESS_TEST(test_death_by_signal),
        PROCESS_TEST(test_cannot_start),
        PROCESS_TEST(test_stdin_is_empty),
        PROCESS_TEST(test_environment_is_exact),
        PROCESS_TEST(test_descriptors_are_closed),
        PROCESS_TEST(test_signals_are_reset),
        PROCESS_TEST(test_own_group_without_terminal),
        PROCESS_TEST(test_limits_are_set),
        PROCESS_TEST(test_memory_is_limited),
        PROCESS_TEST(test_killed_at_the_deadline),
        PROCESS_TEST(test_deadline_that_is_over),
        PROCESS_TEST(test_flood_is_cut_off),
        PROCESS_TEST(test_error_text_is_kept_up_to_its_maximum),
        PROCESS_TEST(test_closed_output_does_not_end_it),
        PROCESS_TEST(test_grandchild_keeps_the_pipe),
        PROCESS_TEST(test_escaped_grandchild_floods),
        PROCESS_TEST(test_stop_latch_ends_it),
        PROCESS_TEST(test_dies_with_us),
        PROCESS_TEST(test_descriptors_run_out),
        PROCESS_TEST(test_started_without_standard_descriptors),
        PROCESS_TEST(test_old_kernel),
        PROCESS_TEST(test_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
