/* Clocks, threads, latches, signals and the host: what platform.h promises of them. */
#include "tests/support/unit.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"

#define SHORT_NS (50 * SW_NS_PER_MS)
#define LONG_NS  (30 * SW_NS_PER_S) /* no passing test waits for so long */

static void
test_clocks(void **state)
{
    (void)state;
    int64_t wall_ns = sw_clock_wall_ns();
    assert_true(wall_ns > INT64_C(1700000000) * SW_NS_PER_S);
    int64_t last_ns = sw_clock_boot_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now_ns = sw_clock_boot_ns();
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
    char id[SW_BOOT_ID_SIZE];
    char again[SW_BOOT_ID_SIZE];
    sw_clock_boot_id(id);
    sw_clock_boot_id(again);
    assert_int_equal(strlen(id), 36);
    assert_string_equal(id, again);
}

struct thread_report {
    sigset_t mask;
    size_t stack_size;
};

static void *
report_run(void *argument)
{
    struct thread_report *report = argument;
    pthread_attr_t attributes;
    pthread_sigmask(SIG_SETMASK, NULL, &report->mask);
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &report->stack_size);
    pthread_attr_destroy(&attributes);
    return report;
}

static void
test_thread(void **state)
{
    (void)state;
    struct thread_report report;
    sigset_t before;
    sigset_t after;
    pthread_t thread;
    void *result;
    struct sw_err err;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_true(sw_thread_start(&thread, report_run, &report, "a name that is too long", &err));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &report);
    static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD, SIGPIPE};
    for (size_t i = 0; i < COUNT_OF(blocked); i++) {
        assert_int_equal(sigismember(&report.mask, blocked[i]), 1);
        assert_int_equal(sigismember(&after, blocked[i]), sigismember(&before, blocked[i]));
    }
    assert_true(report.stack_size >= 128 * 1024);
    assert_true(report.stack_size <= 2 * 1024 * 1024);
    assert_true(sw_thread_start_roomy(&thread, report_run, &report, "roomy", &err));
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_true(report.stack_size >= 1024 * 1024);
}

static void *
waiter_run(void *argument)
{
    return (void *)(uintptr_t)sw_latch_wait(argument, sw_clock_boot_ns() + LONG_NS);
}

static void
test_latch(void **state)
{
    (void)state;
    struct sw_latch latch;
    assert_true(sw_latch_init(&latch, NULL));
    assert_false(sw_latch_is_set(&latch));
    assert_false(sw_latch_wait(&latch, 0));
    assert_false(sw_latch_wait(&latch, INT64_MIN));

    int64_t until_ns = sw_clock_boot_ns() + SHORT_NS;
    assert_false(sw_latch_wait(&latch, until_ns));
    assert_true(sw_clock_boot_ns() >= until_ns);

    struct pollfd pollfd = {.fd = latch.fds[0], .events = POLLIN};
    assert_int_equal(poll(&pollfd, 1, 0), 0);
    pthread_t threads[3];
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_true(sw_thread_start(&threads[i], waiter_run, &latch, "waiter", NULL));
    }
    int64_t from_ns = sw_clock_boot_ns();
    sw_latch_set(&latch);
    sw_latch_set(&latch);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *seen = NULL;
        assert_int_equal(pthread_join(threads[i], &seen), 0);
        assert_non_null(seen);
    }
    assert_true(sw_clock_boot_ns() - from_ns < LONG_NS / 2);
    assert_int_equal(poll(&pollfd, 1, 0), 1);
    assert_true(sw_latch_is_set(&latch));
    assert_true(sw_latch_wait(&latch, 0));
    assert_true(sw_latch_wait(&latch, INT64_MAX));
    sw_latch_fini(&latch);
    sw_latch_fini(&latch);
}

struct meeting {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool come;
};

static void *
meeting_run(void *argument)
{
    struct meeting *meeting = argument;
    pthread_mutex_lock(&meeting->mutex);
    meeting->come = true;
    pthread_cond_signal(&meeting->cond);
    pthread_mutex_unlock(&meeting->mutex);
    return NULL;
}

static void
meet(struct meeting *meeting, int64_t until_ns)
{
    pthread_t thread;
    bool over = false;
    meeting->come = false;
    pthread_mutex_lock(&meeting->mutex);
    assert_true(sw_thread_start(&thread, meeting_run, meeting, "guest", NULL));
    while (!meeting->come && !over) {
        over = sw_cond_wait_until(&meeting->cond, &meeting->mutex, until_ns);
    }
    assert_true(meeting->come);
    pthread_mutex_unlock(&meeting->mutex);
    pthread_join(thread, NULL);
}

static void
test_condition(void **state)
{
    (void)state;
    struct meeting meeting = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    sw_cond_init(&meeting.cond);
    meet(&meeting, INT64_MAX);
    meet(&meeting, sw_clock_boot_ns() + LONG_NS);

    pthread_mutex_lock(&meeting.mutex);
    assert_true(sw_cond_wait_until(&meeting.cond, &meeting.mutex, 0));
    assert_true(sw_cond_wait_until(&meeting.cond, &meeting.mutex, INT64_MIN));
    int64_t until_ns = sw_clock_boot_ns() + SHORT_NS;
    while (!sw_cond_wait_until(&meeting.cond, &meeting.mutex, until_ns)) {
        assert_true(sw_clock_boot_ns() < until_ns + LONG_NS);
    }
    assert_true(sw_clock_boot_ns() >= until_ns);
    pthread_mutex_unlock(&meeting.mutex);
    pthread_cond_destroy(&meeting.cond);
}

