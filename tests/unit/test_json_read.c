#include "tests/support/unit.h"

#include "agent/base/json_read.h"

/* Reads all tokens; what the last one was. */
static enum sw_json_token
read_all(struct sw_str document)
{
    struct sw_json json;
    sw_json_init(&json, document.data, document.size);
    enum sw_json_token token;
    size_t count = 0;
    do {
        token = sw_json_next(&json);
        assert_true(++count <= document.size + 2);
        assert_true(json.at <= json.size);
    } while (token != SW_JSON_END && token != SW_JSON_ERROR);
    /* Both ends are sticky. */
    assert_int_equal(sw_json_next(&json), token);
    sw_json_fini(&json);
    return token;
}

/* An exact copy on the heap, so that a sanitizer sees a read beyond its end. */
static enum sw_json_token
read_copy(struct sw_str document)
{
    char *copy = malloc(document.size + (document.size == 0));
    memcpy(copy, document.data, document.size);
    enum sw_json_token token = read_all((struct sw_str){copy, document.size});
    free(copy);
    return token;
}

static void
test_valid_documents(void **state)
{
    (void)state;
    static const struct sw_str documents[] = {
        SW_STR("{}"),
        SW_STR("[]"),
        SW_STR(" \t\r\n[ ]\n "),
        SW_STR("0"),
        SW_STR("-0"),
        SW_STR("1"),
        SW_STR("-1.5e+10"),
        SW_STR("1E5"),
        SW_STR("1e-2"),
        SW_STR("0.0"),
        SW_STR("123456789012345678901234567890"),
        SW_STR("1e999"),
        SW_STR("true"),
        SW_STR("false"),
        SW_STR("null"),
        SW_STR("\"\""),
        SW_STR("\"a\""),
        SW_STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        SW_STR("\"\\u00e9\\u20AC\\uD83D\\uDE00\""),
        SW_STR("[1,2,[3,[4]],{}]"),
        SW_STR("{\"a\":1,\"a\":2}"),
        SW_STR("{\"\":0}"),
        SW_STR("{\"a\" : [ { } , [ ] ] , \"b\" : null }"),
        SW_STR("[\"\\\\\"]"),
        SW_STR("\"\xC3\xA9\xF0\x9F\x98\x80\""),
        SW_STR("\"\x7F\""),
        /* Lenient inside strings: a name must not refuse a look. */
        SW_STR("\"\xFF\xC0\x80\""),
        SW_STR("\"\n\t\0\x1F\""),
        SW_STR("\"\\u0000\""),
        SW_STR("\"\\uD800\""),
        SW_STR("\"\\uDC00\\uD800\""),
        SW_STR("\"\\uD800\\u0041\""),
        SW_STR("\"\\uD800\\n\""),
    };
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        if (read_copy(documents[i]) != SW_JSON_END) {
            fail_msg("refused: %s", documents[i].data);
        }
    }
}

static void
test_damaged_documents(void **state)
{
    (void)state;
    static const struct sw_str documents[] = {
        SW_STR(""),
        SW_STR(" "),
        SW_STR("["),
        SW_STR("]"),
        SW_STR("{"),
        SW_STR("}"),
        SW_STR("[}"),
        SW_STR("{]"),
        SW_STR("[1,]"),
        SW_STR("[,1]"),
        SW_STR("[1,,2]"),
        SW_STR("[1 2]"),
        SW_STR("[1"),
        SW_STR("[1,"),
        SW_STR("{\"a\"}"),
        SW_STR("{\"a\":}"),
        SW_STR("{\"a\":1,}"),
        SW_STR("{,}"),
        SW_STR("{\"a\",1}"),
        SW_STR("{\"a\"::1}"),
        SW_STR("{\"a\":1 \"b\":2}"),
        SW_STR("{1:2}"),
        SW_STR("{a:1}"),
        SW_STR("{'a':1}"),
        SW_STR("{null:1}"),
        SW_STR("{[]:1}"),
        SW_STR("{\"a\":1]"),
        SW_STR("[1}"),
        SW_STR("1 2"),
        SW_STR("[] []"),
        SW_STR("{}x"),
        SW_STR("[]]"),
        SW_STR("{}}"),
        SW_STR("01"),
        SW_STR("-01"),
        SW_STR("00"),
        SW_STR("1."),
        SW_STR(".1"),
        SW_STR("-"),
        SW_STR("+1"),
        SW_STR("1e"),
        SW_STR("1e+"),
        SW_STR("1.e1"),
        SW_STR("1.2.3"),
        SW_STR("1e1.5"),
        SW_STR("0x1"),
        SW_STR("1_000"),
        SW_STR("--1"),
        SW_STR("-a"),
        SW_STR("NaN"),
        SW_STR("Infinity"),
        SW_STR("-Infinity"),
        SW_STR("nul"),
        SW_STR("nulll"),
        SW_STR("True"),
        SW_STR("truE"),
        SW_STR("tru"),
        SW_STR("undefined"),
        SW_STR("\""),
        SW_STR("\"a"),
        SW_STR("\"\\"),
        SW_STR("\"\\\""),
        SW_STR("\"\\x41\""),
        SW_STR("\"\\'\""),
        SW_STR("\"\\a\""),
        SW_STR("\"\\U0041\""),
        SW_STR("\"\\u\""),
        SW_STR("\"\\u12\""),
        SW_STR("\"\\u12G4\""),
        SW_STR("\"\\u+123\""),
        SW_STR("\"\\u123"),
        SW_STR("\"\\\0\""),
        SW_STR("\"\\\n\""),
        SW_STR("'a'"),
        SW_STR("a"),
        SW_STR("// c\n1"),
        SW_STR("/* c */1"),
        SW_STR("[1]//"),
        SW_STR("\xEF\xBB\xBF{}"),
        SW_STR("\0"),
        SW_STR("[]\0"),
        SW_STR("[\0]"),
        SW_STR("\xFF"),
        SW_STR("\v1"),
        SW_STR("\f1"),
        SW_STR("\xC2\xA0[]"),
        SW_STR("{\"a\":1,\"b\"}"),
        SW_STR("[\"a\",\"b"),
        SW_STR("\"\\uD800\\u\""),
        SW_STR("\"\\uD800\\uZZZZ\""),
    };
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        if (read_copy(documents[i]) != SW_JSON_ERROR) {
            fail_msg("taken: %s", documents[i].data);
        }
    }
}

