/* The platform layer of Windows: what tests/unit/test_platform.c, test_file.c and test_process.c
 * ask of the other one, as far as it means something here. The program is its own child (argv[1]).
 */
#include "tests/support/unit.h"

#include <errno.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/platform/windows/system.h"

#define SOON_NS (30 * SW_NS_PER_S)

static char *own_path;

/* ---- a folder of each test's own; private, as the state folder is */

struct room {
    char folder[256];
    char path[400];
    struct sw_err err;
};

static int
setup(void **state)
{
    static unsigned count;
    struct room *room = calloc(1, sizeof(*room));
    const char *temp = sw_environment_get("TEMP");
    snprintf(room->folder, sizeof(room->folder), "%.180s\\sw-grün-%lu-%u",
        temp != NULL ? temp : "C:", (unsigned long)GetCurrentProcessId(), count++);
    if (!sw_folder_make(room->folder, &room->err)) {
        fail_msg("%s", room->err.text);
    }
    snprintf(room->path, sizeof(room->path), "%s\\ä.txt", room->folder);
    *state = room;
    return 0;
}

struct names {
    const char *folder;
    size_t count;
    bool remove;
};

static void
visit(void *context, const char *name)
{
    struct names *names = context;
    names->count++;
    if (names->remove) {
        struct sw_buf path;
        sw_buf_init(&path, 4096);
        sw_path_join(names->folder, name, &path);
        assert_true(sw_file_remove(sw_buf_text(&path), NULL));
        sw_buf_fini(&path);
    }
}

static int
teardown(void **state)
{
    struct room *room = *state;
    struct names names = {room->folder, 0, true};
    (void)sw_folder_each(room->folder, visit, &names, NULL);
    wchar_t *wide = win_wide(room->folder);
    RemoveDirectoryW(wide);
    free(wide);
    free(room);
    return 0;
}

/* ---- text and paths */

static void
text_goes_there_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "plain", "größe", "日本 😀", "\xED\xA0\x80 lone"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        wchar_t *wide = win_wide(texts[i]);
        char *narrow = win_narrow(wide);
        assert_string_equal(narrow, texts[i]);
        free(narrow);
        free(wide);
    }
    wchar_t *wide = win_wide("a\xFFz");
    assert_true(wcscmp(wide, L"a\xFFFDz") == 0);
    free(wide);
}

static void
paths_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *path, *folder, *name;
        bool is_absolute;
    } cases[] = {
        {"C:\\a\\b.c", "C:\\a", "b.c", true},
        {"C:/a/b.c", "C:/a", "b.c", true},
        {"C:\\b.c", "C:\\", "b.c", true},
        {"C:b.c", "C:", "b.c", false},
        {"b.c", ".", "b.c", false},
        {"a\\b.c", "a", "b.c", false},
        {"\\b.c", "\\", "b.c", false},
        {"\\\\server\\share\\b.c", "\\\\server\\share", "b.c", true},
        {"%ProgramData%\\sharewatch\\x", "%ProgramData%\\sharewatch", "x", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sw_buf folder;
        sw_buf_init(&folder, 256);
        sw_path_folder(cases[i].path, &folder);
        assert_string_equal(sw_buf_text(&folder), cases[i].folder);
        assert_string_equal(sw_path_name(cases[i].path), cases[i].name);
        assert_int_equal(sw_path_is_absolute(cases[i].path), cases[i].is_absolute);
        sw_buf_fini(&folder);
    }
}

static void
paths_are_joined(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"C:\\a", "b", "C:\\a\\b"},
        {"C:/a", "b", "C:/a/b"},
        {"C:\\", "b", "C:\\b"},
        {"C:", "b", "C:b"},
        {"C:\\a", "D:\\b", "D:\\b"},
        {"C:\\a", "\\b", "\\b"},
        {"", "b", "b"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sw_buf whole;
        sw_buf_init(&whole, 256);
        sw_path_join(cases[i][0], cases[i][1], &whole);
        assert_string_equal(sw_buf_text(&whole), cases[i][2]);
        sw_buf_fini(&whole);
    }
}

