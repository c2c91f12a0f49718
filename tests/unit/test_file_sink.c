/* What the file sink promises beyond what every sink must (tests/conformance/test_sink.c). */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "config/problems.h"
#include "tests/conformance/sink_fixture.h"

#define BEGIN "{\"@timestamp\":\""

struct bench {
    const struct sw_sink_class *class;
    char folder[64];
    char path[128];
    void *conf;
    struct sw_sink sink;
    struct sw_event event;
    struct sw_answer answer;
    struct sw_err err;
};

static int
setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->class = sw_sink_class_find("file");
    snprintf(b->folder, sizeof(b->folder), "/tmp/sw-file-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->path, sizeof(b->path), "%s/log", b->folder);
    b->conf = calloc(1, b->class->part.conf_size);
    conf_set_text(b->class, b->conf, "path", b->path);
    conf_set_number(b->class, b->conf, "rotate_keep", 3);
    b->sink = (struct sw_sink){b->class, "test", b->conf, calloc(1, b->class->state_size)};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    assert_true(b->class->init(&b->sink, &b->err));
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *b = *state;
    char command[128];
    b->class->fini(&b->sink);
    snprintf(command, sizeof(command), "rm -rf %s", b->folder);
    assert_int_equal(system(command), 0);
    free(b->sink.state);
    free(b->conf);
    free(b);
    return 0;
}

static const char *
numbered(const struct bench *b, int number)
{
    static char path[160];
    snprintf(path, sizeof(path), number > 0 ? "%s.%d" : "%s", b->path, number);
    return path;
}

static void
write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* NULL: it is not there. */
static const char *
read_file(const char *path)
{
    static char bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    bytes[fread(bytes, 1, sizeof(bytes) - 1, file)] = '\0';
    fclose(file);
    return bytes;
}

static enum sw_outcome
connect_it(struct bench *b)
{
    sw_err_clear(&b->err);
    return b->class->connect(&b->sink, INT64_MAX, &b->err);
}

static enum sw_outcome
send_text(struct bench *b, const char *text, enum sw_result *result)
{
    struct sw_record record = {1, &b->event, sw_str_of(text), false};
    memset(&b->answer, 0, sizeof(b->answer));
    sw_err_clear(&b->err);
    *result = SW_RESULT_AGAIN;
    return b->class->send(&b->sink, &record, 1, result, &b->answer, INT64_MAX, &b->err);
}

static void
send_good(struct bench *b, const char *text)
{
    enum sw_result result;
    if (send_text(b, text, &result) != SW_OUTCOME_OK || result != SW_RESULT_DONE) {
        fail_msg("%s: %s", text, b->err.text);
    }
}

static void
connect_good(struct bench *b)
{
    if (connect_it(b) != SW_OUTCOME_OK) {
        fail_msg("%s", b->err.text);
    }
}

static void
what_is_no_file_is_refused(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkdir(b->path, 0700), 0);
    assert_int_equal(connect_it(b), SW_OUTCOME_PAUSED);
    assert_contains(b->err.text, "is a folder");
    rmdir(b->path);

    assert_int_equal(mkfifo(b->path, 0600), 0);
    assert_int_equal(connect_it(b), SW_OUTCOME_PAUSED);
    assert_contains(b->err.text, "is not a regular file");
    unlink(b->path);

    write_file(numbered(b, 7), "x\n", 2);
    assert_int_equal(symlink(numbered(b, 7), b->path), 0);
    assert_int_equal(connect_it(b), SW_OUTCOME_PAUSED);
    assert_contains(b->err.text, "is a link");
    assert_string_equal(read_file(numbered(b, 7)), "x\n");
    unlink(b->path);

    rmdir(b->folder);
    unlink(numbered(b, 7));
    rmdir(b->folder);
    assert_int_equal(connect_it(b), SW_OUTCOME_PAUSED);
    assert_contains(b->err.text, "the folder of");
    assert_contains(b->err.text, "does not exist");
    assert_int_equal(mkdir(b->folder, 0700), 0);
    connect_good(b);
}

