#include "sinks/webhook/envelope.h"

/* gzip: libcurl, which cannot compress what it sends, brings zlib along anyway. */
#include <zlib.h>

#include "agent/base/sha256.h"

#define ENVELOPE_ID_BYTES 16 /* of the digest: as many as an event's id has */

#define ENVELOPE_WINDOW_BITS (15 + 16) /* the largest, and a gzip header */
#define ENVELOPE_MEM_LEVEL   8

size_t
sw_envelope_count(enum sw_envelope envelope, size_t count)
{
    return envelope == SW_ENVELOPE_SINGLE && count > 1 ? 1 : count;
}

const char *
sw_envelope_content_type(enum sw_envelope envelope)
{
    return envelope == SW_ENVELOPE_NDJSON ? "application/x-ndjson" : "application/json";
}

void
sw_envelope_write(
    enum sw_envelope envelope, const struct sw_record *records, size_t count, struct sw_buf *body)
{
    count = sw_envelope_count(envelope, count);
    for (size_t i = 0; i < count; i++) {
        if (envelope == SW_ENVELOPE_ARRAY) {
            sw_buf_add_char(body, i == 0 ? '[' : ',');
        }
        sw_buf_add(body, records[i].bytes.data, records[i].bytes.size);
        if (envelope == SW_ENVELOPE_NDJSON) {
            sw_buf_add_char(body, '\n');
        }
    }
    if (envelope == SW_ENVELOPE_ARRAY) {
        sw_buf_add_char(body, ']');
    }
}

void
sw_envelope_add_id(const struct sw_record *records, size_t count, struct sw_buf *id)
{
    struct sw_sha256_run run;
    uint8_t digest[SW_SHA256_SIZE];
    char hex[2 * ENVELOPE_ID_BYTES];
    if (count == 1) {
        sw_uuid_add(id, &records[0].event->id);
        return;
    }
    sw_sha256_begin(&run);
    for (size_t i = 0; i < count; i++) {
        const struct sw_uuid *uuid = &records[i].event->id;
        sw_sha256_add(&run, uuid->bytes, sizeof(uuid->bytes));
    }
    sw_sha256_end(&run, digest);
    sw_hex_encode(hex, digest, ENVELOPE_ID_BYTES);
    sw_buf_add(id, hex, sizeof(hex));
}

bool
sw_envelope_gzip(struct sw_str bytes, struct sw_buf *zipped, struct sw_err *err)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, ENVELOPE_WINDOW_BITS,
            ENVELOPE_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        return sw_err_set(err, "no memory to compress");
    }
    size_t bound = deflateBound(&stream, (uLong)bytes.size);
    char *room = sw_buf_reserve(zipped, bound);
    int code = Z_MEM_ERROR;
    if (room != NULL) {
        stream.next_in = (Bytef *)(uintptr_t)bytes.data;
        stream.avail_in = (uInt)bytes.size;
        stream.next_out = (Bytef *)room;
        stream.avail_out = (uInt)bound;
        code = deflate(&stream, Z_FINISH);
        size_t size = zipped->size + bound - stream.avail_out;
        zipped->size = size;
        sw_buf_truncate(zipped, size);
    }
    (void)deflateEnd(&stream);
    return code == Z_STREAM_END || sw_err_set(err, "%zu bytes cannot be compressed", bytes.size);
}
