#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/platform/platform.h"

/* A folder of our own below /tmp, which is sticky and writable by all. */
static char root[] = "/tmp/sw-file-XXXXXX";

static const char *
in_root(const char *name)
{
    static char paths[4][PATH_MAX];
    static size_t next;
    char *path = paths[next++ % COUNT_OF(paths)];
    snprintf(path, PATH_MAX, "%s/%s", root, name);
    return path;
}

static void
put_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int
setup(void **state)
{
    (void)state;
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

static void
test_folder_make(void **state)
{
    (void)state;
    struct sw_err err;
    struct stat info;
    const char *path = in_root("state");
    assert_true(sw_folder_make(path, &err));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_true(sw_folder_make(path, &err));
    assert_true(sw_folder_make(in_root("state//"), &err));
    assert_true(sw_folder_make(in_root("slash/"), &err));

    assert_false(sw_folder_make(in_root("no/parent"), &err));
    assert_int_equal(err.code, ENOENT);

    assert_int_equal(chmod(path, 0750), 0);
    assert_false(sw_folder_make(path, &err));
    assert_contains(err.text, "mode 0750");
    assert_contains(err.text, "chmod 0700");

    put_file(in_root("file"), "", 0600);
    assert_false(sw_folder_make(in_root("file"), &err));
    assert_contains(err.text, "a folder is needed");
}

static void
test_folder_make_refuses_links_and_strangers(void **state)
{
    (void)state;
    struct sw_err err;
    assert_true(sw_folder_make(in_root("real"), &err));
    assert_int_equal(symlink("real", in_root("link")), 0);
    assert_false(sw_folder_make(in_root("link"), &err));
    assert_contains(err.text, "symbolic link");
    assert_false(sw_folder_make(in_root("link/"), &err));
    if (!sw_is_superuser()) {
        skip();
    }
    assert_int_equal(chown(in_root("real"), 12345, 0), 0);
    assert_false(sw_folder_make(in_root("real"), &err));
    assert_contains(err.text, "belongs to user 12345");
}

static void
test_folder_is_local(void **state)
{
    (void)state;
    struct sw_err err;
    assert_true(sw_folder_is_local(root, &err));
    assert_false(sw_folder_is_local(in_root("missing"), &err));
    assert_int_equal(err.code, ENOENT);
}

static void
test_folder_sync(void **state)
{
    (void)state;
    struct sw_err err;
    put_file(in_root("file"), "", 0600);
    assert_true(sw_folder_sync(in_root("file"), &err));
    assert_false(sw_folder_sync(in_root("missing/file"), &err));
    assert_int_equal(err.code, ENOENT);
}

static void
test_lock_in_this_process(void **state)
{
    (void)state;
    struct sw_err err;
    int lock;
    int second;
    bool taken;
    const char *path = in_root("agent.lock");
    assert_true(sw_lock_take(path, &lock, &taken, &err));
    assert_false(taken);
    assert_true((fcntl(lock, F_GETFD) & FD_CLOEXEC) != 0);

    assert_false(sw_lock_take(path, &second, &taken, &err));
    assert_true(taken);
    assert_int_equal(second, -1);
    assert_contains(err.text, "agent.lock");

    /* Opening and closing the file elsewhere would lose a POSIX lock. */
    close(open(path, O_RDONLY | O_CLOEXEC));
    assert_false(sw_lock_take(path, &second, &taken, &err));
    assert_true(taken);

    sw_lock_release(lock);
    assert_true(sw_lock_take(path, &lock, &taken, &err));
    sw_lock_release(lock);
    sw_lock_release(-1);

    assert_false(sw_lock_take(in_root("no/agent.lock"), &lock, &taken, &err));
    assert_false(taken);
    assert_int_equal(err.code, ENOENT);
    assert_int_equal(symlink("agent.lock", in_root("link")), 0);
    assert_false(sw_lock_take(in_root("link"), &lock, &taken, &err));
    assert_int_equal(err.code, ELOOP);
}

/* A process that locks the file in one of the ways below, says so through a pipe, and waits. */
static pid_t
start_locker(const char *path, const char *how)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
        struct flock shared = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        int lock;
        bool taken;
        bool done = strcmp(how, "whole") == 0    ? fcntl(fd, F_SETLK, &whole) == 0
                    : strcmp(how, "first") == 0  ? fcntl(fd, F_SETLK, &first) == 0
                    : strcmp(how, "shared") == 0 ? fcntl(fd, F_SETLK, &shared) == 0
                    : strcmp(how, "ours") == 0   ? sw_lock_take(path, &lock, &taken, NULL)
                                                 : true;
        (void)!write(ready[1], done ? "y" : "n", 1);
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(ready[0]);
    return pid;
}

