/* What a webhook's answer means for the records, and how it is told. Pure. */
#ifndef SW_WEBHOOK_ANSWER_H
#define SW_WEBHOOK_ANSWER_H

#include "sinks/net/http.h"
#include "sinks/net/redact.h"
#include "sinks/sink.h"

/* The outcome of a status, and the result of all the records that it was given for. */
enum sw_outcome sw_webhook_judge(int status, enum sw_result *result);

/* "HTTP 429 Too Many Requests: first line of the body", the receiver's words without secrets and
 * fit for a terminal. Only of trouble are they told: thanks are not worth a new text each time. */
void sw_webhook_tell(const struct sw_http_answer *answer, const struct sw_redact *redact,
    char text[SW_ANSWER_TEXT_SIZE]);

/* What went wrong when nobody answered: as libcurl says it, without secrets, fit for a terminal. */
void sw_webhook_tell_trouble(
    const struct sw_http_answer *answer, const struct sw_redact *redact, struct sw_buf *buf);

#endif
