#include "sinks/webhook/sign.h"

#include <string.h>

#include "agent/base/base64.h"
#include "agent/base/hmac.h"

bool
sw_sign_key(struct sw_str text, struct sw_buf *key)
{
    size_t before = key->size;
    if (!sw_str_starts(text, SW_SIGN_PREFIX)) {
        return false;
    }
    text.data += strlen(SW_SIGN_PREFIX);
    text.size -= strlen(SW_SIGN_PREFIX);
    return sw_base64_decode(text, key) && !key->failed &&
           key->size - before >= SW_SIGN_KEY_SIZE_MIN && key->size - before <= SW_SIGN_KEY_SIZE_MAX;
}

void
sw_sign_add(struct sw_buf *value, const struct sw_str *keys, size_t count,
    const struct sw_sign_message *message)
{
    struct sw_buf timestamp;
    sw_buf_init(&timestamp, 32);
    sw_buf_add_int(&timestamp, message->timestamp_s);
    const struct sw_str parts[] = {message->id, SW_STR("."),
        {sw_buf_text(&timestamp), timestamp.size}, SW_STR("."), message->body};
    for (size_t i = 0; i < count; i++) {
        uint8_t digest[SW_SHA256_SIZE];
        sw_hmac_sha256(digest, keys[i], parts, sizeof(parts) / sizeof(parts[0]));
        sw_buf_add_text(value, i > 0 ? " v1," : "v1,");
        sw_base64_add(value, (struct sw_str){(const char *)digest, sizeof(digest)});
    }
    sw_buf_fini(&timestamp);
}
