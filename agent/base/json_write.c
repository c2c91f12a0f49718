#include "agent/base/json_write.h"

#include <string.h>

/* Where the bytes end that need no closer look: no control, quote, backslash, DEL or above ASCII.
 * Four at a time, because nearly all strings are nothing else. */
static size_t
json_skip_plain(struct sw_str text, size_t at)
{
#define PLAIN(from, to) [from... to] = true
    static const bool plain[256] = {PLAIN(' ', '!'), PLAIN('#', '['), PLAIN(']', '~')};
#undef PLAIN
    const unsigned char *bytes = (const unsigned char *)text.data;
    while (text.size - at >= 4 &&
           plain[bytes[at]] & plain[bytes[at + 1]] & plain[bytes[at + 2]] & plain[bytes[at + 3]]) {
        at += 4;
    }
    while (at < text.size && plain[bytes[at]]) {
        at++;
    }
    return at;
}

static bool
json_must_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static void
json_add_escape(struct sw_buf *buf, uint32_t code_point)
{
    static const char digits[] = "0123456789abcdef";
    switch (code_point) {
    case '\n':
        sw_buf_add(buf, "\\n", 2);
        return;
    case '\r':
        sw_buf_add(buf, "\\r", 2);
        return;
    case '\t':
        sw_buf_add(buf, "\\t", 2);
        return;
    default:
        break;
    }
    char escape[6] = {'\\', 'u', digits[code_point >> 12 & 0xF], digits[code_point >> 8 & 0xF],
        digits[code_point >> 4 & 0xF], digits[code_point & 0xF]};
    sw_buf_add(buf, escape, sizeof(escape));
}

/* The three bytes that sw_utf8_add makes of a surrogate. */
static bool
json_is_surrogate(const char *bytes, size_t size, uint32_t *unit)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (size < 3 || b[0] != 0xED || b[1] < 0xA0 || b[1] > 0xBF || (b[2] & 0xC0) != 0x80) {
        return false;
    }
    *unit = 0xD000u | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
    return true;
}

static void
json_add_quoted(struct sw_buf *buf, struct sw_str text, bool raw)
{
    sw_buf_add_char(buf, '"');
    size_t from = 0;
    size_t at = 0;
    size_t escaped_high = SIZE_MAX; /* where the last escape of a high surrogate ended */
    while (at < text.size) {
        at = json_skip_plain(text, at);
        if (at == text.size) {
            break;
        }
        uint32_t code_point;
        uint32_t unit;
        size_t size = sw_utf8_next(text.data + at, text.size - at, &code_point);
        /* A low one behind a high one stays as it is: two escapes would be read as one pair. */
        if (code_point == SW_UTF8_BAD && raw &&
            json_is_surrogate(text.data + at, text.size - at, &unit) &&
            !(unit >= 0xDC00 && escaped_high == at)) {
            sw_buf_add(buf, text.data + from, at - from);
            json_add_escape(buf, unit);
            at += 3;
            from = at;
            escaped_high = unit < 0xDC00 ? at : SIZE_MAX;
            continue;
        }
        if ((code_point == SW_UTF8_BAD || code_point == 0) && !raw) {
            sw_buf_add(buf, text.data + from, at - from);
            sw_buf_add_text(buf, "\xEF\xBF\xBD");
            from = at + size;
        } else if (code_point == '"' || code_point == '\\') {
            sw_buf_add(buf, text.data + from, at - from);
            sw_buf_add_char(buf, '\\');
            from = at;
        } else if (code_point != SW_UTF8_BAD && json_must_escape(code_point)) {
            sw_buf_add(buf, text.data + from, at - from);
            json_add_escape(buf, code_point);
            from = at + size;
        }
        at += size;
    }
    if (at > from) {
        sw_buf_add(buf, text.data + from, at - from);
    }
    sw_buf_add_char(buf, '"');
}

void
sw_json_add_string(struct sw_buf *buf, struct sw_str text)
{
    json_add_quoted(buf, text, false);
}

void
sw_json_add_raw_string(struct sw_buf *buf, struct sw_str text)
{
    json_add_quoted(buf, text, true);
}
