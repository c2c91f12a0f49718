#include "tests/support/unit.h"

#include "agent/base/json_read.h"
#include "agent/base/time_text.h"
#include "agent/document.h"
#include "tests/support/rows.h"

#define HEAD "{\"sharewatch\":1,\"sessions\":["
#define TAIL "]}"

static struct sw_builder *builder;
static struct sw_err err;

static int
set_up(void **state)
{
    (void)state;
    builder = sw_builder_new();
    sw_err_clear(&err);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    sw_builder_free(builder);
    return 0;
}

/* From an exact copy on the heap, so that a sanitizer sees one byte too far. */
static enum sw_document
read_bytes(struct sw_str bytes)
{
    char *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    assert_non_null(copy);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    sw_builder_clear(builder);
    sw_err_clear(&err);
    enum sw_document document = sw_document_read((struct sw_str){copy, bytes.size}, builder, &err);
    free(copy);
    return document;
}

static enum sw_document
read_text(const char *text)
{
    return read_bytes(sw_str_of(text));
}

static void
assert_bad(const char *text, const char *why)
{
    if (read_text(text) != SW_DOCUMENT_BAD) {
        fail_msg("taken: %s", text);
    }
    assert_string_equal(err.text, why);
    assert_int_equal(sw_builder_count(builder), 0);
}

static struct sw_snapshot *
finish(void)
{
    static const struct sw_globs none = {NULL, 0};
    struct sw_snapshot *snapshot = sw_builder_finish(builder, none, none, NULL, &err);
    if (snapshot == NULL) {
        fail_msg("%s", err.text);
    }
    return snapshot;
}

static void
test_the_documents_of_the_readme(void **state)
{
    (void)state;
    assert_int_equal(
        read_text("{\"sharewatch\":1,\"server\":\"fs01\",\"taken_at\":\"2026-11-22T14:26:17.724Z\","
                  "\"took_ms\":12,\"level\":1,\"complete\":true,\n"
                  " \"sessions\":[{\"client\":\"10.0.0.5\",\"user\":\"alice\",\"opens\":2,"
                  "\"active\":61,\"idle\":0,\"guest\":false,\n"
                  "  \"client_type\":\"\",\"transport\":\"\",\"id\":\"186162\"}]}\n"),
        SW_DOCUMENT_SESSIONS);
    struct sw_snapshot *snapshot = finish();
    const struct sw_row *row = &snapshot->rows[0];
    assert_int_equal(snapshot->count, 1);
    assert_true(sw_str_is(snapshot->server, "fs01"));
    assert_int_equal(snapshot->taken_at_ns, INT64_C(1795357577724) * SW_NS_PER_MS);
    assert_int_equal(snapshot->took_ns, 12 * SW_NS_PER_MS);
    assert_int_equal(snapshot->level, 1);
    assert_int_equal(snapshot->reported, 0xFF);
    assert_true(sw_str_is(row->client, "10.0.0.5"));
    assert_true(sw_str_is(row->user, "alice"));
    assert_true(sw_str_is(row->id, "186162"));
    assert_int_equal(row->opens, 2);
    assert_int_equal(row->active, 61);
    assert_int_equal(row->idle, 0);
    assert_int_equal(row->guest, 0);
    sw_snapshot_free(snapshot);

    assert_int_equal(
        read_text("{\"sharewatch\":1,\"server\":\"fs01\",\"taken_at\":\"2026-11-22T14:26:27.724Z\","
                  "\"error\":{\"code\":5,\"text\":\"access denied\"}}"),
        SW_DOCUMENT_ERROR);
    assert_int_equal(err.code, 5);
    assert_string_equal(err.text, "access denied");
    assert_true(sw_str_is(sw_builder_facts(builder)->server, "fs01"));
    assert_int_equal(sw_builder_facts(builder)->taken_at_ns, INT64_C(1795357587724) * SW_NS_PER_MS);
}

