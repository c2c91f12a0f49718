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

/*
 * What both formats tell, in this order of importance:
 *   always    id seq journal source server user client session
 *   optional  domain outcome (of agent.reloaded) reason start end duration sink count
 *             first_sequence last_sequence opened closed altered error_code clean_stop baseline
 *             changed opens idle guest gone_by start_from old_server client_type native_id
 *             transport error
 * A parameter that an event has no value for is not there. Times are RFC 3339 in UTC, flags `true`
 * and `false`, `duration` is in nanoseconds, `idle` in seconds.
 *
 * What does not fit in max_size is cut in this order: the sentence for people, at a code point,
 * with an ellipsis (U+2026) at its end; then whole optional parameters, each that has no room
 * beside the more important ones (room left over goes to the sentence again); last source, server,
 * user and client, the longest first, with an ellipsis at the end of the value. A host name gets a
 * sixth of the message at most.
 *
 * Text of strangers: in values, each malformed sequence, control character (C0, DEL, C1),
 * bidirectional control, U+2028, U+2029 and U+FEFF becomes U+FFFD; in the sentence malformed
 * sequences become U+FFFD and the others a blank.
 */

/* RFC 5424: the parameters as structured data (§6.3) under the SD-ID sharewatch@N, beside `meta
 * sequenceId` (§7.3.1); the sentence is the MSG, in UTF-8 with a byte order mark (§6.4). PROCID is
 * `-`. An unknown time is `-` (§6.2.3). */
extern const struct sw_format sw_format_rfc5424;

/* RFC 3164: the content (§4.1.3) is the sentence, in which `"` is shown as `'` and `=` as `:`, and
 * then the parameters as key="value", `"` and `\` escaped by a backslash. The host name is without
 * its domain (§4.1.2). An unknown time is 1970. */
extern const struct sw_format sw_format_rfc3164;

#endif
