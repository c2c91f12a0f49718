#include "tests/support/unit.h"

#include "agent/base/error.h"

static void
test_basics(void **state)
{
    (void)state;
    struct sw_str empty = {NULL, 0};
    assert_int_equal(sw_str_of(NULL).size, 0);
    assert_int_equal(sw_str_of("abc").size, 3);
    assert_true(sw_str_equal(empty, SW_STR("")));
    assert_true(sw_str_equal(SW_STR("a\0b"), SW_STR("a\0b")));
    assert_false(sw_str_equal(SW_STR("a\0b"), SW_STR("a\0c")));
    assert_false(sw_str_equal(SW_STR("ab"), SW_STR("abc")));
    assert_true(sw_str_is(SW_STR("abc"), "abc"));
    assert_false(sw_str_is(SW_STR("abc\0"), "abc"));
    assert_true(sw_str_is(empty, ""));
    assert_true(sw_str_starts(SW_STR("abc"), "ab"));
    assert_true(sw_str_starts(SW_STR("abc"), "abc"));
    assert_false(sw_str_starts(SW_STR("abc"), "abcd"));
    assert_false(sw_str_starts(SW_STR("abc"), "b"));
    assert_true(sw_str_starts(empty, ""));
}

static void
test_compare(void **state)
{
    (void)state;
    static const struct {
        struct sw_str a;
        struct sw_str b;
        int order;
    } rows[] = {
        {SW_STR(""), SW_STR(""), 0},
        {{NULL, 0}, SW_STR("a"), -1},
        {SW_STR("a"), SW_STR("b"), -1},
        {SW_STR("a"), SW_STR("ab"), -1},
        {SW_STR("b"), SW_STR("ab"), 1},
        {SW_STR("\x7F"), SW_STR("\x80"), -1},
        {SW_STR("a\0"), SW_STR("a"), 1},
        {SW_STR("a\0b"), SW_STR("a\0c"), -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int order = sw_str_compare(rows[i].a, rows[i].b);
        assert_int_equal((order > 0) - (order < 0), rows[i].order);
        order = sw_str_compare(rows[i].b, rows[i].a);
        assert_int_equal((order > 0) - (order < 0), -rows[i].order);
    }
}

/* Every code point there and back, and surrogates, which go there but are not UTF-8. */
static void
test_every_code_point(void **state)
{
    (void)state;
    struct sw_buf buf;
    sw_buf_init(&buf, 8);
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        uint32_t back;
        sw_buf_clear(&buf);
        sw_utf8_add(&buf, c);
        size_t size = sw_utf8_next(buf.data, buf.size, &back);
        if (buf.size != (c < 0x80         ? 1u
                            : c < 0x800   ? 2u
                            : c < 0x10000 ? 3u
                                          : 4u) ||
            back != (surrogate ? SW_UTF8_BAD : c) || size != (surrogate ? 1 : buf.size)) {
            fail_msg("U+%04X", (unsigned)c);
        }
    }
    sw_buf_fini(&buf);
}

/* All there are of two and three bytes; how many are well-formed is a sum (Unicode 15, table
 * 3-7): of n bytes, every mix of shorter ones and those code points that need all n. */
static void
test_counts_of_well_formed(void **state)
{
    (void)state;
    size_t two = 0;
    size_t three = 0;
    for (uint32_t i = 0; i < 0x1000000; i++) {
        char bytes[3] = {(char)(i >> 16), (char)(i >> 8), (char)i};
        three += sw_utf8_is_valid((struct sw_str){bytes, 3});
        two += i < 0x10000 && sw_utf8_is_valid((struct sw_str){bytes + 1, 2});
    }
    size_t of_one = 128;
    size_t of_two = 0x800 - 0x80;
    size_t of_three = 0x10000 - 0x800 - 0x800;
    assert_int_equal(two, of_one * of_one + of_two);
    assert_int_equal(three, of_one * of_one * of_one + 2 * of_one * of_two + of_three);
}

