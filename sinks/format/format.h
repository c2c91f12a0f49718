/*
 * A format turns one event into bytes, and does nothing else: pure, no I/O, no clock. Formats are
 * apart from sinks, so that N formats and M sinks are N + M units.
 */
#ifndef SW_FORMAT_H
#define SW_FORMAT_H

#include "agent/base/buffer.h"
#include "agent/event.h"

/* What is the same for all events of a run. Borrowed. */
struct sw_format_context {
    struct sw_str agent_name; /* the host the agent runs on */
    struct sw_str agent_version;
    struct sw_uuid journal; /* epoch */
};

/* One event on its way to one sink. Borrowed. */
struct sw_format_record {
    const struct sw_event *event;
    uint64_t seq;    /* its row in the journal */
    uint64_t number; /* from 1, of those that this sink has sent since the agent started */
};

struct sw_format {
    const char *name;
    const char *content_type;
    /* Appends the event as one record without framing (no newline). options: the format's own, as
     * the sink's configuration holds them; NULL where it has none. false: it had to be cut to the
     * size that the options allow. */
    bool (*write)(const struct sw_format_record *record, const void *options,
        const struct sw_format_context *context, struct sw_buf *buf);
};

/* What a sink's configuration has chosen. */
struct sw_format_choice {
    const struct sw_format *format;
    const void *options;
};

/* One JSON object of the Elastic Common Schema (ECS 9) on one line. */
extern const struct sw_format sw_format_json;

#endif
