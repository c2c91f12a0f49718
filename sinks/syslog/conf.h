/* The configuration of a syslog sink: its keys, and what follows from them. Pure. */
#ifndef SW_SYSLOG_CONF_H
#define SW_SYSLOG_CONF_H

#include "sinks/format/syslog.h"
#include "sinks/sink.h"

enum { SW_SYSLOG_RFC5424, SW_SYSLOG_RFC3164 };

struct sw_syslog_conf {
    const char *address;
    int format;                       /* SW_SYSLOG_RFC… */
    struct sw_syslog_options options; /* zone_s is worked out by sw_syslog_prepare */
    int64_t rate;
    const char *time_zone; /* NULL: left out */
};

extern const struct sw_key sw_syslog_keys[];

void sw_syslog_check(const void *conf, struct sw_problems *problems);
void sw_syslog_prepare(void *conf);
struct sw_format_choice sw_syslog_format(const void *conf);
struct sw_sink_pace sw_syslog_pace(const void *conf);

#endif
