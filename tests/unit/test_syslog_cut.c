/*
 * What is left of a syslog message that is too long, and what strangers can put into one. A message
 * of every size is compared with the uncut one, taken apart into the same pieces by readers of the
 * tests' own.
 */
#include "agent/base/time_text.h"
#include "sinks/format/syslog.h"
#include "tests/golden/cases.h"
#include "tests/support/rfc5424_reader.h"
#include "tests/support/unit.h"

#define WHOLE          ((uint64_t)4 << 20)
#define SIZE_MIN       SW_SYSLOG_SIZE_MIN
#define SIZE_MAX_TRIED 4096

#define CUT      "\xE2\x80\xA6"
#define CUT_SIZE 3
#define BAD      "\xEF\xBF\xBD"

/* An ellipsis, less than a code point before it and half an escape: what a cut may waste. */
#define WASTE (CUT_SIZE + 3 + 1)

/* A message in either format, cut into what the rules speak of. */
struct pieces {
    size_t head;  /* bytes before the first parameter */
    size_t fixed; /* bytes that are neither head, parameters nor sentence */
    size_t lead;  /* what stands before a sentence that is there */
    bool has_sentence;
    struct sw_str sentence;
    struct rfc5424_param params[RFC5424_PARAMS_MAX];
    size_t count;
    struct rfc5424_message message;
};

struct kind {
    const struct sw_format *format;
    void (*take_apart)(struct pieces *pieces, const struct sw_buf *buf);
};

static void
fail_on(const char *what, const struct sw_buf *buf)
{
    fail_msg("%s: %zu bytes: %.3000s", what, buf->size, buf->data);
}

static void
take_apart_5424(struct pieces *pieces, const struct sw_buf *buf)
{
    const char *wrong = rfc5424_read(&pieces->message, (struct sw_str){buf->data, buf->size});
    if (wrong != NULL) {
        fail_on(wrong, buf);
    }
    pieces->fixed = 1;
    pieces->lead = 4;
    pieces->has_sentence = pieces->message.has_msg;
    pieces->sentence = pieces->message.msg;
    pieces->count = 0;
    for (size_t i = 0; i < pieces->message.count; i++) {
        if (sw_str_starts(pieces->message.params[i].id, "sharewatch@")) {
            pieces->params[pieces->count++] = pieces->message.params[i];
        }
    }
    assert_true(pieces->count > 0);
    pieces->head = (size_t)(pieces->params[0].raw.data - 1 - buf->data);
}

/* `name="value"`, `"` and `\` escaped, from `at` on; where it ends. */
static const char *
take_pair(struct rfc5424_param *param, const char *at, const char *end, struct sw_buf *values)
{
    size_t from = values->size;
    const char *begin = at;
    while (at < end && ((*at >= 'a' && *at <= 'z') || *at == '_')) {
        at++;
    }
    param->name = (struct sw_str){begin, (size_t)(at - begin)};
    assert_true(param->name.size > 0 && end - at > 2 && at[0] == '=' && at[1] == '"');
    for (at += 2; at < end && *at != '"'; at++) {
        if (*at == '\\') {
            at++;
            assert_true(at < end && (*at == '"' || *at == '\\'));
        }
        sw_buf_add_char(values, *at);
    }
    assert_true(at < end);
    param->raw = (struct sw_str){begin, (size_t)(at + 1 - begin)};
    param->value = (struct sw_str){values->data + from, values->size - from};
    return at + 1;
}

static void
take_apart_3164(struct pieces *pieces, const struct sw_buf *buf)
{
    const char *tag = strstr(buf->data, " sharewatch:");
    const char *end = buf->data + buf->size;
    assert_non_null(tag);
    assert_true(tag < buf->data + 5 + 15 + 1 + 255);
    memset(&pieces->message, 0, sizeof(pieces->message));
    sw_buf_init(&pieces->message.values, buf->size + 1);
    assert_non_null(sw_buf_reserve(&pieces->message.values, buf->size));
    tag += strlen(" sharewatch:");
    const char *at = strstr(tag, "=\"");
    assert_non_null(at);
    while (at[-1] != ' ') {
        at--;
    }
    pieces->head = (size_t)(tag - buf->data);
    pieces->fixed = 0;
    pieces->lead = 1;
    pieces->has_sentence = at - 1 > tag;
    pieces->sentence = (struct sw_str){tag, 0};
    if (pieces->has_sentence) {
        assert_int_equal(*tag, ' ');
        pieces->sentence = (struct sw_str){tag + 1, (size_t)(at - 1 - (tag + 1))};
    }
    for (pieces->count = 0; at < end; pieces->count++) {
        assert_int_equal(at[-1], ' ');
        at = take_pair(&pieces->params[pieces->count], at, end, &pieces->message.values) + 1;
    }
}

