#include "agent/base/hmac.h"

#include <string.h>

#include "agent/base/memory.h"

#define HMAC_BLOCK_SIZE 64
#define HMAC_INNER      0x36
#define HMAC_OUTER      0x5c

/* RFC 2104 §2: a key longer than a block is hashed first. */
static void
hmac_begin(struct sw_sha256_run *run, struct sw_str key, uint8_t pad)
{
    uint8_t block[HMAC_BLOCK_SIZE] = {0};
    if (key.size > sizeof(block)) {
        sw_sha256(block, key.data, key.size);
    } else if (key.size > 0) {
        memcpy(block, key.data, key.size);
    }
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] ^= pad;
    }
    sw_sha256_begin(run);
    sw_sha256_add(run, block, sizeof(block));
    sw_wipe(block, sizeof(block));
}

void
sw_hmac_sha256(
    uint8_t digest[SW_SHA256_SIZE], struct sw_str key, const struct sw_str *parts, size_t count)
{
    struct sw_sha256_run run;
    uint8_t inner[SW_SHA256_SIZE];
    hmac_begin(&run, key, HMAC_INNER);
    for (size_t i = 0; i < count; i++) {
        sw_sha256_add(&run, parts[i].data, parts[i].size);
    }
    sw_sha256_end(&run, inner);
    hmac_begin(&run, key, HMAC_OUTER);
    sw_sha256_add(&run, inner, sizeof(inner));
    sw_sha256_end(&run, digest);
    sw_wipe(&run, sizeof(run));
}
