#include "agent/base/string.h"

#include <string.h>

struct sw_str
sw_str_of(const char *text)
{
    return (struct sw_str){text, text != NULL ? strlen(text) : 0};
}

bool
sw_str_equal(struct sw_str a, struct sw_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool
sw_str_is(struct sw_str a, const char *text)
{
    return sw_str_equal(a, sw_str_of(text));
}

int
sw_str_compare(struct sw_str a, struct sw_str b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    if (order == 0) {
        order = (a.size > b.size) - (a.size < b.size);
    }
    return order;
}

bool
sw_str_starts(struct sw_str a, const char *prefix)
{
    size_t size = strlen(prefix);
    return size == 0 || (a.size >= size && memcmp(a.data, prefix, size) == 0);
}

/* RFC 3629 §4: the first byte fixes the size and the range of the second. */
size_t
sw_utf8_next(const char *bytes, size_t size, uint32_t *code_point)
{
    const unsigned char *b = (const unsigned char *)bytes;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t need;
    uint32_t value;

    *code_point = SW_UTF8_BAD;
    if (b[0] < 0x80) {
        *code_point = b[0];
        return 1;
    } else if (b[0] >= 0xC2 && b[0] <= 0xDF) {
        need = 2;
        value = b[0] & 0x1Fu;
    } else if (b[0] >= 0xE0 && b[0] <= 0xEF) {
        need = 3;
        value = b[0] & 0x0Fu;
        low = b[0] == 0xE0 ? 0xA0 : low;
        high = b[0] == 0xED ? 0x9F : high;
    } else if (b[0] >= 0xF0 && b[0] <= 0xF4) {
        need = 4;
        value = b[0] & 0x07u;
        low = b[0] == 0xF0 ? 0x90 : low;
        high = b[0] == 0xF4 ? 0x8F : high;
    } else {
        return 1;
    }
    for (size_t i = 1; i < need; i++) {
        /* What is well-formed so far counts as one bad part, so that one U+FFFD stands for it. */
        if (i >= size || b[i] < low || b[i] > high) {
            return i;
        }
        value = value << 6 | (b[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *code_point = value;
    return need;
}

bool
sw_utf8_is_valid(struct sw_str text)
{
    for (size_t at = 0; at < text.size;) {
        uint32_t code_point;
        at += sw_utf8_next(text.data + at, text.size - at, &code_point);
        if (code_point == SW_UTF8_BAD) {
            return false;
        }
    }
    return true;
}

size_t
sw_utf8_cut(const char *bytes, size_t size, size_t max)
{
    if (size < max) {
        return size;
    }
    /* At most three continuation bytes can belong to a sequence that began before the cut. */
    for (size_t back = 1; back <= 4 && back <= max; back++) {
        unsigned char byte = (unsigned char)bytes[max - back];
        if ((byte & 0xC0) != 0x80) {
            size_t need = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
            return need > back ? max - back : max;
        }
    }
    return max;
}

void
sw_utf8_add(struct sw_buf *buf, uint32_t code_point)
{
    char bytes[4];
    size_t size;
    if (code_point < 0x80) {
        bytes[0] = (char)code_point;
        size = 1;
    } else if (code_point < 0x800) {
        bytes[0] = (char)(0xC0 | code_point >> 6);
        bytes[1] = (char)(0x80 | (code_point & 0x3F));
        size = 2;
    } else if (code_point < 0x10000) {
        bytes[0] = (char)(0xE0 | code_point >> 12);
        bytes[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (code_point & 0x3F));
        size = 3;
    } else {
        bytes[0] = (char)(0xF0 | code_point >> 18);
        bytes[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
        bytes[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
        bytes[3] = (char)(0x80 | (code_point & 0x3F));
        size = 4;
    }
    sw_buf_add(buf, bytes, size);
}

void
sw_utf8_repair(struct sw_buf *buf, struct sw_str text)
{
    size_t good_from = 0;
    size_t at = 0;
    while (at < text.size) {
        uint32_t code_point;
        size_t size = sw_utf8_next(text.data + at, text.size - at, &code_point);
        if (code_point == SW_UTF8_BAD || code_point == 0) {
            sw_buf_add(buf, text.data + good_from, at - good_from);
            sw_buf_add_text(buf, "\xEF\xBF\xBD");
            good_from = at + size;
        }
        at += size;
    }
    if (at > good_from) {
        sw_buf_add(buf, text.data + good_from, at - good_from);
    }
}

bool
sw_is_unprintable(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void
sw_text_printable(struct sw_buf *buf, struct sw_str text)
{
    for (size_t at = 0; at < text.size;) {
        uint32_t code_point;
        size_t size = sw_utf8_next(text.data + at, text.size - at, &code_point);
        if (code_point == SW_UTF8_BAD) {
            sw_buf_add_text(buf, "\xEF\xBF\xBD");
        } else if (sw_is_unprintable(code_point)) {
            sw_buf_printf(buf, "\\u{%X}", (unsigned)code_point);
        } else {
            sw_buf_add(buf, text.data + at, size);
        }
        at += size;
    }
}

static unsigned char
glob_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Iterative with one point to come back to (the last `*`), so hostile patterns stay quadratic. */
bool
sw_glob_match(struct sw_str pattern, struct sw_str text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star_p = SIZE_MAX;
    size_t star_t = 0;

    while (t < text.size) {
        bool matched = false;
        size_t t_step = 1;
        if (p < pattern.size && pattern.data[p] == '*') {
            star_p = ++p;
            star_t = t;
            continue;
        }
        if (p < pattern.size && pattern.data[p] == '?') {
            uint32_t code_point;
            t_step = sw_utf8_next(text.data + t, text.size - t, &code_point);
            matched = true;
        } else if (p < pattern.size) {
            matched = glob_lower(pattern.data[p]) == glob_lower(text.data[t]);
        }
        if (matched) {
            p++;
            t += t_step;
        } else if (star_p != SIZE_MAX) {
            /* By code points, or a `?` behind the star would take parts of one. */
            uint32_t code_point;
            star_t += sw_utf8_next(text.data + star_t, text.size - star_t, &code_point);
            p = star_p;
            t = star_t;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.size;
}

bool
sw_parse_uint(struct sw_str text, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;
    if (text.size == 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(c - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return value <= max;
}

#define EDIT_MAX 63

size_t
sw_edit_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > EDIT_MAX || b_size > EDIT_MAX) {
        return EDIT_MAX + 1;
    }
    unsigned char rows[3][EDIT_MAX + 1];
    unsigned char *before = rows[0];
    unsigned char *last = rows[1];
    unsigned char *now = rows[2];
    for (size_t j = 0; j <= b_size; j++) {
        before[j] = last[j] = (unsigned char)j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1] ? 1u : 0u);
            if (last[j] + 1u < best) {
                best = last[j] + 1u;
            }
            if (now[j - 1] + 1u < best) {
                best = now[j - 1] + 1u;
            }
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1u < best) {
                best = before[j - 2] + 1u;
            }
            now[j] = (unsigned char)best;
        }
        unsigned char *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b_size];
}

void
sw_hex_encode(char *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 0x0F];
    }
}
