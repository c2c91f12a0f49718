/*
 * RFC 3164: `<133>Nov 22 14:26:17 fs01 sharewatch: sentence id="…" …`. The sentence holds no `"`
 * and no `=`: whoever picks key="value" out of the content must not find one that is part of a
 * name.
 */
#include <string.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "sinks/format/syslog_private.h"

static const struct syslog_style rfc3164_value = {
    .special = {'"', '\\'},
    .unprintable = {"\xEF\xBF\xBD", 3},
};

static const struct syslog_style rfc3164_sentence = {
    .special = {'"', '='},
    .instead = "':",
    .unprintable = {" ", 1},
};

/* No event is so far from 1970 that its zone matters, but a damaged journal may say so. */
static int64_t
rfc3164_local(int64_t at_ns, int64_t zone_s)
{
    if (zone_s == SW_SYSLOG_ZONE_LOCAL) {
        zone_s = sw_clock_local_offset_s(at_ns);
    }
    int64_t zone_ns = zone_s * SW_NS_PER_S;
    bool fits = zone_ns >= 0 ? at_ns <= INT64_MAX - zone_ns : at_ns >= INT64_MIN - zone_ns;
    return fits ? at_ns + zone_ns : at_ns;
}

/* `Nov  2 14:26:17` (§4.1.2), made of 2026-11-02T14:26:17.724Z. */
static char *
rfc3164_put_time(char *at, int64_t at_ns)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[SW_TIME_TEXT_SIZE];
    sw_time_put(text, at_ns);
    int month = (text[5] - '0') * 10 + (text[6] - '0');
    memcpy(at, months + 3 * (month - 1), 3);
    at[3] = ' ';
    at[4] = text[8] != '0' ? text[8] : ' ';
    at[5] = text[9];
    at[6] = ' ';
    memcpy(at + 7, text + 11, 8);
    return at + 15;
}

/* Without its domain (§4.1.2); an address has none. */
static struct sw_str
rfc3164_host(struct sw_str name)
{
    const char *dot = name.size > 0 ? memchr(name.data, '.', name.size) : NULL;
    if (dot != NULL && !sw_event_client_is_ip(name)) {
        name.size = (size_t)(dot - name.data);
    }
    return name;
}

static void
rfc3164_add_header(struct syslog_message *message)
{
    struct sw_buf *buf = message->buf;
    int64_t at_ns = message->record->event->created_ns;
    char *at = sw_buf_reserve(buf, SYSLOG_HEADER_MAX);
    if (at == NULL) {
        return;
    }
    at = syslog_put_pri(at, message);
    /* There is no way to say that a time is unknown. */
    at_ns = at_ns != SW_EVENT_NONE ? at_ns : 0;
    at = rfc3164_put_time(at, rfc3164_local(at_ns, message->options->zone_s));
    *at++ = ' ';
    at = syslog_put_host(at, message, rfc3164_host(message->context->agent_name));
    at = SYSLOG_PUT(at, " sharewatch:");
    buf->size = (size_t)(at - buf->data);
}

static bool
rfc3164_write(const struct sw_format_record *record, const void *options,
    const struct sw_format_context *context, struct sw_buf *buf)
{
    struct syslog_message message = syslog_message_of(record, options, context, buf);
    rfc3164_add_header(&message);
    size_t from = buf->size;
    sw_buf_add_char(buf, ' ');
    sw_event_message(record->event, buf);
    size_t to = buf->size;
    syslog_add_params(&message, &rfc3164_value, message.begin + message.limit + (to - from));
    syslog_settle_sentence(&message, &rfc3164_sentence, from, 1, to);
    return !message.is_cut;
}

const struct sw_format sw_format_rfc3164 = {
    .name = "rfc3164",
    .content_type = "text/plain; charset=utf-8",
    .write = rfc3164_write,
};
