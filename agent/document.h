/*
 * The snapshot document (README, "Snapshot document"): one JSON object a line, what `exec`
 * commands print, `replay` reads and `sessions --json` writes. Pure: bytes in, rows out.
 */
#ifndef SW_DOCUMENT_H
#define SW_DOCUMENT_H

#include "agent/base/buffer.h"
#include "agent/base/error.h"
#include "agent/base/string.h"
#include "agent/snapshot.h"

#define SW_DOCUMENT_MAX ((size_t)64 << 20) /* bytes */

enum sw_document {
    SW_DOCUMENT_SESSIONS, /* rows and facts are in the builder */
    SW_DOCUMENT_PARTIAL,  /* the same, but "complete" is false */
    SW_DOCUMENT_ERROR,    /* it reports a failed look: code and text in err; facts hold the time */
    SW_DOCUMENT_BAD,      /* damaged or not a snapshot document: err says where and why */
};

/* Reads exactly one document. Rows go to the builder at once, so memory is that of the rows. */
enum sw_document
sw_document_read(struct sw_str bytes, struct sw_builder *builder, struct sw_err *err);

/* Appends the document and a newline; times in UTC. Reading it back gives the same rows. */
void sw_document_write(const struct sw_snapshot *snapshot, struct sw_buf *buf);

/* The document of a failed look. */
void sw_document_write_error(
    struct sw_str server, int64_t taken_at_ns, const struct sw_err *error, struct sw_buf *buf);

#endif