static void
test_absent_is_not_zero(void **state)
{
    (void)state;
    assert_int_equal(read_text(HEAD "{\"client\":\"c\"},{\"client\":\"d\",\"user\":null,"
                                    "\"opens\":null,\"active\":null,\"idle\":null,\"guest\":null,"
                                    "\"id\":null,\"transport\":null,\"client_type\":null}" TAIL),
        SW_DOCUMENT_SESSIONS);
    const struct sw_look_facts *facts = sw_builder_facts(builder);
    assert_int_equal(facts->taken_at_ns, SW_TIME_NONE);
    assert_int_equal(facts->took_ns, -1);
    assert_int_equal(facts->level, -1);
    assert_int_equal(facts->server.size, 0);
    struct sw_snapshot *snapshot = finish();
    assert_int_equal(snapshot->reported, 0);
    for (size_t i = 0; i < 2; i++) {
        struct sw_row expected = SW_ROW_EMPTY;
        expected.client = sw_str_of(i == 0 ? "c" : "d");
        assert_true(rows_equal(&snapshot->rows[i], &expected));
    }
    sw_snapshot_free(snapshot);
}

static void
test_null_members_count_as_absent(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"sharewatch\":1,\"server\":null,\"taken_at\":null,\"took_ms\":"
                               "null,\"level\":null,\"complete\":null,\"error\":null,"
                               "\"sessions\":[]}"),
        SW_DOCUMENT_SESSIONS);
    assert_bad("{\"sharewatch\":1,\"sessions\":null}",
        "neither \"sessions\" nor \"error\": one must be there");
}

static void
test_members_come_in_any_order_and_unknown_ones_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(
        read_text("\xEF\xBB\xBF {\"x\":{\"sessions\":[{}],\"a\":[1,[2,{\"b\":null}]]},\"sessions\":"
                  "[{\"future\":[{\"client\":5}],\"id\":\"1\",\"us\\u0065r\":\"u\","
                  "\"client\":\"c\",\"Client\":7}],\"server\":\"s\",\"sharewatch\":1}"),
        SW_DOCUMENT_SESSIONS);
    struct sw_snapshot *snapshot = finish();
    assert_true(sw_str_is(snapshot->server, "s"));
    assert_true(sw_str_is(snapshot->rows[0].client, "c"));
    assert_true(sw_str_is(snapshot->rows[0].user, "u"));
    sw_snapshot_free(snapshot);
}

static void
test_incomplete_is_partial(void **state)
{
    (void)state;
    assert_int_equal(
        read_text("{\"sharewatch\":1,\"complete\":false,\"sessions\":[{\"client\":\"c\"}]}"),
        SW_DOCUMENT_PARTIAL);
    assert_int_equal(sw_builder_count(builder), 1);
}

static void
test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t opens, active;
    } rows[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"61.9", 61, 61},
        {"1e3", 1000, 1000},
        {"2147483647", 2147483647, 2147483647},
        {"2147483648", 2147483648, SW_UNKNOWN},
        {"4294967294", 4294967294, SW_UNKNOWN},
        {"4294967295", SW_UNKNOWN, SW_UNKNOWN},
        {"99999999999999999999", SW_UNKNOWN, SW_UNKNOWN},
        {"1e999", SW_UNKNOWN, SW_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[256];
        snprintf(text, sizeof(text), HEAD "{\"client\":\"c\",\"opens\":%s,\"active\":%s}" TAIL,
            rows[i].text, rows[i].text);
        assert_int_equal(read_text(text), SW_DOCUMENT_SESSIONS);
        struct sw_snapshot *snapshot = finish();
        assert_int_equal(snapshot->rows[0].opens, rows[i].opens);
        assert_int_equal(snapshot->rows[0].active, rows[i].active);
        sw_snapshot_free(snapshot);
    }
}