static void
end_locker(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_lock_of_another_process(void **state)
{
    (void)state;
    struct sw_err err;
    int lock;
    bool taken;
    const char *path = in_root("agent.lock");
    pid_t pid = start_locker(path, "ours");
    assert_false(sw_lock_take(path, &lock, &taken, &err));
    assert_true(taken);
    end_locker(pid);
    assert_true(sw_lock_take(path, &lock, &taken, &err));
    sw_lock_release(lock);
}

static void
test_lock_is_held(void **state)
{
    (void)state;
    static const struct {
        const char *how;
        bool held;
    } rows[] = {
        {"none", false}, {"whole", true}, {"first", true}, {"shared", true}, {"ours", true}};
    struct sw_err err;
    bool held = true;
    const char *path = in_root("smbd.pid");
    assert_true(sw_lock_is_held(path, &held, &err));
    assert_false(held);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        pid_t pid = start_locker(path, rows[i].how);
        held = !rows[i].held;
        assert_true(sw_lock_is_held(path, &held, &err));
        assert_int_equal(held, rows[i].held);
        end_locker(pid);
        assert_true(sw_lock_is_held(path, &held, &err));
        assert_false(held);
    }
}

static void
test_lock_that_cannot_be_told(void **state)
{
    (void)state;
    struct sw_err err;
    bool held = true;
    put_file(in_root("file"), "", 0600);
    assert_false(sw_lock_is_held(in_root("file/smbd.pid"), &held, &err));
    assert_int_equal(err.code, ENOTDIR);
    assert_false(held);
    assert_int_equal(symlink("file", in_root("link")), 0);
    assert_false(sw_lock_is_held(in_root("link"), &held, &err));
    assert_int_equal(err.code, ELOOP);
}

static void
test_read(void **state)
{
    (void)state;
    struct sw_err err;
    struct sw_buf buf;
    char *large = calloc(1, 100001);
    memset(large, 'x', 100000);
    put_file(in_root("small"), "text\n", 0600);
    put_file(in_root("large"), large, 0600);
    put_file(in_root("empty"), "", 0600);
    assert_int_equal(symlink("small", in_root("link")), 0);

    assert_true(sw_file_read(in_root("small"), 5, &buf, &err));
    assert_buf(&buf, "text\n");
    sw_buf_fini(&buf);
    assert_false(sw_file_read(in_root("small"), 4, &buf, &err));
    assert_contains(err.text, "larger than 4 bytes");
    sw_buf_fini(&buf);
    assert_true(sw_file_read(in_root("link"), 5, &buf, &err));
    sw_buf_fini(&buf);
    assert_true(sw_file_read(in_root("large"), 100000, &buf, &err));
    assert_int_equal(buf.size, 100000);
    assert_memory_equal(buf.data, large, 100000);
    sw_buf_fini(&buf);
    assert_false(sw_file_read(in_root("large"), 99999, &buf, &err));
    sw_buf_fini(&buf);
    assert_true(sw_file_read(in_root("empty"), 0, &buf, &err));
    assert_buf(&buf, "");
    sw_buf_fini(&buf);
    assert_false(sw_file_read("/dev/zero", 1000, &buf, &err));
    sw_buf_fini(&buf);
    assert_false(sw_file_read(in_root("missing"), 10, &buf, &err));
    assert_int_equal(err.code, ENOENT);
    assert_false(sw_file_read(root, 10, &buf, &err));
    assert_int_equal(err.code, EISDIR);
    free(large);
}

static void
test_trusted_file(void **state)
{
    (void)state;
    struct sw_err err;
    put_file(in_root("a.yaml"), "", 0644);
    assert_true(sw_file_is_trusted(in_root("a.yaml"), &err));
    assert_true(sw_file_is_trusted(in_root("./a.yaml"), &err));
    assert_false(sw_file_is_trusted(in_root("../sw-file-none/a.yaml"), &err));
    assert_int_equal(err.code, ENOENT);
    assert_true(sw_file_is_trusted("/etc/passwd", &err));
    assert_true(sw_file_is_trusted("/", &err));
    assert_false(sw_file_is_trusted("/tmp", &err));
    assert_false(sw_file_is_trusted(in_root("missing"), &err));
    assert_int_equal(err.code, ENOENT);
}

