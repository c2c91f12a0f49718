#include "sinks/net/redact.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

#define REDACT_DECODED_MAX 8192

static unsigned char
redact_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

void
sw_redact_fini(struct sw_redact *redact)
{
    for (size_t i = 0; i < redact->count; i++) {
        char *copy = (char *)(uintptr_t)redact->secrets[i].data;
        sw_wipe(copy, redact->secrets[i].size);
        free(copy);
    }
    free(redact->secrets);
    *redact = (struct sw_redact){0};
}

void
sw_redact_add(struct sw_redact *redact, struct sw_str secret)
{
    if (secret.size < SW_REDACT_SIZE_MIN) {
        return;
    }
    redact->secrets = sw_realloc(redact->secrets, redact->count + 1, sizeof(redact->secrets[0]));
    size_t at = redact->count++;
    for (; at > 0 && redact->secrets[at - 1].size < secret.size; at--) {
        redact->secrets[at] = redact->secrets[at - 1];
    }
    redact->secrets[at] = (struct sw_str){sw_strndup(secret.data, secret.size), secret.size};
}

static int
redact_hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, redact_lower(c)) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static void
redact_add_decoded(struct sw_redact *redact, struct sw_str part)
{
    struct sw_buf decoded;
    if (part.size == 0 || memchr(part.data, '%', part.size) == NULL) {
        return;
    }
    sw_buf_init(&decoded, REDACT_DECODED_MAX);
    for (size_t i = 0; i < part.size; i++) {
        bool is_code = part.data[i] == '%' && i + 2 < part.size &&
                       redact_hex(part.data[i + 1]) >= 0 && redact_hex(part.data[i + 2]) >= 0;
        sw_buf_add_char(&decoded,
            is_code ? (char)(redact_hex(part.data[i + 1]) * 16 + redact_hex(part.data[i + 2]))
                    : part.data[i]);
        i += is_code ? 2 : 0;
    }
    sw_redact_add(redact, (struct sw_str){decoded.data, decoded.size});
    sw_wipe(decoded.data, decoded.size);
    sw_buf_fini(&decoded);
}

static void
redact_add_part(struct sw_redact *redact, struct sw_str part)
{
    sw_redact_add(redact, part);
    redact_add_decoded(redact, part);
}

void
sw_redact_add_target(struct sw_redact *redact, struct sw_str target)
{
    size_t query = 0;
    while (query < target.size && target.data[query] != '?') {
        query++;
    }
    redact_add_part(redact, target);
    redact_add_part(redact, (struct sw_str){target.data, query});
    size_t from = 0;
    for (size_t at = 0; at <= target.size; at++) {
        if (at == target.size || strchr("/?&=;,:", target.data[at]) != NULL) {
            redact_add_part(redact, (struct sw_str){target.data + from, at - from});
            from = at + 1;
        }
    }
    if (query < target.size) {
        query++;
        redact_add_part(redact, (struct sw_str){target.data + query, target.size - query});
    }
}

/* How much of text the secret covers from its first byte on, 0: none. JSON may put a backslash in
 * front of any of its characters. */
static size_t
redact_match(struct sw_str secret, struct sw_str text, bool is_cut)
{
    size_t at = 0;
    for (size_t i = 0; i < secret.size; i++) {
        bool is_escaped = at + 1 < text.size && text.data[at] == '\\' && secret.data[i] != '\\';
        at += is_escaped;
        if (at == text.size) {
            return is_cut ? at : 0;
        }
        if (redact_lower(text.data[at++]) != redact_lower(secret.data[i])) {
            return 0;
        }
    }
    return at;
}

static size_t
redact_covered(const struct sw_redact *redact, struct sw_str text, bool is_cut)
{
    for (size_t i = 0; i < redact->count; i++) {
        size_t covered = redact_match(redact->secrets[i], text, is_cut);
        if (covered > 0) {
            return covered;
        }
    }
    return 0;
}

void
sw_redact_apply(const struct sw_redact *redact, struct sw_str text, bool is_cut, struct sw_buf *buf)
{
    while (text.size > 0) {
        size_t covered = redact_covered(redact, text, is_cut);
        if (covered > 0) {
            sw_buf_add_text(buf, "***");
        } else {
            sw_buf_add_char(buf, text.data[0]);
            covered = 1;
        }
        text.data += covered;
        text.size -= covered;
    }
}
