/* A UDP socket on loopback that tests send to. */
#ifndef SW_TESTS_RECEIVER_H
#define SW_TESTS_RECEIVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/unit.h"

struct receiver {
    int fd;
    uint16_t port;
};

/* host: "127.0.0.1", "127.0.0.2" … port 0: any. */
static inline struct receiver
receiver_open(const char *host, uint16_t port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof(place);
    struct receiver receiver = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    assert_true(receiver.fd >= 0);
    assert_int_equal(inet_pton(AF_INET, host, &place.sin_addr), 1);
    assert_int_equal(bind(receiver.fd, (struct sockaddr *)&place, sizeof(place)), 0);
    assert_int_equal(getsockname(receiver.fd, (struct sockaddr *)&place, &size), 0);
    receiver.port = ntohs(place.sin_port);
    return receiver;
}

static inline void
receiver_close(struct receiver *receiver)
{
    if (receiver->fd >= 0) {
        close(receiver->fd);
    }
    receiver->fd = -1;
}

/* The next datagram's size, which must come; its bytes as text. */
static inline size_t
receiver_take(struct receiver *receiver, char *text, size_t size)
{
    struct pollfd fds = {.fd = receiver->fd, .events = POLLIN};
    assert_int_equal(poll(&fds, 1, 10000), 1);
    ssize_t taken = recv(receiver->fd, text, size - 1, MSG_TRUNC);
    assert_true(taken >= 0);
    text[(size_t)taken < size ? (size_t)taken : size - 1] = '\0';
    return (size_t)taken;
}

static inline void
receiver_expect(struct receiver *receiver, const char *text)
{
    char taken[256];
    receiver_take(receiver, taken, sizeof(taken));
    assert_string_equal(taken, text);
}

/* What was sent over loopback before is here by now. */
static inline void
receiver_expect_nothing(struct receiver *receiver)
{
    char byte;
    assert_int_equal(recv(receiver->fd, &byte, 1, MSG_DONTWAIT), -1);
}

#endif