static void
test_writable_files(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        const char *who;
        const char *remedy;
    } rows[] = {
        {0664, "group can write it (mode 0664)", "chmod g-w "},
        {0606, "others can write it (mode 0606)", "chmod o-w "},
        {0777, "group and others can write it (mode 0777)", "chmod go-w "},
        {01666, "group and others can write it (mode 1666)", "chmod go-w "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sw_err err;
        put_file(in_root("a.yaml"), "", rows[i].mode);
        assert_false(sw_file_is_trusted(in_root("a.yaml"), &err));
        assert_contains(err.text, in_root("a.yaml"));
        assert_contains(err.text, rows[i].who);
        assert_contains(err.text, rows[i].remedy);
    }
}

static void
test_writable_folder_above(void **state)
{
    (void)state;
    struct sw_err err;
    assert_int_equal(mkdir(in_root("open"), 0700), 0);
    assert_int_equal(mkdir(in_root("open/safe"), 0700), 0);
    put_file(in_root("open/safe/a.yaml"), "", 0600);
    assert_true(sw_file_is_trusted(in_root("open/safe/a.yaml"), &err));

    assert_int_equal(chmod(in_root("open"), 0777), 0);
    assert_false(sw_file_is_trusted(in_root("open/safe/a.yaml"), &err));
    assert_contains(err.text, "/open: group and others can write it (mode 0777)");
    assert_false(sw_file_is_trusted(in_root("open/../open/safe/a.yaml"), &err));

    assert_int_equal(chmod(in_root("open"), 01777), 0);
    assert_true(sw_file_is_trusted(in_root("open/safe/a.yaml"), &err));
    assert_false(sw_file_is_trusted(in_root("open"), &err));
    assert_false(sw_file_is_trusted(in_root("open/"), &err));
}

static void
test_links_are_walked(void **state)
{
    (void)state;
    struct sw_err err;
    assert_int_equal(mkdir(in_root("good"), 0700), 0);
    assert_int_equal(mkdir(in_root("bad"), 0700), 0);
    put_file(in_root("good/a.yaml"), "", 0600);
    /* way -> bad/hop -> good/a.yaml: the file is fine, but who can write bad can redirect hop. */
    assert_int_equal(symlink("bad/hop", in_root("way")), 0);
    assert_int_equal(symlink(in_root("good/a.yaml"), in_root("bad/hop")), 0);
    assert_int_equal(symlink("../good", in_root("bad/folder")), 0);
    assert_true(sw_file_is_trusted(in_root("way"), &err));
    assert_true(sw_file_is_trusted(in_root("bad/folder/a.yaml"), &err));
    assert_true(sw_file_is_trusted(in_root("bad/folder/../way"), &err));

    assert_int_equal(chmod(in_root("bad"), 0770), 0);
    assert_false(sw_file_is_trusted(in_root("way"), &err));
    assert_contains(err.text, "/bad: group can write it");
    assert_int_equal(chmod(in_root("bad"), 0700), 0);

    assert_int_equal(chmod(in_root("good/a.yaml"), 0602), 0);
    assert_false(sw_file_is_trusted(in_root("way"), &err));
    assert_contains(err.text, "/good/a.yaml: others can write it");

    assert_int_equal(symlink("loop", in_root("loop")), 0);
    assert_false(sw_file_is_trusted(in_root("loop"), &err));
    assert_int_equal(err.code, ELOOP);
    /* Doubles with every level: 2^20 steps, did nobody count. */
    assert_int_equal(symlink(".", in_root("l0")), 0);
    for (int i = 1; i <= 20; i++) {
        char name[16];
        char target[32];
        snprintf(name, sizeof(name), "l%d", i);
        snprintf(target, sizeof(target), "l%d/l%d", i - 1, i - 1);
        assert_int_equal(symlink(target, in_root(name)), 0);
    }
    assert_true(sw_file_is_trusted(in_root("l4"), &err));
    assert_false(sw_file_is_trusted(in_root("l20"), &err));
    assert_int_equal(err.code, ELOOP);
    assert_int_equal(symlink("nowhere", in_root("dangling")), 0);
    assert_false(sw_file_is_trusted(in_root("dangling"), &err));
    assert_int_equal(err.code, ENOENT);
}

