/* What the configuration of a syslog sink writes as text: where to, and which zone. Pure. */
#ifndef SW_SYSLOG_ADDRESS_H
#define SW_SYSLOG_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/error.h"

#define SW_SYSLOG_PORT     514 /* RFC 5426 §3.3 */
#define SW_SYSLOG_HOST_MAX 253 /* of a name (RFC 1035 §2.3.4), and more than any address has */

struct sw_syslog_address {
    char host[SW_SYSLOG_HOST_MAX + 1]; /* a name or an address, without brackets */
    uint16_t port;
    bool is_ip;
};

/* udp://HOST[:PORT], an IPv6 address in brackets. err tells what is wrong and how it is written. */
bool
sw_syslog_address_parse(const char *text, struct sw_syslog_address *address, struct sw_err *err);

/* local (*zone_s is SW_SYSLOG_ZONE_LOCAL; also for NULL), utc, or an offset of at most 14 hours:
 * +02:00, -09:30. */
bool sw_syslog_zone_parse(const char *text, int64_t *zone_s);

#endif
