/* The pure parts of the syslog sink: address, zone, what a fault means, which address when. */
#include "agent/base/time_text.h"
#include "config/problems.h"
#include "sinks/format/syslog.h"
#include "sinks/syslog/address.h"
#include "sinks/syslog/route.h"
#include "sinks/syslog/verdict.h"
#include "tests/conformance/sink_fixture.h"

#define S SW_NS_PER_S

static void
addresses_are_read(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool is_ip;
    } good[] = {
        {"udp://siem.example.com:514", "siem.example.com", 514, false},
        {"udp://siem.example.com", "siem.example.com", 514, false},
        {"udp://siem:65535", "siem", 65535, false},
        {"udp://siem_1-a.example.com.:1", "siem_1-a.example.com.", 1, false},
        {"udp://10.0.0.7:5140", "10.0.0.7", 5140, true},
        {"udp://[2001:db8::1]:5140", "2001:db8::1", 5140, true},
        {"udp://[::1]", "::1", 514, true},
        {"udp://[fe80::1%eth0]:514", "fe80::1%eth0", 514, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct sw_syslog_address address;
        struct sw_err err;
        if (!sw_syslog_address_parse(good[i].text, &address, &err)) {
            fail_msg("%s: %s", good[i].text, err.text);
        }
        assert_string_equal(address.host, good[i].host);
        assert_int_equal(address.port, good[i].port);
        assert_int_equal(address.is_ip, good[i].is_ip);
    }
}

static void
addresses_that_are_none_are_told_apart(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "no scheme"},
        {"siem.example.com:514", "no scheme"},
        {"UDP://siem", "unknown scheme"},
        {"http://siem", "unknown scheme"},
        {"tcp://siem:601", "tcp:// is not there yet"},
        {"tls://siem:6514", "tls:// is not there yet"},
        {"udp://", "no host"},
        {"udp://:514", "no host"},
        {"udp://siem:", "port"},
        {"udp://siem:0", "port"},
        {"udp://siem:65536", "port"},
        {"udp://siem:-1", "port"},
        {"udp://siem: 514", "port"},
        {"udp://siem:514/", "port"},
        {"udp://siem/path", "character"},
        {"udp://user@siem", "character"},
        {"udp://si em", "character"},
        {"udp://si\nem", "character"},
        {"udp://si%65m", "character"},
        {"udp://b\xC3\xBC"
         "cher.example",
            "xn--"},
        {"udp://300.1.1.1:514", "no IPv4"},
        {"udp://1.2.3:514", "no IPv4"},
        {"udp://...", "no IPv4"},
        {"udp://2001:db8::1", "brackets"},
        {"udp://::1:514", "brackets"},
        {"udp://[::1:514", "not closed"},
        {"udp://[]:514", "no IPv6"},
        {"udp://[10.0.0.7]:514", "no IPv6"},
        {"udp://[siem]:514", "no IPv6"},
        {"udp://[::g]:514", "no IPv6"},
        {"udp://[::1]514", "only a port"},
        {"udp://[::1]:x", "port"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct sw_syslog_address address;
        struct sw_err err = {0};
        if (sw_syslog_address_parse(bad[i].text, &address, &err)) {
            fail_msg("'%s' was read as %s", bad[i].text, address.host);
        }
        assert_contains(err.text, bad[i].says);
    }
}

static void
a_host_has_the_length_of_a_name(void **state)
{
    struct sw_syslog_address address;
    struct sw_err err;
    char text[400];
    (void)state;
    for (int size = 253; size <= 254; size++) {
        snprintf(text, sizeof(text), "udp://%.*s:514", size,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_int_equal(sw_syslog_address_parse(text, &address, &err), size == 253);
    }
    assert_contains(err.text, "too long");
}

static void
zones_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t zone_s;
    } good[] = {{NULL, SW_SYSLOG_ZONE_LOCAL}, {"local", SW_SYSLOG_ZONE_LOCAL}, {"utc", 0},
        {"+00:00", 0}, {"+02:00", 7200}, {"-09:30", -34200}, {"+14:00", 50400}};
    static const char *const bad[] = {"", "UTC", "CET", "+2:00", "02:00", "+0200", "+02:60",
        "+14:01", "+15:00", "+02:00 ", "+-2:00"};
    int64_t zone_s;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        zone_s = -1;
        assert_true(sw_syslog_zone_parse(good[i].text, &zone_s));
        assert_true(zone_s == good[i].zone_s);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(sw_syslog_zone_parse(bad[i], &zone_s));
    }
}

static void
check_expects(const char *address, const char *format, const char *zone, const char *problem)
{
    const struct sw_sink_class *class = sw_sink_class_find("syslog");
    struct sw_problems problems;
    void *conf = calloc(1, class->part.conf_size);
    sw_problems_init(&problems);
    conf_set_text(class, conf, "address", address);
    conf_set_word(class, conf, "format", format);
    conf_set_text(class, conf, "time_zone", zone);
    class->part.check(conf, &problems);
    assert_int_equal(problems.errors, problem != NULL);
    if (problem != NULL) {
        assert_contains(problems.items[0].text, problem);
    }
    class->part.prepare(conf);
    struct sw_format_choice choice = class->format(conf);
    assert_string_equal(choice.format->name, format);
    sw_problems_fini(&problems);
    free(conf);
}

