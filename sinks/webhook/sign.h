/* Signatures of Standard Webhooks (its specification, "Signature scheme"; HMAC-SHA256). Pure. */
#ifndef SW_WEBHOOK_SIGN_H
#define SW_WEBHOOK_SIGN_H

#include "agent/base/buffer.h"
#include "agent/base/string.h"

#define SW_SIGN_PREFIX       "whsec_"
#define SW_SIGN_KEYS_MAX     2 /* the old one and the new one while receivers change over */
#define SW_SIGN_KEY_SIZE_MIN 24
#define SW_SIGN_KEY_SIZE_MAX 64

/* Appends the key that "whsec_" and base 64 stand for. false: text is no such secret. */
bool sw_sign_key(struct sw_str text, struct sw_buf *key);

struct sw_sign_message {
    struct sw_str id;    /* without dots */
    int64_t timestamp_s; /* since 1970, of this attempt */
    struct sw_str body;  /* the bytes as they are sent */
};

/* Appends the value of webhook-signature: "v1,…" for each key, blanks between. */
void sw_sign_add(struct sw_buf *value, const struct sw_str *keys, size_t count,
    const struct sw_sign_message *message);

#endif
