/* The pure parts of the webhook: envelope, signature, and what an answer means. */
#include <zlib.h>

#include "sinks/webhook/answer.h"
#include "sinks/webhook/envelope.h"
#include "sinks/webhook/sign.h"
#include "tests/support/unit.h"

static struct sw_event events[3];
static const struct sw_record records[3] = {
    {1, &events[0], {"{\"a\":1}", 7}, false},
    {2, &events[1], {"{\"b\":2}", 7}, false},
    {3, &events[2], {"{}", 2}, false},
};

static int
setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        sw_event_init(&events[i], SW_EVENT_AGENT_ALIVE);
        memset(events[i].id.bytes, (int)i + 1, sizeof(events[i].id.bytes));
    }
    return 0;
}

static void
expect_body(enum sw_envelope envelope, size_t count, const char *expected, const char *type)
{
    struct sw_buf body;
    sw_buf_init(&body, 1024);
    sw_envelope_write(envelope, records, count, &body);
    assert_string_equal(sw_buf_text(&body), expected);
    assert_string_equal(sw_envelope_content_type(envelope), type);
    sw_buf_fini(&body);
}

static void
test_bodies(void **state)
{
    (void)state;
    expect_body(SW_ENVELOPE_ARRAY, 3, "[{\"a\":1},{\"b\":2},{}]", "application/json");
    expect_body(SW_ENVELOPE_ARRAY, 1, "[{\"a\":1}]", "application/json");
    expect_body(SW_ENVELOPE_NDJSON, 3, "{\"a\":1}\n{\"b\":2}\n{}\n", "application/x-ndjson");
    expect_body(SW_ENVELOPE_SINGLE, 1, "{\"a\":1}", "application/json");
    expect_body(SW_ENVELOPE_SINGLE, 3, "{\"a\":1}", "application/json");
    assert_int_equal(sw_envelope_count(SW_ENVELOPE_SINGLE, 3), 1);
    assert_int_equal(sw_envelope_count(SW_ENVELOPE_ARRAY, 3), 3);
}

static char *
id_of(const struct sw_record *first, size_t count)
{
    struct sw_buf id;
    sw_buf_init(&id, 1024);
    sw_envelope_add_id(first, count, &id);
    return sw_buf_take(&id);
}

static void
test_ids(void **state)
{
    (void)state;
    char *one = id_of(records, 1);
    char *all = id_of(records, 3);
    char *again = id_of(records, 3);
    char *two = id_of(records, 2);
    const struct sw_record swapped[] = {records[1], records[0]};
    char *other = id_of(swapped, 2);
    assert_string_equal(one, "01010101-0101-0101-0101-010101010101");
    assert_string_equal(all, again);
    assert_int_equal(strlen(all), 32);
    assert_null(strchr(all, '.'));
    assert_string_not_equal(all, two);
    assert_string_not_equal(two, other);
    free(one);
    free(all);
    free(again);
    free(two);
    free(other);
}

static void
expect_zipped(struct sw_str text)
{
    struct sw_err err;
    struct sw_buf zipped;
    char *back = malloc(text.size + 1);
    sw_buf_init(&zipped, text.size + 1024);
    sw_buf_add_text(&zipped, "before");
    assert_true(sw_envelope_gzip(text, &zipped, &err));
    z_stream stream = {.next_in = (Bytef *)zipped.data + 6,
        .avail_in = (uInt)zipped.size - 6,
        .next_out = (Bytef *)back,
        .avail_out = (uInt)text.size + 1};
    assert_memory_equal(zipped.data, "before\x1f\x8b", 8);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, text.size);
    assert_int_equal(stream.avail_in, 0);
    assert_memory_equal(back, text.data, text.size);
    inflateEnd(&stream);
    sw_buf_fini(&zipped);
    free(back);
}

