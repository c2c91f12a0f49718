#include "agent/base/json_write.h"
#include "agent/base/sha256.h"
#include "config/read.h"

static void
freeze_text(struct sw_buf *buf, const char *text)
{
    if (text == NULL) {
        sw_buf_add_char(buf, '-');
    } else {
        sw_json_add_raw_string(buf, sw_str_of(text));
    }
}

static void
freeze_secret(struct sw_buf *buf, const char *text)
{
    uint8_t digest[SW_SHA256_SIZE];
    char hex[2 * SW_SHA256_SIZE];
    if (text == NULL) {
        sw_buf_add_char(buf, '-');
        return;
    }
    sw_sha256(digest, text, sw_str_of(text).size);
    sw_hex_encode(hex, digest, sizeof(digest));
    sw_buf_add_text(buf, "sha256:");
    sw_buf_add(buf, hex, sizeof(hex));
}

static void
freeze_strings(struct sw_buf *buf, const struct sw_key_strings *strings, bool are_secrets)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (are_secrets) {
            freeze_secret(buf, strings->items[i]);
        } else {
            freeze_text(buf, strings->items[i]);
        }
    }
}

static void
freeze_durations(struct sw_buf *buf, const struct sw_key_durations *durations)
{
    for (size_t i = 0; i < durations->count; i++) {
        sw_buf_printf(buf, "%lld ", (long long)durations->items_ns[i]);
    }
}

static void
freeze_pairs(struct sw_buf *buf, const struct sw_key_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        freeze_text(buf, pairs->items[i].name);
        freeze_secret(buf, pairs->items[i].value);
    }
}

static void
freeze_value(struct sw_buf *buf, const struct sw_key *key, const void *value)
{
    switch (key->type) {
    case SW_KEY_STRING:
    case SW_KEY_PATH:
        freeze_text(buf, *(const char *const *)value);
        break;
    case SW_KEY_SECRET:
        freeze_secret(buf, *(const char *const *)value);
        break;
    case SW_KEY_BOOL:
        sw_buf_add_text(buf, *(const bool *)value ? "true" : "false");
        break;
    case SW_KEY_WORD:
        sw_buf_add_text(buf, key->words[*(const int *)value]);
        break;
    case SW_KEY_INT:
    case SW_KEY_DURATION:
    case SW_KEY_RATE:
        sw_buf_add_int(buf, *(const int64_t *)value);
        break;
    case SW_KEY_SIZE:
        sw_buf_add_uint(buf, *(const uint64_t *)value);
        break;
    case SW_KEY_STRINGS:
    case SW_KEY_SECRETS:
        freeze_strings(buf, value, key->type == SW_KEY_SECRETS);
        break;
    case SW_KEY_DURATIONS:
        freeze_durations(buf, value);
        break;
    case SW_KEY_PAIRS:
        freeze_pairs(buf, value);
        break;
    case SW_KEY_MAP:
        sw_buf_add_text(buf, "{\n");
        sw_reader_freeze(buf, key->keys, value);
        sw_buf_add_char(buf, '}');
        break;
    case SW_KEY_NODE:
        break;
    }
}

void
sw_reader_freeze(struct sw_buf *buf, const struct sw_key *keys, const void *base)
{
    for (; keys != NULL && keys->name != NULL; keys++) {
        sw_buf_printf(buf, "%s=", keys->name);
        freeze_value(buf, keys, (const char *)base + keys->offset);
        sw_buf_add_char(buf, '\n');
    }
}
