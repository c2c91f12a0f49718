/* Looking up names that are there, are not, and never answer. */
#include <dirent.h>
#include <pthread.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "tests/support/fake_net.h"
#include "tests/support/unit.h"

static int
reset(void **state)
{
    (void)state;
    fake_net_reset();
    return 0;
}

static int64_t
soon(void)
{
    return sw_clock_boot_ns() + 30 * SW_NS_PER_S;
}

static size_t
count_fds(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

static const char *
text_of(const struct sw_address *address)
{
    static char text[128];
    struct sw_buf buf;
    sw_buf_init(&buf, sizeof(text));
    sw_address_add(&buf, address);
    snprintf(text, sizeof(text), "%s", sw_buf_text(&buf));
    sw_buf_fini(&buf);
    return text;
}

static void
addresses_need_no_name_server(void **state)
{
    static const char *const texts[] = {"127.0.0.1", "255.255.255.255", "::1", "2001:db8::1"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct sw_addresses found;
        struct sw_err err;
        fake_name_set(texts[i], "");
        struct sw_resolver *resolver = sw_resolver_new(texts[i], 514);
        /* Also when there is no time at all. */
        assert_int_equal(sw_resolver_ask(resolver, &found, 0, NULL, &err), SW_LOOKUP_DONE);
        assert_int_equal(found.count, 1);
        assert_int_equal(found.items[0].port, 514);
        assert_string_equal(text_of(&found.items[0]), texts[i]);
        sw_resolver_free(resolver);
    }
    assert_int_equal(fake_name_count(), 0);
    struct sw_address local = {.is_ipv6 = true, .bytes = {0xfe, 0x80, [15] = 1}, .scope = 3};
    assert_string_equal(text_of(&local), "fe80::1%3");
}

static void
a_name_has_all_its_addresses_in_order(void **state)
{
    struct sw_addresses found;
    struct sw_err err;
    int64_t before_ns = sw_clock_boot_ns();
    size_t fds = count_fds();
    (void)state;
    struct sw_resolver *resolver = sw_resolver_new("siem.test", 5140);
    fake_name_set("siem.test", "10.0.0.7 2001:db8::1 10.0.0.8");
    assert_int_equal(sw_resolver_ask(resolver, &found, soon(), NULL, &err), SW_LOOKUP_DONE);
    assert_int_equal(found.count, 3);
    assert_string_equal(text_of(&found.items[0]), "10.0.0.7");
    assert_string_equal(text_of(&found.items[1]), "2001:db8::1");
    assert_string_equal(text_of(&found.items[2]), "10.0.0.8");
    assert_true(found.items[1].is_ipv6 && found.items[1].port == 5140);
    assert_true(found.found_at_ns >= before_ns && found.found_at_ns <= sw_clock_boot_ns());
    fake_name_set("siem.test", "10.0.0.9");
    assert_int_equal(sw_resolver_ask(resolver, &found, soon(), NULL, &err), SW_LOOKUP_DONE);
    assert_int_equal(found.count, 1);
    assert_string_equal(text_of(&found.items[0]), "10.0.0.9");
    sw_resolver_free(resolver);
    assert_int_equal(count_fds(), fds);
}

static void
addresses_beyond_the_room_are_left_out(void **state)
{
    struct sw_addresses found;
    struct sw_err err;
    (void)state;
    struct sw_resolver *resolver = sw_resolver_new("siem.test", 514);
    fake_name_set("siem.test", "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 "
                               "10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 "
                               "10.0.0.14 10.0.0.15 10.0.0.16 10.0.0.17 10.0.0.18");
    assert_int_equal(sw_resolver_ask(resolver, &found, soon(), NULL, &err), SW_LOOKUP_DONE);
    assert_int_equal(found.count, SW_ADDRESSES_MAX);
    sw_resolver_free(resolver);
}

static void
a_name_that_is_not_there_fails(void **state)
{
    struct sw_addresses found;
    struct sw_err err = {0};
    (void)state;
    struct sw_resolver *resolver = sw_resolver_new("siem.test", 514);
    fake_name_set("siem.test", "");
    assert_int_equal(sw_resolver_ask(resolver, &found, soon(), NULL, &err), SW_LOOKUP_FAILED);
    assert_contains(err.text, "look up siem.test: ");
    /* It is asked anew, not remembered. */
    fake_name_set("siem.test", "10.0.0.7");
    assert_int_equal(sw_resolver_ask(resolver, &found, soon(), NULL, &err), SW_LOOKUP_DONE);
    sw_resolver_free(resolver);
}

static void
a_lookup_that_hangs_is_waited_for_and_has_no_second_beside_it(void **state)
{
    struct sw_addresses found;
    struct sw_err err = {0};
    (void)state;
    struct sw_resolver *resolver = sw_resolver_new("siem.test", 514);
    fake_name_set("siem.test", "10.0.0.7");
    fake_name_hang(true);
    for (int i = 0; i < 5; i++) {
        int64_t until_ns = sw_clock_boot_ns() + i * SW_NS_PER_MS;
        assert_int_equal(sw_resolver_ask(resolver, &found, until_ns, NULL, &err), SW_LOOKUP_WAITS);
        assert_true(sw_clock_boot_ns() >= until_ns);
        assert_contains(err.text, "no answer yet");
    }
    fake_name_hang(false);
    assert_int_equal(sw_resolver_ask(resolver, &found, soon(), NULL, &err), SW_LOOKUP_DONE);
    assert_int_equal(fake_name_count(), 1);
    assert_string_equal(text_of(&found.items[0]), "10.0.0.7");
    sw_resolver_free(resolver);
}

static void
giving_up_does_not_wait(void **state)
{
    struct sw_addresses found;
    struct sw_err err;
    size_t fds = count_fds();
    (void)state;
    struct sw_resolver *resolver = sw_resolver_new("siem.test", 514);
    fake_name_set("siem.test", "10.0.0.7");
    fake_name_hang(true);
    assert_int_equal(sw_resolver_ask(resolver, &found, 0, NULL, &err), SW_LOOKUP_WAITS);
    sw_resolver_free(resolver);
    assert_int_equal(count_fds(), fds);
    /* The thread comes back to a state that nobody else has any more (sanitizers would tell). */
    fake_name_hang(false);

    /* And the other way round: answered, and never asked for. */
    resolver = sw_resolver_new("siem.test", 514);
    sw_resolver_ask(resolver, &found, 0, NULL, &err);
    fake_name_hang(false);
    sw_resolver_free(resolver);
    sw_resolver_free(NULL);
}

static void *
set_latch(void *argument)
{
    sw_latch_set(argument);
    return NULL;
}

/* The time limit of the test is what fails it. */
static void
a_latch_ends_the_wait(void **state)
{
    struct sw_addresses found;
    struct sw_err err;
    struct sw_latch stop;
    pthread_t thread;
    (void)state;
    struct sw_resolver *resolver = sw_resolver_new("siem.test", 514);
    fake_name_set("siem.test", "10.0.0.7");
    fake_name_hang(true);
    assert_true(sw_latch_init(&stop, &err));
    assert_int_equal(pthread_create(&thread, NULL, set_latch, &stop), 0);
    assert_int_equal(sw_resolver_ask(resolver, &found, INT64_MAX, &stop, &err), SW_LOOKUP_WAITS);
    pthread_join(thread, NULL);
    assert_int_equal(sw_resolver_ask(resolver, &found, INT64_MAX, &stop, &err), SW_LOOKUP_WAITS);
    sw_resolver_free(resolver);
    sw_latch_fini(&stop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(addresses_need_no_name_server, reset),
        cmocka_unit_test_teardown(a_name_has_all_its_addresses_in_order, reset),
        cmocka_unit_test_teardown(addresses_beyond_the_room_are_left_out, reset),
        cmocka_unit_test_teardown(a_name_that_is_not_there_fails, reset),
        cmocka_unit_test_teardown(
            a_lookup_that_hangs_is_waited_for_and_has_no_second_beside_it, reset),
        cmocka_unit_test_teardown(giving_up_does_not_wait, reset),
        cmocka_unit_test_teardown(a_latch_ends_the_wait, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