static void
test_what_is_no_document_says_where_and_why(void **state)
{
    (void)state;
    assert_bad("", "byte 1: nothing there");
    assert_bad("[]", "byte 1: the document: an object expected");
    assert_bad("{}", "no \"sharewatch\": 1: this is not a snapshot document");
    assert_bad("{\"sessions\":[]}", "no \"sharewatch\": 1: this is not a snapshot document");
    assert_bad("{\"sharewatch\":1}", "neither \"sessions\" nor \"error\": one must be there");
    assert_bad("{\"sharewatch\":1,\"sessions\":[],\"error\":{}}",
        "both \"sessions\" and \"error\": only one may be there");
    assert_bad("{\"sharewatch\":2,\"sessions\":[]}",
        "byte 15: sharewatch: another version than 1, the only one that can be read");
    assert_bad("{\"sharewatch\":\"1\",\"sessions\":[]}", "byte 15: sharewatch: a number expected");
    assert_bad(HEAD "]} {}", "byte 32: more follows after the document's end");
    assert_bad(HEAD, "byte 29: the document ends too early");
    assert_bad(HEAD "{\"client\":\"c\"}]", "byte 44: the document ends too early");
}

static void
test_ambiguous_structure_is_bad(void **state)
{
    (void)state;
    assert_bad(
        "{\"sharewatch\":1,\"sharewatch\":1,\"sessions\":[]}", "byte 30: sharewatch: there twice");
    assert_bad(
        "{\"sharewatch\":1,\"sessions\":[],\"sessions\":[]}", "byte 42: sessions: there twice");
    assert_bad("{\"sharewatch\":1,\"error\":{},\"error\":{}}", "byte 36: error: there twice");
}

static void
test_wrong_types_name_row_and_member(void **state)
{
    (void)state;
    assert_bad(HEAD "{\"client\":\"c\"},{\"client\":\"d\",\"opens\":\"2\"}" TAIL,
        "byte 66: sessions[1].opens: a number expected");
    assert_bad(HEAD "{\"client\":\"c\",\"idle\":-1}" TAIL,
        "byte 50: sessions[0].idle: a number from 0 expected");
    assert_bad(HEAD "{\"client\":\"c\",\"active\":-1e300}" TAIL,
        "byte 52: sessions[0].active: a number from 0 expected");
    assert_bad(HEAD "{\"client\":5}" TAIL, "byte 39: sessions[0].client: a string expected");
    assert_bad(HEAD "{\"client\":\"c\",\"guest\":0}" TAIL,
        "byte 51: sessions[0].guest: true or false expected");
    assert_bad(
        HEAD "{\"client\":\"c\"},{\"user\":\"u\"}" TAIL, "byte 44: sessions[1].client: missing");
    assert_bad(HEAD "{\"client\":\"c\"}],\"level\":\"x\"}", "byte 53: level: a number expected");
    assert_bad(HEAD "[]" TAIL, "byte 29: sessions[0]: an object expected");
    assert_bad("{\"sharewatch\":1,\"sessions\":{}}", "byte 28: sessions: an array expected");
    assert_bad("{\"sharewatch\":1,\"error\":\"x\"}", "byte 25: error: an object expected");
    assert_bad("{\"sharewatch\":1,\"error\":{\"code\":4294967296}}",
        "byte 33: error.code: a number of 32 bits expected");
    assert_bad(
        "{\"sharewatch\":1,\"error\":{\"text\":1}}", "byte 33: error.text: a string expected");
    assert_bad("{\"sharewatch\":1,\"complete\":1,\"sessions\":[]}",
        "byte 28: complete: true or false expected");
    assert_bad(
        "{\"sharewatch\":1,\"server\":1,\"sessions\":[]}", "byte 26: server: a string expected");
    assert_bad("{\"sharewatch\":1,\"took_ms\":86400001,\"sessions\":[]}",
        "byte 27: took_ms: more than a day");
    assert_bad("{\"sharewatch\":1,\"level\":2147483648,\"sessions\":[]}",
        "byte 25: level: a small number expected");
    assert_bad("{\"sharewatch\":1,\"taken_at\":\"2026-11-22T14:26:17\",\"sessions\":[]}",
        "byte 28: taken_at: a time as 2026-11-22T14:26:17Z or with an offset expected");
    assert_bad("{\"sharewatch\":1,\"taken_at\":1,\"sessions\":[]}",
        "byte 28: taken_at: a time as 2026-11-22T14:26:17Z or with an offset expected");
}

