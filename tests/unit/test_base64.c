#include "tests/support/unit.h"

#include "agent/base/base64.h"

static void
check_pair(struct sw_str bytes, const char *text)
{
    struct sw_buf buf;
    sw_buf_init(&buf, 1024);
    sw_base64_add(&buf, bytes);
    assert_string_equal(sw_buf_text(&buf), text);
    sw_buf_clear(&buf);
    assert_true(sw_base64_decode(sw_str_of(text), &buf));
    assert_int_equal(buf.size, bytes.size);
    assert_memory_equal(sw_buf_text(&buf), bytes.data, bytes.size);
    sw_buf_fini(&buf);
}

/* RFC 4648 §10, and every byte. */
static void
test_both_ways(void **state)
{
    (void)state;
    check_pair(SW_STR(""), "");
    check_pair(SW_STR("f"), "Zg==");
    check_pair(SW_STR("fo"), "Zm8=");
    check_pair(SW_STR("foo"), "Zm9v");
    check_pair(SW_STR("foob"), "Zm9vYg==");
    check_pair(SW_STR("fooba"), "Zm9vYmE=");
    check_pair(SW_STR("foobar"), "Zm9vYmFy");
    check_pair(SW_STR("\xfb\xef\xff\x00"), "++//AA==");
    char bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)i;
    }
    struct sw_buf text;
    struct sw_buf back;
    sw_buf_init(&text, 1024);
    sw_buf_init(&back, 1024);
    sw_base64_add(&text, (struct sw_str){bytes, sizeof(bytes)});
    assert_true(sw_base64_decode((struct sw_str){text.data, text.size}, &back));
    assert_int_equal(back.size, sizeof(bytes));
    assert_memory_equal(back.data, bytes, sizeof(bytes));
    sw_buf_fini(&text);
    sw_buf_fini(&back);
}

static void
test_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"Zg",
        "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm-v", "Zm_v", " Zm9v", "Zm9v\n", "Zm 9",
        "Zg==Zg==", "Zm=v", "=m9v"};
    struct sw_buf buf;
    sw_buf_init(&buf, 1024);
    sw_buf_add_text(&buf, "before");
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (sw_base64_decode(sw_str_of(texts[i]), &buf)) {
            fail_msg("'%s' was taken", texts[i]);
        }
        assert_string_equal(sw_buf_text(&buf), "before");
    }
    assert_false(sw_base64_decode((struct sw_str){"Zm\0v", 4}, &buf));
    sw_buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
