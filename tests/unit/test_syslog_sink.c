/* What the syslog sink promises beyond what every sink must (tests/conformance/test_sink.c). */
#include <errno.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "tests/conformance/sink_fixture.h"
#include "tests/support/fake_net.h"
#include "tests/support/receiver.h"

#define RECORDS_MAX 16

struct bench {
    const struct sw_sink_class *class;
    char address[64];
    void *conf;
    struct sw_sink sink;
    struct receiver receiver;
    struct sw_event event;
    struct sw_record records[RECORDS_MAX];
    enum sw_result results[RECORDS_MAX];
    struct sw_answer answer;
    struct sw_err err;
};

static int
setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->class = sw_sink_class_find("syslog");
    b->receiver = receiver_open("127.0.0.1", 0);
    snprintf(b->address, sizeof(b->address), "udp://siem.test:%u", (unsigned)b->receiver.port);
    fake_name_set("siem.test", "127.0.0.1");
    b->conf = calloc(1, b->class->part.conf_size);
    conf_set_text(b->class, b->conf, "address", b->address);
    conf_set_number(b->class, b->conf, "max_size", 2048);
    b->class->part.prepare(b->conf);
    b->sink = (struct sw_sink){b->class, "test", b->conf, calloc(1, b->class->state_size)};
    sw_event_init(&b->event, SW_EVENT_AGENT_ALIVE);
    assert_true(b->class->init(&b->sink, &b->err));
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *b = *state;
    b->class->fini(&b->sink);
    receiver_close(&b->receiver);
    fake_net_reset();
    free(b->sink.state);
    free(b->conf);
    free(b);
    return 0;
}

static int64_t
soon(void)
{
    return sw_clock_boot_ns() + 30 * SW_NS_PER_S;
}

static void
connect_it(struct bench *b)
{
    if (b->class->connect(&b->sink, soon(), &b->err) != SW_OUTCOME_OK) {
        fail_msg("connect: %s", b->err.text);
    }
}

static void
put(struct bench *b, size_t at, struct sw_str bytes)
{
    b->records[at] = (struct sw_record){at + 1, &b->event, bytes, false};
    b->results[at] = SW_RESULT_AGAIN;
}

/* "1" to "count". */
static enum sw_outcome
send_numbers(struct bench *b, size_t count)
{
    static const char numbers[] = "123456789";
    for (size_t i = 0; i < count; i++) {
        put(b, i, (struct sw_str){numbers + i, 1});
    }
    memset(&b->answer, 0, sizeof(b->answer));
    sw_err_clear(&b->err);
    return b->class->send(&b->sink, b->records, count, b->results, &b->answer, soon(), &b->err);
}

static void
expect_results(const struct bench *b, size_t count, enum sw_result result)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(b->results[i], result);
    }
}

static void
expect_arrived(struct receiver *receiver, size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        char text[8];
        snprintf(text, sizeof(text), "%zu", i);
        receiver_expect(receiver, text);
    }
    receiver_expect_nothing(receiver);
}

static void
nobody_listening_is_told_and_nothing_is_done(void **state)
{
    struct bench *b = *state;
    char place[128];
    uint16_t port = b->receiver.port;
    receiver_close(&b->receiver);
    connect_it(b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_numbers(b, 9), SW_OUTCOME_LATER);
        expect_results(b, 9, SW_RESULT_AGAIN);
        snprintf(
            place, sizeof(place), "nobody listens at siem.test:%u (127.0.0.1)", (unsigned)port);
        assert_string_equal(b->err.text, place);
    }
    b->receiver = receiver_open("127.0.0.1", port);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
    expect_results(b, 9, SW_RESULT_DONE);
    expect_arrived(&b->receiver, 9);
}

/* Nobody says which of them came back. */
static void
a_receiver_that_goes_makes_the_whole_send_again(void **state)
{
    struct bench *b = *state;
    uint16_t port = b->receiver.port;
    connect_it(b);
    assert_int_equal(send_numbers(b, 3), SW_OUTCOME_OK);
    expect_arrived(&b->receiver, 3);
    receiver_close(&b->receiver);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_LATER);
    expect_results(b, 9, SW_RESULT_AGAIN);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_LATER);
    b->receiver = receiver_open("127.0.0.1", port);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
    expect_arrived(&b->receiver, 9);
}

