#include "agent/base/time_text.h"

#define DAYS_TO_1970    719468 /* from 0000-03-01 */
#define DAYS_PER_ERA    146097
#define SECONDS_PER_DAY 86400

/* Proleptic Gregorian calendar with years that begin in March, so that the leap day is the last
 * one (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t
time_days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static void
time_civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int64_t
time_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void
time_put(char *at, int64_t number, size_t width)
{
    unsigned rest = (unsigned)number;
    while (width > 0) {
        at[--width] = (char)('0' + rest % 10);
        rest /= 10;
    }
}

void
sw_time_add(struct sw_buf *buf, int64_t at_ns)
{
    char text[] = "0000-00-00T00:00:00.000Z";
    int64_t ms = time_floor_div(at_ns, SW_NS_PER_MS);
    int64_t seconds = time_floor_div(ms, 1000);
    int64_t days = time_floor_div(seconds, SECONDS_PER_DAY);
    int64_t second = seconds - days * SECONDS_PER_DAY;
    int64_t year, month, day;
    time_civil_from_days(days, &year, &month, &day);
    time_put(text, year, 4);
    time_put(text + 5, month, 2);
    time_put(text + 8, day, 2);
    time_put(text + 11, second / 3600, 2);
    time_put(text + 14, second / 60 % 60, 2);
    time_put(text + 17, second % 60, 2);
    time_put(text + 20, ms - seconds * 1000, 3);
    sw_buf_add(buf, text, sizeof(text) - 1);
}

/* Takes exactly width digits off the front. */
static bool
time_take(struct sw_str *text, size_t width, int64_t max, int64_t *number)
{
    uint64_t value;
    if (text->size < width ||
        !sw_parse_uint((struct sw_str){text->data, width}, (uint64_t)max, &value)) {
        return false;
    }
    *number = (int64_t)value;
    text->data += width;
    text->size -= width;
    return true;
}

static bool
time_take_char(struct sw_str *text, const char *allowed)
{
    if (text->size == 0) {
        return false;
    }
    for (; *allowed != '\0'; allowed++) {
        if (text->data[0] == *allowed) {
            text->data++;
            text->size--;
            return true;
        }
    }
    return false;
}

static void
time_take_fraction(struct sw_str *text, int64_t *ns)
{
    int64_t unit = SW_NS_PER_S / 10;
    *ns = 0;
    while (text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9') {
        *ns += (text->data[0] - '0') * unit;
        unit /= 10;
        text->data++;
        text->size--;
    }
}

static bool
time_take_offset(struct sw_str *text, int64_t *offset_s)
{
    int64_t hours;
    int64_t minutes;
    *offset_s = 0;
    if (time_take_char(text, "Zz")) {
        return true;
    }
    int64_t sign = text->size > 0 && text->data[0] == '-' ? -1 : 1;
    if (!time_take_char(text, "+-") || !time_take(text, 2, 23, &hours)) {
        return false;
    }
    (void)time_take_char(text, ":");
    if (!time_take(text, 2, 59, &minutes)) {
        return false;
    }
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static int64_t
time_days_in_month(int64_t year, int64_t month)
{
    return month == 12
               ? 31
               : time_days_from_civil(year, month + 1, 1) - time_days_from_civil(year, month, 1);
}

bool
sw_time_parse(struct sw_str text, int64_t *at_ns)
{
    int64_t year, month, day, hour, minute, second, offset;
    int64_t ns = 0;
    if (!time_take(&text, 4, 9999, &year) || !time_take_char(&text, "-") ||
        !time_take(&text, 2, 12, &month) || !time_take_char(&text, "-") ||
        !time_take(&text, 2, 31, &day) || !time_take_char(&text, "Tt ") ||
        !time_take(&text, 2, 23, &hour) || !time_take_char(&text, ":") ||
        !time_take(&text, 2, 59, &minute) || !time_take_char(&text, ":") ||
        !time_take(&text, 2, 60, &second)) {
        return false;
    }
    if (time_take_char(&text, ".")) {
        size_t before = text.size;
        time_take_fraction(&text, &ns);
        if (text.size == before) {
            return false;
        }
    }
    /* Only these years fit 64 bits of nanoseconds. */
    if (!time_take_offset(&text, &offset) || text.size != 0 || year < 1678 || year > 2261 ||
        month == 0 || day == 0 || day > time_days_in_month(year, month)) {
        return false;
    }
    second = second == 60 ? 59 : second;
    int64_t seconds = time_days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 +
                      minute * 60 + second - offset;
    *at_ns = seconds * SW_NS_PER_S + ns;
    return true;
}

void
sw_duration_add(struct sw_buf *buf, int64_t duration_ns)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int64_t seconds = duration_ns / SW_NS_PER_S;
    if (seconds < 1) {
        sw_buf_add_int(buf, duration_ns / SW_NS_PER_MS);
        sw_buf_add_text(buf, duration_ns == 0 ? "s" : "ms");
        return;
    }
    /* Two units say enough: nobody needs the seconds of three days. */
    int shown = 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && shown < 2; i++) {
        int64_t count = seconds / units[i].seconds;
        seconds %= units[i].seconds;
        if (count > 0) {
            sw_buf_add_int(buf, count);
            sw_buf_add_char(buf, units[i].unit);
        }
        shown += count > 0 || shown > 0;
    }
}
