/*
 * RFC 5424: `<133>1 TIME HOST sharewatch - SESSION_OPENED [meta …][sharewatch@N …] BOM sentence`.
 * PROCID is `-`: nothing that this function is given changes with a restart of the agent (§6.2.6),
 * and `sequenceId` begins anew with each (§7.3.1).
 */
#include "agent/base/time_text.h"
#include "sinks/format/syslog_private.h"

#define RFC5424_BOM          "\xEF\xBB\xBF"
#define RFC5424_SEQUENCE_MAX 2147483647

static const struct syslog_style rfc5424_value = {
    .special = {'"', '\\', ']'}, /* §6.3.3 */
    .unprintable = {"\xEF\xBF\xBD", 3},
};

static const struct syslog_style rfc5424_sentence = {.unprintable = {" ", 1}};

static void
rfc5424_add_header(struct syslog_message *message)
{
    struct sw_buf *buf = message->buf;
    const struct sw_event *event = message->record->event;
    const char *msgid = sw_event_kind_info((int)event->kind)->msgid;
    char *at = sw_buf_reserve(buf, SYSLOG_HEADER_MAX);
    if (at == NULL) {
        return;
    }
    at = syslog_put_pri(at, message);
    at = SYSLOG_PUT(at, "1 ");
    if (event->created_ns != SW_EVENT_NONE) {
        sw_time_put(at, event->created_ns);
        at += SW_TIME_TEXT_SIZE;
    } else {
        *at++ = '-'; /* §6.2.3 */
    }
    *at++ = ' ';
    at = syslog_put_host(at, message, message->context->agent_name);
    at = SYSLOG_PUT(at, " sharewatch - ");
    while (*msgid != '\0') {
        *at++ = *msgid++;
    }
    at = SYSLOG_PUT(at, " [meta sequenceId=\"");
    at = sw_uint_put(at, (message->record->number - 1) % RFC5424_SEQUENCE_MAX + 1);
    at = SYSLOG_PUT(at, "\"][sharewatch@");
    at = sw_uint_put(at, (uint64_t)message->options->enterprise_id);
    buf->size = (size_t)(at - buf->data);
}

static bool
rfc5424_write(const struct sw_format_record *record, const void *options,
    const struct sw_format_context *context, struct sw_buf *buf)
{
    static const struct sw_str before = {"] " RFC5424_BOM, sizeof("] " RFC5424_BOM) - 1};
    struct syslog_message message = syslog_message_of(record, options, context, buf);
    rfc5424_add_header(&message);
    syslog_add_params(&message, &rfc5424_value, message.begin + message.limit - 1);
    size_t from = buf->size + 1;
    sw_buf_add(buf, before.data, before.size);
    sw_event_message(record->event, buf);
    syslog_settle_sentence(&message, &rfc5424_sentence, from, before.size - 1, buf->size);
    return !message.is_cut;
}

const struct sw_format sw_format_rfc5424 = {
    .name = "rfc5424",
    .content_type = "text/plain; charset=utf-8",
    .write = rfc5424_write,
};
