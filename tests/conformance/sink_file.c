#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/conformance/sink_fixture.h"

static const char *
file_path(const struct sink_world *world)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/events.json", world->folder);
    return path;
}

static void
file_setup(struct sink_world *world, const struct sw_sink_class *class)
{
    world->own = strdup(file_path(world));
    conf_set_text(class, world->conf, "path", world->own);
    conf_set_number(class, world->conf, "rotate_size", 0);
    conf_set_number(class, world->conf, "rotate_keep", 1);
}

static void
file_arrived(struct sink_world *world, struct sw_buf *buf)
{
    char bytes[4096];
    FILE *file = fopen(file_path(world), "rb");
    for (size_t size = 1; file != NULL && size > 0;) {
        size = fread(bytes, 1, sizeof(bytes), file);
        sw_buf_add(buf, bytes, size);
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* A full disk, as one process sees it: the write that passes the limit is cut, the next fails. */
static void
file_fail_after(struct sink_world *world, uint64_t bytes)
{
    struct rlimit limit;
    struct stat info;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    if (bytes != UINT64_MAX) {
        assert_int_equal(stat(file_path(world), &info), 0);
        limit.rlim_cur = (rlim_t)info.st_size + bytes;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
file_teardown(struct sink_world *world)
{
    file_fail_after(world, UINT64_MAX);
    unlink(file_path(world));
    free(world->own);
}

const struct sink_fixture sink_fixture_file = {
    .name = "file",
    .class = "file",
    .setup = file_setup,
    .arrived = file_arrived,
    .fail_after = file_fail_after,
    .teardown = file_teardown,
};

/* Standard output leads to a file for as long as the test lasts. */
static void
stdout_setup(struct sink_world *world, const struct sw_sink_class *class)
{
    conf_set_text(class, world->conf, "path", "-");
    conf_set_number(class, world->conf, "rotate_size", 1 << 16);
    conf_set_number(class, world->conf, "rotate_keep", 1);
    fflush(stdout);
    int fd = open(file_path(world), O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    world->fds[0] = dup(STDOUT_FILENO);
    assert_true(world->fds[0] >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    close(fd);
}

/* … or to a pipe that nobody reads and that is full. */
static void
stdout_stall(struct sink_world *world)
{
    static const char bytes[4096];
    int *pipe_fds = world->fds + 1;
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK), 0);
    while (write(pipe_fds[1], bytes, sizeof(bytes)) > 0) {
    }
    assert_int_equal(fcntl(pipe_fds[1], F_SETFL, 0), 0);
    assert_true(dup2(pipe_fds[1], STDOUT_FILENO) >= 0);
}

static void
stdout_teardown(struct sink_world *world)
{
    fflush(stdout);
    dup2(world->fds[0], STDOUT_FILENO);
    for (size_t i = 0; i < COUNT_OF(world->fds); i++) {
        if (world->fds[i] >= 0) {
            close(world->fds[i]);
        }
    }
    unlink(file_path(world));
}

const struct sink_fixture sink_fixture_stdout = {
    .name = "file, standard output",
    .class = "file",
    .setup = stdout_setup,
    .arrived = file_arrived,
    .stall = stdout_stall,
    .teardown = stdout_teardown,
};
