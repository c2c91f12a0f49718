#include "tests/support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/document.h"
#include "agent/sources/replay.h"
#include "agent/sources/sources.h"

#define LOOK_A "{\"sharewatch\":1,\"server\":\"a\",\"sessions\":[{\"client\":\"c\"}]}\n"
#define LOOK_B "{\"sharewatch\":1,\"server\":\"b\",\"sessions\":[]}\n"
#define FAILED                                                                                     \
    "{\"sharewatch\":1,\"taken_at\":\"1970-01-01T00:00:01Z\","                                     \
    "\"error\":{\"code\":5,\"text\":\"access denied\"}}\n"

static const struct sw_source_class *const class = &sw_source_replay;

static char path[64];
static struct sw_replay_conf conf = {.path = path};
static struct sw_source source;
static struct sw_latch stop;
static struct sw_builder *builder;
static struct sw_err err;

static int
set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/sharewatch-replay-XXXXXX");
    int fd = mkstemp(path);
    close(fd);
    builder = sw_builder_new();
    source = (struct sw_source){
        .class = class, .name = "recorded", .conf = &conf, .state = calloc(1, class->state_size)};
    return fd < 0 || !sw_latch_init(&stop, &err) ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    class->fini(&source);
    free(source.state);
    sw_builder_free(builder);
    sw_latch_fini(&stop);
    unlink(path);
    return 0;
}

static void
write_bytes(const char *mode, const void *bytes, size_t size)
{
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void
write_text(const char *text)
{
    write_bytes("wb", text, strlen(text));
}

static bool
start(int64_t position)
{
    class->fini(&source);
    memset(source.state, 0, class->state_size);
    source.position = position;
    return class->init(&source, &err);
}

static enum sw_look
look(void)
{
    struct sw_look_request request = {.deadline_ns = INT64_MAX, .stop = &stop};
    sw_builder_clear(builder);
    sw_err_clear(&err);
    return class->look(&source, &request, builder, &err);
}

static int64_t
position(void)
{
    return sw_builder_facts(builder)->position;
}

static void
assert_server(const char *name)
{
    assert_true(sw_str_is(sw_builder_facts(builder)->server, name));
}

static void
test_each_look_is_the_next_line(void **state)
{
    (void)state;
    write_text(LOOK_A "\n  \r\n" LOOK_B FAILED);
    assert_true(start(-1));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("a");
    assert_int_equal(sw_builder_count(builder), 1);
    assert_int_equal(position(), strlen(LOOK_A));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("b");
    assert_int_equal(position(), strlen(LOOK_A "\n  \r\n" LOOK_B));
    assert_int_equal(look(), SW_LOOK_FAILED);
    assert_int_equal(err.code, 5);
    assert_string_equal(err.text, "access denied");
    assert_int_equal(sw_builder_facts(builder)->taken_at_ns, SW_NS_PER_S);
    assert_int_equal(position(), strlen(LOOK_A "\n  \r\n" LOOK_B FAILED));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(), SW_LOOK_END);
        assert_int_equal(position(), strlen(LOOK_A "\n  \r\n" LOOK_B FAILED));
    }
}

static void
test_a_damaged_line_fails_and_is_passed_over(void **state)
{
    (void)state;
    write_text(LOOK_A "\n{\"sharewatch\":1,\n" LOOK_B
                      "{\"sharewatch\":1,\"complete\":false,\"sessions\":[]}");
    assert_true(start(-1));
    char expected[256];
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_int_equal(look(), SW_LOOK_FAILED);
    snprintf(expected, sizeof(expected), "%s:3: byte 17: the document ends too early", path);
    assert_string_equal(err.text, expected);
    assert_int_equal(position(), strlen(LOOK_A "\n{\"sharewatch\":1,\n"));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("b");
    assert_int_equal(look(), SW_LOOK_PARTIAL);
    snprintf(expected, sizeof(expected), "%s:5: the document says that it is not complete", path);
    assert_string_equal(err.text, expected);
    assert_int_equal(look(), SW_LOOK_END);
}

static void
test_goes_on_where_it_was(void **state)
{
    (void)state;
    write_text(LOOK_A "\n" LOOK_B "broken\n" LOOK_A);
    assert_true(start((int64_t)strlen(LOOK_A)));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("b");
    assert_int_equal(look(), SW_LOOK_FAILED);
    char expected[256];
    snprintf(expected, sizeof(expected), "%s:4: byte 1: not a number", path);
    assert_string_equal(err.text, expected);
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("a");

    assert_true(start((int64_t)strlen(LOOK_A "\n" LOOK_B "broken\n" LOOK_A)));
    assert_int_equal(look(), SW_LOOK_END);
    assert_true(start(0));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("a");
}

static void
test_a_last_line_needs_no_newline_also_when_more_follows_later(void **state)
{
    (void)state;
    write_bytes("wb", LOOK_A, strlen(LOOK_A) - 1);
    assert_true(start(-1));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    int64_t at = position();
    assert_int_equal(at, strlen(LOOK_A) - 1);
    assert_int_equal(look(), SW_LOOK_END);
    assert_true(start(at));
    assert_int_equal(look(), SW_LOOK_END);
    write_bytes("ab", "\n" LOOK_B, strlen("\n" LOOK_B));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("b");
    assert_true(start(at));
    assert_int_equal(look(), SW_LOOK_COMPLETE);
    assert_server("b");
}

