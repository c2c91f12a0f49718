#include "config/value.h"

#include <string.h>

struct value_unit {
    const char *name;
    uint64_t factor;
};

static const struct value_unit value_durations[] = {
    {"ms", UINT64_C(1000000)},
    {"s", UINT64_C(1000000000)},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
    {"d", UINT64_C(86400000000000)},
    {NULL, 0},
};

static const struct value_unit value_sizes[] = {
    {"B", 1},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {NULL, 0},
};

static const struct value_unit value_rates[] = {{"/s", 1}, {NULL, 0}};

static bool
value_is_digits(struct sw_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.size > 0 && (text.size == 1 || text.data[0] != '0');
}

enum sw_value
sw_value_int(struct sw_str text, int64_t *number)
{
    uint64_t digits;
    bool negative = text.size > 0 && text.data[0] == '-';
    if (negative) {
        text.data++;
        text.size--;
    }
    if (!value_is_digits(text)) {
        return SW_VALUE_WRONG;
    }
    if (!sw_parse_uint(text, INT64_MAX, &digits)) {
        return SW_VALUE_OUT_OF_RANGE;
    }
    *number = negative ? -(int64_t)digits : (int64_t)digits;
    return SW_VALUE_OK;
}

/* Number and unit, their product at most INT64_MAX. */
static enum sw_value
value_with_unit(struct sw_str text, const struct value_unit *units, uint64_t *product)
{
    size_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9') {
        digits++;
    }
    struct sw_str number = {text.data, digits};
    struct sw_str name = {text.data + digits, text.size - digits};
    if (!value_is_digits(number)) {
        return SW_VALUE_WRONG;
    }
    if (name.size == 0) {
        *product = 0;
        return sw_str_is(number, "0") ? SW_VALUE_OK : SW_VALUE_NO_UNIT;
    }
    for (const struct value_unit *unit = units; unit->name != NULL; unit++) {
        if (sw_str_is(name, unit->name)) {
            if (!sw_parse_uint(number, (uint64_t)INT64_MAX / unit->factor, product)) {
                return SW_VALUE_OUT_OF_RANGE;
            }
            *product *= unit->factor;
            return SW_VALUE_OK;
        }
    }
    return SW_VALUE_WRONG;
}

enum sw_value
sw_value_duration(struct sw_str text, int64_t *duration_ns)
{
    uint64_t product = 0;
    enum sw_value result = value_with_unit(text, value_durations, &product);
    *duration_ns = (int64_t)product;
    return result;
}

enum sw_value
sw_value_rate(struct sw_str text, int64_t *per_second)
{
    uint64_t product = 0;
    enum sw_value result = value_with_unit(text, value_rates, &product);
    *per_second = (int64_t)product;
    return result;
}

enum sw_value
sw_value_size(struct sw_str text, uint64_t *size)
{
    return value_with_unit(text, value_sizes, size);
}
