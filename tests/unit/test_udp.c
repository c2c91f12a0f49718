/* Datagrams over loopback, and what comes back of them. */
#include <errno.h>
#include <fcntl.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "tests/support/fake_net.h"
#include "tests/support/receiver.h"

#define MANY 1000

static int
reset(void **state)
{
    (void)state;
    fake_net_reset();
    return 0;
}

static struct sw_udp
udp_to(uint16_t port)
{
    struct sw_udp udp;
    struct sw_err err;
    const struct sw_address address = {.bytes = {127, 0, 0, 1}, .port = port};
    assert_int_equal(sw_udp_open(&udp, &address, &err), SW_UDP_NONE);
    assert_true((fcntl(udp.fd, F_GETFD) & FD_CLOEXEC) != 0);
    return udp;
}

static int64_t
soon(void)
{
    return sw_clock_boot_ns() + 30 * SW_NS_PER_S;
}

static void
datagrams_arrive_each_alone_and_in_order(void **state)
{
    static struct sw_str datagrams[MANY];
    static char texts[MANY][16];
    struct receiver receiver = receiver_open("127.0.0.1", 0);
    struct sw_udp udp = udp_to(receiver.port);
    struct sw_err err;
    size_t sent;
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof(texts[i]), "number %zu", i);
        datagrams[i] = sw_str_of(texts[i]);
    }
    /* The default buffer holds some 270 small ones. */
    for (size_t from = 0; from < MANY; from += 200) {
        assert_int_equal(
            sw_udp_send(&udp, datagrams + from, 200, soon(), NULL, &sent, &err), SW_UDP_NONE);
        assert_int_equal(sent, 200);
        for (size_t i = from; i < from + 200; i++) {
            receiver_expect(&receiver, texts[i]);
        }
    }
    assert_int_equal(sw_udp_hear(&udp, 0, NULL, &err), SW_UDP_NONE);
    receiver_expect_nothing(&receiver);
    sw_udp_close(&udp);
    sw_udp_close(&udp);
    receiver_close(&receiver);
}

static void
a_large_one_goes_in_fragments_and_one_beyond_udp_is_too_big(void **state)
{
    static char bytes[70000];
    static char taken[70000];
    struct receiver receiver = receiver_open("127.0.0.1", 0);
    struct sw_udp udp = udp_to(receiver.port);
    const struct sw_str datagrams[] = {SW_STR("a"), {bytes, 65507}, {bytes, 65508}, SW_STR("b")};
    struct sw_err err;
    size_t sent;
    int value = -1;
    socklen_t size = sizeof(value);
    (void)state;
    assert_int_equal(getsockopt(udp.fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, &size), 0);
    assert_int_equal(value, IP_PMTUDISC_DONT);
    /* Without it, errors that a send swallows and what a full queue drops go unheard. */
    assert_int_equal(getsockopt(udp.fd, IPPROTO_IP, IP_RECVERR, &value, &size), 0);
    assert_int_equal(value, 1);
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(sw_udp_send(&udp, datagrams, 4, soon(), NULL, &sent, &err), SW_UDP_TOO_BIG);
    assert_int_equal(sent, 2);
    assert_int_equal(sw_udp_send(&udp, datagrams + 3, 1, soon(), NULL, &sent, &err), SW_UDP_NONE);
    assert_int_equal(sw_udp_hear(&udp, 0, NULL, &err), SW_UDP_NONE);
    receiver_expect(&receiver, "a");
    assert_int_equal(receiver_take(&receiver, taken, sizeof(taken)), 65507);
    receiver_expect(&receiver, "b");
    sw_udp_close(&udp);
    receiver_close(&receiver);
}

