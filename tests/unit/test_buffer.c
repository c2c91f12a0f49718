/* Buffers, errors and small allocations. */
#include "tests/support/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/base/memory.h"

static void
test_append(void **state)
{
    (void)state;
    struct sw_buf buf;
    sw_buf_init(&buf, 1000);
    assert_string_equal(sw_buf_text(&buf), "");
    assert_null(buf.data);
    sw_buf_add(&buf, NULL, 0);
    sw_buf_add(&buf, "a\0b", 3);
    sw_buf_add_char(&buf, 'c');
    sw_buf_add_text(&buf, "de");
    sw_buf_printf(&buf, "%d-%s", 7, "x");
    assert_buf(&buf, "a\0bcde7-x");
    assert_int_equal(buf.data[buf.size], '\0');
    assert_false(buf.failed);

    sw_buf_truncate(&buf, 100);
    assert_int_equal(buf.size, 9);
    sw_buf_truncate(&buf, 1);
    assert_string_equal(sw_buf_text(&buf), "a");
    sw_buf_clear(&buf);
    assert_string_equal(sw_buf_text(&buf), "");
    sw_buf_fini(&buf);
    assert_null(buf.data);
    sw_buf_add_char(&buf, 'z');
    assert_buf(&buf, "z");
    sw_buf_fini(&buf);
    sw_buf_fini(&buf);
}

static void
test_numbers(void **state)
{
    (void)state;
    struct sw_buf buf;
    sw_buf_init(&buf, 200);
    sw_buf_add_int(&buf, 0);
    sw_buf_add_char(&buf, ' ');
    sw_buf_add_int(&buf, -1);
    sw_buf_add_char(&buf, ' ');
    sw_buf_add_int(&buf, INT64_MIN);
    sw_buf_add_char(&buf, ' ');
    sw_buf_add_int(&buf, INT64_MAX);
    sw_buf_add_char(&buf, ' ');
    sw_buf_add_uint(&buf, UINT64_MAX);
    assert_string_equal(
        sw_buf_text(&buf), "0 -1 -9223372036854775808 9223372036854775807 18446744073709551615");
    sw_buf_fini(&buf);
}

/* The first append that does not fit changes nothing and ends all later ones. */
static void
test_maximum(void **state)
{
    (void)state;
    struct sw_buf buf;
    sw_buf_init(&buf, 5);
    sw_buf_add_text(&buf, "abcde");
    assert_false(buf.failed);
    sw_buf_add(&buf, "", 0);
    assert_false(buf.failed);
    sw_buf_add_char(&buf, 'f');
    assert_true(buf.failed);
    assert_buf(&buf, "abcde");
    sw_buf_truncate(&buf, 2);
    sw_buf_add_char(&buf, 'x');
    assert_buf(&buf, "ab");
    sw_buf_clear(&buf);
    assert_false(buf.failed);
    sw_buf_printf(&buf, "%s", "123456");
    assert_true(buf.failed);
    assert_buf(&buf, "");
    sw_buf_clear(&buf);
    sw_buf_printf(&buf, "%s", "12345");
    assert_buf(&buf, "12345");
    sw_buf_fini(&buf);

    sw_buf_init(&buf, 0);
    sw_buf_add(&buf, "", 0);
    assert_false(buf.failed);
    sw_buf_add_char(&buf, 'a');
    assert_true(buf.failed);
    sw_buf_fini(&buf);
}

/* Around every size at which it grows, with maxima around them. */
static void
test_growth(void **state)
{
    (void)state;
    for (size_t max = 250; max < 1100; max += 3) {
        struct sw_buf buf;
        sw_buf_init(&buf, max);
        for (size_t i = 0; i < max; i++) {
            sw_buf_add_char(&buf, (char)('a' + i % 26));
        }
        assert_false(buf.failed);
        assert_int_equal(buf.size, max);
        assert_true(buf.capacity <= max + 1);
        for (size_t i = 0; i < max; i++) {
            assert_int_equal(buf.data[i], 'a' + i % 26);
        }
        sw_buf_add_char(&buf, '!');
        assert_true(buf.failed);
        sw_buf_fini(&buf);
    }
}

