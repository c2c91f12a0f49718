/* Heads of answers as receivers write them, and as they should not. */
#include "tests/support/unit.h"

#include "agent/base/time_text.h"
#include "sinks/net/http_answer.h"

#define NOW "2026-11-22T14:26:17Z"

static int64_t
at(const char *rfc3339)
{
    int64_t at_ns;
    assert_true(sw_time_parse(sw_str_of(rfc3339), &at_ns));
    return at_ns;
}

/* Lines end with \n, as libcurl hands them out one by one. */
static struct sw_http_head
read_head(const char *text)
{
    struct sw_http_head head;
    sw_http_head_init(&head, at(NOW));
    while (*text != '\0') {
        size_t size = strcspn(text, "\n") + 1;
        sw_http_head_line(&head, (struct sw_str){text, size});
        text += size;
    }
    return head;
}

static void
expect_status(const char *text, int status, bool is_complete)
{
    struct sw_http_head head = read_head(text);
    if (head.status != status || head.is_complete != is_complete) {
        fail_msg("of '%s': %d, %d", text, head.status, head.is_complete);
    }
}

static void
test_status(void **state)
{
    (void)state;
    expect_status("HTTP/1.1 200 OK\r\n\r\n", 200, true);
    expect_status("HTTP/1.0 204\r\n\r\n", 204, true);
    expect_status("HTTP/2 429 \r\n\r\n", 429, true);
    expect_status("HTTP/3 503 \r\nX: y\r\n\r\n", 503, true);
    expect_status("HTTP/1.1 599 \n\n", 599, true);
    expect_status("HTTP/1.1 200 OK\r\n", 200, false);
    expect_status("HTTP/1.1 200 OK\r\nX: y\r\n", 200, false);
    expect_status("", 0, false);
    expect_status("\r\n", 0, false);
    expect_status("HTTP/1.1 2000 OK\r\n\r\n", 0, false);
    expect_status("HTTP/1.1 20 OK\r\n\r\n", 0, false);
    expect_status("HTTP/1.1 099 OK\r\n\r\n", 0, false);
    expect_status("HTTP/1.1 600 OK\r\n\r\n", 0, false);
    expect_status("HTTP/1.1 -20 OK\r\n\r\n", 0, false);
    expect_status("HTTP/1.1  200 OK\r\n\r\n", 0, false);
    expect_status("HTTP/1.1200 OK\r\n\r\n", 0, false);
    expect_status("HTTP/ 200 OK\r\n\r\n", 0, false);
    expect_status("ICY 200 OK\r\n\r\n", 0, false);
}

static void
test_interim_answers_are_passed_over(void **state)
{
    (void)state;
    expect_status("HTTP/1.1 100 Continue\r\n\r\n", 0, false);
    expect_status("HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"
                  "HTTP/1.1 503 No\r\n\r\n",
        503, true);
    assert_int_equal(read_head("HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"
                               "HTTP/1.1 503 No\r\n\r\n")
                         .retry_after_ms,
        0);
}

static void
test_what_follows_the_head_counts_for_nothing(void **state)
{
    (void)state;
    struct sw_http_head head = read_head("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 No\r\n"
                                         "Retry-After: 5\r\n\r\n");
    assert_int_equal(head.status, 200);
    assert_int_equal(head.retry_after_ms, 0);
}

static void
expect_wait(const char *fields, int64_t wait_ms)
{
    char text[1024];
    snprintf(text, sizeof(text), "HTTP/1.1 429 x\r\n%s\r\n", fields);
    struct sw_http_head head = read_head(text);
    assert_true(head.is_complete);
    if (head.retry_after_ms != wait_ms) {
        fail_msg("of '%s': %lld ms", fields, (long long)head.retry_after_ms);
    }
}

static void
test_retry_after_seconds(void **state)
{
    (void)state;
    expect_wait("Retry-After: 120\r\n", 120000);
    expect_wait("retry-AFTER:7\r\n", 7000);
    expect_wait("Retry-After: \t 7 \t\r\n", 7000);
    expect_wait("Retry-After: 0\r\n", 0);
    expect_wait("Retry-After: 007\r\n", 7000);
    expect_wait("Retry-After: 1000000000\r\n", INT64_C(1000000000000));
    expect_wait("Retry-After: 99999999999999999999999999\r\n", INT64_C(1000000000000));
    expect_wait("Retry-After: 1.5\r\n", 0);
    expect_wait("Retry-After: -5\r\n", 0);
    expect_wait("Retry-After: +5\r\n", 0);
    expect_wait("Retry-After: 5s\r\n", 0);
    expect_wait("Retry-After: soon\r\n", 0);
    expect_wait("Retry-After:\r\n", 0);
    expect_wait("Retry-After 5\r\n", 0);
    expect_wait("Retry-After : 5\r\n", 0);
    expect_wait("X-Retry-After: 5\r\n", 0);
    expect_wait("Retry-Afte: 5\r\n", 0);
    expect_wait("Retry-After: soon\r\nRetry-After: 3\r\n", 3000);
    expect_wait("Retry-After: 4\r\nRetry-After: 3\r\n", 4000);
}