static const struct kind kinds[] = {
    {&sw_format_rfc5424, take_apart_5424},
    {&sw_format_rfc3164, take_apart_3164},
};

static bool
write_event(struct sw_buf *buf, const struct sw_format *format, const struct sw_event *event,
    uint64_t max_size)
{
    const struct sw_syslog_options options = {
        .facility = 23, .enterprise_id = 32473, .max_size = max_size};
    const struct sw_format_context context = golden_context();
    const struct sw_format_record record = {event, 42, 1};
    sw_buf_clear(buf);
    bool is_whole = format->write(&record, &options, &context, buf);
    assert_false(buf->failed);
    return is_whole;
}

/* Nothing that could end a line, move a cursor or turn the reading direction. */
static void
assert_clean(const struct sw_buf *buf)
{
    size_t marks = 0;
    for (size_t at = 0; at < buf->size;) {
        uint32_t code_point;
        at += sw_utf8_next(buf->data + at, buf->size - at, &code_point);
        marks += code_point == 0xFEFF;
        if (code_point == SW_UTF8_BAD || sw_is_unprintable(code_point)) {
            fail_on("unclean", buf);
        }
    }
    assert_true(marks <= 1);
}

static bool
is_required(struct sw_str name)
{
    static const char *const names[] = {
        "id", "seq", "journal", "source", "server", "user", "client", "session"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (sw_str_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* A text that was cut: the beginning of the whole one, and the mark. */
static bool
is_cut_of(struct sw_str text, struct sw_str whole)
{
    return text.size >= CUT_SIZE && text.size < whole.size + CUT_SIZE &&
           memcmp(text.data + text.size - CUT_SIZE, CUT, CUT_SIZE) == 0 &&
           memcmp(text.data, whole.data, text.size - CUT_SIZE) == 0;
}

static size_t
required_size(const struct pieces *whole)
{
    size_t size = whole->head + whole->fixed;
    for (size_t i = 0; i < whole->count; i++) {
        size += is_required(whole->params[i].name) ? whole->params[i].raw.size + 1 : 0;
    }
    return size;
}

/* Which parameters there must be, by the rule of sinks/format/syslog.h. */
static void
check_params(const struct pieces *is, const struct pieces *whole, uint64_t max_size,
    const struct sw_buf *buf)
{
    size_t used = required_size(whole);
    size_t at = 0;
    for (size_t i = 0; i < whole->count; i++) {
        const struct rfc5424_param *param = &whole->params[i];
        if (!is_required(param->name)) {
            if (used + param->raw.size + 1 > max_size) {
                continue;
            }
            used += param->raw.size + 1;
        }
        if (at == is->count || !sw_str_equal(is->params[at].raw, param->raw)) {
            fail_on("another parameter was more important", buf);
        }
        at++;
    }
    if (at != is->count) {
        fail_on("a parameter too much", buf);
    }
}

/* All the required and nothing else, the longest shortened to about the same size. */
static void
check_shortened(const struct pieces *is, const struct pieces *whole, uint64_t max_size,
    const struct sw_buf *buf)
{
    size_t longest_whole = 0;
    size_t shortest_cut = SIZE_MAX;
    size_t longest_cut = 0;
    size_t i = 0;
    for (; i < is->count && is_required(whole->params[i].name); i++) {
        const struct rfc5424_param *param = &is->params[i];
        assert_true(sw_str_equal(param->name, whole->params[i].name));
        size_t size = param->raw.size - param->name.size - 3;
        if (sw_str_equal(param->raw, whole->params[i].raw)) {
            bool is_id = size == SW_UUID_TEXT_SIZE || sw_str_is(param->name, "seq");
            longest_whole = size > longest_whole && !is_id ? size : longest_whole;
        } else if (is_cut_of(param->value, whole->params[i].value)) {
            shortest_cut = size < shortest_cut ? size : shortest_cut;
            longest_cut = size > longest_cut ? size : longest_cut;
        } else {
            fail_on("a value that is neither whole nor its beginning", buf);
        }
    }
    for (size_t at = i; at < whole->count; at++) {
        assert_false(is_required(whole->params[at].name));
    }
    assert_int_equal(i, is->count);
    assert_true(longest_cut > 0 && longest_cut - shortest_cut <= WASTE);
    assert_true(longest_whole <= shortest_cut + WASTE);
    size_t used = is->head + is->fixed;
    for (i = 0; i < is->count; i++) {
        used += is->params[i].raw.size + 1;
    }
    assert_true(used + 4 * WASTE >= max_size);
}

static void
check_sentence(const struct pieces *is, const struct pieces *whole, uint64_t max_size,
    const struct sw_buf *buf)
{
    size_t room = max_size - buf->size;
    if (!is->has_sentence) {
        assert_true(room < is->lead + CUT_SIZE);
    } else if (!sw_str_equal(is->sentence, whole->sentence)) {
        if (!is_cut_of(is->sentence, whole->sentence) || room >= WASTE) {
            fail_on("sentence", buf);
        }
    }
}

/* event in max_size bytes, beside the same in as many as it takes. */
static void
check_size(const struct kind *kind, const struct sw_event *event, uint64_t max_size,
    const struct pieces *whole, const struct sw_buf *whole_buf)
{
    static struct pieces is;
    struct sw_buf buf;
    sw_buf_init(&buf, WHOLE);
    bool is_whole = write_event(&buf, kind->format, event, max_size);
    assert_true(buf.size <= max_size);
    assert_clean(&buf);
    assert_int_equal(is_whole, whole_buf->size <= max_size);
    kind->take_apart(&is, &buf);
    if (is_whole) {
        assert_int_equal(buf.size, whole_buf->size);
        assert_memory_equal(buf.data, whole_buf->data, buf.size);
    } else if (required_size(whole) <= max_size) {
        check_params(&is, whole, max_size, &buf);
        check_sentence(&is, whole, max_size, &buf);
    } else {
        check_shortened(&is, whole, max_size, &buf);
    }
    rfc5424_fini(&is.message);
    sw_buf_fini(&buf);
}

static void
check_sizes(const struct sw_event *event, uint64_t step)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        static struct pieces whole;
        struct sw_buf buf;
        sw_buf_init(&buf, WHOLE);
        assert_true(write_event(&buf, kinds[i].format, event, WHOLE));
        assert_clean(&buf);
        kinds[i].take_apart(&whole, &buf);
        for (uint64_t size = SIZE_MIN; size <= SIZE_MAX_TRIED; size += step) {
            check_size(&kinds[i], event, size, &whole, &buf);
        }
        rfc5424_fini(&whole.message);
        sw_buf_fini(&buf);
    }
}

static void
every_size_keeps_what_matters_most(void **state)
{
    (void)state;
    for (size_t i = 0; i < golden_cases_count; i++) {
        struct sw_event event = golden_cases[i].event();
        check_sizes(&event, 7);
    }
}

/* What a name may hold, and what it becomes in a value. */
static const struct {
    struct sw_str in;
    struct sw_str out;
} hostile[] = {
#define ROW(in, out)                                                                               \
    {                                                                                              \
        {in, sizeof(in) - 1},                                                                      \
        {                                                                                          \
            out, sizeof(out) - 1                                                                   \
        }                                                                                          \
    }
    ROW("a", "a"),
    ROW("\"", "\""),
    ROW("\\", "\\"),
    ROW("]", "]"),
    ROW("\\\"]", "\\\"]"),
    ROW("\\n\\", "\\n\\"),
    ROW("\" user=\"root\" x=\"", "\" user=\"root\" x=\""),
    ROW("\"][meta sequenceId=\"1\"] ", "\"][meta sequenceId=\"1\"] "),
    ROW("\n", BAD),
    ROW("\r\n<0>1 - ", BAD BAD "<0>1 - "),
    ROW("\0", BAD),
    ROW("\x1B[2J", BAD "[2J"),
    ROW("\x7F", BAD),
    ROW("\xC2\x85", BAD),
    ROW("\xEF\xBB\xBF", BAD),
    ROW("\xFF", BAD),
    ROW("\xC0\xAF", BAD BAD),
    ROW("\xED\xA0\x80", BAD BAD BAD),
    ROW("\xE2\x82", BAD),
    ROW("\xF0\x9F\x98", BAD),
    ROW("\xE2\x80\xAE", BAD),
    ROW("\xE2\x80\xA8", BAD),
    ROW("\xE2\x81\xA6", BAD),
    ROW("\xC3\xA9", "\xC3\xA9"),
    ROW("\xE2\x82\xAC", "\xE2\x82\xAC"),
    ROW("\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"),
    ROW("x\xC3\xA9\"\xE2\x82\xAC\\\xF0\x9F\x98\x80]", "x\xC3\xA9\"\xE2\x82\xAC\\\xF0\x9F\x98\x80]"),
};

static void
repeat(struct sw_buf *buf, const char *before, struct sw_str text, size_t times)
{
    sw_buf_init(buf, WHOLE);
    sw_buf_add_text(buf, before);
    for (size_t i = 0; i < times; i++) {
        sw_buf_add(buf, text.data, text.size);
    }
}

static struct sw_event
hostile_event(const struct sw_buf *name, const struct sw_buf *user)
{
    struct sw_event event = golden_cases[golden_find("session_closed")].event();
    struct sw_str text = {name->data, name->size};
    event.user = (struct sw_str){user->data, user->size};
    event.source = text;
    event.server = text;
    event.client = text;
    event.client_type = text;
    event.native_id = text;
    event.error_text = text;
    return event;
}

static void
check_read_back(const struct sw_event *event, const struct sw_buf *expected)
{
    static const char *const names[] = {
        "source", "server", "user", "client", "client_type", "native_id", "error"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        static struct pieces pieces;
        struct sw_buf buf;
        size_t found = 0;
        sw_buf_init(&buf, WHOLE);
        assert_true(write_event(&buf, kinds[i].format, event, WHOLE));
        assert_clean(&buf);
        kinds[i].take_apart(&pieces, &buf);
        for (size_t at = 0; at < pieces.count; at++) {
            for (size_t n = 0; n < COUNT_OF(names); n++) {
                if (sw_str_is(pieces.params[at].name, names[n])) {
                    found++;
                    assert_int_equal(pieces.params[at].value.size, expected->size);
                    assert_memory_equal(
                        pieces.params[at].value.data, expected->data, expected->size);
                }
            }
        }
        assert_int_equal(found, COUNT_OF(names));
        assert_int_equal(pieces.count, 22);
        rfc5424_fini(&pieces.message);
        sw_buf_fini(&buf);
    }
}

/* Names of one piece and of 64 KiB. */
static void
names_are_read_back_as_they_were_given(void **state)
{
    static const size_t sizes[] = {1, 65536};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        for (size_t s = 0; s < COUNT_OF(sizes); s++) {
            struct sw_buf name;
            struct sw_buf user;
            struct sw_buf expected;
            size_t times = sizes[s] / hostile[i].in.size + 1;
            repeat(&name, "", hostile[i].in, times);
            repeat(&user, "EX\\", hostile[i].in, times);
            repeat(&expected, "", hostile[i].out, times);
            struct sw_event event = hostile_event(&name, &user);
            check_read_back(&event, &expected);
            sw_buf_fini(&name);
            sw_buf_fini(&user);
            sw_buf_fini(&expected);
        }
    }
}