static void
test_owned_by_others(void **state)
{
    (void)state;
    struct sw_err err;
    if (!sw_is_superuser()) {
        skip();
    }
    put_file(in_root("a.yaml"), "", 0600);
    assert_int_equal(chown(in_root("a.yaml"), 12345, 0), 0);
    assert_false(sw_file_is_trusted(in_root("a.yaml"), &err));
    assert_contains(err.text, "belongs to user 12345");

    put_file(in_root("b.yaml"), "", 0600);
    assert_int_equal(symlink("b.yaml", in_root("link")), 0);
    assert_true(sw_file_is_trusted(in_root("link"), &err));
    assert_int_equal(lchown(in_root("link"), 12345, 0), 0);
    assert_false(sw_file_is_trusted(in_root("link"), &err));

    assert_int_equal(mkdir(in_root("theirs"), 0755), 0);
    put_file(in_root("theirs/c.yaml"), "", 0600);
    assert_int_equal(chown(in_root("theirs"), 12345, 0), 0);
    assert_false(sw_file_is_trusted(in_root("theirs/c.yaml"), &err));
    assert_contains(err.text, "/theirs: belongs to");

    /* To its own user the file of that user is fine, and so is root's. */
    pid_t pid = fork();
    if (pid == 0) {
        _exit(seteuid(12345) == 0 && sw_file_is_trusted("/etc/passwd", &err) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
test_relative_path_is_trusted_from_here(void **state)
{
    (void)state;
    struct sw_err err;
    char here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof(here)));
    put_file(in_root("a.yaml"), "", 0600);
    assert_int_equal(chdir(root), 0);
    bool good = sw_file_is_trusted("a.yaml", &err) && sw_file_is_trusted("./a.yaml", &err);
    assert_int_equal(chmod(root, 0707), 0);
    bool bad = sw_file_is_trusted("a.yaml", &err);
    assert_int_equal(chdir(here), 0);
    assert_true(good);
    assert_false(bad);
}

static void
test_path_too_long(void **state)
{
    (void)state;
    struct sw_err err;
    char *path = calloc(1, 3 * PATH_MAX);
    memset(path, '/', 3 * PATH_MAX - 1);
    assert_false(sw_file_is_trusted(path, &err));
    assert_int_equal(err.code, ENAMETOOLONG);
    for (size_t i = 1; i < 3 * PATH_MAX - 1; i += 2) {
        path[i] = 'a';
    }
    assert_false(sw_file_is_trusted(path, &err));
    assert_int_equal(err.code, ENAMETOOLONG);
    free(path);
}

static void
test_exists(void **state)
{
    (void)state;
    assert_true(sw_file_exists(root));
    assert_true(sw_file_exists("/etc/passwd"));
    assert_false(sw_file_exists(in_root("missing")));
    assert_false(sw_file_exists(""));
}

static void
test_paths(void **state)
{
    (void)state;
    static const char *const folders[][2] = {{"/a/b", "/a"}, {"/a", "/"}, {"/", "/"}, {"a", "."},
        {"a/b", "a"}, {"a/b/", "a"}, {"a//b", "a"}, {"//a", "/"}, {"", "."}};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        struct sw_buf buf;
        sw_buf_init(&buf, 100);
        sw_path_folder(folders[i][0], &buf);
        assert_string_equal(sw_buf_text(&buf), folders[i][1]);
        sw_buf_fini(&buf);
    }
    static const char *const joins[][3] = {{"/a", "b", "/a/b"}, {"/a/", "b", "/a/b"},
        {"/a", "/b", "/b"}, {".", "b/c", "./b/c"}, {"", "b", "b"}, {"/", "b", "/b"}};
    for (size_t i = 0; i < COUNT_OF(joins); i++) {
        struct sw_buf buf;
        sw_buf_init(&buf, 100);
        sw_path_join(joins[i][0], joins[i][1], &buf);
        assert_string_equal(sw_buf_text(&buf), joins[i][2]);
        sw_buf_fini(&buf);
    }
    assert_true(sw_path_is_absolute("/a"));
    assert_false(sw_path_is_absolute("a/b"));
    assert_false(sw_path_is_absolute(""));
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_folder_make),
        FILE_TEST(test_folder_make_refuses_links_and_strangers),
        FILE_TEST(test_folder_is_local),
        FILE_TEST(test_folder_sync),
        FILE_TEST(test_lock_in_this_process),
        FILE_TEST(test_lock_of_another_process),
        FILE_TEST(test_lock_is_held),
        FILE_TEST(test_lock_that_cannot_be_told),
        FILE_TEST(test_read),
        FILE_TEST(test_trusted_file),
        FILE_TEST(test_writable_files),
        FILE_TEST(test_writable_folder_above),
        FILE_TEST(test_links_are_walked),
        FILE_TEST(test_owned_by_others),
        FILE_TEST(test_relative_path_is_trusted_from_here),
        FILE_TEST(test_path_too_long),
        FILE_TEST(test_exists),
        FILE_TEST(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
