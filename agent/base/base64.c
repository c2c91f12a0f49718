#include "agent/base/base64.h"

#include <string.h>

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
sw_base64_add(struct sw_buf *buf, struct sw_str bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.data;
    for (size_t at = 0; at < bytes.size; at += 3) {
        size_t left = bytes.size - at < 3 ? bytes.size - at : 3;
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++) {
            group = group << 8 | (i < left ? in[at + i] : 0u);
        }
        char text[4] = {'=', '=', '=', '='};
        for (size_t i = 0; i <= left; i++) {
            text[i] = base64_alphabet[group >> (18 - 6 * i) & 63];
        }
        sw_buf_add(buf, text, sizeof(text));
    }
}

/* One group of four; *size: the bytes it stands for. */
static bool
base64_group(const char *text, bool is_last, unsigned char bytes[3], size_t *size)
{
    uint32_t group = 0;
    size_t digits = 4;
    while (is_last && digits > 2 && text[digits - 1] == '=') {
        digits--;
    }
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = 0;
        if (i < digits) {
            const char *found = text[i] != '\0' ? strchr(base64_alphabet, text[i]) : NULL;
            if (found == NULL) {
                return false;
            }
            digit = (uint32_t)(found - base64_alphabet);
        }
        group = group << 6 | digit;
    }
    *size = digits - 1;
    for (size_t i = 0; i < 3; i++) {
        bytes[i] = (unsigned char)(group >> (16 - 8 * i));
        if (i >= *size && bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

bool
sw_base64_decode(struct sw_str text, struct sw_buf *bytes)
{
    size_t before = bytes->size;
    if (text.size % 4 != 0) {
        return false;
    }
    for (size_t at = 0; at < text.size; at += 4) {
        unsigned char group[3];
        size_t size;
        if (!base64_group(text.data + at, at + 4 == text.size, group, &size)) {
            sw_buf_truncate(bytes, before);
            return false;
        }
        sw_buf_add(bytes, group, size);
    }
    return true;
}