/* ---- clock and latch */

static void
the_boot_clock_goes_on_and_waits_end(void **state)
{
    (void)state;
    struct sw_latch latch;
    assert_true(sw_latch_init(&latch, NULL));
    int64_t before_ns = sw_clock_boot_ns();
    assert_false(sw_latch_wait(&latch, before_ns + 20 * SW_NS_PER_MS));
    int64_t after_ns = sw_clock_boot_ns();
    assert_true(after_ns >= before_ns + 20 * SW_NS_PER_MS && after_ns < before_ns + SOON_NS);
    sw_latch_set(&latch);
    assert_true(sw_latch_wait(&latch, sw_clock_boot_ns() + 3600 * SW_NS_PER_S));
    assert_true(sw_latch_is_set(&latch));
    sw_latch_fini(&latch);
    sw_latch_fini(&latch);
    assert_true(sw_clock_wall_ns() > INT64_C(1700000000) * SW_NS_PER_S);
}

/* ---- files */

static void
a_file_is_made_once_and_removed_twice(void **state)
{
    struct room *room = *state;
    struct names names = {room->folder, 0, false};
    assert_false(sw_file_exists(room->path));
    assert_true(sw_file_make(room->path, &room->err));
    assert_true(sw_file_make(room->path, &room->err));
    assert_true(sw_file_exists(room->path));
    assert_true(sw_folder_each(room->folder, visit, &names, &room->err));
    assert_int_equal(names.count, 1);
    assert_true(sw_file_remove(room->path, &room->err));
    assert_true(sw_file_remove(room->path, &room->err));
    assert_false(sw_file_exists(room->path));
    struct sw_buf bytes;
    assert_false(sw_file_read(room->path, 10, &bytes, &room->err));
    assert_int_equal(room->err.code, ENOENT);
    sw_buf_fini(&bytes);
}

static void
what_we_make_is_trusted_and_local(void **state)
{
    struct room *room = *state;
    assert_true(sw_folder_make(room->folder, &room->err));
    assert_true(sw_folder_is_local(room->folder, &room->err));
    assert_true(sw_file_make(room->path, &room->err));
    if (!sw_file_is_trusted(room->path, &room->err)) {
        fail_msg("%s", room->err.text);
    }
}

static void
a_lock_is_one_owners(void **state)
{
    struct room *room = *state;
    int first;
    int second;
    bool taken;
    bool held;
    assert_true(sw_lock_is_held(room->path, &held, &room->err) && !held);
    assert_true(sw_lock_take(room->path, &first, &taken, &room->err) && !taken);
    assert_true(sw_lock_is_held(room->path, &held, &room->err) && held);
    assert_false(sw_lock_take(room->path, &second, &taken, &room->err));
    assert_true(taken);
    sw_lock_release(first);
    assert_true(sw_lock_take(room->path, &first, &taken, &room->err));
    sw_lock_release(first);
}

static void
write_all(struct sw_append *file, const char *text, struct sw_err *err)
{
    uint64_t written;
    const struct sw_str parts[] = {sw_str_of(text), SW_STR(""), SW_STR("\n")};
    assert_true(sw_append_write(file, parts, COUNT_OF(parts), INT64_MAX, NULL, &written, err));
    assert_int_equal(written, strlen(text) + 1);
    assert_true(sw_append_sync(file, err));
}

/* As rotation does it: renamed while it is open, the next one begins beside it. */
static void
an_appended_file_can_be_renamed_below_us(void **state)
{
    struct room *room = *state;
    struct sw_append file;
    struct sw_append other;
    char moved[420];
    bool made;
    bool taken;
    struct sw_buf bytes;
    snprintf(moved, sizeof(moved), "%s.1", room->path);
    assert_true(sw_append_open(&file, room->path, NULL, &made, &taken, &room->err) && made);
    write_all(&file, "one", &room->err);
    assert_false(sw_append_open(&other, room->path, NULL, &made, &taken, &room->err));
    assert_true(taken);
    assert_true(sw_append_is_at(&file, room->path));
    assert_true(sw_file_rename(room->path, moved, &room->err));
    assert_false(sw_append_is_at(&file, room->path));
    assert_true(sw_append_is_at(&file, moved));
    write_all(&file, "two", &room->err);
    assert_true(sw_append_open(&other, room->path, &file, &made, &taken, &room->err) && made);
    sw_append_close(&file);
    sw_append_close(&other);
    assert_true(sw_file_read(moved, 100, &bytes, &room->err));
    assert_buf(&bytes, "one\ntwo\n");
    sw_buf_fini(&bytes);
}

