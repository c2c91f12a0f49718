/* A UDP receiver with a name of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent/platform/platform.h"
#include "tests/conformance/sink_fixture.h"
#include "tests/support/fake_net.h"

#define SYSLOG_MARK "all that was sent before this has arrived"
#define SYSLOG_END  "that was all"

struct syslog_own {
    int fd;
    char address[64];
    struct sockaddr_in place;
    pthread_t thread;
    pthread_mutex_t mutex; /* of these: */
    pthread_cond_t changed;
    struct sw_buf bytes;
    unsigned marks;
};

/* Reads on, so that what the kernel keeps for us never fills up. */
static void *
syslog_receive(void *argument)
{
    struct syslog_own *own = argument;
    static char bytes[65536];
    for (;;) {
        ssize_t size = recv(own->fd, bytes, sizeof(bytes), 0);
        if (size < 0 || sw_str_is((struct sw_str){bytes, (size_t)size}, SYSLOG_END)) {
            return NULL;
        }
        pthread_mutex_lock(&own->mutex);
        if (sw_str_is((struct sw_str){bytes, (size_t)size}, SYSLOG_MARK)) {
            own->marks++;
            pthread_cond_broadcast(&own->changed);
        } else {
            sw_buf_add(&own->bytes, bytes, (size_t)size);
            sw_buf_add_char(&own->bytes, '\n');
        }
        pthread_mutex_unlock(&own->mutex);
    }
}

static void
syslog_setup(struct sink_world *world, const struct sw_sink_class *class)
{
    struct syslog_own *own = calloc(1, sizeof(*own));
    static const int room = 8 << 20;
    socklen_t size = sizeof(own->place);
    world->own = own;
    own->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(own->fd >= 0);
    if (setsockopt(own->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0) {
        assert_int_equal(setsockopt(own->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    }
    own->place =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    assert_int_equal(bind(own->fd, (struct sockaddr *)&own->place, sizeof(own->place)), 0);
    assert_int_equal(getsockname(own->fd, (struct sockaddr *)&own->place, &size), 0);
    snprintf(own->address, sizeof(own->address), "udp://receiver.test:%u",
        (unsigned)ntohs(own->place.sin_port));
    conf_set_text(class, world->conf, "address", own->address);
    fake_name_set("receiver.test", "127.0.0.1");
    sw_buf_init(&own->bytes, (size_t)64 << 20);
    pthread_mutex_init(&own->mutex, NULL);
    sw_cond_init(&own->changed);
    assert_int_equal(pthread_create(&own->thread, NULL, syslog_receive, own), 0);
}

/* As from somebody else. */
static void
syslog_tell(const struct syslog_own *own, const char *text)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct sockaddr *place = (const struct sockaddr *)&own->place;
    assert_true(fd >= 0);
    assert_int_equal(
        sendto(fd, text, strlen(text), 0, place, sizeof(own->place)), (int)strlen(text));
    close(fd);
}

static void
syslog_arrived(struct sink_world *world, struct sw_buf *buf)
{
    struct syslog_own *own = world->own;
    pthread_mutex_lock(&own->mutex);
    unsigned before = own->marks;
    syslog_tell(own, SYSLOG_MARK);
    while (own->marks == before) {
        pthread_cond_wait(&own->changed, &own->mutex);
    }
    sw_buf_add(buf, own->bytes.data, own->bytes.size);
    pthread_mutex_unlock(&own->mutex);
}

/* A datagram is never waited for; the name of its receiver is. */
static void
syslog_stall(struct sink_world *world)
{
    (void)world;
    fake_name_hang(true);
}

/* Receivers of UDP do not fail, they are not there, and then a sink cannot be exact: what fails
 * is the way there. */
static void
syslog_fail_after(struct sink_world *world, uint64_t bytes)
{
    (void)world;
    fake_send_room(bytes, ENOBUFS);
}

static void
syslog_teardown(struct sink_world *world)
{
    struct syslog_own *own = world->own;
    fake_net_reset();
    syslog_tell(own, SYSLOG_END);
    pthread_join(own->thread, NULL);
    close(own->fd);
    sw_buf_fini(&own->bytes);
    pthread_mutex_destroy(&own->mutex);
    pthread_cond_destroy(&own->changed);
    free(own);
}

const struct sink_fixture sink_fixture_syslog = {
    .name = "syslog",
    .class = "syslog",
    .setup = syslog_setup,
    .arrived = syslog_arrived,
    .stall = syslog_stall,
    .fail_after = syslog_fail_after,
    .teardown = syslog_teardown,
};