static const char sample[] =
    "{\"sharewatch\":1,\"server\":\"fs01\",\"took_ms\":-1.5e3,\"complete\":true,\"x\":[null,false,"
    "{\"client\":\"10.0.0.5\",\"user\":\"\\uD83D\\uDE00\\\\\\n\",\"opens\":2},[[],{}]]}";

static void
test_every_prefix_is_damaged(void **state)
{
    (void)state;
    size_t size = sizeof(sample) - 1;
    assert_int_equal(read_copy((struct sw_str){sample, size}), SW_JSON_END);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(read_copy((struct sw_str){sample, i}), SW_JSON_ERROR);
    }
}

/* Any byte changed to any other: it may be valid or not, but it ends and stays inside. */
static void
test_every_byte_changed(void **state)
{
    (void)state;
    char copy[sizeof(sample)];
    for (size_t i = 0; i < sizeof(sample) - 1; i++) {
        memcpy(copy, sample, sizeof(sample));
        for (int byte = 0; byte < 256; byte++) {
            copy[i] = (char)byte;
            (void)read_all((struct sw_str){copy, sizeof(sample) - 1});
        }
    }
}

static void
test_tokens_and_texts(void **state)
{
    (void)state;
    static const struct {
        enum sw_json_token token;
        struct sw_str text;
    } rows[] = {
        {SW_JSON_OBJECT, {NULL, 0}},
        {SW_JSON_KEY, SW_STR("k\n")},
        {SW_JSON_ARRAY, {NULL, 0}},
        {SW_JSON_STRING, SW_STR("plain")},
        {SW_JSON_STRING, SW_STR("\"\\/\b\f\n\r\t")},
        {SW_JSON_STRING, SW_STR("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80")},
        {SW_JSON_STRING, SW_STR("a\0b")},
        {SW_JSON_STRING, SW_STR("\xED\xA0\xBD")},
        {SW_JSON_STRING, SW_STR("\xED\xB8\x80\xED\xA0\xBDz")},
        {SW_JSON_STRING, SW_STR("\xED\xA0\xBD\xF0\x9F\x98\x80")},
        {SW_JSON_STRING, SW_STR("\xFF\x01")},
        {SW_JSON_NUMBER, SW_STR("-1.50E+2")},
        {SW_JSON_TRUE, {NULL, 0}},
        {SW_JSON_FALSE, {NULL, 0}},
        {SW_JSON_NULL, {NULL, 0}},
        {SW_JSON_ARRAY_END, {NULL, 0}},
        {SW_JSON_KEY, SW_STR("")},
        {SW_JSON_OBJECT, {NULL, 0}},
        {SW_JSON_OBJECT_END, {NULL, 0}},
        {SW_JSON_OBJECT_END, {NULL, 0}},
        {SW_JSON_END, {NULL, 0}},
        {SW_JSON_END, {NULL, 0}},
    };
    struct sw_str document = SW_STR("{\"k\\n\":[\"plain\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\","
                                    "\"\\u00E9 \\u20ac \\uD83D\\uDE00\",\"a\\u0000b\",\"\\uD83D\","
                                    "\"\\uDE00\\uD83Dz\",\"\\uD83D\\uD83D\\uDE00\",\"\xFF\x01\","
                                    "-1.50E+2,true,false,null],\"\":{}}");
    struct sw_json json;
    sw_json_init(&json, document.data, document.size);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(sw_json_next(&json), rows[i].token);
        if (rows[i].text.data != NULL && !sw_str_equal(json.text, rows[i].text)) {
            fail_msg("token %zu: '%.*s'", i, (int)json.text.size, json.text.data);
        }
    }
    sw_json_fini(&json);
}

