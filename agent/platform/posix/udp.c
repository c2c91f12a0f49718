/*
 * One connected socket a receiver, so that the kernel tells us what comes back for it. IP_RECVERR
 * matters twice: without it a datagram that the network card's queue drops counts as sent, and an
 * error that ends a sendmmsg() halfway is forgotten; with it the error queue keeps what came back.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "agent/platform/platform.h"
#include "agent/platform/posix/timer.h"

#define UDP_CHUNK 128 /* datagrams of one call */

/* Larger than what one error is told with. */
#define UDP_CONTROL_SIZE 512

static enum sw_udp_fault
udp_fault_of(int code)
{
    switch (code) {
    case 0:
        return SW_UDP_NONE;
    case ECONNREFUSED:
        return SW_UDP_REFUSED;
    case EMSGSIZE:
        return SW_UDP_TOO_BIG;
    case ENOBUFS:
    case ENOMEM:
        return SW_UDP_NO_ROOM;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EADDRNOTAVAIL:
    case EPERM: /* a firewall's rule on this machine */
    case EACCES:
        return SW_UDP_UNREACHABLE;
    default:
        return SW_UDP_BROKEN;
    }
}

static enum sw_udp_fault
udp_fail(int code, const char *what, struct sw_err *err)
{
    sw_err_set_os(err, code, "%s", what);
    return udp_fault_of(code);
}

