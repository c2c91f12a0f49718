/*
 * Both ends of the UDP benchmark: the receiver that loses nothing, and the floor, a bare loop of
 * sendmmsg over ready bytes.
 *
 *   bench_datagrams receive COUNT          binds a loopback port and prints it; ends after COUNT
 *                                          datagrams, or when none has come for 3 s. Prints how
 *                                          many came, and when the last one did (Unix time, s).
 *   bench_datagrams send PORT FILE COUNT   sends COUNT lines of FILE, over and over; prints
 *                                          datagrams a second.
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define AT_ONCE     64
#define SIZE_MAX_   65536
#define BUFFER_SIZE (64 << 20)
#define QUIET_MS    3000

static void
fail(const char *what)
{
    perror(what);
    exit(1);
}

static double
now_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sockaddr_in
loopback(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void
receive(long count)
{
    static char bytes[AT_ONCE][SIZE_MAX_];
    struct iovec parts[AT_ONCE];
    struct mmsghdr messages[AT_ONCE];
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    int buffer = BUFFER_SIZE;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        fail("receive");
    }
    /* Root may have more than the system's limit. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    }
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    memset(messages, 0, sizeof(messages));
    for (size_t i = 0; i < AT_ONCE; i++) {
        parts[i] = (struct iovec){bytes[i], SIZE_MAX_};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    long came = 0;
    double last = 0;
    struct pollfd wait = {fd, POLLIN, 0};
    while (came < count && poll(&wait, 1, came == 0 ? 60000 : QUIET_MS) > 0) {
        int got = recvmmsg(fd, messages, AT_ONCE, MSG_DONTWAIT, NULL);
        came += got > 0 ? got : 0;
        last = now_s(CLOCK_REALTIME);
    }
    printf("%ld %.6f\n", came, last);
}

static char *
read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fail(path);
    }
    long end = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)end + 1);
    *size = fread(bytes, 1, (size_t)end, file);
    fclose(file);
    return bytes;
}

static void
send_all(int fd, struct mmsghdr *messages, unsigned count)
{
    for (unsigned sent = 0; sent < count;) {
        int now = sendmmsg(fd, messages + sent, count - sent, 0);
        if (now < 0) {
            fail("sendmmsg");
        }
        sent += (unsigned)now;
    }
}

static void
send_lines(unsigned port, const char *path, long count)
{
    size_t size;
    char *bytes = read_file(path, &size);
    struct sockaddr_in address = loopback(port);
    struct iovec parts[AT_ONCE];
    struct mmsghdr messages[AT_ONCE];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        fail("send");
    }
    memset(messages, 0, sizeof(messages));
    double began = now_s(CLOCK_MONOTONIC);
    char *at = bytes;
    for (long sent = 0; sent < count;) {
        unsigned ready = 0;
        for (; ready < AT_ONCE && sent < count; ready++, sent++) {
            char *end = memchr(at, '\n', (size_t)(bytes + size - at));
            parts[ready] = (struct iovec){at, (size_t)(end - at)};
            messages[ready].msg_hdr.msg_iov = &parts[ready];
            messages[ready].msg_hdr.msg_iovlen = 1;
            at = end + 1 < bytes + size ? end + 1 : bytes;
        }
        send_all(fd, messages, ready);
    }
    printf("%.0f\n", (double)count / (now_s(CLOCK_MONOTONIC) - began));
    free(bytes);
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "receive") == 0) {
        receive(atol(argv[2]));
        return 0;
    }
    if (argc == 5 && strcmp(argv[1], "send") == 0) {
        send_lines((unsigned)atoi(argv[2]), argv[3], atol(argv[4]));
        return 0;
    }
    fprintf(stderr, "usage: bench_datagrams receive COUNT | send PORT FILE COUNT\n");
    return 2;
}
