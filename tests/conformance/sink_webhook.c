/*
 * A receiver of HTTP in a process of its own, so that its descriptors are not taken for the sink's.
 * What arrives is put into shared memory before it is answered.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sinks/webhook/webhook.h"
#include "tests/conformance/sink_fixture.h"

#define ARRIVED_MAX ((size_t)8 << 20)
#define HEAD_MAX    ((size_t)16 << 10)
#define BODY_MAX    ((size_t)1 << 20)

struct receiver {
    atomic_bool is_stalled;
    atomic_uint_fast64_t budget; /* bytes of bodies until it fails */
    atomic_size_t size;          /* of what has arrived */
    char arrived[ARRIVED_MAX];
};

struct webhook_world {
    struct receiver *receiver;
    pid_t child;
    char url[128];
};

static bool
read_some(int fd, char *bytes, size_t *size, size_t max)
{
    ssize_t got = read(fd, bytes + *size, max - *size);
    *size += got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* false: the budget is used up. */
static bool
spend(struct receiver *receiver, size_t size)
{
    uint64_t budget = atomic_load(&receiver->budget);
    if (budget == UINT64_MAX) {
        return true;
    }
    atomic_store(&receiver->budget, size < budget ? budget - size : 0);
    return size < budget;
}

/* One request; its body, each record followed by a newline, counts as arrived before the answer. */
static bool
serve_request(struct receiver *receiver, int fd, bool is_ndjson)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    static char bytes[HEAD_MAX + BODY_MAX];
    size_t size = 0;
    const char *end = NULL;
    while (end == NULL) {
        if (!read_some(fd, bytes, &size, HEAD_MAX)) {
            return false;
        }
        bytes[size] = '\0';
        end = strstr(bytes, "\r\n\r\n");
    }
    const char *length = strstr(bytes, "Content-Length: ");
    size_t head = (size_t)(end - bytes) + 4;
    size_t body = length != NULL ? strtoul(length + strlen("Content-Length: "), NULL, 10) : 0;
    size_t spent = head;
    for (;;) {
        if (!spend(receiver, size - spent)) {
            return false;
        }
        spent = size;
        if (size >= head + body) {
            break;
        }
        if (!read_some(fd, bytes, &size, head + body)) {
            return false;
        }
    }
    size_t at = atomic_load(&receiver->size);
    memcpy(receiver->arrived + at, bytes + head, body);
    if (!is_ndjson) {
        receiver->arrived[at + body++] = '\n';
    }
    atomic_store(&receiver->size, at + body);
    return write(fd, answer, sizeof(answer) - 1) == sizeof(answer) - 1;
}

static void
serve(struct receiver *receiver, int listener, bool is_ndjson)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        while (atomic_load(&receiver->is_stalled)) {
            pause();
        }
        while (fd >= 0 && serve_request(receiver, fd, is_ndjson)) {
        }
        close(fd);
    }
}

static void
webhook_setup_as(struct sink_world *world, enum sw_envelope envelope)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    struct webhook_world *own = calloc(1, sizeof(*own));
    struct sw_webhook_conf *conf = world->conf;
    own->receiver = mmap(
        NULL, sizeof(*own->receiver), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(own->receiver != MAP_FAILED);
    atomic_store(&own->receiver->budget, UINT64_MAX);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(listener, 16), 0);
    fflush(stdout);
    own->child = fork();
    if (own->child == 0) {
        serve(own->receiver, listener, envelope == SW_ENVELOPE_NDJSON);
    }
    assert_true(own->child > 0);
    close(listener);
    snprintf(own->url, sizeof(own->url), "http://127.0.0.1:%d/hook", ntohs(address.sin_port));
    *conf = (struct sw_webhook_conf){.url = own->url,
        .body = (int)envelope,
        .proxy = "none",
        .timeout_ns = INT64_C(30000000000),
        .batch = {.events = 100}};
    world->own = own;
    signal(SIGPIPE, SIG_IGN);
}

static void
webhook_setup(struct sink_world *world, const struct sw_sink_class *class)
{
    (void)class;
    webhook_setup_as(world, SW_ENVELOPE_NDJSON);
}

static void
webhook_setup_single(struct sink_world *world, const struct sw_sink_class *class)
{
    (void)class;
    webhook_setup_as(world, SW_ENVELOPE_SINGLE);
}

static void
webhook_arrived(struct sink_world *world, struct sw_buf *buf)
{
    struct webhook_world *own = world->own;
    sw_buf_add(buf, own->receiver->arrived, atomic_load(&own->receiver->size));
}

static void
webhook_stall(struct sink_world *world)
{
    struct webhook_world *own = world->own;
    atomic_store(&own->receiver->is_stalled, true);
}

static void
webhook_fail_after(struct sink_world *world, uint64_t bytes)
{
    struct webhook_world *own = world->own;
    atomic_store(&own->receiver->budget, bytes);
}

static void
webhook_teardown(struct sink_world *world)
{
    struct webhook_world *own = world->own;
    kill(own->child, SIGKILL);
    waitpid(own->child, NULL, 0);
    munmap(own->receiver, sizeof(*own->receiver));
    free(own);
}

const struct sink_fixture sink_fixture_webhook = {
    .name = "webhook",
    .class = "webhook",
    .setup = webhook_setup,
    .arrived = webhook_arrived,
    .stall = webhook_stall,
    .fail_after = webhook_fail_after,
    .teardown = webhook_teardown,
};

const struct sink_fixture sink_fixture_webhook_single = {
    .name = "webhook, one event a request",
    .class = "webhook",
    .setup = webhook_setup_single,
    .arrived = webhook_arrived,
    .stall = webhook_stall,
    .teardown = webhook_teardown,
};