static void
udp_set(int fd, int level, int option, int value)
{
    /* A system that lacks one of them still sends. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

static int
udp_connect(int fd, const struct sw_address *address)
{
    if (address->is_ipv6) {
        struct sockaddr_in6 to = {.sin6_family = AF_INET6,
            .sin6_port = htons(address->port),
            .sin6_scope_id = address->scope};
        memcpy(&to.sin6_addr, address->bytes, 16);
        return connect(fd, (const struct sockaddr *)&to, sizeof(to));
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&to.sin_addr, address->bytes, 4);
    return connect(fd, (const struct sockaddr *)&to, sizeof(to));
}

enum sw_udp_fault
sw_udp_open(struct sw_udp *udp, const struct sw_address *address, struct sw_err *err)
{
    int family = address->is_ipv6 ? AF_INET6 : AF_INET;
    udp->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (udp->fd < 0) {
        /* A system built without IPv6 cannot go there. */
        return errno == EAFNOSUPPORT ? udp_fail(ENETUNREACH, "make a socket", err)
                                     : udp_fail(errno, "make a socket", err);
    }
    if (address->is_ipv6) {
        udp_set(udp->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
        udp_set(udp->fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    } else {
        udp_set(udp->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
        udp_set(udp->fd, IPPROTO_IP, IP_RECVERR, 1);
    }
    if (udp_connect(udp->fd, address) != 0) {
        int code = errno;
        sw_udp_close(udp);
        return udp_fail(code, "connect", err);
    }
    return SW_UDP_NONE;
}

void
sw_udp_close(struct sw_udp *udp)
{
    if (udp->fd >= 0) {
        close(udp->fd);
    }
    udp->fd = -1;
}

/* What came back, of the error that a control message holds; 0: nothing that matters. */
static int
udp_code_of(const struct cmsghdr *control)
{
    struct sock_extended_err error;
    bool is_error = (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
                    (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
    if (!is_error || control->cmsg_len < CMSG_LEN(sizeof(error))) {
        return 0;
    }
    memcpy(&error, CMSG_DATA(control), sizeof(error));
    /* What this machine said was the answer of the send itself. */
    return error.ee_origin == SO_EE_ORIGIN_LOCAL ? 0 : (int)error.ee_errno;
}

/* Empties the queue of errors; the last one's code, 0 when there was none. */
static int
udp_hear_queue(int fd)
{
    int code = 0;
    for (;;) {
        char room[UDP_CONTROL_SIZE] __attribute__((aligned(sizeof(struct cmsghdr))));
        struct msghdr message = {.msg_control = room, .msg_controllen = sizeof(room)};
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            return code;
        }
        for (struct cmsghdr *control = CMSG_FIRSTHDR(&message); control != NULL;
             control = CMSG_NXTHDR(&message, control)) {
            int told = udp_code_of(control);
            code = told != 0 ? told : code;
        }
    }
}

static enum sw_udp_fault
udp_hear_now(int fd, struct sw_err *err)
{
    int code = udp_hear_queue(fd);
    int pending = 0;
    socklen_t size = sizeof(pending);
    /* Also forgets it: or the next send would fail for what is told here. */
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &size) == 0 && code == 0) {
        code = pending;
    }
    /* A router's wish for smaller ones is not ours: fragments are allowed. */
    return code == 0 || code == EMSGSIZE ? SW_UDP_NONE : udp_fail(code, "send", err);
}

/* Until one of the events, until stop, or until the time is over; the events that are there. */
static short
udp_poll(int fd, short events, int64_t until_ns, const struct sw_latch *stop)
{
    struct sw_timer timer;
    struct pollfd fds[3] = {
        {.fd = fd, .events = events}, {.fd = stop != NULL ? stop->fds[0] : -1, .events = POLLIN}};
    if (stop != NULL && sw_latch_is_set(stop)) {
        return 0;
    }
    sw_timer_start(&timer, until_ns);
    (void)sw_timer_poll(&timer, fds, 2);
    sw_timer_stop(&timer);
    return fds[0].revents;
}

enum sw_udp_fault
sw_udp_hear(struct sw_udp *udp, int64_t until_ns, const struct sw_latch *stop, struct sw_err *err)
{
    enum sw_udp_fault fault = udp_hear_now(udp->fd, err);
    if (fault == SW_UDP_NONE && until_ns > 0 && udp_poll(udp->fd, 0, until_ns, stop) != 0) {
        fault = udp_hear_now(udp->fd, err);
    }
    return fault;
}

static enum sw_udp_fault
udp_wait(int fd, int64_t deadline_ns, const struct sw_latch *stop, struct sw_err *err)
{
    short events = udp_poll(fd, POLLOUT, deadline_ns, stop);
    if (events == 0 || deadline_ns <= sw_clock_boot_ns()) {
        sw_err_set(err, "send: the system takes no datagram");
        return SW_UDP_WAITS;
    }
    /* What came back also ends poll(); left there it would do so again and again. */
    return (events & POLLOUT) != 0 ? SW_UDP_NONE : udp_hear_now(fd, err);
}

/* How many the system took; -1 with errno: not even one. */
static int
udp_send_some(int fd, const struct sw_str *datagrams, size_t count)
{
    struct mmsghdr messages[UDP_CHUNK];
    struct iovec parts[UDP_CHUNK];
    size_t now = count < UDP_CHUNK ? count : UDP_CHUNK;
    for (size_t i = 0; i < now; i++) {
        /* sendmmsg() does not write there. */
        parts[i] = (struct iovec){(void *)(uintptr_t)datagrams[i].data, datagrams[i].size};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    return sendmmsg(fd, messages, (unsigned)now, MSG_NOSIGNAL);
}

enum sw_udp_fault
sw_udp_send(struct sw_udp *udp, const struct sw_str *datagrams, size_t count, int64_t deadline_ns,
    const struct sw_latch *stop, size_t *sent, struct sw_err *err)
{
    enum sw_udp_fault fault = SW_UDP_NONE;
    *sent = 0;
    while (fault == SW_UDP_NONE && *sent < count) {
        int taken = udp_send_some(udp->fd, datagrams + *sent, count - *sent);
        if (taken >= 0) {
            *sent += (size_t)taken;
        } else if (errno == EAGAIN) {
            fault = udp_wait(udp->fd, deadline_ns, stop, err);
        } else if (errno != EINTR) {
            fault = udp_fail(errno, "send", err);
        }
    }
    return fault;
}
