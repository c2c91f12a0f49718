#include "sinks/syslog/conf.h"

#include "sinks/syslog/address.h"

#define CONF_SIZE_MAX (60 << 10) /* IPv4 carries 65507 bytes */

static const char *const conf_formats[] = {
    [SW_SYSLOG_RFC5424] = "rfc5424", [SW_SYSLOG_RFC3164] = "rfc3164", NULL};

/* By number (RFC 5424 §6.2.1). */
static const char *const conf_facilities[] = {"kern", "user", "mail", "daemon", "auth", "syslog",
    "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock", "local0",
    "local1", "local2", "local3", "local4", "local5", "local6", "local7", NULL};

const struct sw_key sw_syslog_keys[] = {
    {.name = "address",
        .type = SW_KEY_STRING,
        .offset = offsetof(struct sw_syslog_conf, address),
        .required = true,
        .min = 1,
        .max = 512,
        .help = "the receiver, as udp://HOST:PORT; an IPv6 address in brackets; without a port "
                "514"},
    {.name = "format",
        .type = SW_KEY_WORD,
        .offset = offsetof(struct sw_syslog_conf, format),
        .fallback = "rfc5424",
        .words = conf_formats,
        .help = "rfc5424 has every field as structured data; rfc3164 is for receivers that know "
                "nothing newer"},
    {.name = "facility",
        .type = SW_KEY_WORD,
        .offset = offsetof(struct sw_syslog_conf, options.facility),
        .fallback = "local0",
        .words = conf_facilities,
        .help = "by which the receiver sorts"},
    {.name = "max_size",
        .type = SW_KEY_SIZE,
        .offset = offsetof(struct sw_syslog_conf, options.max_size),
        .fallback = "2KiB",
        .min = SW_SYSLOG_SIZE_MIN,
        .max = CONF_SIZE_MAX,
        .help = "of a message: what does not fit is left out, first of the text, then of the "
                "optional fields, and counted"},
    {.name = "rate",
        .type = SW_KEY_RATE,
        .offset = offsetof(struct sw_syslog_conf, rate),
        .fallback = "2000/s",
        .min = 1,
        .max = 1000000,
        .or_zero = true,
        .help = "at most so many messages, spread evenly, so that the receiver loses none; the "
                "others wait in the journal; 0 sends as fast as it goes"},
    {.name = "enterprise_id",
        .type = SW_KEY_INT,
        .offset = offsetof(struct sw_syslog_conf, options.enterprise_id),
        .fallback = "32473",
        .min = 1,
        .max = UINT32_MAX,
        .help = "of rfc5424: the number N in the name sharewatch@N of the structured data"},
    {.name = "time_zone",
        .type = SW_KEY_STRING,
        .offset = offsetof(struct sw_syslog_conf, time_zone),
        .min = 1,
        .max = 32,
        .help = "of rfc3164, whose times do not say it: local (also when left out), utc, or an "
                "offset such as +02:00"},
    SW_KEY_END,
};

void
sw_syslog_check(const void *conf, struct sw_problems *problems)
{
    const struct sw_syslog_conf *syslog = conf;
    struct sw_syslog_address address;
    struct sw_err err;
    int64_t zone_s;
    if (syslog->address != NULL && !sw_syslog_address_parse(syslog->address, &address, &err)) {
        sw_problems_add(problems, "address", "%s", err.text);
    }
    if (!sw_syslog_zone_parse(syslog->time_zone, &zone_s)) {
        sw_problems_add(problems, "time_zone",
            "no zone (allowed: local, utc, or an offset of at most 14 hours such as +02:00)");
    } else if (syslog->time_zone != NULL && syslog->format != SW_SYSLOG_RFC3164) {
        sw_problems_add(problems, "time_zone",
            "only for 'format: rfc3164', the times of rfc5424 say their zone: leave it out");
    }
}

void
sw_syslog_prepare(void *conf)
{
    struct sw_syslog_conf *syslog = conf;
    if (!sw_syslog_zone_parse(syslog->time_zone, &syslog->options.zone_s)) {
        syslog->options.zone_s = SW_SYSLOG_ZONE_LOCAL;
    }
}

struct sw_format_choice
sw_syslog_format(const void *conf)
{
    const struct sw_syslog_conf *syslog = conf;
    return (struct sw_format_choice){
        syslog->format == SW_SYSLOG_RFC3164 ? &sw_format_rfc3164 : &sw_format_rfc5424,
        &syslog->options};
}

struct sw_sink_pace
sw_syslog_pace(const void *conf)
{
    const struct sw_syslog_conf *syslog = conf;
    return (struct sw_sink_pace){.rate = syslog->rate};
}