static void
long_names_are_cut_between_their_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        for (size_t shift = 0; shift < 4; shift++) {
            struct sw_buf name;
            struct sw_buf user;
            repeat(&name, &"xxx"[3 - shift], hostile[i].in, 4096 / hostile[i].in.size);
            repeat(&user, "EX\\", hostile[i].in, 4096 / hostile[i].in.size);
            struct sw_event event = hostile_event(&name, &user);
            check_sizes(&event, 723);
            /* One long name among short ones gives way alone. */
            event.source = SW_STR("local");
            event.server = SW_STR("fs01");
            event.user = SW_STR("EXAMPLE\\alice");
            check_sizes(&event, 723);
            sw_buf_fini(&name);
            sw_buf_fini(&user);
        }
    }
}

/* Everything as large as it can be, in the smallest message there is. */
static void
the_smallest_message_holds_the_largest_header(void **state)
{
    static char host[300];
    static char text[4096];
    (void)state;
    memset(host, 'h', sizeof(host));
    memset(text, '"', sizeof(text));
    struct sw_format_context context = golden_context();
    context.agent_name = (struct sw_str){host, sizeof(host)};
    struct sw_event event = golden_cases[golden_find("session_closed")].event();
    event.kind = SW_EVENT_SOURCE_UNREACHABLE; /* the longest MSGID */
    event.source = event.server = event.client = event.user = (struct sw_str){text, sizeof(text)};
    const struct sw_syslog_options options = {
        .facility = 23, .enterprise_id = INT64_MAX, .max_size = SIZE_MIN};
    const struct sw_format_record record = {&event, UINT64_MAX, INT32_MAX};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        static struct pieces pieces;
        struct sw_buf buf;
        sw_buf_init(&buf, WHOLE);
        assert_false(kinds[i].format->write(&record, &options, &context, &buf));
        assert_true(buf.size <= SIZE_MIN);
        assert_true(buf.size + 4 * WASTE >= SIZE_MIN);
        kinds[i].take_apart(&pieces, &buf);
        assert_int_equal(pieces.count, 8);
        for (size_t at = 0; at < pieces.count; at++) {
            /* Something of every name is still there. */
            assert_true(pieces.params[at].value.size > CUT_SIZE);
        }
        rfc5424_fini(&pieces.message);
        sw_buf_fini(&buf);
    }
}

