/*
 * The HTTP client against receivers that misbehave. The receiver is a process of its own that reads
 * one request after the other, says what the test has scripted, and then does something.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "sinks/net/http.h"
#include "tests/support/unit.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define ENDLESS   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* So long that only a fault can reach it; what must be over sooner has a deadline of its own. */
#define AGES_NS  (60 * SW_NS_PER_S)
#define SHORT_NS (300 * SW_NS_PER_MS)

enum then { KEEP, CLOSE, RESET, HANG, REPEAT };

struct script {
    const char *answer;
    enum then then;
    const char *again; /* of REPEAT: without end */
};

struct counters {
    atomic_uint connections, requests;
    atomic_uint_fast64_t sent;
    char last[4096]; /* request */
};

struct bench {
    pid_t child;
    struct counters *counters;
    uint16_t port;
    char url[64];
    struct sw_http_options options;
    struct sw_http http;
    struct sw_http_answer answer;
};

static bool
read_request(int fd, struct counters *counters)
{
    char bytes[4096];
    size_t size = 0;
    const char *end = NULL;
    while (end == NULL || strncmp(bytes, "POST", 4) != 0 || size < (size_t)(end - bytes) + 4 + 4) {
        ssize_t got = read(fd, bytes + size, sizeof(bytes) - 1 - size);
        if (got <= 0) {
            return false;
        }
        size += (size_t)got;
        bytes[size] = '\0';
        end = strstr(bytes, "\r\n\r\n");
        if (end != NULL && strncmp(bytes, "POST", 4) != 0) {
            break;
        }
    }
    memcpy(counters->last, bytes, size + 1);
    atomic_fetch_add(&counters->requests, 1);
    return true;
}

static bool
say(int fd, const char *text, struct counters *counters)
{
    size_t size = strlen(text);
    atomic_fetch_add(&counters->sent, size);
    return send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void
serve(int listener, const struct script *script, struct counters *counters)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        const struct linger reset = {1, 0};
        atomic_fetch_add(&counters->connections, 1);
        while (read_request(fd, counters)) {
            say(fd, script->answer, counters);
            while (script->then == HANG) {
                pause();
            }
            while (script->then == REPEAT && say(fd, script->again, counters)) {
            }
            if (script->then == RESET) {
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
            }
            if (script->then != KEEP) {
                break;
            }
        }
        close(fd);
    }
}

/* https: only the URL says so; the receiver never speaks TLS. */
static void
start(struct bench *b, const char *scheme, struct script script)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    *b = (struct bench){0};
    b->counters =
        mmap(NULL, sizeof(*b->counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(b->counters != MAP_FAILED);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(listener, 16), 0);
    b->port = ntohs(address.sin_port);
    fflush(stdout);
    b->child = fork();
    if (b->child == 0) {
        serve(listener, &script, b->counters);
    }
    assert_true(b->child > 0);
    close(listener);
    snprintf(b->url, sizeof(b->url), "%s://127.0.0.1:%d/hook", scheme, b->port);
    b->options.url = b->url;
    sw_http_init(&b->http, &b->options);
}

static void
stop(struct bench *b)
{
    sw_http_fini(&b->http);
    kill(b->child, SIGKILL);
    waitpid(b->child, NULL, 0);
    munmap(b->counters, sizeof(*b->counters));
}

static void
post(struct bench *b, int64_t for_ns)
{
    static const char *const headers[] = {"Expect:", "X-One: 1", "X-Empty;"};
    struct sw_err err = {0};
    const struct sw_http_request request = {.headers = headers,
        .header_count = COUNT_OF(headers),
        .body = SW_STR("body"),
        .deadline_ns = sw_clock_boot_ns() + for_ns,
        .wall_ns = sw_clock_wall_ns()};
    if (!sw_http_connect(&b->http, &err)) {
        fail_msg("%s", err.text);
    }
    sw_http_post(&b->http, &request, &b->answer);
}

static void
expect_class(const struct bench *b, enum sw_http_class class)
{
    if (b->answer.class != class) {
        fail_msg("class %d: %.*s", b->answer.class, (int)b->answer.text_size, b->answer.text);
    }
}

static void
expect_text(const struct bench *b, const char *part)
{
    char text[SW_HTTP_TEXT_SIZE + 1] = "";
    memcpy(text, b->answer.text, b->answer.text_size);
    assert_contains(text, part);
}

static void
test_one_connection_serves_all(void **state)
{
    (void)state;
    struct bench b;
    start(&b, "http", (struct script){OK_ANSWER, KEEP, NULL});
    for (int i = 0; i < 5; i++) {
        post(&b, AGES_NS);
        expect_class(&b, SW_HTTP_ANSWERED);
        assert_int_equal(b.answer.status, 200);
        expect_text(&b, "ok");
        assert_false(b.answer.is_cut);
    }
    assert_int_equal(b.counters->connections, 1);
    assert_int_equal(b.counters->requests, 5);
    assert_contains(b.counters->last, "POST /hook HTTP/1.1\r\n");
    assert_contains(b.counters->last, "\r\nUser-Agent: sharewatch/" SW_VERSION "\r\n");
    assert_contains(b.counters->last, "\r\nX-One: 1\r\nX-Empty:\r\n");
    assert_contains(b.counters->last, "\r\nContent-Length: 4\r\n");
    assert_contains(b.counters->last, "\r\n\r\nbody");
    assert_null(strstr(b.counters->last, "Expect"));
    stop(&b);
}