/* A receiver that may be away is sent one, not all that is waiting. */
static void
an_address_is_tried_with_one_datagram(void **state)
{
    struct bench *b = *state;
    uint16_t port = b->receiver.port;
    connect_it(b);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
    assert_string_equal(fake_send_calls(), "1 8");
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
    assert_string_equal(fake_send_calls(), "9");
    receiver_close(&b->receiver);
    assert_int_equal(send_numbers(b, 1), SW_OUTCOME_LATER);
    (void)fake_send_calls();
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_LATER);
    assert_string_equal(fake_send_calls(), "1");
    b->receiver = receiver_open("127.0.0.1", port);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
    assert_string_equal(fake_send_calls(), "1 8");
    b->class->disconnect(&b->sink);
    connect_it(b);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
    assert_string_equal(fake_send_calls(), "1 8");
}

static void
one_that_is_too_large_is_refused_alone(void **state)
{
    static char large[70000];
    struct bench *b = *state;
    memset(large, 'x', sizeof(large));
    connect_it(b);
    assert_int_equal(send_numbers(b, 1), SW_OUTCOME_OK);
    receiver_expect(&b->receiver, "1");
    put(b, 0, SW_STR("a"));
    put(b, 1, (struct sw_str){large, sizeof(large)});
    put(b, 2, SW_STR("b"));
    put(b, 3, (struct sw_str){large, sizeof(large)});
    put(b, 4, SW_STR("c"));
    memset(&b->answer, 0, sizeof(b->answer));
    assert_int_equal(
        b->class->send(&b->sink, b->records, 5, b->results, &b->answer, soon(), &b->err),
        SW_OUTCOME_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(b->results[i], i % 2 == 0 ? SW_RESULT_DONE : SW_RESULT_UNFIT);
    }
    assert_contains(b->answer.text, "a message of 70000 bytes is too large");
    assert_contains(b->answer.text, "lower max_size (2048)");
    receiver_expect(&b->receiver, "a");
    receiver_expect(&b->receiver, "b");
    receiver_expect(&b->receiver, "c");
    receiver_expect_nothing(&b->receiver);
}

static void
faults_of_the_moment_keep_what_went_out(void **state)
{
    static const int codes[] = {ENOBUFS, EAGAIN};
    struct bench *b = *state;
    connect_it(b);
    assert_int_equal(send_numbers(b, 1), SW_OUTCOME_OK);
    expect_arrived(&b->receiver, 1);
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        fake_send_room(4, codes[i]);
        for (size_t at = 0; at < 9; at++) {
            b->results[at] = SW_RESULT_AGAIN;
        }
        send_numbers(b, 0);
        static const char numbers[] = "123456789";
        for (size_t at = 0; at < 9; at++) {
            put(b, at, (struct sw_str){numbers + at, 1});
        }
        int64_t until_ns = sw_clock_boot_ns() + 20 * SW_NS_PER_MS;
        assert_int_equal(
            b->class->send(&b->sink, b->records, 9, b->results, &b->answer, until_ns, &b->err),
            SW_OUTCOME_LATER);
        expect_results(b, 4, SW_RESULT_DONE);
        assert_int_equal(b->results[4], SW_RESULT_AGAIN);
        assert_contains(b->err.text, "siem.test:");
        expect_arrived(&b->receiver, 4);
        fake_send_room(UINT64_MAX, 0);
        assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
        expect_arrived(&b->receiver, 9);
    }
}

static void
no_way_is_tried_again_and_makes_all_of_it_again(void **state)
{
    struct bench *b = *state;
    connect_it(b);
    assert_int_equal(send_numbers(b, 1), SW_OUTCOME_OK);
    expect_arrived(&b->receiver, 1);
    fake_send_room(2, EHOSTUNREACH);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_LATER);
    expect_results(b, 9, SW_RESULT_AGAIN);
    fake_send_room(UINT64_MAX, 0);
    expect_arrived(&b->receiver, 2);
    assert_int_equal(send_numbers(b, 9), SW_OUTCOME_OK);
    expect_arrived(&b->receiver, 9);
}