static void
test_reserve(void **state)
{
    (void)state;
    struct sw_buf buf;
    sw_buf_init(&buf, 300);
    char *room = sw_buf_reserve(&buf, 300);
    assert_non_null(room);
    assert_string_equal(sw_buf_text(&buf), "");
    memset(room, 'x', 300);
    buf.size += 300;
    sw_buf_truncate(&buf, buf.size);
    assert_int_equal(strlen(sw_buf_text(&buf)), 300);
    assert_null(sw_buf_reserve(&buf, 1));
    assert_true(buf.failed);
    assert_null(sw_buf_reserve(&buf, 0));
    sw_buf_clear(&buf);
    assert_null(sw_buf_reserve(&buf, SIZE_MAX));
    sw_buf_fini(&buf);

    sw_buf_init(&buf, SIZE_MAX); /* as good as no maximum */
    sw_buf_add_text(&buf, "x");
    assert_buf(&buf, "x");
    assert_true(buf.capacity >= 2);
    sw_buf_fini(&buf);
}

static void
test_take(void **state)
{
    (void)state;
    struct sw_buf buf;
    sw_buf_init(&buf, 10);
    char *text = sw_buf_take(&buf);
    assert_string_equal(text, "");
    free(text);
    sw_buf_add_text(&buf, "abc");
    text = sw_buf_take(&buf);
    assert_string_equal(text, "abc");
    assert_null(buf.data);
    assert_int_equal(buf.max, 10);
    free(text);
}

static void
test_error(void **state)
{
    (void)state;
    struct sw_err err = {.code = 5, .text = "old"};
    sw_err_clear(&err);
    assert_int_equal(err.code, 0);
    assert_string_equal(err.text, "");
    assert_false(sw_err_set_os(&err, EACCES, "open %s", "/x"));
    assert_string_equal(err.text, "open /x: Permission denied");
    assert_int_equal(err.code, EACCES);
    assert_false(sw_err_wrap(&err, "sink '%s'", "print"));
    assert_string_equal(err.text, "sink 'print': open /x: Permission denied");
    assert_int_equal(err.code, EACCES);
    assert_false(sw_err_set(&err, "%d", 7));
    assert_string_equal(err.text, "7");
    assert_int_equal(err.code, 0);

    sw_err_clear(NULL);
    assert_false(sw_err_set(NULL, "x"));
    assert_false(sw_err_set_os(NULL, EIO, "x"));
    assert_false(sw_err_wrap(NULL, "x"));
}

/* Long texts are cut, and never inside a code point. */
static void
test_error_is_cut(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[800];
        struct sw_err err;
        memset(text, 'a', shift);
        for (size_t i = shift; i + 4 < sizeof(text); i += 4) {
            memcpy(text + i, "\xF0\x9F\x98\x80", 5);
        }
        sw_err_set(&err, "%s", text);
        assert_true(strlen(err.text) > SW_ERR_TEXT_SIZE - 5);
        assert_true(sw_utf8_is_valid(sw_str_of(err.text)));
        sw_err_wrap(&err, "in front");
        assert_memory_equal(err.text, "in front: ", 10);
        assert_true(strlen(err.text) > SW_ERR_TEXT_SIZE - 5);
        assert_true(sw_utf8_is_valid(sw_str_of(err.text)));
        sw_err_set_os(&err, EIO, "%s", text);
        assert_true(sw_utf8_is_valid(sw_str_of(err.text)));
        sw_err_set(&err, "inner");
        sw_err_wrap(&err, "%s", text);
        assert_true(sw_utf8_is_valid(sw_str_of(err.text)));
    }
}

static void
test_memory(void **state)
{
    (void)state;
    int *numbers = sw_calloc(4, sizeof(int));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(numbers[i], 0);
        numbers[i] = i;
    }
    numbers = sw_realloc(numbers, 1000, sizeof(int));
    assert_int_equal(numbers[3], 3);
    assert_null(sw_realloc(numbers, 0, sizeof(int)));
    free(sw_calloc(0, 0));
    char *copy = sw_strdup("abc");
    assert_string_equal(copy, "abc");
    free(copy);
    copy = sw_strndup("a\0b", 3);
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    copy = sw_strndup(NULL, 0);
    assert_string_equal(copy, "");
    free(copy);
}

static void
test_no_memory_aborts(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL); /* a sanitizer's or cmocka's handler is not wanted */
        close(2);
        free(sw_realloc(NULL, SIZE_MAX / 2, 3));
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_error_is_cut),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_no_memory_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