/* Expected is what Python's bytes.decode("utf-8", "replace") makes of it, and U+FFFD for NUL. */
static const struct {
    struct sw_str bytes;
    struct sw_str repaired;
} repairs[] = {
    {SW_STR(""), SW_STR("")},
    {SW_STR("abc"), SW_STR("abc")},
    {SW_STR("\x7F"), SW_STR("\x7F")},
    {SW_STR("\x80"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xBF"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xC0\x80"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xC1\xBF"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xC2\x80"), SW_STR("\xC2\x80")},
    {SW_STR("\xC2"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xC2"
            "A"),
        SW_STR("\xEF\xBF\xBD"
               "A")},
    {SW_STR("\xDF\xBF"), SW_STR("\xDF\xBF")},
    {SW_STR("\xE0\x80\x80"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xE0\x9F\xBF"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xE0\xA0\x80"), SW_STR("\xE0\xA0\x80")},
    {SW_STR("\xE0\xA0"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xE0\xA0"
            "A"),
        SW_STR("\xEF\xBF\xBD"
               "A")},
    {SW_STR("\xE1\x80"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
            "A"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
               "A")},
    {SW_STR("\xED\x9F\xBF"), SW_STR("\xED\x9F\xBF")},
    {SW_STR("\xED\xA0\x80"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xED\xBF\xBF"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xED\xA0\xBD\xED\xB8\x80"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xEE\x80\x80"), SW_STR("\xEE\x80\x80")},
    {SW_STR("\xEF\xBF\xBD"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xEF\xBF\xBF"), SW_STR("\xEF\xBF\xBF")},
    {SW_STR("\xEF\xBB\xBFx"), SW_STR("\xEF\xBB\xBFx")},
    {SW_STR("\xF0\x80\x80\x80"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xF0\x8F\xBF\xBF"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xF0\x90\x80\x80"), SW_STR("\xF0\x90\x80\x80")},
    {SW_STR("\xF0\x90\x80"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xF0\x90"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xF0"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xF0\x90\x80"
            "A"),
        SW_STR("\xEF\xBF\xBD"
               "A")},
    {SW_STR("\xF1\xBF\xBF\xBF"), SW_STR("\xF1\xBF\xBF\xBF")},
    {SW_STR("\xF4\x8F\xBF\xBF"), SW_STR("\xF4\x8F\xBF\xBF")},
    {SW_STR("\xF4\x90\x80\x80"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xF4\x8F\xBF"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xF5\x80\x80\x80"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xF7\xBF\xBF\xBF"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xF8\x88\x80\x80\x80"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xFC\x84\x80\x80\x80\x80"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xFE"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xFF\xFF"), SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xC3\xA9\xC3"), SW_STR("\xC3\xA9\xEF\xBF\xBD")},
    {SW_STR("\xC3("), SW_STR("\xEF\xBF\xBD(")},
    {SW_STR("\xE2\x82\xAC\xE2\x82"), SW_STR("\xE2\x82\xAC\xEF\xBF\xBD")},
    {SW_STR("\xE2(\xA1"), SW_STR("\xEF\xBF\xBD(\xEF\xBF\xBD")},
    {SW_STR("\xE2\x82("), SW_STR("\xEF\xBF\xBD(")},
    {SW_STR("\xF0(\x8C\xBC"), SW_STR("\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD")},
    {SW_STR("\xF0\x90(\xBC"), SW_STR("\xEF\xBF\xBD(\xEF\xBF\xBD")},
    {SW_STR("\xF0(\x8C("), SW_STR("\xEF\xBF\xBD(\xEF\xBF\xBD(")},
    {SW_STR("a\xF1\x80\x80\xE1\x80\xC2"
            "b\x80"
            "c\x80\xBF"
            "d"),
        SW_STR("a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
               "b\xEF\xBF\xBD"
               "c\xEF\xBF\xBD\xEF\xBF\xBD"
               "d")},
    {SW_STR("a\x00"
            "b"),
        SW_STR("a\xEF\xBF\xBD"
               "b")},
    {SW_STR("\x00"), SW_STR("\xEF\xBF\xBD")},
    {SW_STR("\xF0\x9F\x98\x80\xF0\x9F\x98"), SW_STR("\xF0\x9F\x98\x80\xEF\xBF\xBD")},
    {SW_STR("\xE4\xB8\xAD\xE6\x96"), SW_STR("\xE4\xB8\xAD\xEF\xBF\xBD")},
    {SW_STR("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
            "A"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF"
               "\xBD\xEF\xBF\xBD"
               "A")},
    {SW_STR("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
            "A"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF"
               "\xBD\xEF\xBF\xBD"
               "A")},
    {SW_STR("\xF4\x91\x92\x93\xFF"
            "A\x80\xBF"
            "B"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
               "A\xEF\xBF\xBD\xEF\xBF\xBD"
               "B")},
    {SW_STR("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
            "A"),
        SW_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
               "A")},
};

static void
test_repair(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(repairs); i++) {
        struct sw_buf buf;
        sw_buf_init(&buf, 100);
        sw_utf8_repair(&buf, repairs[i].bytes);
        struct sw_str repaired = {sw_buf_text(&buf), buf.size};
        if (!sw_str_equal(repaired, repairs[i].repaired)) {
            fail_msg("row %zu: '%s'", i, repaired.data);
        }
        bool has_nul = memchr(repairs[i].bytes.data, 0, repairs[i].bytes.size) != NULL;
        assert_int_equal(sw_utf8_is_valid(repairs[i].bytes),
            has_nul || sw_str_equal(repairs[i].bytes, repaired));
        assert_true(sw_utf8_is_valid(repaired));
        sw_buf_fini(&buf);
    }
}

static void
test_cut(void **state)
{
    (void)state;
    static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z"; /* 1 2 3 4 1 */
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t max = 0; max < COUNT_OF(cuts); max++) {
        assert_int_equal(sw_utf8_cut(text, sizeof(text) - 1, max), cuts[max]);
    }
    /* Where there are no code points, it is cut where it was asked. */
    assert_int_equal(sw_utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
    assert_int_equal(sw_utf8_cut("", 0, 5), 0);
    assert_int_equal(sw_utf8_cut(NULL, 0, 5), 0);
}

static void
test_printable(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"plain text", "plain text"},
        {"\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80", "\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80"},
        {"a\nb\r\tc\x1B[31m", "a\\u{A}b\\u{D}\\u{9}c\\u{1B}[31m"},
        {"\x7F\xC2\x80\xC2\x9F\xC2\xA0", "\\u{7F}\\u{80}\\u{9F}\xC2\xA0"},
        {"\xD8\x9C\xE2\x80\x8E\xE2\x80\x8F", "\\u{61C}\\u{200E}\\u{200F}"},
        {"\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA\xE2\x80\xAE\xE2\x80\xAF",
            "\xE2\x80\xA7\\u{2028}\\u{2029}\\u{202A}\\u{202E}\xE2\x80\xAF"},
        {"\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9\xE2\x81\xAA",
            "\xE2\x81\xA5\\u{2066}\\u{2069}\xE2\x81\xAA"},
        {"a\xFF\xED\xA0\x80z", "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz"},
    };
    struct sw_buf buf;
    sw_buf_init(&buf, 200);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        sw_buf_clear(&buf);
        sw_text_printable(&buf, sw_str_of(rows[i][0]));
        assert_string_equal(sw_buf_text(&buf), rows[i][1]);
    }
    sw_buf_clear(&buf);
    sw_text_printable(&buf, SW_STR("a\0b"));
    assert_string_equal(sw_buf_text(&buf), "a\\u{0}b");
    sw_buf_fini(&buf);
}