/* In a process of its own: dispositions and masks are the whole program's. */
static int
in_child(int (*check)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(check());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int
check_signals(void)
{
    int ends[2];
    signal(SIGCHLD, SIG_IGN);
    sw_signals_init();
    if (pipe(ends) != 0 || close(ends[0]) != 0 || write(ends[1], "x", 1) != -1) {
        return 1; /* SIGPIPE would have killed us */
    }
    int64_t until_ns = sw_clock_boot_ns() + SHORT_NS;
    if (sw_signals_wait(0) != SW_SIGNAL_NONE || sw_signals_wait(until_ns) != SW_SIGNAL_NONE ||
        sw_clock_boot_ns() < until_ns) {
        return 2;
    }
    kill(getpid(), SIGHUP);
    if (sw_signals_wait(INT64_MAX) != SW_SIGNAL_RELOAD) {
        return 3;
    }
    kill(getpid(), SIGTERM);
    if (sw_signals_wait(0) != SW_SIGNAL_STOP || sw_signals_wait(0) != SW_SIGNAL_NONE) {
        return 4;
    }
    kill(getpid(), SIGINT);
    if (sw_signals_wait(sw_clock_boot_ns() + LONG_NS) != SW_SIGNAL_STOP) {
        return 5;
    }
    pid_t pid = fork();
    if (pid == 0) {
        _exit(9);
    }
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 9 ? 0 : 6;
}

static int
check_second_stop(void)
{
    signal(SIGTERM, SIG_IGN);
    sw_signals_init();
    sw_signals_second_stop_kills();
    kill(getpid(), SIGTERM);
    return 1;
}

static void
test_signals(void **state)
{
    (void)state;
    assert_int_equal(in_child(check_signals), 0);
    assert_int_equal(in_child(check_second_stop), -SIGTERM);
}

static void
test_random(void **state)
{
    (void)state;
    uint8_t a[64] = {0};
    uint8_t b[64] = {0};
    uint8_t guard[4] = {1, 2, 3, 4};
    sw_random(NULL, a, sizeof(a));
    sw_random(NULL, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    sw_random(NULL, guard + 1, 0);
    assert_int_equal(guard[1], 2);
}

static int
check_host_name(void)
{
    struct sw_buf buf;
    sw_buf_init(&buf, 300);
    if (unshare(CLONE_NEWUTS) != 0 || sethostname("fs01.example.com", 16) != 0) {
        return 0; /* only root can */
    }
    sw_host_name(&buf);
    bool good = strcmp(sw_buf_text(&buf), "fs01") == 0;
    sw_buf_clear(&buf);
    good = good && sethostname("", 0) == 0;
    sw_host_name(&buf);
    good = good && strcmp(sw_buf_text(&buf), "localhost") == 0;
    sw_buf_fini(&buf);
    return good ? 0 : 1;
}

static void
test_names(void **state)
{
    (void)state;
    assert_int_equal(in_child(check_host_name), 0);
    struct sw_buf buf;
    sw_buf_init(&buf, 300);
    sw_host_name(&buf);
    assert_true(buf.size > 0);
    assert_null(strchr(sw_buf_text(&buf), '.'));
    sw_buf_clear(&buf);
    assert_true(sw_user_name(0, &buf));
    assert_buf(&buf, "root");
    sw_buf_clear(&buf);
    assert_false(sw_user_name(3999999999u, &buf));
    assert_buf(&buf, "");
    sw_buf_fini(&buf);
}

/* Receives what a service manager would, at a path or ('@' first) an abstract name. */
static void
check_notify(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(name);
    char text[64] = "";
    memcpy(address.sun_path, name, size);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
        0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    sw_service_notify("READY=1\nSTATUS=all well");
    assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 23);
    assert_string_equal(text, "READY=1\nSTATUS=all well");
    close(fd);
}

static void
test_notify(void **state)
{
    (void)state;
    char folder[] = "/tmp/sw-notify-XXXXXX";
    char name[64];
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof(name), "%s/socket", folder);
    check_notify(name);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(folder), 0);
    snprintf(name, sizeof(name), "@sw-notify-%d", (int)getpid());
    check_notify(name);

    char longer[300];
    memset(longer, '/', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    static const char *const silent[] = {"", "/", "relative", "/nonexistent/socket"};
    for (size_t i = 0; i < COUNT_OF(silent); i++) {
        setenv("NOTIFY_SOCKET", silent[i], 1);
        sw_service_notify("READY=1");
    }
    setenv("NOTIFY_SOCKET", longer, 1);
    sw_service_notify("READY=1");
    unsetenv("NOTIFY_SOCKET");
    sw_service_notify("READY=1");
}

static void
test_host(void **state)
{
    (void)state;
    int ends[2];
    sw_memory_tune();
    sw_memory_trim();
    assert_int_equal(sw_is_superuser(), geteuid() == 0);
    assert_int_equal(pipe(ends), 0);
    assert_false(sw_is_terminal(ends[0]));
    assert_false(sw_is_terminal(-1));
    close(ends[0]);
    close(ends[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_thread),
        cmocka_unit_test(test_latch),
        cmocka_unit_test(test_condition),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_notify),
        cmocka_unit_test(test_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
