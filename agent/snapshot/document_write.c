#include "agent/document.h"

#include "agent/base/json_write.h"
#include "agent/base/time_text.h"

static void
document_add_name(struct sw_buf *buf, const char *literal, struct sw_str name)
{
    if (name.data != NULL) {
        sw_buf_add_text(buf, literal);
        sw_json_add_raw_string(buf, name);
    }
}

static void
document_add_count(struct sw_buf *buf, const char *literal, uint32_t count)
{
    if (count != SW_UNKNOWN) {
        sw_buf_add_text(buf, literal);
        sw_buf_add_uint(buf, count);
    }
}

static void
document_add_row(struct sw_buf *buf, const struct sw_row *row)
{
    document_add_name(buf, "{\"client\":", row->client);
    document_add_name(buf, ",\"user\":", row->user);
    document_add_count(buf, ",\"opens\":", row->opens);
    document_add_count(buf, ",\"active\":", row->active);
    document_add_count(buf, ",\"idle\":", row->idle);
    if (row->guest >= 0) {
        sw_buf_add_text(buf, row->guest > 0 ? ",\"guest\":true" : ",\"guest\":false");
    }
    document_add_name(buf, ",\"client_type\":", row->client_type);
    document_add_name(buf, ",\"transport\":", row->transport);
    document_add_name(buf, ",\"id\":", row->id);
    sw_buf_add_char(buf, '}');
}

static void
document_add_head(struct sw_buf *buf, struct sw_str server, int64_t taken_at_ns)
{
    sw_buf_add_text(buf, "{\"sharewatch\":1");
    if (server.size > 0) {
        document_add_name(buf, ",\"server\":", server);
    }
    if (taken_at_ns != SW_TIME_NONE) {
        sw_buf_add_text(buf, ",\"taken_at\":\"");
        sw_time_add(buf, taken_at_ns);
        sw_buf_add_char(buf, '"');
    }
}

void
sw_document_write(const struct sw_snapshot *snapshot, struct sw_buf *buf)
{
    document_add_head(buf, snapshot->server, snapshot->taken_at_ns);
    if (snapshot->took_ns >= 0) {
        sw_buf_add_text(buf, ",\"took_ms\":");
        sw_buf_add_int(buf, snapshot->took_ns / SW_NS_PER_MS);
    }
    if (snapshot->level >= 0) {
        sw_buf_add_text(buf, ",\"level\":");
        sw_buf_add_int(buf, snapshot->level);
    }
    sw_buf_add_text(buf, ",\"complete\":true,\"sessions\":[");
    for (size_t i = 0; i < snapshot->count; i++) {
        if (i > 0) {
            sw_buf_add_char(buf, ',');
        }
        document_add_row(buf, &snapshot->rows[i]);
    }
    sw_buf_add_text(buf, "]}\n");
}

void
sw_document_write_error(
    struct sw_str server, int64_t taken_at_ns, const struct sw_err *error, struct sw_buf *buf)
{
    document_add_head(buf, server, taken_at_ns);
    sw_buf_add_text(buf, ",\"error\":{\"code\":");
    sw_buf_add_int(buf, error->code);
    sw_buf_add_text(buf, ",\"text\":");
    sw_json_add_string(buf, sw_str_of(error->text));
    sw_buf_add_text(buf, "}}\n");
}