static void
a_name_that_leads_elsewhere_after_an_error_is_followed_and_told(void **state)
{
    struct bench *b = *state;
    uint16_t port = b->receiver.port;
    connect_it(b);
    assert_int_equal(send_numbers(b, 1), SW_OUTCOME_OK);
    assert_string_equal(b->answer.news, "");
    receiver_close(&b->receiver);
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_LATER);
    struct receiver other = receiver_open("127.0.0.2", port);
    fake_name_set("siem.test", "127.0.0.2");
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_OK);
    assert_string_equal(b->answer.news, "siem.test is now 127.0.0.2");
    expect_arrived(&other, 2);
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_OK);
    assert_string_equal(b->answer.news, "");
    receiver_close(&other);
}

static void
the_addresses_of_a_name_have_their_turns(void **state)
{
    struct bench *b = *state;
    fake_name_set("siem.test", "127.0.0.3 127.0.0.1");
    connect_it(b);
    assert_int_equal(send_numbers(b, 3), SW_OUTCOME_LATER);
    assert_contains(b->err.text, "(127.0.0.3)");
    assert_int_equal(send_numbers(b, 3), SW_OUTCOME_OK);
    assert_string_equal(b->answer.news, "siem.test: turns to its address 127.0.0.1");
    expect_arrived(&b->receiver, 3);
    assert_int_equal(fake_name_count(), 2);
}

static void
a_lookup_that_fails_keeps_the_address(void **state)
{
    struct bench *b = *state;
    uint16_t port = b->receiver.port;
    connect_it(b);
    receiver_close(&b->receiver);
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_LATER);
    b->receiver = receiver_open("127.0.0.1", port);
    fake_name_set("siem.test", "");
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_OK);
    assert_contains(b->answer.text, "look up siem.test");
    assert_contains(b->answer.text, "goes on with 127.0.0.1");
    expect_arrived(&b->receiver, 2);
    /* It is said until the name is known again. */
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_OK);
    assert_contains(b->answer.text, "goes on with 127.0.0.1");
}

static void
a_name_that_is_not_known_yet_is_later(void **state)
{
    struct bench *b = *state;
    fake_name_set("siem.test", "");
    assert_int_equal(b->class->connect(&b->sink, soon(), &b->err), SW_OUTCOME_LATER);
    assert_contains(b->err.text, "look up siem.test");
    fake_name_set("siem.test", "127.0.0.1");
    connect_it(b);
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_OK);
    expect_arrived(&b->receiver, 2);
}

static void
name_servers_that_hang_stop_nothing_that_is_known(void **state)
{
    struct bench *b = *state;
    uint16_t port = b->receiver.port;
    connect_it(b);
    receiver_close(&b->receiver);
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_LATER);
    b->receiver = receiver_open("127.0.0.1", port);
    fake_name_hang(true);
    b->class->interrupt(&b->sink); /* nobody waits out the two seconds */
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_OK);
    expect_arrived(&b->receiver, 2);
    fake_name_wait(2);
    assert_int_equal(send_numbers(b, 2), SW_OUTCOME_OK);
    assert_int_equal(fake_name_count(), 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nobody_listening_is_told_and_nothing_is_done),
        TEST(a_receiver_that_goes_makes_the_whole_send_again),
        TEST(an_address_is_tried_with_one_datagram),
        TEST(one_that_is_too_large_is_refused_alone),
        TEST(faults_of_the_moment_keep_what_went_out),
        TEST(no_way_is_tried_again_and_makes_all_of_it_again),
        TEST(a_name_that_leads_elsewhere_after_an_error_is_followed_and_told),
        TEST(the_addresses_of_a_name_have_their_turns),
        TEST(a_lookup_that_fails_keeps_the_address),
        TEST(a_name_that_is_not_known_yet_is_later),
        TEST(name_servers_that_hang_stop_nothing_that_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
