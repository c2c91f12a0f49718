/* Stored events, as a damaged journal or another version may hold them: decode, and whatever
 * decodes becomes a sentence, one clean line of JSON and syslog messages of every size, and is
 * stored again as the same event. */
#include <stdint.h>
#include <stdlib.h>

#include "agent/base/json_read.h"
#include "agent/event.h"
#include "sinks/format/syslog.h"
#include "tests/support/rfc5424_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

static void
check_stored_again(const struct sw_event *event)
{
    struct sw_event back;
    struct sw_buf first;
    struct sw_buf second;
    sw_buf_init(&first, SW_EVENT_SIZE_MAX);
    sw_buf_init(&second, SW_EVENT_SIZE_MAX);
    sw_event_encode(event, &first);
    require(!first.failed);
    require(sw_event_decode(&back, (struct sw_str){first.data, first.size}, NULL));
    sw_event_encode(&back, &second);
    require(sw_str_equal(
        (struct sw_str){first.data, first.size}, (struct sw_str){second.data, second.size}));
    sw_buf_fini(&first);
    sw_buf_fini(&second);
}

static const struct sw_format_context context = {
    .agent_name = {"fs01", 4}, .agent_version = {"0.1.0", 5}, .journal = {{0xA0}}};

/* What a receiver may show as it came. */
static void
require_printable(const struct sw_buf *buf)
{
    for (size_t at = 0; at < buf->size;) {
        uint32_t code_point;
        at += sw_utf8_next(buf->data + at, buf->size - at, &code_point);
        require(code_point != SW_UTF8_BAD && !sw_is_unprintable(code_point));
    }
}

static void
check_syslog(const struct sw_event *event, uint64_t max_size)
{
    const struct sw_syslog_options options = {
        .facility = 23, .enterprise_id = 32473, .max_size = max_size, .zone_s = -43200};
    const struct sw_format_record record = {event, UINT64_MAX, 1};
    struct rfc5424_message message;
    struct sw_buf buf;
    sw_buf_init(&buf, (size_t)8 << 20);
    (void)sw_format_rfc5424.write(&record, &options, &context, &buf);
    require(!buf.failed && buf.size <= max_size);
    require_printable(&buf);
    require(rfc5424_read(&message, (struct sw_str){buf.data, buf.size}) == NULL);
    require(rfc5424_find(&message, "seq") != NULL);
    rfc5424_fini(&message);
    sw_buf_clear(&buf);
    (void)sw_format_rfc3164.write(&record, &options, &context, &buf);
    require(!buf.failed && buf.size <= max_size);
    require_printable(&buf);
    sw_buf_fini(&buf);
}

static void
check_json(const struct sw_event *event)
{
    struct sw_buf buf;
    struct sw_json json;
    sw_buf_init(&buf, (size_t)8 << 20);
    const struct sw_format_record record = {event, UINT64_MAX, 1};
    sw_format_json.write(&record, NULL, &context, &buf);
    require(!buf.failed);
    for (size_t i = 0; i < buf.size; i++) {
        require((unsigned char)buf.data[i] >= 0x20 && buf.data[i] != 0x7F);
    }
    require(sw_utf8_is_valid((struct sw_str){buf.data, buf.size}));
    sw_json_init(&json, buf.data, buf.size);
    require(sw_json_skip(&json) && sw_json_next(&json) == SW_JSON_END);
    sw_json_fini(&json);
    sw_buf_fini(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sw_err err;
    struct sw_event event;
    if (!sw_event_decode(&event, (struct sw_str){(const char *)data, size}, &err)) {
        require(err.text[0] != '\0');
        return 0;
    }
    check_stored_again(&event);
    check_json(&event);
    check_syslog(&event, SW_SYSLOG_SIZE_MIN);
    check_syslog(&event, SW_SYSLOG_SIZE_MIN + size % 2048);
    check_syslog(&event, (uint64_t)4 << 20);
    return 0;
}