static void
test_glob(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        bool match;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"**", "", true},
        {"?", "", false},
        {"*$", "PC01$", true},
        {"*$", "PC01$x", false},
        {"abc", "ABC", true},
        {"A*C", "a..c", true},
        {"A*C", "a..cd", false},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXcYb", false},
        {"?", "\xC3\xA9", true},
        {"?", "\xF0\x9F\x98\x80", true},
        {"??", "\xC3\xA9", false},
        {"?", "\xC3", true},
        {"?b", "ab", true},
        {"EX\\svc-*", "ex\\SVC-watch", true},
        {"EX\\*", "ex\\anybody", true},
        {"EX\\*", "ex*", false},
        {"a\\?", "a\\b", true},
        {"a\\?", "a?", false},
        {"a\\", "a\\", true},
        {"*\\*", "abc", false},
        {"10.0.?.*", "10.0.5.17", true},
        {"10.0.?.*", "10.0.55.17", false},
        {"[abc]", "a", false},
        {"[abc]", "[ABC]", true},
        {"*aab", "aaaaab", true},
        {"\xC3\x89", "\xC3\xA9", false},    /* only ASCII knows cases */
        {"*??y*", "\xE2\x82\xACyb", false}, /* parts of a code point are no characters */
        {"*??y*", "x\xE2\x82\xACyb", true},
        {"*?", "\xE2\x82\xAC", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (sw_glob_match(sw_str_of(rows[i].pattern), sw_str_of(rows[i].text)) != rows[i].match) {
            fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].text);
        }
    }
    assert_true(sw_glob_match(SW_STR("a*c"), SW_STR("a\0c")));
    assert_false(sw_glob_match(SW_STR("a"), SW_STR("a\0")));
    assert_true(sw_glob_match((struct sw_str){NULL, 0}, (struct sw_str){NULL, 0}));
}

