#include "sinks/net/http_url.h"

#include <string.h>

static bool
url_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
url_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
url_consists_of(struct sw_str text, const char *others)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!url_is_digit(c) && !url_is_alpha(c) && (c == '\0' || strchr(others, c) == NULL)) {
            return false;
        }
    }
    return text.size > 0;
}

static size_t
url_find(struct sw_str text, const char *ends)
{
    size_t at = 0;
    while (at < text.size && (text.data[at] == '\0' || strchr(ends, text.data[at]) == NULL)) {
        at++;
    }
    return at;
}

/* "name:80", "192.0.2.1", "[2001:db8::1]:80" */
static bool
url_authority(struct sw_http_url *url, struct sw_str text)
{
    bool is_bracketed = text.size > 0 && text.data[0] == '[';
    size_t end = url_find(text, is_bracketed ? "]" : ":");
    if (is_bracketed) {
        url->host = (struct sw_str){text.data + 1, end - 1};
        end += end < text.size;
    } else {
        url->host = (struct sw_str){text.data, end};
    }
    struct sw_str rest = {text.data + end, text.size - end};
    if (!url_consists_of(url->host, is_bracketed ? ":." : ".-_") ||
        (is_bracketed && text.data[end - 1] != ']')) {
        url->problem = "has no host that could be read (allowed: a name in ASCII, an IPv4 address, "
                       "an IPv6 address in brackets)";
        return false;
    }
    uint64_t port = 0;
    if (rest.size > 0) {
        url->port = (struct sw_str){rest.data + 1, rest.size - 1};
        if (rest.data[0] != ':' || !sw_parse_uint(url->port, 65535, &port) || port == 0) {
            url->problem = "has no port that could be read (allowed: 1 to 65535)";
            return false;
        }
    }
    return true;
}

bool
sw_http_url_parse(struct sw_http_url *url, struct sw_str text)
{
    *url = (struct sw_http_url){.is_https = sw_str_starts(text, "https://")};
    if (!url->is_https && !sw_str_starts(text, "http://")) {
        url->problem = "does not begin with https:// or http://";
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"<>\\^`{|}", text.data[i])) {
            url->problem = "holds a character that must be percent-encoded";
            return false;
        }
    }
    size_t scheme = url->is_https ? 8 : 7;
    struct sw_str rest = {text.data + scheme, text.size - scheme};
    size_t end = url_find(rest, "/?#");
    if (url_find((struct sw_str){rest.data, end}, "@") < end) {
        url->problem = "holds a user or password in front of the host (allowed: in auth)";
        return false;
    }
    if (url_find(rest, "#") < rest.size) {
        url->problem = "holds a fragment (#…), which is never sent";
        return false;
    }
    url->origin = (struct sw_str){text.data, scheme + end};
    url->target = (struct sw_str){rest.data + end, rest.size - end};
    return url_authority(url, (struct sw_str){rest.data, end});
}

static bool
url_is_loopback_ipv4(struct sw_str host)
{
    uint64_t number = 0;
    for (size_t part = 0; part < 4; part++) {
        size_t end = url_find(host, ".");
        if (!sw_parse_uint((struct sw_str){host.data, end}, 255, &number) ||
            (part == 0 && (number != 127 || end != 3)) || (part < 3) != (end < host.size)) {
            return false;
        }
        end += end < host.size;
        host.data += end;
        host.size -= end;
    }
    return true;
}

bool
sw_http_url_is_loopback(const struct sw_http_url *url)
{
    static const char name[] = "localhost";
    size_t i = 0;
    if (url_is_loopback_ipv4(url->host) || sw_str_is(url->host, "::1")) {
        return true;
    }
    while (i < url->host.size && i < sizeof(name) - 1 && (url->host.data[i] | 0x20) == name[i]) {
        i++;
    }
    return i == url->host.size && i == sizeof(name) - 1;
}
