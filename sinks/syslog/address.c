#include "sinks/syslog/address.h"

#include <string.h>

#include "agent/base/string.h"
#include "agent/event.h"
#include "sinks/format/syslog.h"

#define ADDRESS_SCHEME "udp://"
#define ADDRESS_SHAPE  "udp://HOST:PORT"

#define ZONE_HOURS_MAX 14 /* Kiribati */

static bool
address_scheme(const char *text, struct sw_err *err)
{
    static const char *const later[] = {"tcp://", "tls://", "tcp+tls://", "ssl://"};
    if (strncmp(text, ADDRESS_SCHEME, strlen(ADDRESS_SCHEME)) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        if (strncmp(text, later[i], strlen(later[i])) == 0) {
            return sw_err_set(err, "%s is not there yet: only udp:// is", later[i]);
        }
    }
    return strstr(text, "://") != NULL
               ? sw_err_set(err, "unknown scheme (allowed: " ADDRESS_SHAPE ")")
               : sw_err_set(err, "it has no scheme (allowed: " ADDRESS_SHAPE ")");
}

/* Moves *rest behind the host, and says what the host is. */
static bool
address_split(struct sw_str *rest, struct sw_str *host, struct sw_err *err)
{
    if (rest->size > 0 && rest->data[0] == '[') {
        const char *end = memchr(rest->data, ']', rest->size);
        if (end == NULL) {
            return sw_err_set(err, "the bracket of the IPv6 address is not closed");
        }
        *host = (struct sw_str){rest->data + 1, (size_t)(end - rest->data) - 1};
        *rest = (struct sw_str){end + 1, rest->size - host->size - 2};
        return sw_event_client_is_ip(*host) && memchr(host->data, ':', host->size) != NULL
                   ? true
                   : sw_err_set(err, "what is in brackets is no IPv6 address");
    }
    const char *colon = rest->size > 0 ? memchr(rest->data, ':', rest->size) : NULL;
    *host = (struct sw_str){rest->data, colon != NULL ? (size_t)(colon - rest->data) : rest->size};
    *rest = (struct sw_str){rest->data + host->size, rest->size - host->size};
    if (rest->size > 1 && memchr(rest->data + 1, ':', rest->size - 1) != NULL) {
        return sw_err_set(err, "an IPv6 address needs brackets, as in udp://[2001:db8::1]:514");
    }
    return true;
}

static bool
address_is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static bool
address_check_host(struct sw_str host, bool is_ip, struct sw_err *err)
{
    bool has_letter = false;
    if (host.size == 0) {
        return sw_err_set(err, "it names no host (allowed: " ADDRESS_SHAPE ")");
    }
    if (host.size > SW_SYSLOG_HOST_MAX) {
        return sw_err_set(err, "the host is too long (allowed: %d bytes)", SW_SYSLOG_HOST_MAX);
    }
    for (size_t i = 0; i < host.size && !is_ip; i++) {
        unsigned char c = (unsigned char)host.data[i];
        if (c >= 0x80) {
            return sw_err_set(err, "write the host in its ASCII form (xn--…)");
        }
        if (!address_is_name_char(host.data[i])) {
            return sw_err_set(err, "the host has a character that no name has (allowed: "
                                   "a-z, 0-9, '.', '-', '_'; and nothing behind the port)");
        }
        has_letter = has_letter || !(c == '.' || (c >= '0' && c <= '9'));
    }
    return is_ip || has_letter || sw_err_set(err, "the host is no IPv4 address");
}

/* rest: empty, or ":PORT". */
static bool
address_port(struct sw_str rest, uint16_t *port, struct sw_err *err)
{
    uint64_t number = SW_SYSLOG_PORT;
    if (rest.size > 0 && rest.data[0] != ':') {
        return sw_err_set(err, "only a port may follow the address (allowed: " ADDRESS_SHAPE ")");
    }
    if (rest.size > 0 &&
        (!sw_parse_uint((struct sw_str){rest.data + 1, rest.size - 1}, UINT16_MAX, &number) ||
            number == 0)) {
        return sw_err_set(err, "the port is no number (allowed: 1 to 65535, nothing behind it)");
    }
    *port = (uint16_t)number;
    return true;
}

bool
sw_syslog_address_parse(const char *text, struct sw_syslog_address *address, struct sw_err *err)
{
    struct sw_str host;
    if (!address_scheme(text, err)) {
        return false;
    }
    struct sw_str rest = sw_str_of(text + strlen(ADDRESS_SCHEME));
    if (!address_split(&rest, &host, err)) {
        return false;
    }
    bool is_ip = sw_event_client_is_ip(host);
    if (!address_check_host(host, is_ip, err) || !address_port(rest, &address->port, err)) {
        return false;
    }
    memcpy(address->host, host.data, host.size);
    address->host[host.size] = '\0';
    address->is_ip = is_ip;
    return true;
}

bool
sw_syslog_zone_parse(const char *text, int64_t *zone_s)
{
    if (text == NULL || strcmp(text, "local") == 0) {
        *zone_s = SW_SYSLOG_ZONE_LOCAL;
        return true;
    }
    if (strcmp(text, "utc") == 0) {
        *zone_s = 0;
        return true;
    }
    uint64_t hours;
    uint64_t minutes;
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        !sw_parse_uint((struct sw_str){text + 1, 2}, ZONE_HOURS_MAX, &hours) ||
        !sw_parse_uint((struct sw_str){text + 4, 2}, 59, &minutes) ||
        (hours == ZONE_HOURS_MAX && minutes > 0)) {
        return false;
    }
    int64_t offset_s = (int64_t)(hours * 3600 + minutes * 60);
    *zone_s = text[0] == '-' ? -offset_s : offset_s;
    return true;
}