static void
test_depth(void **state)
{
    (void)state;
    for (size_t depth = 30; depth < 40; depth++) {
        for (int kind = 0; kind < 2; kind++) {
            struct sw_buf buf;
            sw_buf_init(&buf, 1000);
            for (size_t i = 0; i < depth; i++) {
                sw_buf_add_text(&buf, kind == 0 ? "[" : i + 1 < depth ? "{\"a\":" : "{");
            }
            for (size_t i = 0; i < depth; i++) {
                sw_buf_add_text(&buf, kind == 0 ? "]" : "}");
            }
            assert_int_equal(read_copy((struct sw_str){buf.data, buf.size}),
                depth <= SW_JSON_MAX_DEPTH ? SW_JSON_END : SW_JSON_ERROR);
            sw_buf_fini(&buf);
        }
    }
    /* Deep inside the limit, each closing bracket must still know its opening one. */
    assert_int_equal(read_all(SW_STR("[{\"a\":[{\"b\":[{}]}]}]")), SW_JSON_END);
    assert_int_equal(read_all(SW_STR("[{\"a\":[{\"b\":[{}}]}]}]")), SW_JSON_ERROR);
}

static void
test_skip(void **state)
{
    (void)state;
    static const char *const values[] = {"1", "\"s\"", "true", "null", "[]", "{}", "[1,[2,{}],3]",
        "{\"a\":[1,{\"b\":null}],\"c\":{}}"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char document[200];
        struct sw_json json;
        snprintf(document, sizeof(document), "{\"x\":%s,\"y\":[%s,7]}", values[i], values[i]);
        sw_json_init(&json, document, strlen(document));
        assert_int_equal(sw_json_next(&json), SW_JSON_OBJECT);
        assert_true(sw_json_next_key(&json));
        assert_true(sw_json_skip(&json));
        assert_true(sw_json_next_key(&json));
        assert_true(sw_str_is(json.text, "y"));
        assert_int_equal(sw_json_next(&json), SW_JSON_ARRAY);
        assert_true(sw_json_skip(&json));
        assert_int_equal(sw_json_next(&json), SW_JSON_NUMBER);
        assert_true(sw_str_is(json.text, "7"));
        assert_int_equal(sw_json_next(&json), SW_JSON_ARRAY_END);
        assert_false(sw_json_next_key(&json));
        assert_int_equal(json.token, SW_JSON_OBJECT_END);
        assert_int_equal(sw_json_next(&json), SW_JSON_END);
        assert_false(sw_json_skip(&json));
        sw_json_fini(&json);
        for (size_t size = 0; size < strlen(values[i]); size++) {
            sw_json_init(&json, values[i], size);
            assert_false(sw_json_skip(&json));
            sw_json_fini(&json);
        }
    }
}

static void
test_error_says_where(void **state)
{
    (void)state;
    struct sw_json json;
    struct sw_err err;
    sw_json_init(&json, "[1, x]", 6);
    while (sw_json_next(&json) != SW_JSON_ERROR) {
    }
    assert_false(sw_json_error(&json, &err));
    assert_string_equal(err.text, "byte 5: not a number");
    sw_json_fini(&json);

    sw_json_init(&json, "", 0);
    assert_int_equal(sw_json_next(&json), SW_JSON_ERROR);
    assert_false(sw_json_error(&json, &err));
    assert_contains(err.text, "nothing there");
    sw_json_fini(&json);

    sw_json_init(&json, "[]", 2);
    assert_int_equal(sw_json_next(&json), SW_JSON_ARRAY);
    assert_false(sw_json_error(&json, &err));
    assert_contains(err.text, "another type");
    sw_json_fini(&json);
}

static void
test_to_int(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"12", true, 12},
        {"-12", true, -12},
        {"12.999", true, 12},
        {"-12.999", true, -12},
        {"1e3", true, 1000},
        {"1.5E3", true, 1500},
        {"15e-1", true, 1},
        {"1e-400", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"1e19", false, 0},
        {"-1e19", false, 0},
        {"1e400", false, 0},
        {"99999999999999999999999999999999999999999999999999", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value = 77;
        bool good = sw_json_to_int(sw_str_of(rows[i].text), &value);
        if (good != rows[i].good || (good && value != rows[i].value)) {
            fail_msg("%s: %lld", rows[i].text, (long long)value);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_documents),
        cmocka_unit_test(test_damaged_documents),
        cmocka_unit_test(test_every_prefix_is_damaged),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_tokens_and_texts),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_error_says_where),
        cmocka_unit_test(test_to_int),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
