/* No strptime: it follows the locale, and not every system has it. */
#include <stdio.h>
#include <string.h>

#include "agent/base/time_text.h"
#include "sinks/net/http_answer.h"

#define DATE_PIVOT_YEARS 50

static const char *const date_days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const date_days_whole[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const date_months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct date_parts {
    uint64_t year, month, day, hour, minute, second;
};

static bool
date_take(struct sw_str *text, const char *literal)
{
    if (!sw_str_starts(*text, literal)) {
        return false;
    }
    text->data += strlen(literal);
    text->size -= strlen(literal);
    return true;
}

/* *number: which of the words, from 1. */
static bool
date_take_word(struct sw_str *text, const char *const *words, size_t count, uint64_t *number)
{
    for (size_t i = 0; i < count; i++) {
        if (date_take(text, words[i])) {
            *number = i + 1;
            return true;
        }
    }
    return false;
}

static bool
date_take_number(struct sw_str *text, size_t width, uint64_t *number)
{
    if (text->size < width || !sw_parse_uint((struct sw_str){text->data, width}, 9999, number)) {
        return false;
    }
    text->data += width;
    text->size -= width;
    return true;
}

static bool
date_take_month(struct sw_str *text, struct date_parts *parts)
{
    return date_take_word(text, date_months, 12, &parts->month);
}

static bool
date_take_clock(struct sw_str *text, struct date_parts *parts)
{
    return date_take_number(text, 2, &parts->hour) && date_take(text, ":") &&
           date_take_number(text, 2, &parts->minute) && date_take(text, ":") &&
           date_take_number(text, 2, &parts->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool
date_is_imf(struct sw_str text, struct date_parts *parts)
{
    uint64_t day;
    return date_take_word(&text, date_days, 7, &day) && date_take(&text, ", ") &&
           date_take_number(&text, 2, &parts->day) && date_take(&text, " ") &&
           date_take_month(&text, parts) && date_take(&text, " ") &&
           date_take_number(&text, 4, &parts->year) && date_take(&text, " ") &&
           date_take_clock(&text, parts) && sw_str_is(text, " GMT");
}

static uint64_t
date_year(int64_t at_ns)
{
    uint64_t year = 0;
    struct sw_buf text;
    sw_buf_init(&text, 64);
    sw_time_add(&text, at_ns);
    (void)sw_parse_uint((struct sw_str){text.data, 4}, 9999, &year);
    sw_buf_fini(&text);
    return year;
}

/* Sunday, 06-Nov-94 08:49:37 GMT: a year more than 50 years ahead is one of the last century. */
static bool
date_is_rfc850(struct sw_str text, int64_t now_ns, struct date_parts *parts)
{
    uint64_t day;
    if (!date_take_word(&text, date_days_whole, 7, &day) || !date_take(&text, ", ") ||
        !date_take_number(&text, 2, &parts->day) || !date_take(&text, "-") ||
        !date_take_month(&text, parts) || !date_take(&text, "-") ||
        !date_take_number(&text, 2, &parts->year) || !date_take(&text, " ") ||
        !date_take_clock(&text, parts) || !sw_str_is(text, " GMT")) {
        return false;
    }
    uint64_t now = date_year(now_ns);
    parts->year += now - now % 100;
    if (parts->year > now + DATE_PIVOT_YEARS) {
        parts->year -= 100;
    } else if (parts->year + 100 <= now + DATE_PIVOT_YEARS) {
        parts->year += 100;
    }
    return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool
date_is_asctime(struct sw_str text, struct date_parts *parts)
{
    uint64_t day;
    return date_take_word(&text, date_days, 7, &day) && date_take(&text, " ") &&
           date_take_month(&text, parts) && date_take(&text, " ") &&
           date_take_number(&text, date_take(&text, " ") ? 1 : 2, &parts->day) &&
           date_take(&text, " ") && date_take_clock(&text, parts) && date_take(&text, " ") &&
           date_take_number(&text, 4, &parts->year) && text.size == 0;
}

bool
sw_http_date_parse(struct sw_str text, int64_t now_ns, int64_t *at_ns)
{
    struct date_parts parts = {0};
    char rfc3339[64];
    if (!date_is_imf(text, &parts) && !date_is_rfc850(text, now_ns, &parts) &&
        !date_is_asctime(text, &parts)) {
        return false;
    }
    snprintf(rfc3339, sizeof(rfc3339), "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)parts.year,
        (unsigned)parts.month, (unsigned)parts.day, (unsigned)parts.hour, (unsigned)parts.minute,
        (unsigned)parts.second);
    return sw_time_parse(sw_str_of(rfc3339), at_ns);
}
