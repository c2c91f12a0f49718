#include "tests/support/unit.h"

#include "sinks/net/curl_class.h"

/* By their numbers, which libcurl never changes. */
static void
test_codes(void **state)
{
    (void)state;
    static const int refused[] = {3, 4, 43, 48, 53, 54, 58, 59, 60, 64, 66, 77, 82, 83, 90, 91, 98};
    static const int network[] = {1, 2, 5, 6, 7, 8, 16, 18, 23, 27, 35, 52, 55, 56, 61, 80, 92, 97};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(sw_curl_class(refused[i], ""), SW_HTTP_REFUSED);
    }
    for (size_t i = 0; i < COUNT_OF(network); i++) {
        assert_int_equal(sw_curl_class(network[i], ""), SW_HTTP_NETWORK);
    }
    assert_int_equal(sw_curl_class(28, ""), SW_HTTP_TIMEOUT);
    assert_int_equal(sw_curl_class(9999, ""), SW_HTTP_NETWORK);
}

/* As libcurl 7.88 with OpenSSL 3.0 says them. */
static void
test_alerts(void **state)
{
    (void)state;
    static const char asked[] = "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert "
                                "certificate required, errno 0";
    assert_int_equal(sw_curl_class(56, asked), SW_HTTP_REFUSED);
    assert_int_equal(sw_curl_class(55, asked), SW_HTTP_REFUSED);
    assert_int_equal(
        sw_curl_class(35, "error:0A000410:SSL routines::sslv3 alert handshake failure"),
        SW_HTTP_REFUSED);
    assert_int_equal(sw_curl_class(35, "error:0A00042E:SSL routines::tlsv1 alert protocol version"),
        SW_HTTP_REFUSED);
    assert_int_equal(sw_curl_class(56, "OpenSSL SSL_read: Connection reset by peer, errno 104"),
        SW_HTTP_NETWORK);
    assert_int_equal(
        sw_curl_class(56, "error:0A000438:SSL routines::tlsv1 alert internal error, errno 0"),
        SW_HTTP_NETWORK);
    assert_int_equal(sw_curl_class(7, asked), SW_HTTP_NETWORK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_alerts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