static void
check_knows_the_keys(void **state)
{
    (void)state;
    check_expects("udp://siem", "rfc5424", NULL, NULL);
    check_expects("udp://siem", "rfc3164", NULL, NULL);
    check_expects("udp://siem", "rfc3164", "+02:00", NULL);
    check_expects("udp://siem", "rfc3164", "summer", "no zone");
    check_expects("udp://siem", "rfc5424", "utc", "leave it out");
    check_expects("udp://siem", "rfc5424", "summer", "no zone");
    check_expects("tcp://siem", "rfc5424", NULL, "not there yet");
}

static void
prepare_works_out_the_zone(void **state)
{
    const struct sw_sink_class *class = sw_sink_class_find("syslog");
    void *conf = calloc(1, class->part.conf_size);
    const struct sw_syslog_options *options = class->format(conf).options;
    (void)state;
    class->part.prepare(conf);
    assert_true(options->zone_s == SW_SYSLOG_ZONE_LOCAL);
    conf_set_text(class, conf, "time_zone", "-09:30");
    class->part.prepare(conf);
    assert_true(options->zone_s == -34200);
    free(conf);
}

static void
facilities_have_their_numbers(void **state)
{
    const struct sw_key *key = sw_sink_class_find("syslog")->part.keys;
    (void)state;
    while (strcmp(key->name, "facility") != 0) {
        key++;
    }
    assert_string_equal(key->words[0], "kern");
    assert_string_equal(key->words[4], "auth");
    assert_string_equal(key->words[10], "authpriv");
    assert_string_equal(key->words[16], "local0");
    assert_string_equal(key->words[23], "local7");
    assert_null(key->words[24]);
}

static void
every_fault_has_its_rule(void **state)
{
    static const struct {
        enum sw_udp_fault fault;
        struct sw_syslog_verdict is;
    } rules[] = {
        {SW_UDP_NONE, {SW_OUTCOME_OK, false, false, false}},
        {SW_UDP_REFUSED, {SW_OUTCOME_LATER, false, true, true}},
        {SW_UDP_UNREACHABLE, {SW_OUTCOME_LATER, false, true, true}},
        {SW_UDP_TOO_BIG, {SW_OUTCOME_OK, true, false, false}},
        {SW_UDP_NO_ROOM, {SW_OUTCOME_LATER, false, false, false}},
        {SW_UDP_WAITS, {SW_OUTCOME_LATER, false, false, false}},
        {SW_UDP_BROKEN, {SW_OUTCOME_BROKEN, false, false, true}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct sw_syslog_verdict verdict = sw_syslog_judge(rules[i].fault);
        assert_int_equal(verdict.outcome, rules[i].is.outcome);
        assert_int_equal(verdict.is_unfit, rules[i].is.is_unfit);
        assert_int_equal(verdict.undo, rules[i].is.undo);
        assert_int_equal(verdict.is_doubt, rules[i].is.is_doubt);
    }
}

/* Addresses 10.0.0.LAST, found at a time. */
static struct sw_addresses
found(int64_t at_ns, const char *lasts)
{
    struct sw_addresses addresses = {.found_at_ns = at_ns};
    for (; *lasts != '\0'; lasts++) {
        addresses.items[addresses.count++] =
            (struct sw_address){.bytes = {10, 0, 0, (uint8_t)(*lasts - '0')}, .port = 514};
    }
    return addresses;
}

static int
last_of(const struct sw_syslog_route *route)
{
    return sw_syslog_route_address(route)->bytes[3];
}

/* A route to 10.0.0.LAST found at 1000 s. */
static struct sw_syslog_route
route_to(const char *lasts)
{
    struct sw_syslog_route route;
    struct sw_addresses addresses = found(1000 * S, lasts);
    sw_syslog_route_init(&route);
    assert_true(sw_syslog_route_is_due(&route, 0));
    assert_true(sw_syslog_route_ask(&route, 999 * S, 1030 * S) == 1030 * S);
    assert_int_equal(sw_syslog_route_found(&route, &addresses), SW_SYSLOG_TURN_MOVE);
    assert_int_equal(last_of(&route), lasts[0] - '0');
    return route;
}

static void
a_name_is_looked_up_again_after_a_minute(void **state)
{
    struct sw_syslog_route route = route_to("7");
    (void)state;
    assert_false(sw_syslog_route_is_due(&route, 1000 * S));
    assert_false(sw_syslog_route_is_due(&route, 1060 * S - 1));
    assert_true(sw_syslog_route_is_due(&route, 1060 * S));
    struct sw_addresses same = found(1061 * S, "7");
    assert_int_equal(sw_syslog_route_found(&route, &same), SW_SYSLOG_TURN_NONE);
    assert_false(sw_syslog_route_is_due(&route, 1120 * S));
    assert_true(sw_syslog_route_is_due(&route, 1121 * S));
    struct sw_addresses elsewhere = found(1121 * S, "98");
    assert_int_equal(sw_syslog_route_found(&route, &elsewhere), SW_SYSLOG_TURN_MOVE);
    assert_int_equal(last_of(&route), 9);
}

static void
name_servers_that_turn_their_answers_change_nothing(void **state)
{
    struct sw_syslog_route route = route_to("789");
    struct sw_addresses turned = found(1060 * S, "897");
    (void)state;
    assert_int_equal(sw_syslog_route_found(&route, &turned), SW_SYSLOG_TURN_NONE);
    assert_int_equal(last_of(&route), 7);
}

static void
a_port_or_a_family_makes_another_place(void **state)
{
    struct sw_address a = {.bytes = {10, 0, 0, 7}, .port = 514};
    struct sw_address b = a;
    (void)state;
    assert_true(sw_address_equal(&a, &b));
    b.port = 515;
    assert_false(sw_address_equal(&a, &b));
    b = a;
    b.is_ipv6 = true;
    assert_false(sw_address_equal(&a, &b));
    b = a;
    b.scope = 2;
    assert_false(sw_address_equal(&a, &b));
}

static void
after_an_error_the_next_address_has_its_turn(void **state)
{
    struct sw_syslog_route route = route_to("789");
    static const int turns[] = {8, 9, 7, 8};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        struct sw_addresses same = found(1001 * S, "789");
        sw_syslog_route_doubt(&route);
        assert_true(sw_syslog_route_is_due(&route, 1001 * S));
        assert_int_equal(sw_syslog_route_found(&route, &same), SW_SYSLOG_TURN_NEXT);
        assert_int_equal(last_of(&route), turns[i]);
        assert_false(sw_syslog_route_is_due(&route, 1001 * S));
    }
    struct sw_syslog_route only = route_to("7");
    struct sw_addresses same = found(1001 * S, "7");
    sw_syslog_route_doubt(&only);
    assert_int_equal(sw_syslog_route_found(&only, &same), SW_SYSLOG_TURN_NONE);
    assert_false(sw_syslog_route_is_due(&only, 1001 * S));
}