/* A stranger's long name costs itself, not what comes after it. */
static void
a_long_value_takes_nothing_but_itself(void **state)
{
    static char text[4096];
    (void)state;
    memset(text, 'd', sizeof(text));
    memcpy(text + sizeof(text) - 6, "\\alice", 6);
    struct sw_event event = golden_cases[golden_find("session_closed")].event();
    event.user = (struct sw_str){text, sizeof(text)};
    struct sw_buf buf;
    sw_buf_init(&buf, WHOLE);
    assert_false(write_event(&buf, &sw_format_rfc5424, &event, 1024));
    assert_contains(buf.data, " user=\"alice\" ");
    assert_contains(buf.data, " reason=\"gone\" ");
    assert_contains(buf.data, " transport=\"\"]");
    assert_null(strstr(buf.data, "domain="));
    assert_true(buf.size >= 1024 - 3);
    sw_buf_fini(&buf);
}

/* Behind other records, and where the buffer has no room: no byte of them changes. */
static void
records_before_are_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct sw_event event = golden_cases[golden_find("hostile_long")].event();
        struct sw_buf alone;
        struct sw_buf behind;
        sw_buf_init(&alone, WHOLE);
        sw_buf_init(&behind, WHOLE);
        write_event(&alone, kinds[i].format, &event, 700);
        const struct sw_syslog_options options = {
            .facility = 23, .enterprise_id = 32473, .max_size = 700};
        const struct sw_format_context context = golden_context();
        const struct sw_format_record record = {&event, 42, 1};
        sw_buf_add_text(&behind, "before");
        assert_false(kinds[i].format->write(&record, &options, &context, &behind));
        assert_int_equal(behind.size, alone.size + 6);
        assert_memory_equal(behind.data, "before", 6);
        assert_memory_equal(behind.data + 6, alone.data, alone.size);
        for (size_t max = 6; max < 8192; max += 13) {
            sw_buf_fini(&behind);
            sw_buf_init(&behind, max);
            sw_buf_add_text(&behind, "before");
            (void)kinds[i].format->write(&record, &options, &context, &behind);
            assert_true(behind.failed || behind.size == alone.size + 6);
            assert_true(behind.size <= max);
            assert_memory_equal(behind.data, "before", 6);
        }
        sw_buf_fini(&alone);
        sw_buf_fini(&behind);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_keeps_what_matters_most),
        cmocka_unit_test(names_are_read_back_as_they_were_given),
        cmocka_unit_test(long_names_are_cut_between_their_characters),
        cmocka_unit_test(the_smallest_message_holds_the_largest_header),
        cmocka_unit_test(a_long_value_takes_nothing_but_itself),
        cmocka_unit_test(records_before_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
