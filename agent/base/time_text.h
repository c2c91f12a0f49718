/*
 * Times are int64_t nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted; text is
 * RFC 3339. Pure: nothing here asks a clock or a time zone.
 */
#ifndef SW_BASE_TIME_TEXT_H
#define SW_BASE_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buffer.h"
#include "agent/base/string.h"

#define SW_NS_PER_S  INT64_C(1000000000)
#define SW_NS_PER_MS INT64_C(1000000)

/* "No time" where a time may be missing. */
#define SW_TIME_NONE INT64_MIN

/* 2026-11-22T14:26:17.724Z: UTC, milliseconds, cut not rounded. Years 1678 to 2261. */
void sw_time_add(struct sw_buf *buf, int64_t at_ns);

/* The same where the caller has room for SW_TIME_TEXT_SIZE characters; no NUL. */
#define SW_TIME_TEXT_SIZE 24
void sw_time_put(char text[SW_TIME_TEXT_SIZE], int64_t at_ns);

/* RFC 3339 §5.6 with a zone; `t`, `z` and a blank instead of T are taken, and an offset without
 * colon (as smbstatus writes it). Offsets beyond ±23:59 and dates that do not exist are refused.
 * Digits below a nanosecond are dropped; second 60 counts as 59. */
bool sw_time_parse(struct sw_str text, int64_t *at_ns);

/* "3d4h", "1h2m", "12s", "450ms": for people, the two largest units, cut. */
void sw_duration_add(struct sw_buf *buf, int64_t duration_ns);

#endif