static void
what_is_known_stays_when_the_lookup_fails(void **state)
{
    struct sw_syslog_route route = route_to("7");
    (void)state;
    assert_int_equal(sw_syslog_route_not_found(&route, 1060 * S), SW_SYSLOG_TURN_NONE);
    assert_int_equal(last_of(&route), 7);
    assert_false(sw_syslog_route_is_due(&route, 1119 * S));
    assert_true(sw_syslog_route_is_due(&route, 1120 * S));

    struct sw_syslog_route several = route_to("78");
    sw_syslog_route_doubt(&several);
    assert_int_equal(sw_syslog_route_not_found(&several, 1001 * S), SW_SYSLOG_TURN_NEXT);
    assert_int_equal(last_of(&several), 8);
}

static void
name_servers_that_hang_hold_up_little(void **state)
{
    struct sw_syslog_route route = route_to("7");
    (void)state;
    assert_true(sw_syslog_route_ask(&route, 1060 * S, 1090 * S) == 1062 * S);
    assert_true(sw_syslog_route_is_due(&route, 1062 * S));
    /* The same lookup, later: its patience is used up. */
    assert_true(sw_syslog_route_ask(&route, 1070 * S, 1100 * S) == 1062 * S);
    assert_true(sw_syslog_route_ask(&route, 1061 * S, 1061 * S) == 1061 * S);
    struct sw_addresses late = found(1075 * S, "7");
    assert_int_equal(sw_syslog_route_found(&route, &late), SW_SYSLOG_TURN_NONE);
    assert_false(sw_syslog_route_is_due(&route, 1075 * S));
    assert_true(sw_syslog_route_ask(&route, 1135 * S, 1200 * S) == 1137 * S);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(addresses_that_are_none_are_told_apart),
        cmocka_unit_test(a_host_has_the_length_of_a_name),
        cmocka_unit_test(zones_are_read),
        cmocka_unit_test(check_knows_the_keys),
        cmocka_unit_test(prepare_works_out_the_zone),
        cmocka_unit_test(facilities_have_their_numbers),
        cmocka_unit_test(every_fault_has_its_rule),
        cmocka_unit_test(a_name_is_looked_up_again_after_a_minute),
        cmocka_unit_test(name_servers_that_turn_their_answers_change_nothing),
        cmocka_unit_test(a_port_or_a_family_makes_another_place),
        cmocka_unit_test(after_an_error_the_next_address_has_its_turn),
        cmocka_unit_test(what_is_known_stays_when_the_lookup_fails),
        cmocka_unit_test(name_servers_that_hang_hold_up_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
