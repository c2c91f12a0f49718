/*
 * One connected socket a receiver. What comes back for a datagram is told on the same socket's next
 * receive (an ICMP "port unreachable" as WSAECONNRESET, as SIO_UDP_CONNRESET says), so that we
 * listen although nobody answers. A socket's own queue being full is rare here: the send waits for
 * it.
 */
#include <string.h>

#include <winsock2.h>

#include <windows.h>

#include <mswsock.h>

#include "agent/platform/windows/system.h"
#include "agent/platform/windows/winsock.h"

/* Not in every mingw-w64 (mstcpip.h, mswsock.h of the Windows SDK). */
#ifndef SIO_UDP_CONNRESET
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#endif
#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif

#define UDP_HEAR_MAX 64 /* answers taken at once; one that talks back must not keep us */

static pthread_once_t udp_once = PTHREAD_ONCE_INIT;
static int udp_started;

static void
udp_start(void)
{
    WSADATA data;
    udp_started = WSAStartup(MAKEWORD(2, 2), &data);
}

bool
win_sockets_start(struct sw_err *err)
{
    pthread_once(&udp_once, udp_start);
    return udp_started == 0 || win_fail(err, (DWORD)udp_started, "start the network");
}

static enum sw_udp_fault
udp_fault_of(int code)
{
    switch (code) {
    case 0:
    case WSAEWOULDBLOCK:
        return SW_UDP_NONE;
    case WSAECONNRESET:
    case WSAECONNREFUSED:
        return SW_UDP_REFUSED;
    case WSAEMSGSIZE:
        return SW_UDP_TOO_BIG;
    case WSAENOBUFS:
        return SW_UDP_NO_ROOM;
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
    case WSAENETDOWN:
    case WSAEHOSTDOWN:
    case WSAENETRESET: /* its time to live was over on the way */
    case WSAEADDRNOTAVAIL:
    case WSAEAFNOSUPPORT: /* a system without IPv6 cannot go there */
    case WSAEACCES:       /* a firewall's rule on this machine */
        return SW_UDP_UNREACHABLE;
    default:
        return SW_UDP_BROKEN;
    }
}

static enum sw_udp_fault
udp_fail(int code, const char *what, struct sw_err *err)
{
    win_fail(err, (DWORD)code, "%s", what);
    return udp_fault_of(code);
}

static SOCKET
udp_socket(const struct sw_udp *udp)
{
    return (SOCKET)(intptr_t)udp->fd;
}

static int
udp_connect(SOCKET socket, const struct sw_address *address)
{
    if (address->is_ipv6) {
        struct sockaddr_in6 to = {.sin6_family = AF_INET6,
            .sin6_port = htons(address->port),
            .sin6_scope_id = address->scope};
        memcpy(&to.sin6_addr, address->bytes, 16);
        return connect(socket, (const struct sockaddr *)&to, sizeof(to));
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&to.sin_addr, address->bytes, 4);
    return connect(socket, (const struct sockaddr *)&to, sizeof(to));
}

/* Both are on by default; said, because the faults that we tell rest on them. */
static void
udp_want_answers(SOCKET socket)
{
    static const DWORD wanted[] = {SIO_UDP_CONNRESET, SIO_UDP_NETRESET};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        BOOL on = TRUE;
        DWORD size = 0;
        (void)WSAIoctl(socket, wanted[i], &on, sizeof(on), NULL, 0, &size, NULL, NULL);
    }
}

enum sw_udp_fault
sw_udp_open(struct sw_udp *udp, const struct sw_address *address, struct sw_err *err)
{
    udp->fd = -1;
    if (!win_sockets_start(err)) {
        return SW_UDP_BROKEN;
    }
    int family = address->is_ipv6 ? AF_INET6 : AF_INET;
    SOCKET made = WSASocketW(family, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);
    if (made == INVALID_SOCKET) {
        return udp_fail(WSAGetLastError(), "make a socket", err);
    }
    udp->fd = (int)made;
    u_long on = 1;
    (void)ioctlsocket(made, (long)FIONBIO, &on);
    udp_want_answers(made);
    if (udp_connect(made, address) != 0) {
        int code = WSAGetLastError();
        sw_udp_close(udp);
        return udp_fail(code, "connect", err);
    }
    return SW_UDP_NONE;
}

void
sw_udp_close(struct sw_udp *udp)
{
    if (udp->fd >= 0) {
        closesocket(udp_socket(udp));
    }
    udp->fd = -1;
}

/* Until the socket has one of the events (FD_READ, FD_WRITE), until stop, or until the time is
 * over. */
static void
udp_wait_for(SOCKET socket, long events, int64_t until_ns, const struct sw_latch *stop)
{
    HANDLE event = WSACreateEvent();
    if (event != WSA_INVALID_EVENT && WSAEventSelect(socket, event, events) == 0) {
        HANDLE handles[2] = {stop != NULL ? win_handle(stop->fds[0]) : NULL, event};
        (void)win_wait(handles, 2, until_ns);
        (void)WSAEventSelect(socket, NULL, 0);
    }
    if (event != WSA_INVALID_EVENT) {
        WSACloseEvent(event);
    }
}

/* Takes what has come; a datagram of theirs (nobody answers syslog) is dropped. */
static enum sw_udp_fault
udp_hear_now(SOCKET socket, struct sw_err *err)
{
    for (int i = 0; i < UDP_HEAR_MAX; i++) {
        char byte;
        if (recv(socket, &byte, 1, 0) >= 0) {
            continue;
        }
        int code = WSAGetLastError();
        if (code == WSAEWOULDBLOCK) {
            break;
        }
        if (code != WSAEMSGSIZE) {
            return udp_fail(code, "send", err);
        }
    }
    return SW_UDP_NONE;
}

enum sw_udp_fault
sw_udp_hear(struct sw_udp *udp, int64_t until_ns, const struct sw_latch *stop, struct sw_err *err)
{
    enum sw_udp_fault fault = udp_hear_now(udp_socket(udp), err);
    if (fault == SW_UDP_NONE && until_ns > 0) {
        udp_wait_for(udp_socket(udp), FD_READ, until_ns, stop);
        fault = udp_hear_now(udp_socket(udp), err);
    }
    return fault;
}

enum sw_udp_fault
sw_udp_send(struct sw_udp *udp, const struct sw_str *datagrams, size_t count, int64_t deadline_ns,
    const struct sw_latch *stop, size_t *sent, struct sw_err *err)
{
    SOCKET socket = udp_socket(udp);
    *sent = 0;
    while (*sent < count) {
        const struct sw_str *next = &datagrams[*sent];
        if (send(socket, next->data, (int)next->size, 0) >= 0) {
            (*sent)++;
            continue;
        }
        int code = WSAGetLastError();
        if (code != WSAEWOULDBLOCK) {
            return udp_fail(code, "send", err);
        }
        if ((stop != NULL && sw_latch_is_set(stop)) || sw_clock_boot_ns() >= deadline_ns) {
            sw_err_set(err, "send: the system takes no datagram");
            return SW_UDP_WAITS;
        }
        udp_wait_for(socket, FD_WRITE, deadline_ns, stop);
    }
    return SW_UDP_NONE;
}