/* NOW is 14:26:17. */
static void
test_retry_after_dates(void **state)
{
    (void)state;
    expect_wait("Retry-After: Sun, 22 Nov 2026 14:27:17 GMT\r\n", 60000);
    expect_wait("Retry-After: Sunday, 22-Nov-26 14:26:27 GMT\r\n", 10000);
    expect_wait("Retry-After: Sun Nov 22 14:26:18 2026\r\n", 1000);
    expect_wait("Retry-After: Sun, 22 Nov 2026 14:26:16 GMT\r\n", 0);
    expect_wait("Retry-After: Sun, 22 Nov 2026 14:27:17\r\n", 0);
    expect_wait("Retry-After: Sun, 22 Nov 2026 14:27:17 GMT, Sun\r\n", 0);
}

/* The receiver's clock is years behind ours: what counts is its own date. */
static void
test_retry_after_is_by_the_receivers_clock(void **state)
{
    (void)state;
    expect_wait("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                "Retry-After: Thu, 01 Jan 1970 00:01:30 GMT\r\n",
        90000);
    expect_wait("Retry-After: Thu, 01 Jan 1970 00:01:30 GMT\r\n"
                "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
        90000);
    expect_wait("Date: yesterday\r\nRetry-After: Sun, 22 Nov 2026 14:27:17 GMT\r\n", 60000);
    expect_wait("Date: Fri, 01 Jan 1700 00:00:00 GMT\r\n"
                "Retry-After: Wed, 01 Jan 2250 00:00:00 GMT\r\n",
        INT64_C(17356291200000));
}

static void
expect_date(const char *text, const char *rfc3339)
{
    int64_t at_ns = SW_TIME_NONE;
    bool is_date = sw_http_date_parse(sw_str_of(text), at(NOW), &at_ns);
    if (is_date != (rfc3339 != NULL) || (rfc3339 != NULL && at_ns != at(rfc3339))) {
        fail_msg("of '%s': %d, %lld", text, is_date, (long long)at_ns);
    }
}

/* The examples of RFC 9110 §5.6.7, and their borders. */
static void
test_dates(void **state)
{
    (void)state;
    expect_date("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z");
    expect_date("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z");
    expect_date("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z");
    expect_date("Sun Nov 16 08:49:37 1994", "1994-11-16T08:49:37Z");
    expect_date("Tue, 29 Feb 2028 23:59:60 GMT", "2028-02-29T23:59:59Z");
    expect_date("Mon, 29 Feb 2027 00:00:00 GMT", NULL);
    expect_date("Sun, 31 Apr 2026 00:00:00 GMT", NULL);
    expect_date("Sun, 00 Nov 1994 08:49:37 GMT", NULL);
    expect_date("Sun, 06 Nov 1994 24:00:00 GMT", NULL);
    expect_date("Sun, 6 Nov 1994 08:49:37 GMT", NULL);
    expect_date("Sun, 06 Nov 94 08:49:37 GMT", NULL);
    expect_date("Sun, 06 nov 1994 08:49:37 GMT", NULL);
    expect_date("Sun, 06 Nov 1994 08:49:37 UTC", NULL);
    expect_date("Sun, 06 Nov 1994 08:49:37 +0100", NULL);
    expect_date("Sun, 06 Nov 1994 08:49 GMT", NULL);
    expect_date("Sun 06 Nov 1994 08:49:37 GMT", NULL);
    expect_date("06 Nov 1994 08:49:37 GMT", NULL);
    expect_date("Sun, 06 Nov 1000 08:49:37 GMT", NULL);
    expect_date("Sun, 06 Nov 9999 08:49:37 GMT", NULL);
    expect_date("Sun Nov 6 08:49:37 1994", NULL);
    expect_date("Sun Nov  6 08:49:37 1994 GMT", NULL);
    expect_date("Sun", NULL);
    expect_date("", NULL);
    expect_date("1994-11-06T08:49:37Z", NULL);
}

/* Two digits: at most 50 years ahead, else of the century before. */
static void
test_years_of_two_digits(void **state)
{
    (void)state;
    expect_date("Sunday, 06-Nov-26 00:00:00 GMT", "2026-11-06T00:00:00Z");
    expect_date("Sunday, 06-Nov-76 00:00:00 GMT", "2076-11-06T00:00:00Z");
    expect_date("Sunday, 06-Nov-77 00:00:00 GMT", "1977-11-06T00:00:00Z");
    expect_date("Sunday, 06-Nov-00 00:00:00 GMT", "2000-11-06T00:00:00Z");
    int64_t at_ns;
    assert_true(sw_http_date_parse(
        SW_STR("Sunday, 06-Nov-01 00:00:00 GMT"), at("2099-06-01T00:00:00Z"), &at_ns));
    assert_int_equal(at_ns, at("2101-11-06T00:00:00Z"));
}

static void
test_status_names(void **state)
{
    (void)state;
    assert_string_equal(sw_http_status_name(429), "Too Many Requests");
    assert_string_equal(sw_http_status_name(200), "OK");
    assert_string_equal(sw_http_status_name(299), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_interim_answers_are_passed_over),
        cmocka_unit_test(test_what_follows_the_head_counts_for_nothing),
        cmocka_unit_test(test_retry_after_seconds),
        cmocka_unit_test(test_retry_after_dates),
        cmocka_unit_test(test_retry_after_is_by_the_receivers_clock),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_years_of_two_digits),
        cmocka_unit_test(test_status_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
