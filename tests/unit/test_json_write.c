#include "tests/support/unit.h"

#include "agent/base/json_read.h"
#include "agent/base/json_write.h"
#include "agent/base/uuid.h"

static void
test_shown_strings(void **state)
{
    (void)state;
    static const struct {
        struct sw_str text;
        struct sw_str json;
    } rows[] = {
        {SW_STR(""), SW_STR("\"\"")},
        {{NULL, 0}, SW_STR("\"\"")},
        {SW_STR("plain /"), SW_STR("\"plain /\"")},
        {SW_STR("EX\\al\"ice"), SW_STR("\"EX\\\\al\\\"ice\"")},
        {SW_STR("\n\r\t\b\x01\x1F\x7F"), SW_STR("\"\\n\\r\\t\\u0008\\u0001\\u001f\\u007f\"")},
        {SW_STR("\xC3\xA9\xF0\x9F\x98\x80"), SW_STR("\"\xC3\xA9\xF0\x9F\x98\x80\"")},
        {SW_STR("\xE2\x80\xA8\xE2\x80\xAE\xD8\x9C\xE2\x81\xA6"),
            SW_STR("\"\\u2028\\u202e\\u061c\\u2066\"")},
        {SW_STR("\xC2\x80\xC2\x9F\xC2\xA0"), SW_STR("\"\\u0080\\u009f\xC2\xA0\"")},
        {SW_STR("a\0b"), SW_STR("\"a\xEF\xBF\xBD"
                                "b\"")},
        {SW_STR("\xFFz\xC3"), SW_STR("\"\xEF\xBF\xBDz\xEF\xBF\xBD\"")},
        {SW_STR("\xE2\x82\"\xED\xA0\x80"),
            SW_STR("\"\xEF\xBF\xBD\\\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"")},
    };
    struct sw_buf buf;
    sw_buf_init(&buf, 200);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        sw_buf_clear(&buf);
        sw_json_add_string(&buf, rows[i].text);
        if (!sw_str_equal((struct sw_str){buf.data, buf.size}, rows[i].json)) {
            fail_msg("row %zu: %s", i, sw_buf_text(&buf));
        }
    }
    sw_buf_fini(&buf);
}

static void
test_raw_strings(void **state)
{
    (void)state;
    static const struct {
        struct sw_str text;
        struct sw_str json;
    } rows[] = {
        {SW_STR("a\0b"), SW_STR("\"a\\u0000b\"")},
        {SW_STR("\xED\xA0\xBDz"), SW_STR("\"\\ud83dz\"")},
        {SW_STR("\xED\xB8\x80"), SW_STR("\"\\ude00\"")},
        {SW_STR("\xFF\xC3"), SW_STR("\"\xFF\xC3\"")},
        {SW_STR("\x1B\"\\"), SW_STR("\"\\u001b\\\"\\\\\"")},
    };
    struct sw_buf buf;
    sw_buf_init(&buf, 200);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        sw_buf_clear(&buf);
        sw_json_add_raw_string(&buf, rows[i].text);
        if (!sw_str_equal((struct sw_str){buf.data, buf.size}, rows[i].json)) {
            fail_msg("row %zu: %s", i, sw_buf_text(&buf));
        }
    }
    sw_buf_fini(&buf);
}

static void
check_round_trip(struct sw_str text)
{
    struct sw_buf buf;
    struct sw_json json;
    sw_buf_init(&buf, 1000);
    sw_json_add_raw_string(&buf, text);
    assert_false(buf.failed);
    sw_json_init(&json, buf.data, buf.size);
    assert_int_equal(sw_json_next(&json), SW_JSON_STRING);
    if (!sw_str_equal(json.text, text)) {
        fail_msg("%s", sw_buf_text(&buf));
    }
    assert_int_equal(sw_json_next(&json), SW_JSON_END);
    sw_json_fini(&json);

    /* And what is shown is always valid. */
    sw_buf_clear(&buf);
    sw_json_add_string(&buf, text);
    assert_true(sw_utf8_is_valid((struct sw_str){buf.data, buf.size}));
    sw_json_init(&json, buf.data, buf.size);
    assert_int_equal(sw_json_next(&json), SW_JSON_STRING);
    assert_int_equal(sw_json_next(&json), SW_JSON_END);
    sw_json_fini(&json);
    sw_buf_fini(&buf);
}

/* Identity uses the bytes as they came, so whatever came must come back. */
static void
test_round_trip(void **state)
{
    (void)state;
    static const struct sw_str hard[] = {
        SW_STR("\xED\xA0\xBD\xED\xB8\x80"),             /* two that must not become one */
        SW_STR("\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80"), /* high, high, low */
        SW_STR("\xED\xB8\x80\xED\xA0\xBD"),
        SW_STR("\xED\xA0\xBD\\ude00"),
        SW_STR("\xED\xA0\xBD\0\xED\xB8\x80"),
        SW_STR("\xED\xA0"),
        SW_STR("\xED"),
        SW_STR("\\u0041\\"),
    };
    for (size_t i = 0; i < COUNT_OF(hard); i++) {
        check_round_trip(hard[i]);
    }
    static const struct sw_str pieces[] = {SW_STR("\xED\xA0\xBD"), SW_STR("\xED\xB8\x80"),
        SW_STR("\""), SW_STR("\\"), SW_STR("\\u"), SW_STR("d83d"), SW_STR("\0"), SW_STR("\xED"),
        SW_STR("\xA0"), SW_STR("\xF0\x9F\x98\x80"), SW_STR("\n"), SW_STR("\xE2\x80\xAE"),
        SW_STR("x"), SW_STR("\xFF"), SW_STR("\xC3"), SW_STR("\xB8\x80")};
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[64];
        uint8_t random[12];
        size_t size = 0;
        sw_uuid_seeded_random(&seed, random, sizeof(random));
        for (size_t i = 0; i < sizeof(random) - random[0] % 12u; i++) {
            struct sw_str piece = pieces[random[i] / 16u];
            memcpy(text + size, piece.data, piece.size);
            size += piece.size;
        }
        check_round_trip((struct sw_str){text, size});
    }
    for (int round = 0; round < 5000; round++) {
        uint8_t random[24];
        sw_uuid_seeded_random(&seed, random, sizeof(random));
        check_round_trip((struct sw_str){(const char *)random, sizeof(random)});
    }
}

static void
test_full_buffer(void **state)
{
    (void)state;
    for (size_t max = 0; max < 14; max++) {
        struct sw_buf buf;
        sw_buf_init(&buf, max);
        sw_json_add_string(&buf, SW_STR("a\"b\0"));
        assert_int_equal(buf.failed, max < 9); /* "a\"b and U+FFFD and " */
        assert_true(buf.size <= max);
        sw_buf_fini(&buf);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown_strings),
        cmocka_unit_test(test_raw_strings),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