/* A matcher that tries every way would take longer than the universe has. */
static void
test_glob_hostile(void **state)
{
    (void)state;
    char pattern[1001];
    char text[4097];
    for (size_t i = 0; i + 1 < sizeof(pattern); i += 2) {
        memcpy(pattern + i, "*a", 2);
    }
    pattern[sizeof(pattern) - 1] = 'b';
    memset(text, 'a', sizeof(text));
    struct sw_str whole = {text, sizeof(text)};
    assert_false(sw_glob_match((struct sw_str){pattern, sizeof(pattern)}, whole));
    assert_true(sw_glob_match((struct sw_str){pattern, sizeof(pattern) - 1}, whole));
}

static void
test_parse_uint(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool good;
        uint64_t number;
    } rows[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"007", 7, true, 7},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999999", UINT64_MAX, false, 0},
        {"", UINT64_MAX, false, 0},
        {"-1", UINT64_MAX, false, 0},
        {"+1", UINT64_MAX, false, 0},
        {" 1", UINT64_MAX, false, 0},
        {"1 ", UINT64_MAX, false, 0},
        {"0x1", UINT64_MAX, false, 0},
        {"1.0", UINT64_MAX, false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t number = 12345;
        bool good = sw_parse_uint(sw_str_of(rows[i].text), rows[i].max, &number);
        if (good != rows[i].good || (good && number != rows[i].number)) {
            fail_msg("'%s'", rows[i].text);
        }
    }
    uint64_t number;
    assert_false(sw_parse_uint(SW_STR("1\0"), 10, &number));
}

static void
test_edit_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"interval", "interval", 0},
        {"intervall", "interval", 1},
        {"itnerval", "interval", 1},
        {"kitten", "sitting", 3},
        {"ca", "abc", 3}, /* neighbours swapped and then edited again do not count as two */
        {"a", "b", 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(sw_edit_distance(rows[i].a, rows[i].b), rows[i].distance);
        assert_int_equal(sw_edit_distance(rows[i].b, rows[i].a), rows[i].distance);
    }
    char most[64];
    char more[65];
    memset(most, 'a', 63);
    memset(more, 'a', 64);
    most[63] = more[64] = '\0';
    assert_int_equal(sw_edit_distance(most, ""), 63);
    assert_int_equal(sw_edit_distance(most, most), 0);
    assert_int_equal(sw_edit_distance(more, more), 64);
    assert_int_equal(sw_edit_distance("", more), 64);
}

static void
test_hex(void **state)
{
    (void)state;
    char text[9] = "--------";
    sw_hex_encode(text, (const uint8_t *)"\x00\x9A\xFF", 3);
    assert_string_equal(text, "009aff--");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basics),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_counts_of_well_formed),
        cmocka_unit_test(test_repair),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_glob_hostile),
        cmocka_unit_test(test_parse_uint),
        cmocka_unit_test(test_edit_distance),
        cmocka_unit_test(test_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