static void
test_gzip(void **state)
{
    (void)state;
    struct sw_err err;
    struct sw_buf small;
    char *large = malloc(1 << 20);
    uint32_t random = 1;
    for (size_t i = 0; i < 1 << 20; i++) {
        random = random * 1664525 + 1013904223;
        large[i] = (char)(random >> 24);
    }
    expect_zipped(SW_STR(""));
    expect_zipped(SW_STR("[{\"a\":1},{\"a\":1},{\"a\":1}]"));
    expect_zipped((struct sw_str){large, 1 << 20});
    sw_buf_init(&small, 100);
    assert_false(sw_envelope_gzip((struct sw_str){large, 1000}, &small, &err));
    assert_contains(err.text, "1000 bytes");
    sw_buf_fini(&small);
    free(large);
}

static void
expect_key(const char *text, bool is_good)
{
    struct sw_buf key;
    sw_buf_init(&key, 1024);
    if (sw_sign_key(sw_str_of(text), &key) != is_good) {
        fail_msg("of '%s'", text);
    }
    sw_buf_fini(&key);
}

static void
test_keys(void **state)
{
    (void)state;
    expect_key("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true);
    expect_key("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", true);  /* 24 bytes */
    expect_key("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", false); /* 23 */
    expect_key(
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAA==",
        true); /* 64 */
    expect_key(
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAA=",
        false); /* 65 */
    expect_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", false);
    expect_key("whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", false);
    expect_key("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", false);
    expect_key("whsec_", false);
    expect_key("", false);
}

/* Signatures of Python's hmac over the same bytes. */
static void
test_signatures(void **state)
{
    (void)state;
    static const char body[] = "{\"type\":\"session.opened\",\"timestamp\":"
                               "\"2026-01-02T03:04:05.678Z\",\"data\":{\"user\":\"alice\"}}";
    const struct sw_sign_message message = {.id = SW_STR("msg_2Lh9KRb0pzN4LePd3XiA4v12Axj"),
        .timestamp_s = 1731705121,
        .body = {body, sizeof(body) - 1}};
    struct sw_buf key;
    struct sw_buf value;
    sw_buf_init(&key, 64);
    sw_buf_init(&value, 1024);
    assert_true(sw_sign_key(SW_STR("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), &key));
    const struct sw_str keys[] = {{key.data, key.size}, SW_STR("another key of thirty-two bytes!")};
    sw_sign_add(&value, keys, 1, &message);
    assert_string_equal(sw_buf_text(&value), "v1,iMG0dA94ZVV7oVUf3nqRH6ooIXJp2AJqJLHcHah9y6o=");
    sw_buf_clear(&value);
    sw_sign_add(&value, keys, 2, &message);
    assert_string_equal(sw_buf_text(&value), "v1,iMG0dA94ZVV7oVUf3nqRH6ooIXJp2AJqJLHcHah9y6o= "
                                             "v1,1SqMAl5xAbxBwk3lQADARlvFuy8vbFtAx/FgGDzC0pc=");
    sw_buf_fini(&key);
    sw_buf_fini(&value);
}

static void
expect_outcome(const int *statuses, size_t count, enum sw_outcome outcome, enum sw_result result)
{
    for (size_t i = 0; i < count; i++) {
        enum sw_result given = SW_RESULT_DONE;
        if (sw_webhook_judge(statuses[i], &given) != outcome || given != result) {
            fail_msg("of %d", statuses[i]);
        }
    }
}

static void
test_outcomes(void **state)
{
    (void)state;
    static const int done[] = {200, 201, 202, 204, 206, 299};
    static const int later[] = {408, 409, 425, 429, 500, 502, 503, 504, 507, 520, 599};
    static const int refused[] = {400, 413, 422};
    static const int paused[] = {300, 301, 302, 303, 304, 307, 308, 399, 401, 402, 403, 404, 405,
        406, 407, 410, 411, 412, 414, 415, 416, 418, 421, 426, 428, 431, 451, 499, 501, 505};
    static const int broken[] = {0, -1, 100, 101, 199, 600, 999};
    expect_outcome(done, COUNT_OF(done), SW_OUTCOME_OK, SW_RESULT_DONE);
    expect_outcome(later, COUNT_OF(later), SW_OUTCOME_LATER, SW_RESULT_AGAIN);
    expect_outcome(refused, COUNT_OF(refused), SW_OUTCOME_OK, SW_RESULT_REFUSED);
    expect_outcome(paused, COUNT_OF(paused), SW_OUTCOME_PAUSED, SW_RESULT_AGAIN);
    expect_outcome(broken, COUNT_OF(broken), SW_OUTCOME_BROKEN, SW_RESULT_AGAIN);
}

static void
expect_told(int status, const char *body, const char *expected)
{
    struct sw_redact redact = {0};
    struct sw_http_answer answer = {.class = SW_HTTP_ANSWERED, .status = status};
    char text[SW_ANSWER_TEXT_SIZE];
    answer.text_size = strlen(body);
    memcpy(answer.text, body, answer.text_size);
    sw_redact_add(&redact, SW_STR("secret-token"));
    sw_webhook_tell(&answer, &redact, text);
    assert_string_equal(text, expected);
    sw_redact_fini(&redact);
}

static void
test_told(void **state)
{
    (void)state;
    expect_told(429, "slow down", "HTTP 429 Too Many Requests: slow down");
    expect_told(429, "", "HTTP 429 Too Many Requests");
    expect_told(429, "\r\n \t", "HTTP 429 Too Many Requests");
    expect_told(520, "", "HTTP 520");
    expect_told(200, "thanks", "HTTP 200 OK");
    expect_told(301, "", "HTTP 301 Moved Permanently (not followed)");
    expect_told(400, "\n\n  first\r\nsecond", "HTTP 400 Bad Request: first");
    expect_told(403, "bad Secret-Token", "HTTP 403 Forbidden: bad ***");
    expect_told(403, "a\x1b[31mb\x9b\xe2\x80\xae",
        "HTTP 403 Forbidden: a\\u{1B}[31mb\xef\xbf\xbd"
        "\\u{202E}");
}

/* The longest texts end at a code point, whole or with a secret cut in two. */
static void
test_told_is_short(void **state)
{
    (void)state;
    struct sw_redact redact = {0};
    struct sw_http_answer answer = {
        .status = 500, .text_size = sizeof(answer.text), .is_cut = true};
    char text[SW_ANSWER_TEXT_SIZE];
    sw_redact_add(&redact, SW_STR("secret-token"));
    for (size_t i = 0; i < sizeof(answer.text); i++) {
        answer.text[i] = "\xe2\x82\xac"[i % 3];
    }
    sw_webhook_tell(&answer, &redact, text);
    assert_true(strlen(text) < sizeof(text) && strlen(text) > sizeof(text) - 4);
    assert_true(sw_utf8_is_valid(sw_str_of(text)));
    for (size_t i = 0; i < sizeof(answer.text); i++) {
        answer.text[i] = "secret-token"[i % 12];
    }
    sw_webhook_tell(&answer, &redact, text);
    assert_null(strstr(text, "secr"));
    memset(answer.text, ' ', sizeof(answer.text));
    memcpy(answer.text + sizeof(answer.text) - 6, "secret", 6);
    sw_webhook_tell(&answer, &redact, text);
    assert_string_equal(text, "HTTP 500 Internal Server Error: ***");
    sw_redact_fini(&redact);
}

static void
test_trouble(void **state)
{
    (void)state;
    struct sw_redact redact = {0};
    struct sw_http_answer answer = {.text = "Could not resolve host: x\nforged", .text_size = 32};
    struct sw_buf buf;
    sw_buf_init(&buf, 1024);
    sw_webhook_tell_trouble(&answer, &redact, &buf);
    assert_string_equal(sw_buf_text(&buf), "could not resolve host: x");
    sw_buf_clear(&buf);
    answer = (struct sw_http_answer){.text = "SSL trouble", .text_size = 11};
    sw_webhook_tell_trouble(&answer, &redact, &buf);
    assert_string_equal(sw_buf_text(&buf), "SSL trouble");
    sw_buf_clear(&buf);
    answer = (struct sw_http_answer){.text = "OpenSSL trouble", .text_size = 15};
    sw_webhook_tell_trouble(&answer, &redact, &buf);
    assert_string_equal(sw_buf_text(&buf), "OpenSSL trouble");
    sw_buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_told_is_short),
        cmocka_unit_test(test_trouble),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