static void
a_file_is_shortened_and_goes_on_at_its_end(void **state)
{
    struct room *room = *state;
    struct sw_append file;
    bool made;
    bool taken;
    uint64_t size;
    struct sw_buf bytes;
    assert_true(sw_append_open(&file, room->path, NULL, &made, &taken, &room->err));
    write_all(&file, "0123456789", &room->err);
    assert_true(sw_append_truncate(&file, 4, &room->err));
    write_all(&file, "x", &room->err);
    assert_true(sw_append_size(&file, &size, &room->err));
    assert_int_equal(size, 6);
    sw_buf_init(&bytes, 100);
    assert_true(sw_append_read(&file, 2, 100, &bytes, &room->err));
    assert_buf(&bytes, "23x\n");
    sw_buf_fini(&bytes);
    sw_append_close(&file);
}

/* ---- programs */

static bool
run_child(const char *const *argv, struct sw_process *with, struct sw_process_result *result,
    struct sw_err *err)
{
    with->argv = argv;
    with->env = sw_process_environment();
    with->deadline_ns = with->deadline_ns != 0 ? with->deadline_ns : sw_clock_boot_ns() + SOON_NS;
    return sw_process_run(with, result, err);
}

static void
arguments_arrive_as_they_are(void **state)
{
    struct room *room = *state;
    const char *const argv[] = {own_path, "echo", "plain", "two words", "", "a\"b", "tail\\",
        "tail \\", "\\\"", "a\\\\\"b c", "größe 😀", "%PATH%", "^&|<>", NULL};
    struct sw_process process = {.stdout_max = 4096, .stderr_max = 100, .memory_max = 256u << 20};
    struct sw_process_result result;
    if (!run_child(argv, &process, &result, &room->err)) {
        fail_msg("%s", room->err.text);
    }
    assert_int_equal(result.exit_status, 7);
    assert_buf(&result.out,
        "plain\ntwo words\n\na\"b\ntail\\\ntail \\\n\\\"\na\\\\\"b c\ngröße 😀\n%PATH%\n^&|<>\n");
    assert_buf(&result.err, "done");
    sw_process_result_fini(&result);
}

static void
a_program_that_does_not_end_is_killed(void **state)
{
    struct room *room = *state;
    const char *const argv[] = {own_path, "sleep", NULL};
    struct sw_process process = {
        .stdout_max = 100, .deadline_ns = sw_clock_boot_ns() + 300 * SW_NS_PER_MS};
    struct sw_process_result result;
    assert_false(run_child(argv, &process, &result, &room->err));
    assert_contains(room->err.text, "not done after");
    assert_buf(&result.out, "begun\n");
    assert_int_equal(result.exit_status, -1);
    sw_process_result_fini(&result);
}

static void
a_program_that_writes_too_much_is_killed(void **state)
{
    struct room *room = *state;
    const char *const argv[] = {own_path, "flood", NULL};
    struct sw_process process = {.stdout_max = 100000};
    struct sw_process_result result;
    assert_false(run_child(argv, &process, &result, &room->err));
    assert_contains(room->err.text, "wrote more than 100000 bytes");
    sw_process_result_fini(&result);
}

