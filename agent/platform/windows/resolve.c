/*
 * GetAddrInfoW() may take minutes and cannot be interrupted. So a thread of its own calls it, and
 * whoever gives up first, the asker or the thread, leaves the shared state to the other: the second
 * one frees it.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"
#include "agent/platform/windows/winsock.h"

struct lookup {
    char *host;
    uint16_t port;
    struct sw_latch answered; /* the asker's, closed when it gives up */

    pthread_mutex_t mutex; /* of these: */
    bool is_done;
    bool is_abandoned;
    bool has_failed;
    struct sw_addresses found;
    struct sw_err err;
};

struct sw_resolver {
    char *host;
    uint16_t port;
    struct lookup *lookup; /* under way, or answered and not yet told; NULL */
};

bool
sw_address_equal(const struct sw_address *a, const struct sw_address *b)
{
    return a->is_ipv6 == b->is_ipv6 && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0 &&
           a->scope == b->scope && a->port == b->port;
}

void
sw_address_add(struct sw_buf *buf, const struct sw_address *address)
{
    char text[INET6_ADDRSTRLEN];
    const void *bytes = address->bytes;
    if (inet_ntop(address->is_ipv6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text)) != NULL) {
        sw_buf_add_text(buf, text);
    }
    if (address->scope != 0) {
        sw_buf_printf(buf, "%%%lu", (unsigned long)address->scope);
    }
}

/* false: of a family that we do not know. */
static bool
resolve_take(struct sw_address *address, const ADDRINFOW *info, uint16_t port)
{
    *address = (struct sw_address){.is_ipv6 = info->ai_family == AF_INET6, .port = port};
    if (info->ai_family == AF_INET6 && info->ai_addrlen >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 from;
        memcpy(&from, info->ai_addr, sizeof(from));
        memcpy(address->bytes, &from.sin6_addr, 16);
        address->scope = from.sin6_scope_id;
        return true;
    }
    if (info->ai_family == AF_INET && info->ai_addrlen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in from;
        memcpy(&from, info->ai_addr, sizeof(from));
        memcpy(address->bytes, &from.sin_addr, 4);
        return true;
    }
    return false;
}

static void
resolve_collect(struct sw_addresses *found, const ADDRINFOW *first, uint16_t port)
{
    *found = (struct sw_addresses){.found_at_ns = sw_clock_boot_ns()};
    for (const ADDRINFOW *info = first; info != NULL; info = info->ai_next) {
        if (found->count < SW_ADDRESSES_MAX &&
            resolve_take(&found->items[found->count], info, port)) {
            found->count++;
        }
    }
}

static bool
resolve_now(
    const char *host, uint16_t port, int flags, struct sw_addresses *found, struct sw_err *err)
{
    const ADDRINFOW hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = flags};
    ADDRINFOW *first = NULL;
    if (!win_sockets_start(err)) {
        return false;
    }
    wchar_t *wide = win_wide(host);
    int code = GetAddrInfoW(wide, NULL, &hints, &first);
    free(wide);
    if (code != 0) {
        return win_fail(err, (DWORD)code, "look up %s", host);
    }
    resolve_collect(found, first, port);
    FreeAddrInfoW(first);
    return found->count > 0 || sw_err_set(err, "look up %s: it has no IP address", host);
}

static void
lookup_free(struct lookup *lookup)
{
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup->host);
    free(lookup);
}

static void *
lookup_run(void *argument)
{
    struct lookup *lookup = argument;
    struct sw_addresses found = {0};
    struct sw_err err = {0};
    bool good = resolve_now(lookup->host, lookup->port, 0, &found, &err);
    pthread_mutex_lock(&lookup->mutex);
    bool is_mine = lookup->is_abandoned;
    if (!is_mine) {
        lookup->found = found;
        lookup->err = err;
        lookup->has_failed = !good;
        lookup->is_done = true;
        sw_latch_set(&lookup->answered);
    }
    pthread_mutex_unlock(&lookup->mutex);
    if (is_mine) {
        lookup_free(lookup);
    }
    return NULL;
}

/* The asker's last touch. */
static void
lookup_leave(struct lookup *lookup)
{
    pthread_mutex_lock(&lookup->mutex);
    sw_latch_fini(&lookup->answered);
    lookup->is_abandoned = true;
    bool is_mine = lookup->is_done;
    pthread_mutex_unlock(&lookup->mutex);
    if (is_mine) {
        lookup_free(lookup);
    }
}

static struct lookup *
lookup_start(const struct sw_resolver *resolver, struct sw_err *err)
{
    pthread_t thread;
    struct lookup *lookup = sw_calloc(1, sizeof(*lookup));
    pthread_mutex_init(&lookup->mutex, NULL);
    lookup->host = sw_strdup(resolver->host);
    lookup->port = resolver->port;
    if (!sw_latch_init(&lookup->answered, err) ||
        !sw_thread_start_roomy(&thread, lookup_run, lookup, "look up", err)) {
        lookup->is_done = true;
        lookup_leave(lookup);
        return NULL;
    }
    pthread_detach(thread);
    return lookup;
}

/* true: there is an answer. */
static bool
lookup_wait(const struct lookup *lookup, int64_t deadline_ns, const struct sw_latch *stop)
{
    HANDLE handles[2] = {
        stop != NULL ? win_handle(stop->fds[0]) : NULL, win_handle(lookup->answered.fds[0])};
    return win_wait(handles, 2, deadline_ns) == 1;
}

struct sw_resolver *
sw_resolver_new(const char *host, uint16_t port)
{
    struct sw_resolver *resolver = sw_calloc(1, sizeof(*resolver));
    resolver->host = sw_strdup(host);
    resolver->port = port;
    return resolver;
}

void
sw_resolver_free(struct sw_resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    if (resolver->lookup != NULL) {
        lookup_leave(resolver->lookup);
    }
    free(resolver->host);
    free(resolver);
}

enum sw_lookup
sw_resolver_ask(struct sw_resolver *resolver, struct sw_addresses *found, int64_t deadline_ns,
    const struct sw_latch *stop, struct sw_err *err)
{
    if (resolver->lookup == NULL) {
        if (resolve_now(resolver->host, resolver->port, AI_NUMERICHOST, found, NULL)) {
            return SW_LOOKUP_DONE;
        }
        resolver->lookup = lookup_start(resolver, err);
        if (resolver->lookup == NULL) {
            return SW_LOOKUP_FAILED;
        }
    }
    struct lookup *lookup = resolver->lookup;
    if (!lookup_wait(lookup, deadline_ns, stop)) {
        sw_err_set(err, "look up %s: no answer yet from the name servers", resolver->host);
        return SW_LOOKUP_WAITS;
    }
    pthread_mutex_lock(&lookup->mutex);
    bool good = !lookup->has_failed;
    *found = lookup->found;
    if (!good && err != NULL) {
        *err = lookup->err;
    }
    pthread_mutex_unlock(&lookup->mutex);
    resolver->lookup = NULL;
    lookup_leave(lookup);
    return good ? SW_LOOKUP_DONE : SW_LOOKUP_FAILED;
}
