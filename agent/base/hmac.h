/* HMAC-SHA256 (RFC 2104, with FIPS 180-4): proves to a receiver who made a message. */
#ifndef SW_BASE_HMAC_H
#define SW_BASE_HMAC_H

#include "agent/base/sha256.h"
#include "agent/base/string.h"

/* Of the parts one after the other. The key may be of any size. */
void sw_hmac_sha256(
    uint8_t digest[SW_SHA256_SIZE], struct sw_str key, const struct sw_str *parts, size_t count);

#endif
