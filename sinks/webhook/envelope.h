/* A batch of records as the body of one request. Pure. */
#ifndef SW_WEBHOOK_ENVELOPE_H
#define SW_WEBHOOK_ENVELOPE_H

#include "sinks/sink.h"

enum sw_envelope {
    SW_ENVELOPE_ARRAY,  /* one JSON array */
    SW_ENVELOPE_NDJSON, /* a record a line, each ended by a newline */
    SW_ENVELOPE_SINGLE, /* the first record as it is, no others */
};

/* Records of the next request out of count. */
size_t sw_envelope_count(enum sw_envelope envelope, size_t count);

const char *sw_envelope_content_type(enum sw_envelope envelope);

/* Appends the body. */
void sw_envelope_write(
    enum sw_envelope envelope, const struct sw_record *records, size_t count, struct sw_buf *body);

/* Appends what names this very set of records in this order, whenever and however often they are
 * sent: of one record its event's id, of several a digest of all their ids. No dots in it. */
void sw_envelope_add_id(const struct sw_record *records, size_t count, struct sw_buf *id);

/* Appends bytes as a gzip stream (RFC 1952), the same for the same bytes. */
bool sw_envelope_gzip(struct sw_str bytes, struct sw_buf *zipped, struct sw_err *err);

#endif