static void
test_a_closed_connection_is_made_anew(void **state)
{
    (void)state;
    struct bench b;
    start(&b, "http", (struct script){OK_ANSWER, CLOSE, NULL});
    for (int i = 0; i < 3; i++) {
        post(&b, AGES_NS);
        expect_class(&b, SW_HTTP_ANSWERED);
    }
    assert_int_equal(b.counters->requests, 3);
    stop(&b);
}

/* Whatever becomes of the body, the status has been said; the next post finds another connection.
 */
static void
test_a_whole_head_is_the_verdict(void **state)
{
    (void)state;
    static const struct script scripts[] = {
        {"HTTP/1.1 204 OK\r\nContent-Length: 9\r\n\r\n", KEEP, NULL},
        {"HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nslo", HANG, NULL},
        {"HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nslo", CLOSE, NULL},
        {"HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nslo", RESET, NULL},
        {"HTTP/1.1 429 x\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", KEEP,
            NULL},
        {"HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Encoding: gzip\r\n\r\nslo", CLOSE, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct bench b;
        start(&b, "http", scripts[i]);
        post(&b, scripts[i].then == HANG ? SHORT_NS : AGES_NS);
        expect_class(&b, SW_HTTP_ANSWERED);
        assert_int_equal(b.answer.status, i == 0 ? 204 : 429);
        assert_int_equal(b.answer.retry_after_ms, i == 0 ? 0 : 7000);
        stop(&b);
    }
}

static void
test_an_endless_body_is_cut(void **state)
{
    (void)state;
    struct bench b;
    static char chunk[7 + 0x10000 + 3] = "10000\r\n";
    memset(chunk + 7, 'x', 0x10000);
    memcpy(chunk + 7 + 0x10000, "\r\n", 3);
    start(&b, "http", (struct script){ENDLESS, REPEAT, chunk});
    post(&b, AGES_NS);
    expect_class(&b, SW_HTTP_ANSWERED);
    assert_int_equal(b.answer.status, 200);
    assert_true(b.answer.is_cut);
    assert_int_equal(b.answer.text_size, SW_HTTP_TEXT_SIZE);
    /* What buffers of sockets hold, not what seconds of reading would bring. */
    assert_in_range(b.counters->sent, SW_HTTP_BODY_MAX, 64 << 20);
    stop(&b);
}

static void
test_half_a_head_is_nothing(void **state)
{
    (void)state;
    static const struct script scripts[] = {
        {"HTTP/1.1 200 OK\r\nX: y\r\n", CLOSE, NULL},
        {"HTTP/1.1 200 OK\r\nX: y\r\n", RESET, NULL},
        {"", CLOSE, NULL},
        {"", RESET, NULL},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", CLOSE, NULL},
        {"HTTP/1.1 abc\r\n\r\n", CLOSE, NULL},
        {"HTTP/1.1 100 Continue\r\n\r\n", CLOSE, NULL},
        {"HTTP/1.1 200 OK\r\n", REPEAT, "X-Filler: 0123456789abcdef\r\n"},
        {"", REPEAT, "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nX: ", REPEAT, "0123456789abcdef"},
    };
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct bench b;
        start(&b, "http", scripts[i]);
        post(&b, AGES_NS);
        if (b.answer.class != SW_HTTP_NETWORK || b.answer.text_size == 0) {
            fail_msg("script %zu: class %d", i, b.answer.class);
        }
        if (scripts[i].then == REPEAT && strchr(scripts[i].again, '\n') != NULL) {
            expect_text(&b, "has no end");
        }
        stop(&b);
    }
}

static void
test_silence_ends_at_the_deadline(void **state)
{
    (void)state;
    static const char *const heads[] = {"", "HTTP/1.1 200 OK\r\nX: y\r\n"};
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct bench b;
        start(&b, "http", (struct script){heads[i], HANG, NULL});
        post(&b, SHORT_NS);
        expect_class(&b, SW_HTTP_TIMEOUT);
        expect_text(&b, "no answer in time");
        stop(&b);
    }
}

static void
test_redirects_are_not_followed(void **state)
{
    (void)state;
    struct bench b;
    start(&b, "http",
        (struct script){
            "HTTP/1.1 307 x\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", KEEP, NULL});
    post(&b, AGES_NS);
    expect_class(&b, SW_HTTP_ANSWERED);
    assert_int_equal(b.answer.status, 307);
    assert_int_equal(b.counters->requests, 1);
    stop(&b);
}

