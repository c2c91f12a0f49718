/*
 * Events as syslog messages. Both formats take the same options; the sink that carries them (UDP
 * now) adds no framing of its own kind here.
 */
#ifndef SW_FORMAT_SYSLOG_H
#define SW_FORMAT_SYSLOG_H

#include "sinks/format/format.h"

/* Which zone an RFC 3164 timestamp is in, as it has no room to say so (RFC 3164 §4.1.2). */
#define SW_SYSLOG_ZONE_LOCAL INT64_MAX

struct sw_syslog_options {
    int facility;          /* 0 to 23 (RFC 5424 §6.2.1) */
    int64_t enterprise_id; /* of the SD-ID sharewatch@N (RFC 5424 §6.3.2, §7.2.2) */
    uint64_t max_size;     /* bytes of a message; at least SW_SYSLOG_SIZE_MIN */
    int64_t zone_s;        /* east of UTC, seconds, or SW_SYSLOG_ZONE_LOCAL: the system's */
};

/* What every receiver must take (RFC 5424 §6.1). */
#define SW_SYSLOG_SIZE_MIN 480

/* RFC 5424 with the event's fields as structured data. What does not fit is cut: the message first,
 * at a UTF-8 boundary, then whole optional parameters; never inside structured data. */
extern const struct sw_format sw_format_rfc5424;

/* RFC 3164: the same fields as key="value" in the content. */
extern const struct sw_format sw_format_rfc3164;

#endif
