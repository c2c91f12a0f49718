/*
 * The head of an HTTP answer, line by line. Pure: bytes of a stranger in, a status and a wait out.
 */
#ifndef SW_NET_HTTP_ANSWER_H
#define SW_NET_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/string.h"

struct sw_http_head {
    int status;             /* 200 to 599; 0: none yet */
    bool is_complete;       /* the empty line behind the head was there */
    int64_t retry_after_ms; /* 0: not asked for */
    /* Of the fields so far; SW_TIME_NONE: not there, or not readable. */
    int64_t date_ns;
    int64_t retry_at_ns;
    int64_t now_ns;
};

/* now_ns: the wall clock, for dates in an answer that does not say its own. */
void sw_http_head_init(struct sw_http_head *head, int64_t now_ns);

/*
 * One line, with or without its CR LF: the status line first (RFC 9112 §4, or "HTTP/2 200"),
 * fields, an empty line. Heads of interim answers (1xx, RFC 9110 §15.2) are passed over. What comes
 * behind the end, as trailers do, counts for nothing.
 */
void sw_http_head_line(struct sw_http_head *head, struct sw_str line);

/* All three forms of RFC 9110 §5.6.7. now_ns tells which century two digits of a year mean. Whether
 * the day of the week fits is not asked. */
bool sw_http_date_parse(struct sw_str text, int64_t now_ns, int64_t *at_ns);

/* "Too Many Requests" (RFC 9110 §15, RFC 6585); "" for numbers without a name of their own. What
 * the receiver itself calls its status is never shown. */
const char *sw_http_status_name(int status);

#endif
