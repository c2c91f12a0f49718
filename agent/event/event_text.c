/* What people read of an event, and the names in it taken apart. */
#include "agent/event.h"

#include <string.h>

#include "agent/base/time_text.h"

static size_t
text_find(struct sw_str text, char byte)
{
    const char *found = text.size > 0 ? memchr(text.data, byte, text.size) : NULL;
    return found != NULL ? (size_t)(found - text.data) : SIZE_MAX;
}

static struct sw_str
text_from(struct sw_str text, size_t from)
{
    return (struct sw_str){text.data + from, text.size - from};
}

void
sw_event_split_user(struct sw_str text, struct sw_str *user, struct sw_str *domain)
{
    *user = text;
    *domain = (struct sw_str){NULL, 0};
    size_t at = text_find(text, '\\');
    if (at != SIZE_MAX) {
        if (at + 1 < text.size) {
            *domain = (struct sw_str){text.data, at};
            *user = text_from(text, at + 1);
        }
        return;
    }
    /* The last one: a user part may hold an @, a domain cannot. */
    for (at = text.size; at > 0 && text.data[at - 1] != '@'; at--) {
    }
    if (at > 1 && at < text.size) {
        *user = (struct sw_str){text.data, at - 1};
        *domain = text_from(text, at);
    }
}

static bool
text_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct sw_str
sw_event_normal_client(struct sw_str text)
{
    while (text.size > 0 && text_is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    while (text.size > 0 && (text_is_blank(text.data[0]) || text.data[0] == '\\')) {
        text = text_from(text, 1);
    }
    if (text.size >= 2 && text.data[0] == '[' && text.data[text.size - 1] == ']') {
        text = (struct sw_str){text.data + 1, text.size - 2};
    }
    return text;
}

/* Dotted decimal without leading zeros, which some readers take for octal. */
static bool
text_is_ipv4(struct sw_str text)
{
    for (int octets = 1;; octets++) {
        size_t dot = text_find(text, '.');
        struct sw_str octet = {text.data, dot != SIZE_MAX ? dot : text.size};
        uint64_t number;
        if (octet.size > 3 || !sw_parse_uint(octet, 255, &number) ||
            (octet.size > 1 && octet.data[0] == '0')) {
            return false;
        }
        if (dot == SIZE_MAX || octets == 4) {
            return dot == SIZE_MAX && octets == 4;
        }
        text = text_from(text, dot + 1);
    }
}

static bool
text_is_hex_group(struct sw_str text)
{
    if (text.size < 1 || text.size > 4) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return true;
}

/* RFC 4291 §2.2: eight groups, or fewer with one `::` (even for a single group); the last two may
 * be an IPv4 address. */
static bool
text_is_ipv6(struct sw_str text)
{
    int groups = 0;
    bool has_gap = false;
    if (text.size >= 2 && text.data[0] == ':' && text.data[1] == ':') {
        has_gap = true;
        text = text_from(text, 2);
        if (text.size == 0) {
            return true;
        }
    }
    for (;;) {
        size_t colon = text_find(text, ':');
        if (colon == SIZE_MAX) {
            groups += text_is_ipv4(text) ? 2 : text_is_hex_group(text) ? 1 : 9;
            break;
        }
        if (!text_is_hex_group((struct sw_str){text.data, colon})) {
            return false;
        }
        groups++;
        text = text_from(text, colon + 1);
        if (text.size > 0 && text.data[0] == ':') {
            if (has_gap) {
                return false;
            }
            has_gap = true;
            text = text_from(text, 1);
            if (text.size == 0) {
                break;
            }
        }
    }
    return has_gap ? groups <= 7 : groups == 8;
}

struct sw_str
sw_event_client_address(struct sw_str client)
{
    size_t scope = text_find(client, '%');
    if (scope != SIZE_MAX && scope + 1 < client.size) {
        struct sw_str address = {client.data, scope};
        return text_is_ipv6(address) ? address : (struct sw_str){NULL, 0};
    }
    return text_is_ipv4(client) || text_is_ipv6(client) ? client : (struct sw_str){NULL, 0};
}

bool
sw_event_client_is_ip(struct sw_str client)
{
    return sw_event_client_address(client).size > 0;
}
