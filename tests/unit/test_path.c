/* Paths taken apart and joined, files and folders by name, streams. The twin of Windows is in
 * tests/windows/test_platform.c. */
#include "tests/support/unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/platform/platform.h"

struct room {
    char folder[64];
    char path[96];
    struct sw_err err;
};

static int
setup(void **state)
{
    struct room *room = calloc(1, sizeof(*room));
    snprintf(room->folder, sizeof(room->folder), "/tmp/sw-path-XXXXXX");
    if (mkdtemp(room->folder) == NULL) {
        return -1;
    }
    snprintf(room->path, sizeof(room->path), "%s/file", room->folder);
    *state = room;
    return 0;
}

static int
teardown(void **state)
{
    struct room *room = *state;
    unlink(room->path);
    rmdir(room->folder);
    free(room);
    return 0;
}

static void
paths_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *path, *folder, *name;
    } cases[] = {
        {"/a/b", "/a", "b"},
        {"/a", "/", "a"},
        {"//a", "/", "a"},
        {"a", ".", "a"},
        {"a/b", "a", "b"},
        {"a//b", "a", "b"},
        {"a/b//", "a", "b//"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sw_buf folder;
        sw_buf_init(&folder, 64);
        sw_path_folder(cases[i].path, &folder);
        assert_string_equal(sw_buf_text(&folder), cases[i].folder);
        assert_string_equal(sw_path_name(cases[i].path), cases[i].name);
        sw_buf_fini(&folder);
    }
}

static void
a_link_is_resolved_and_a_missing_file_named(void **state)
{
    struct room *room = *state;
    char link[128];
    snprintf(link, sizeof(link), "%s/link", room->folder);
    assert_int_equal(symlink(".", link), 0);
    char *real = sw_path_resolve(link, &room->err);
    assert_string_equal(real, room->folder);
    free(real);
    unlink(link);
    assert_null(sw_path_resolve(link, &room->err));
    assert_int_equal(room->err.code, ENOENT);
    assert_contains(room->err.text, link);
}

static void
visit(void *context, const char *name)
{
    struct sw_buf *names = context;
    sw_buf_printf(names, "%s;", name);
}

static void
a_file_is_made_once_and_removed_twice(void **state)
{
    struct room *room = *state;
    struct stat info;
    struct sw_buf names;
    sw_buf_init(&names, 256);
    assert_true(sw_file_make(room->path, &room->err));
    assert_int_equal(chmod(room->path, 0640), 0);
    assert_true(sw_file_make(room->path, &room->err));
    assert_int_equal(stat(room->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_true(sw_folder_each(room->folder, visit, &names, &room->err));
    assert_buf(&names, "file;");
    assert_true(sw_file_remove(room->path, &room->err));
    assert_true(sw_file_remove(room->path, &room->err));
    assert_false(sw_file_exists(room->path));
    assert_false(sw_folder_each(room->path, visit, &names, &room->err));
    assert_int_equal(room->err.code, ENOENT);
    assert_false(sw_file_remove(room->folder, &room->err));
    sw_buf_fini(&names);
}

static void
only_regular_files_are_streams(void **state)
{
    struct room *room = *state;
    uint64_t size = 7;
    assert_null(sw_file_open(room->path, &size, &room->err));
    assert_int_equal(room->err.code, ENOENT);
    assert_null(sw_file_open(room->folder, &size, &room->err));
    assert_contains(room->err.text, "is not a regular file");
    /* A pipe would be waited for. */
    assert_int_equal(mkfifo(room->path, 0600), 0);
    assert_null(sw_file_open(room->path, &size, &room->err));
    assert_contains(room->err.text, "is not a regular file");
    unlink(room->path);

    FILE *made = fopen(room->path, "we");
    fputs("text", made);
    fclose(made);
    FILE *file = sw_file_open(room->path, &size, &room->err);
    assert_non_null(file);
    assert_int_equal(size, 4);
    assert_int_equal(fgetc(file), 't');
    fclose(file);
}

static void
a_temporary_file_is_read_again(void **state)
{
    struct room *room = *state;
    FILE *file = sw_file_temporary(&room->err);
    assert_non_null(file);
    fputs("again", file);
    rewind(file);
    char text[8] = "";
    assert_int_equal(fread(text, 1, sizeof(text) - 1, file), 5);
    assert_string_equal(text, "again");
    fclose(file);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_taken_apart),
        TEST(a_link_is_resolved_and_a_missing_file_named),
        TEST(a_file_is_made_once_and_removed_twice),
        TEST(only_regular_files_are_streams),
        TEST(a_temporary_file_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