static void
test_another_file_is_noticed(void **state)
{
    (void)state;
    write_text(LOOK_A LOOK_B);
    assert_false(start((int64_t)strlen(LOOK_A LOOK_B) + 1));
    assert_contains(err.text, "this is not the file that was being replayed");
    assert_false(start(5));
    assert_contains(err.text, "byte 5 of ");
    assert_contains(err.text, "is inside a line");
}

static void
test_what_cannot_be_opened(void **state)
{
    (void)state;
    unlink(path);
    assert_false(start(-1));
    assert_contains(err.text, "No such file");
    assert_int_equal(look(), SW_LOOK_FAILED);
    assert_contains(err.text, "No such file");
    write_text(LOOK_A);
    assert_int_equal(look(), SW_LOOK_COMPLETE);

    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(start(-1));
    assert_contains(err.text, "is not a regular file");
}

static void
test_a_line_over_the_maximum_fails_and_is_passed_over(void **state)
{
    (void)state;
    static const size_t sizes[] = {SW_DOCUMENT_MAX, SW_DOCUMENT_MAX + 1, 2 * SW_DOCUMENT_MAX + 9};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        write_text(LOOK_A);
        FILE *file = fopen(path, "ab");
        assert_non_null(file);
        char *line = malloc(sizes[i]);
        assert_non_null(line);
        memset(line, ' ', sizes[i]);
        memcpy(line, LOOK_B, strlen(LOOK_B) - 1);
        assert_int_equal(fwrite(line, 1, sizes[i], file), sizes[i]);
        assert_int_equal(fwrite("\n" LOOK_A, 1, 1 + strlen(LOOK_A), file), 1 + strlen(LOOK_A));
        fclose(file);
        free(line);

        assert_true(start(-1));
        assert_int_equal(look(), SW_LOOK_COMPLETE);
        assert_int_equal(look(), i == 0 ? SW_LOOK_COMPLETE : SW_LOOK_FAILED);
        if (i > 0) {
            assert_contains(err.text, ":2: the line has more than 67108864 bytes");
        }
        assert_int_equal(position(), strlen(LOOK_A) + sizes[i] + 1);
        assert_int_equal(look(), SW_LOOK_COMPLETE);
        assert_server("a");
        assert_int_equal(look(), SW_LOOK_END);
    }
}

static void
test_documents_larger_than_a_chunk(void **state)
{
    (void)state;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 40; i++) {
        fprintf(file, "{\"sharewatch\":1,\"level\":%d,\"x\":\"%*s\",\"sessions\":[]}\n", i,
            i * 7001 + 1, "y");
    }
    int64_t size = ftell(file);
    fclose(file);
    assert_true(start(-1));
    for (int i = 0; i < 40; i++) {
        assert_int_equal(look(), SW_LOOK_COMPLETE);
        assert_int_equal(sw_builder_facts(builder)->level, i);
        if (i % 9 == 0) {
            assert_true(start(position()));
        }
    }
    assert_int_equal(position(), size);
    assert_int_equal(look(), SW_LOOK_END);
}

static void
test_stops_early_without_moving_on(void **state)
{
    (void)state;
    write_text(LOOK_A);
    assert_true(start(-1));
    sw_latch_set(&stop);
    assert_int_equal(look(), SW_LOOK_FAILED);
    assert_int_equal(position(), -1);
}

static int problems;

void
sw_problems_add(struct sw_problems *where, const char *key, const char *format, ...)
{
    (void)where;
    (void)format;
    assert_string_equal(key, "path");
    problems++;
}

static int
problems_of(const char *text)
{
    struct sw_replay_conf checked = {.path = text};
    problems = 0;
    class->part.check(&checked, NULL);
    return problems;
}

static void
test_standard_input_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(problems_of("-"), 1);
    assert_int_equal(problems_of("/etc/sharewatch/-"), 1);
    assert_int_equal(problems_of("/var/looks-"), 0);
    assert_int_equal(problems_of(NULL), 0);
}

static void
test_what_the_class_says(void **state)
{
    (void)state;
    struct sw_buf identity;
    sw_buf_init(&identity, 1024);
    class->identity(&conf, &identity);
    assert_string_equal(sw_buf_text(&identity), path);
    sw_buf_fini(&identity);
    assert_true(class->is_recorded);
    assert_string_equal(class->part.name, "replay");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_look_is_the_next_line),
        TEST(test_a_damaged_line_fails_and_is_passed_over),
        TEST(test_goes_on_where_it_was),
        TEST(test_a_last_line_needs_no_newline_also_when_more_follows_later),
        TEST(test_another_file_is_noticed),
        TEST(test_what_cannot_be_opened),
        TEST(test_a_line_over_the_maximum_fails_and_is_passed_over),
        TEST(test_documents_larger_than_a_chunk),
        TEST(test_stops_early_without_moving_on),
        TEST(test_standard_input_is_no_file),
        TEST(test_what_the_class_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