static void
test_the_last_of_doubled_members_counts(void **state)
{
    (void)state;
    assert_int_equal(
        read_text(HEAD "{\"client\":\"c\",\"user\":\"a\",\"client\":\"d\",\"user\":null}" TAIL),
        SW_DOCUMENT_SESSIONS);
    struct sw_snapshot *snapshot = finish();
    assert_true(sw_str_is(snapshot->rows[0].client, "d"));
    assert_null(snapshot->rows[0].user.data);
    sw_snapshot_free(snapshot);
}

static void
test_no_name_refuses_a_look(void **state)
{
    (void)state;
    static const struct {
        struct sw_str json, user;
    } names[] = {
        {SW_STR("a\\u0000b"), SW_STR("a\0b")},
        {SW_STR("\\ud800"), SW_STR("\xED\xA0\x80")},
        {SW_STR("\\udc00x"), SW_STR("\xED\xB0\x80x")},
        {SW_STR("\\ud83d\\ude00"), SW_STR("\xF0\x9F\x98\x80")},
        {SW_STR("\xFF\xC0\x80"), SW_STR("\xFF\xC0\x80")},
        {SW_STR("a\nb\0c\x1B"), SW_STR("a\nb\0c\x1B")},
        {SW_STR("\\u202E\\\\]|\\\"<!channel>"), SW_STR("\xE2\x80\xAE\\]|\"<!channel>")},
        {SW_STR(""), SW_STR("")},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct sw_buf text;
        sw_buf_init(&text, 4096);
        sw_buf_add_text(&text, HEAD "{\"client\":\"c\",\"user\":\"");
        sw_buf_add(&text, names[i].json.data, names[i].json.size);
        sw_buf_add_text(&text, "\",\"transport\":\"");
        sw_buf_add(&text, names[i].json.data, names[i].json.size);
        sw_buf_add_text(&text, "\"}" TAIL);
        assert_int_equal(read_bytes((struct sw_str){text.data, text.size}), SW_DOCUMENT_SESSIONS);
        struct sw_snapshot *snapshot = finish();
        assert_true(sw_str_equal(snapshot->rows[0].user, names[i].user));
        assert_true(sw_str_equal(snapshot->rows[0].transport, names[i].user));
        assert_non_null(snapshot->rows[0].user.data);
        sw_snapshot_free(snapshot);
        sw_buf_fini(&text);
    }
}

static void
test_reported_errors(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"sharewatch\":1,\"error\":{}}"), SW_DOCUMENT_ERROR);
    assert_int_equal(err.code, 0);
    assert_string_equal(err.text, "the look failed; the document does not say why");
    assert_int_equal(
        read_text(
            "{\"sharewatch\":1,\"error\":{\"x\":[],\"text\":\"a\\u0000b\",\"code\":3221225581}}"),
        SW_DOCUMENT_ERROR);
    assert_int_equal(err.code, (int)0xC000006D);
    assert_string_equal(err.text, "a\xEF\xBF\xBD"
                                  "b");
}