static void
its_group_may_read_it_whatever_the_umask(void **state)
{
    struct bench *b = *state;
    struct stat info;
    mode_t before = umask(077);
    connect_good(b);
    umask(before);
    assert_int_equal(stat(b->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void
a_file_that_is_there_goes_on(void **state)
{
    struct bench *b = *state;
    struct stat info;
    write_file(b->path, "old\n", 4);
    assert_int_equal(chmod(b->path, 0604), 0);
    connect_good(b);
    send_good(b, "new");
    assert_string_equal(read_file(b->path), "old\nnew\n");
    assert_int_equal(stat(b->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0604);
}

static void
a_torn_record_of_ours_is_cut(void **state)
{
    struct bench *b = *state;
    write_file(b->path, "{}\n" BEGIN "2026", 3 + sizeof(BEGIN) - 1 + 4);
    connect_good(b);
    assert_string_equal(read_file(b->path), "{}\n");
    send_good(b, "new");
    assert_string_equal(read_file(b->path), "{}\nnew\n");
}

static void
a_torn_line_of_others_stays_and_is_ended(void **state)
{
    struct bench *b = *state;
    write_file(b->path, "{}\nsomething", 12);
    connect_good(b);
    assert_string_equal(read_file(b->path), "{}\nsomething");
    send_good(b, "new");
    send_good(b, "newer");
    assert_string_equal(read_file(b->path), "{}\nsomething\nnew\nnewer\n");
}

static void
no_more_than_a_mebibyte_is_looked_at(void **state)
{
    struct bench *b = *state;
    size_t size = (size_t)3 << 20;
    char *bytes = malloc(size);
    struct stat info;
    memset(bytes, ' ', size);
    memcpy(bytes, BEGIN, sizeof(BEGIN) - 1);
    write_file(b->path, bytes, size);
    connect_good(b);
    assert_int_equal(stat(b->path, &info), 0);
    assert_int_equal(info.st_size, size);
    free(bytes);
}

static void
it_rotates_before_it_grows_beyond(void **state)
{
    struct bench *b = *state;
    struct stat info;
    conf_set_number(b->class, b->conf, "rotate_size", 12);
    connect_good(b);
    assert_int_equal(chmod(b->path, 0600), 0);
    send_good(b, "11111");
    send_good(b, "22222");
    assert_null(read_file(numbered(b, 1)));
    send_good(b, "33333");
    assert_string_equal(read_file(numbered(b, 1)), "11111\n22222\n");
    send_good(b, "a record that is larger than all of it");
    send_good(b, "5");
    send_good(b, "66666666666");
    assert_string_equal(read_file(numbered(b, 0)), "66666666666\n");
    assert_string_equal(read_file(numbered(b, 1)), "5\n");
    assert_string_equal(read_file(numbered(b, 2)), "a record that is larger than all of it\n");
    assert_string_equal(read_file(numbered(b, 3)), "33333\n");
    assert_null(read_file(numbered(b, 4)));
    /* Who could read the first can read the last. */
    assert_int_equal(stat(b->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void
without_a_size_it_never_rotates(void **state)
{
    struct bench *b = *state;
    connect_good(b);
    for (int i = 0; i < 1000; i++) {
        send_good(b, "11111");
    }
    assert_int_equal(strlen(read_file(b->path)), 6000);
    assert_null(read_file(numbered(b, 1)));
}

/* The old files stay where they are while the youngest cannot be moved. */
static void
a_rotation_that_fails_holds_nothing_up(void **state)
{
    struct bench *b = *state;
    conf_set_number(b->class, b->conf, "rotate_size", 6);
    conf_set_number(b->class, b->conf, "rotate_keep", 1);
    assert_int_equal(mkdir(numbered(b, 1), 0700), 0);
    write_file(numbered(b, 2), "2\n", 2);
    connect_good(b);
    for (int i = 0; i < 3; i++) {
        send_good(b, "11111");
        assert_int_equal(b->answer.text[0] != '\0', i > 0);
    }
    assert_contains(b->answer.text, "not rotated: rename ");
    assert_string_equal(read_file(b->path), "11111\n11111\n11111\n");
    assert_string_equal(read_file(numbered(b, 2)), "2\n");
    assert_int_equal(rmdir(numbered(b, 1)), 0);
    send_good(b, "2");
    assert_string_equal(read_file(b->path), "2\n");
}

static void
a_file_that_was_moved_is_made_anew(void **state)
{
    struct bench *b = *state;
    connect_good(b);
    send_good(b, "1");
    assert_int_equal(rename(b->path, numbered(b, 9)), 0);
    send_good(b, "2");
    assert_string_equal(read_file(numbered(b, 9)), "1\n");
    assert_string_equal(read_file(b->path), "2\n");
    assert_int_equal(unlink(b->path), 0);
    send_good(b, "3");
    assert_string_equal(read_file(b->path), "3\n");
    /* copytruncate of logrotate */
    assert_int_equal(truncate(b->path, 0), 0);
    send_good(b, "4");
    assert_string_equal(read_file(b->path), "4\n");
}

static void
a_folder_that_went_away_pauses_and_comes_back(void **state)
{
    struct bench *b = *state;
    enum sw_result result;
    connect_good(b);
    unlink(b->path);
    rmdir(b->folder);
    assert_int_equal(send_text(b, "1", &result), SW_OUTCOME_PAUSED);
    assert_int_equal(result, SW_RESULT_AGAIN);
    b->class->disconnect(&b->sink);
    assert_int_equal(mkdir(b->folder, 0700), 0);
    connect_good(b);
    send_good(b, "1");
    assert_string_equal(read_file(b->path), "1\n");
}

static void
two_sinks_do_not_share_a_file(void **state)
{
    struct bench *b = *state;
    struct bench other = *b;
    connect_good(b);
    other.sink.state = calloc(1, b->class->state_size);
    assert_true(b->class->init(&other.sink, &other.err));
    assert_int_equal(connect_it(&other), SW_OUTCOME_LATER);
    assert_contains(other.err.text, "is being written by another");
    b->class->disconnect(&b->sink);
    connect_good(&other);
    b->class->fini(&other.sink);
    free(other.sink.state);
}

static void
limit_file_size(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_full_disk_waits_with_whole_records(void **state)
{
    struct bench *b = *state;
    enum sw_result result;
    connect_good(b);
    send_good(b, "1");
    limit_file_size(4);
    enum sw_outcome outcome = send_text(b, "22222", &result);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(outcome, SW_OUTCOME_LATER);
    assert_int_equal(result, SW_RESULT_AGAIN);
    assert_contains(b->err.text, b->path);
    assert_string_equal(read_file(b->path), "1\n");
}

/* ---- standard output */

static int
begin_stdout(struct bench *b, int fd)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    b->class->fini(&b->sink);
    memset(b->sink.state, 0, b->class->state_size);
    conf_set_text(b->class, b->conf, "path", "-");
    assert_true(b->class->init(&b->sink, &b->err));
    return saved;
}

static void
end_stdout(int saved)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

static void
a_reader_that_went_away_pauses(void **state)
{
    struct bench *b = *state;
    enum sw_result result;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    int saved = begin_stdout(b, fds[1]);
    enum sw_outcome connected = connect_it(b);
    enum sw_outcome outcome = send_text(b, "1", &result);
    end_stdout(saved);
    close(fds[1]);
    assert_int_equal(connected, SW_OUTCOME_OK);
    assert_int_equal(outcome, SW_OUTCOME_PAUSED);
    assert_int_equal(result, SW_RESULT_AGAIN);
    assert_contains(b->err.text, "standard output was closed");
}

/* What went out cannot be taken back: the record comes again, on a line of its own. */
static void
a_torn_line_on_standard_output_is_ended(void **state)
{
    struct bench *b = *state;
    enum sw_result result;
    int fd = open(b->path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int saved = begin_stdout(b, fd);
    connect_good(b);
    limit_file_size(3);
    enum sw_outcome outcome = send_text(b, "12345", &result);
    limit_file_size(RLIM_INFINITY);
    b->class->disconnect(&b->sink);
    connect_good(b);
    send_good(b, "12345");
    send_good(b, "6");
    end_stdout(saved);
    close(fd);
    assert_int_equal(outcome, SW_OUTCOME_LATER);
    assert_string_equal(read_file(b->path), "123\n12345\n6\n");
}

static void
a_pipe_takes_more_than_it_holds_at_once(void **state)
{
    struct bench *b = *state;
    static char text[300000];
    enum sw_result result;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    memset(text, 'x', sizeof(text) - 1);
    pid_t reader = fork();
    if (reader == 0) {
        char bytes[65536];
        size_t total = 0;
        close(fds[1]);
        for (ssize_t size; (size = read(fds[0], bytes, sizeof(bytes))) > 0;) {
            total += (size_t)size;
        }
        _exit(total == sizeof(text) ? 0 : 1);
    }
    close(fds[0]);
    int saved = begin_stdout(b, fds[1]);
    connect_it(b);
    enum sw_outcome outcome = send_text(b, text, &result);
    end_stdout(saved);
    close(fds[1]);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
    assert_int_equal(outcome, SW_OUTCOME_OK);
    assert_int_equal(result, SW_RESULT_DONE);
}

static void
check_knows_a_folder_by_its_slash(void **state)
{
    struct bench *b = *state;
    struct sw_problems problems;
    sw_problems_init(&problems);
    b->class->part.check(b->conf, &problems);
    assert_int_equal(problems.errors, 0);
    conf_set_text(b->class, b->conf, "path", "/var/log/");
    b->class->part.check(b->conf, &problems);
    assert_int_equal(problems.errors, 1);
    assert_contains(problems.items[0].text, "is a folder");
    sw_problems_fini(&problems);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_file_is_refused),
        TEST(its_group_may_read_it_whatever_the_umask),
        TEST(a_file_that_is_there_goes_on),
        TEST(a_torn_record_of_ours_is_cut),
        TEST(a_torn_line_of_others_stays_and_is_ended),
        TEST(no_more_than_a_mebibyte_is_looked_at),
        TEST(it_rotates_before_it_grows_beyond),
        TEST(without_a_size_it_never_rotates),
        TEST(a_rotation_that_fails_holds_nothing_up),
        TEST(a_file_that_was_moved_is_made_anew),
        TEST(a_folder_that_went_away_pauses_and_comes_back),
        TEST(two_sinks_do_not_share_a_file),
        TEST(a_full_disk_waits_with_whole_records),
        TEST(a_reader_that_went_away_pauses),
        TEST(a_torn_line_on_standard_output_is_ended),
        TEST(a_pipe_takes_more_than_it_holds_at_once),
        TEST(check_knows_a_folder_by_its_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