static void
a_stop_kills_and_a_missing_program_is_named(void **state)
{
    struct room *room = *state;
    const char *const argv[] = {own_path, "sleep", NULL};
    const char *const none[] = {"C:\\none.exe", NULL};
    struct sw_latch stop;
    assert_true(sw_latch_init(&stop, NULL));
    sw_latch_set(&stop);
    struct sw_process process = {.stdout_max = 100, .stop = &stop};
    struct sw_process_result result;
    assert_false(run_child(argv, &process, &result, &room->err));
    assert_contains(room->err.text, "we are stopping");
    sw_process_result_fini(&result);
    process.stop = NULL;
    assert_false(run_child(none, &process, &result, &room->err));
    assert_contains(room->err.text, "start C:\\none.exe");
    assert_int_equal(room->err.code, ENOENT);
    sw_process_result_fini(&result);
    sw_latch_fini(&stop);
}

static int
child(int argc, char **argv)
{
    if (strcmp(argv[1], "sleep") == 0) {
        fputs("begun\n", stdout);
        fflush(stdout);
        Sleep(60000);
    } else if (strcmp(argv[1], "flood") == 0) {
        while (fputs("water\n", stdout) >= 0) {
        }
    }
    for (int i = 2; i < argc; i++) {
        printf("%s\n", argv[i]);
    }
    fputs("done", stderr);
    return 7;
}

/* ---- network: loopback */

static void
a_datagram_arrives(void **state)
{
    struct room *room = *state;
    struct sw_resolver *resolver = sw_resolver_new("127.0.0.1", 9);
    struct sw_addresses found;
    assert_int_equal(
        sw_resolver_ask(resolver, &found, INT64_MAX, NULL, &room->err), SW_LOOKUP_DONE);
    assert_int_equal(found.count, 1);
    sw_resolver_free(resolver);

    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof(at);
    SOCKET receiver = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(receiver, (struct sockaddr *)&at, size), 0);
    assert_int_equal(getsockname(receiver, (struct sockaddr *)&at, &size), 0);
    found.items[0].port = ntohs(at.sin_port);

    struct sw_udp udp;
    size_t sent;
    char text[16];
    const struct sw_str datagrams[] = {SW_STR("one"), SW_STR("second")};
    assert_int_equal(sw_udp_open(&udp, &found.items[0], &room->err), SW_UDP_NONE);
    assert_int_equal(
        sw_udp_send(&udp, datagrams, 2, sw_clock_boot_ns() + SOON_NS, NULL, &sent, &room->err),
        SW_UDP_NONE);
    assert_int_equal(sent, 2);
    assert_int_equal(recv(receiver, text, sizeof(text), 0), 3);
    assert_int_equal(recv(receiver, text, sizeof(text), 0), 6);
    closesocket(receiver);

    /* Nobody is there any more, and the answer says so. Wine tells it behind the next one. */
    enum sw_udp_fault fault = SW_UDP_NONE;
    for (int i = 0; i < 20 && fault == SW_UDP_NONE; i++) {
        fault =
            sw_udp_send(&udp, datagrams, 1, sw_clock_boot_ns() + SOON_NS, NULL, &sent, &room->err);
        if (fault == SW_UDP_NONE) {
            fault = sw_udp_hear(&udp, sw_clock_boot_ns() + 50 * SW_NS_PER_MS, NULL, &room->err);
        }
    }
    assert_int_equal(fault, SW_UDP_REFUSED);
    sw_udp_close(&udp);
    sw_udp_close(&udp);
}

int
main(int argc, char **argv)
{
    sw_program_init(&argc, &argv);
    if (argc > 1) {
        return child(argc, argv);
    }
    own_path = sw_path_resolve(argv[0], NULL);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_there_and_back),
        cmocka_unit_test(paths_are_taken_apart),
        cmocka_unit_test(paths_are_joined),
        cmocka_unit_test(the_boot_clock_goes_on_and_waits_end),
        TEST(a_file_is_made_once_and_removed_twice),
        TEST(what_we_make_is_trusted_and_local),
        TEST(a_lock_is_one_owners),
        TEST(an_appended_file_can_be_renamed_below_us),
        TEST(a_file_is_shortened_and_goes_on_at_its_end),
        TEST(arguments_arrive_as_they_are),
        TEST(a_program_that_does_not_end_is_killed),
        TEST(a_program_that_writes_too_much_is_killed),
        TEST(a_stop_kills_and_a_missing_program_is_named),
        TEST(a_datagram_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