/* An answer that sets a cookie or asks for a log-on changes nothing in what we send next. */
static void
test_nothing_is_remembered(void **state)
{
    (void)state;
    struct bench b;
    start(&b, "http",
        (struct script){"HTTP/1.1 401 x\r\nSet-Cookie: a=b\r\nWWW-Authenticate: Basic\r\n"
                        "Content-Length: 0\r\n\r\n",
            KEEP, NULL});
    post(&b, AGES_NS);
    post(&b, AGES_NS);
    assert_int_equal(b.answer.status, 401);
    assert_int_equal(b.counters->requests, 2);
    assert_null(strstr(b.counters->last, "Cookie"));
    assert_null(strstr(b.counters->last, "Authorization"));
    stop(&b);
}

static void
test_the_environment_does_not_count(void **state)
{
    (void)state;
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    struct bench b;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        setenv(names[i], "http://127.0.0.1:1", 1);
    }
    start(&b, "http", (struct script){OK_ANSWER, KEEP, NULL});
    post(&b, AGES_NS);
    expect_class(&b, SW_HTTP_ANSWERED);
    stop(&b);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unsetenv(names[i]);
    }
}

static void
test_a_proxy_that_refuses_is_told_apart(void **state)
{
    (void)state;
    struct bench b;
    char proxy[64];
    start(&b, "http", (struct script){"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n", CLOSE, NULL});
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", b.port);
    setenv("no_proxy", "*", 1);
    b.options.url = "https://hooks.example.invalid/abc";
    b.options.proxy = proxy;
    post(&b, AGES_NS);
    unsetenv("no_proxy");
    expect_class(&b, SW_HTTP_ANSWERED);
    assert_int_equal(b.answer.status, 407);
    assert_true(b.answer.is_proxy);
    assert_contains(b.counters->last, "CONNECT hooks.example.invalid:443 HTTP/1.1\r\n");
    assert_null(strstr(b.counters->last, "X-One"));
    stop(&b);
}

static void
test_tls_trouble(void **state)
{
    (void)state;
    struct bench b;
    start(&b, "https", (struct script){OK_ANSWER, KEEP, NULL});
    b.options.ca_file = "/nowhere/ca.pem";
    post(&b, AGES_NS);
    expect_class(&b, SW_HTTP_REFUSED);
    expect_text(&b, "/nowhere/ca.pem");
    stop(&b);
    start(&b, "https", (struct script){"SSH-2.0-OpenSSH_9.2\r\n", HANG, NULL});
    post(&b, SHORT_NS);
    assert_true(b.answer.class == SW_HTTP_TIMEOUT || b.answer.class == SW_HTTP_NETWORK);
    stop(&b);
}

static void
test_nobody_listens(void **state)
{
    (void)state;
    struct bench b;
    start(&b, "http", (struct script){OK_ANSWER, KEEP, NULL});
    kill(b.child, SIGKILL);
    waitpid(b.child, NULL, 0);
    post(&b, AGES_NS);
    expect_class(&b, SW_HTTP_NETWORK);
    sw_http_fini(&b.http);
    munmap(b.counters, sizeof(*b.counters));
}

static void *
post_for_ages(void *argument)
{
    post(argument, AGES_NS);
    return NULL;
}

/* Before a post or while it waits; also those that still come. */
static int64_t
interrupt_once(bool is_waiting)
{
    struct bench b;
    pthread_t thread;
    start(&b, "http", (struct script){"", HANG, NULL});
    assert_int_equal(pthread_create(&thread, NULL, post_for_ages, &b), 0);
    while (is_waiting && atomic_load(&b.counters->requests) == 0) {
        sched_yield();
    }
    int64_t from_ns = sw_clock_boot_ns();
    sw_http_interrupt(&b.http);
    pthread_join(thread, NULL);
    int64_t took_ns = sw_clock_boot_ns() - from_ns;
    expect_class(&b, SW_HTTP_INTERRUPTED);
    post(&b, AGES_NS);
    expect_class(&b, SW_HTTP_INTERRUPTED);
    sw_http_disconnect(&b.http);
    stop(&b);
    return took_ns;
}

static void
test_interrupt(void **state)
{
    (void)state;
    int64_t shortest_ns = INT64_MAX;
    for (int i = 0; i < 20; i++) {
        int64_t took_ns = interrupt_once(i % 2 == 0);
        shortest_ns = i % 2 == 0 && took_ns < shortest_ns ? took_ns : shortest_ns;
    }
    /* Woken up, not found out when the wait happens to end. */
    assert_true(shortest_ns < SHORT_NS / 6);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_connection_serves_all),
        cmocka_unit_test(test_a_closed_connection_is_made_anew),
        cmocka_unit_test(test_a_whole_head_is_the_verdict),
        cmocka_unit_test(test_an_endless_body_is_cut),
        cmocka_unit_test(test_half_a_head_is_nothing),
        cmocka_unit_test(test_silence_ends_at_the_deadline),
        cmocka_unit_test(test_redirects_are_not_followed),
        cmocka_unit_test(test_nothing_is_remembered),
        cmocka_unit_test(test_the_environment_does_not_count),
        cmocka_unit_test(test_a_proxy_that_refuses_is_told_apart),
        cmocka_unit_test(test_tls_trouble),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