static void
what_comes_back_is_heard_also_when_a_send_swallows_it(void **state)
{
    const struct sw_str datagrams[] = {SW_STR("1"), SW_STR("2"), SW_STR("3"), SW_STR("4")};
    struct receiver receiver = receiver_open("127.0.0.1", 0);
    struct sw_udp udp = udp_to(receiver.port);
    struct sw_err err = {0};
    size_t sent;
    (void)state;
    receiver_close(&receiver);
    enum sw_udp_fault fault = sw_udp_send(&udp, datagrams, 4, soon(), NULL, &sent, &err);
    if (fault == SW_UDP_NONE) {
        fault = sw_udp_hear(&udp, soon(), NULL, &err);
    }
    assert_int_equal(fault, SW_UDP_REFUSED);
    assert_int_equal(err.code, ECONNREFUSED);
    /* Told once: the next one goes out, and comes back. */
    (void)sw_udp_hear(&udp, 0, NULL, &err);
    assert_int_equal(sw_udp_hear(&udp, 0, NULL, &err), SW_UDP_NONE);
    assert_int_equal(sw_udp_send(&udp, datagrams, 1, soon(), NULL, &sent, &err), SW_UDP_NONE);
    assert_int_equal(sent, 1);
    assert_int_equal(sw_udp_hear(&udp, soon(), NULL, &err), SW_UDP_REFUSED);
    sw_udp_close(&udp);
}

static void
hearing_ends_in_time(void **state)
{
    struct receiver receiver = receiver_open("127.0.0.1", 0);
    struct sw_udp udp = udp_to(receiver.port);
    struct sw_latch stop;
    struct sw_err err;
    (void)state;
    int64_t until_ns = sw_clock_boot_ns() + 5 * SW_NS_PER_MS;
    assert_int_equal(sw_udp_hear(&udp, until_ns, NULL, &err), SW_UDP_NONE);
    assert_true(sw_clock_boot_ns() >= until_ns);
    assert_true(sw_latch_init(&stop, &err));
    sw_latch_set(&stop);
    /* The time limit of the test is what fails it. */
    assert_int_equal(sw_udp_hear(&udp, INT64_MAX, &stop, &err), SW_UDP_NONE);
    sw_latch_fini(&stop);
    sw_udp_close(&udp);
    receiver_close(&receiver);
}

static void
faults_have_their_kind_and_say_what_went_out(void **state)
{
    static const struct {
        int code;
        enum sw_udp_fault fault;
    } faults[] = {
        {ECONNREFUSED, SW_UDP_REFUSED},
        {EMSGSIZE, SW_UDP_TOO_BIG},
        {ENOBUFS, SW_UDP_NO_ROOM},
        {ENOMEM, SW_UDP_NO_ROOM},
        {ENETUNREACH, SW_UDP_UNREACHABLE},
        {EHOSTUNREACH, SW_UDP_UNREACHABLE},
        {EPERM, SW_UDP_UNREACHABLE},
        {EAGAIN, SW_UDP_WAITS},
        {EINVAL, SW_UDP_BROKEN},
        {EBADF, SW_UDP_BROKEN},
    };
    const struct sw_str datagrams[] = {SW_STR("12"), SW_STR("34"), SW_STR("56")};
    struct receiver receiver = receiver_open("127.0.0.1", 0);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct sw_udp udp = udp_to(receiver.port);
        struct sw_err err = {0};
        size_t sent;
        fake_send_room(5, faults[i].code);
        int64_t until_ns = sw_clock_boot_ns() + 5 * SW_NS_PER_MS;
        assert_int_equal(
            sw_udp_send(&udp, datagrams, 3, until_ns, NULL, &sent, &err), faults[i].fault);
        assert_int_equal(sent, 2);
        assert_true(err.text[0] != '\0');
        receiver_expect(&receiver, "12");
        receiver_expect(&receiver, "34");
        receiver_expect_nothing(&receiver);
        sw_udp_close(&udp);
    }
    receiver_close(&receiver);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(datagrams_arrive_each_alone_and_in_order, reset),
        cmocka_unit_test_teardown(
            a_large_one_goes_in_fragments_and_one_beyond_udp_is_too_big, reset),
        cmocka_unit_test_teardown(what_comes_back_is_heard_also_when_a_send_swallows_it, reset),
        cmocka_unit_test_teardown(hearing_ends_in_time, reset),
        cmocka_unit_test_teardown(faults_have_their_kind_and_say_what_went_out, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
