/* Text of strangers as it may stand in a syslog message, and texts cut short. */
#include <string.h>

#include "sinks/format/syslog_private.h"

#define SYSLOG_BAD      "\xEF\xBF\xBD" /* U+FFFD */
#define SYSLOG_BAD_SIZE (sizeof(SYSLOG_BAD) - 1)
#define SYSLOG_BOM      0xFEFFu

static bool
syslog_is_plain(char c, const struct syslog_style *style)
{
    return c >= 0x20 && c < 0x7F && c != style->special[0] && c != style->special[1] &&
           c != style->special[2];
}

/* Whether a code point that is not plain may stand all the same. */
static bool
syslog_may_stand(uint32_t code_point)
{
    return code_point >= 0x80 && code_point != SW_UTF8_BAD && code_point != SYSLOG_BOM &&
           !sw_is_unprintable(code_point);
}

bool
syslog_is_fit(struct sw_str text, const struct syslog_style *style)
{
    for (size_t i = 0; i < text.size;) {
        if (syslog_is_plain(text.data[i], style)) {
            i++;
            continue;
        }
        uint32_t code_point;
        i += sw_utf8_next(text.data + i, text.size - i, &code_point);
        if (!syslog_may_stand(code_point)) {
            return false;
        }
    }
    return true;
}

/* Writes the first code point of text, which is not plain; *taken is its size. */
static char *
syslog_put_odd(char *at, struct sw_str text, const struct syslog_style *style, size_t *taken)
{
    uint32_t code_point;
    *taken = sw_utf8_next(text.data, text.size, &code_point);
    if (syslog_may_stand(code_point)) {
        memcpy(at, text.data, *taken);
        return at + *taken;
    }
    if (code_point == SW_UTF8_BAD) {
        memcpy(at, SYSLOG_BAD, SYSLOG_BAD_SIZE);
        return at + SYSLOG_BAD_SIZE;
    }
    if (code_point == SYSLOG_BOM || sw_is_unprintable(code_point)) {
        memcpy(at, style->unprintable.data, style->unprintable.size);
        return at + style->unprintable.size;
    }
    if (style->instead == NULL) {
        *at++ = '\\';
        *at++ = text.data[0];
    } else {
        const char *which = memchr(style->special, text.data[0], sizeof(style->special));
        *at++ = style->instead[which - style->special];
    }
    return at;
}

char *
syslog_put_text(char *at, struct sw_str text, const struct syslog_style *style)
{
    for (size_t i = 0; i < text.size;) {
        if (syslog_is_plain(text.data[i], style)) {
            *at++ = text.data[i++];
        } else {
            size_t taken;
            at = syslog_put_odd(at, (struct sw_str){text.data + i, text.size - i}, style, &taken);
            i += taken;
        }
    }
    return at;
}

size_t
syslog_cut(char *text, size_t size, size_t max)
{
    size_t cut = sw_utf8_cut(text, size, max > SYSLOG_CUT_SIZE ? max - SYSLOG_CUT_SIZE : 0);
    size_t slashes = 0;
    while (slashes < cut && text[cut - 1 - slashes] == '\\') {
        slashes++;
    }
    cut -= slashes % 2;
    memcpy(text + cut, SYSLOG_CUT, SYSLOG_CUT_SIZE);
    return cut + SYSLOG_CUT_SIZE;
}

/* Appends the sentence made fit, with what stands before it, in at most `room` bytes. */
static void
syslog_add_sentence(struct syslog_message *message, const struct syslog_style *style,
    struct sw_str fixed, struct sw_str text, size_t room)
{
    struct sw_buf *buf = message->buf;
    if (room < fixed.size + SYSLOG_CUT_SIZE) {
        message->is_cut = true;
        return;
    }
    /* The caller has made the room: text and fixed lie in the same buffer. */
    char *begin = buf->data + buf->size;
    memcpy(begin, fixed.data, fixed.size);
    char *sentence = begin + fixed.size;
    size_t size = (size_t)(syslog_put_text(sentence, text, style) - sentence);
    if (size > room - fixed.size) {
        size = syslog_cut(sentence, size, room - fixed.size);
        message->is_cut = true;
    }
    buf->size += fixed.size + size;
}

void
syslog_settle_sentence(struct syslog_message *message, const struct syslog_style *style,
    size_t from, size_t fixed, size_t to)
{
    struct sw_buf *buf = message->buf;
    if (buf->failed) {
        return;
    }
    struct sw_str text = {buf->data + from + fixed, to - from - fixed};
    size_t behind = buf->size - to;
    size_t room = message->limit - (from - message->begin) - behind;
    if (to - from <= room && syslog_is_fit(text, style)) {
        return;
    }
    /* Written anew behind everything, then moved down over what it replaces. */
    size_t again = buf->size;
    if (sw_buf_reserve(buf, fixed + SYSLOG_GROWTH * text.size + SYSLOG_CUT_SIZE + behind) == NULL) {
        return;
    }
    text.data = buf->data + from + fixed;
    syslog_add_sentence(message, style, (struct sw_str){buf->data + from, fixed}, text, room);
    memcpy(buf->data + buf->size, buf->data + to, behind);
    size_t size = buf->size - again + behind;
    memmove(buf->data + from, buf->data + again, size);
    buf->size = from + size;
    buf->data[buf->size] = '\0';
}