static void
test_writing_and_reading_back_gives_the_same_rows(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (size_t round = 0; round < 200; round++) {
        sw_builder_clear(builder);
        size_t count = rows_random(&seed, 20);
        bool with_id = rows_random(&seed, 2) > 0;
        for (size_t i = 0; i < count; i++) {
            char id[24];
            struct sw_row row = rows_random_row(&seed);
            snprintf(id, sizeof(id), "%zu\x01", i);
            row.id = sw_str_of(with_id ? id : NULL);
            assert_true(sw_builder_add(builder, &row, &err));
        }
        sw_builder_set_server(builder, rows_hostile_names[round % rows_hostile_count]);
        sw_builder_facts(builder)->taken_at_ns = 1000 * SW_NS_PER_MS;
        sw_builder_facts(builder)->took_ns = 5 * SW_NS_PER_MS;
        struct sw_snapshot *snapshot = finish();

        struct sw_buf text;
        sw_buf_init(&text, SW_DOCUMENT_MAX);
        sw_document_write(snapshot, &text);
        assert_false(text.failed);
        assert_int_equal(text.data[text.size - 1], '\n');
        assert_int_equal(read_bytes((struct sw_str){text.data, text.size}), SW_DOCUMENT_SESSIONS);
        struct sw_snapshot *again = finish();
        assert_true(rows_snapshots_equal(snapshot, again));
        assert_int_equal(again->taken_at_ns, snapshot->taken_at_ns);
        assert_int_equal(again->took_ns, snapshot->took_ns);
        sw_buf_fini(&text);
        sw_snapshot_free(snapshot);
        sw_snapshot_free(again);
    }
}

static void
test_what_is_written(void **state)
{
    (void)state;
    struct sw_buf text;
    sw_buf_init(&text, 4096);
    struct sw_snapshot *snapshot = finish();
    sw_document_write(snapshot, &text);
    assert_buf(&text, "{\"sharewatch\":1,\"complete\":true,\"sessions\":[]}\n");
    sw_snapshot_free(snapshot);

    sw_buf_clear(&text);
    sw_err_set(&err, "no \"way\"\n");
    err.code = -5;
    sw_document_write_error(SW_STR("fs01"), 0, &err, &text);
    assert_buf(&text, "{\"sharewatch\":1,\"server\":\"fs01\",\"taken_at\":\"1970-01-01T00:00:00."
                      "000Z\",\"error\":{\"code\":-5,\"text\":\"no \\\"way\\\"\\n\"}}\n");
    assert_int_equal(read_bytes((struct sw_str){text.data, text.size}), SW_DOCUMENT_ERROR);
    assert_int_equal(err.code, -5);
    assert_string_equal(err.text, "no \"way\"\n");
    sw_buf_fini(&text);
}

static void
test_a_document_has_a_largest_size(void **state)
{
    (void)state;
    char *text = malloc(SW_DOCUMENT_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', SW_DOCUMENT_MAX + 1);
    memcpy(text, HEAD TAIL, sizeof(HEAD TAIL) - 1);
    assert_int_equal(sw_document_read((struct sw_str){text, SW_DOCUMENT_MAX}, builder, &err),
        SW_DOCUMENT_SESSIONS);
    assert_int_equal(sw_document_read((struct sw_str){text, SW_DOCUMENT_MAX + 1}, builder, &err),
        SW_DOCUMENT_BAD);
    assert_string_equal(err.text, "the document has 67108865 bytes, more than 67108864");
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_documents_of_the_readme),
        TEST(test_absent_is_not_zero),
        TEST(test_null_members_count_as_absent),
        TEST(test_members_come_in_any_order_and_unknown_ones_are_ignored),
        TEST(test_incomplete_is_partial),
        TEST(test_numbers),
        TEST(test_what_is_no_document_says_where_and_why),
        TEST(test_ambiguous_structure_is_bad),
        TEST(test_wrong_types_name_row_and_member),
        TEST(test_the_last_of_doubled_members_counts),
        TEST(test_no_name_refuses_a_look),
        TEST(test_reported_errors),
        TEST(test_writing_and_reading_back_gives_the_same_rows),
        TEST(test_what_is_written),
        TEST(test_a_document_has_a_largest_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
