#include "tests/support/unit.h"

#include "agent/platform/platform.h"

static void
test_functions_are_found(void **state)
{
    (void)state;
    struct sw_library library = {NULL};
    struct sw_err err;
    assert_true(sw_library_open(&library, "libc.so.6", &err));
    size_t (*length)(const char *) = (size_t(*)(const char *))sw_library_symbol(&library, "strlen");
    assert_non_null(length);
    assert_int_equal(length("four"), 4);
    assert_null(sw_library_symbol(&library, "sw_no_such_function"));
    sw_library_close(&library);
    sw_library_close(&library);
    assert_null(library.handle);
}

static void
test_a_missing_library_is_named(void **state)
{
    (void)state;
    struct sw_library library = {NULL};
    struct sw_err err = {0};
    assert_false(sw_library_open(&library, "libsharewatch-none.so.9", &err));
    assert_contains(err.text, "libsharewatch-none.so.9");
    sw_library_close(&library);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_found),
        cmocka_unit_test(test_a_missing_library_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
