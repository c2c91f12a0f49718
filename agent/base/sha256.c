#include "agent/base/sha256.h"

#include <string.h>

static const uint32_t sha256_k[64] = {
    0x428a2f98,
    0x71374491,
    0xb5c0fbcf,
    0xe9b5dba5,
    0x3956c25b,
    0x59f111f1,
    0x923f82a4,
    0xab1c5ed5,
    0xd807aa98,
    0x12835b01,
    0x243185be,
    0x550c7dc3,
    0x72be5d74,
    0x80deb1fe,
    0x9bdc06a7,
    0xc19bf174,
    0xe49b69c1,
    0xefbe4786,
    0x0fc19dc6,
    0x240ca1cc,
    0x2de92c6f,
    0x4a7484aa,
    0x5cb0a9dc,
    0x76f988da,
    0x983e5152,
    0xa831c66d,
    0xb00327c8,
    0xbf597fc7,
    0xc6e00bf3,
    0xd5a79147,
    0x06ca6351,
    0x14292967,
    0x27b70a85,
    0x2e1b2138,
    0x4d2c6dfc,
    0x53380d13,
    0x650a7354,
    0x766a0abb,
    0x81c2c92e,
    0x92722c85,
    0xa2bfe8a1,
    0xa81a664b,
    0xc24b8b70,
    0xc76c51a3,
    0xd192e819,
    0xd6990624,
    0xf40e3585,
    0x106aa070,
    0x19a4c116,
    0x1e376c08,
    0x2748774c,
    0x34b0bcb5,
    0x391c0cb3,
    0x4ed8aa4a,
    0x5b9cca4f,
    0x682e6ff3,
    0x748f82ee,
    0x78a5636f,
    0x84c87814,
    0x8cc70208,
    0x90befffa,
    0xa4506ceb,
    0xbef9a3f7,
    0xc67178f2,
};

static uint32_t
sha256_rotate(uint32_t word, unsigned by)
{
    return word >> by | word << (32 - by);
}

static void
sha256_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    for (size_t i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (size_t i = 16; i < 64; i++) {
        uint32_t s0 = sha256_rotate(w[i - 15], 7) ^ sha256_rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = sha256_rotate(w[i - 2], 17) ^ sha256_rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t s[8];
    memcpy(s, state, sizeof(s));
    for (size_t i = 0; i < 64; i++) {
        uint32_t sum1 = sha256_rotate(s[4], 6) ^ sha256_rotate(s[4], 11) ^ sha256_rotate(s[4], 25);
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t t1 = s[7] + sum1 + choice + sha256_k[i] + w[i];
        uint32_t sum0 = sha256_rotate(s[0], 2) ^ sha256_rotate(s[0], 13) ^ sha256_rotate(s[0], 22);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        memmove(s + 1, s, 7 * sizeof(s[0]));
        s[4] += t1;
        s[0] = t1 + sum0 + majority;
    }
    for (size_t i = 0; i < 8; i++) {
        state[i] += s[i];
    }
}

void
sw_sha256_begin(struct sw_sha256_run *run)
{
    *run = (struct sw_sha256_run){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void
sw_sha256_add(struct sw_sha256_run *run, const void *bytes, size_t size)
{
    const uint8_t *in = bytes;
    size_t held = run->size % sizeof(run->tail);
    run->size += size;
    if (held > 0) {
        size_t room = sizeof(run->tail) - held;
        size_t taken = size < room ? size : room;
        if (taken > 0) {
            memcpy(run->tail + held, in, taken);
        }
        if (taken < room) {
            return;
        }
        sha256_block(run->state, run->tail);
        in += taken;
        size -= taken;
    }
    for (; size >= sizeof(run->tail); size -= sizeof(run->tail), in += sizeof(run->tail)) {
        sha256_block(run->state, in);
    }
    if (size > 0) {
        memcpy(run->tail, in, size);
    }
}

void
sw_sha256_end(struct sw_sha256_run *run, uint8_t digest[SW_SHA256_SIZE])
{
    uint8_t padding[72] = {0x80};
    uint64_t bits = run->size * 8;
    size_t held = run->size % sizeof(run->tail);
    size_t zeros = (held < 56 ? 56 : 120) - held;
    for (size_t i = 0; i < 8; i++) {
        padding[zeros + i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    sw_sha256_add(run, padding, zeros + 8);
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 4; j++) {
            digest[4 * i + j] = (uint8_t)(run->state[i] >> (24 - 8 * j));
        }
    }
}

void
sw_sha256(uint8_t digest[SW_SHA256_SIZE], const void *bytes, size_t size)
{
    struct sw_sha256_run run;
    sw_sha256_begin(&run);
    sw_sha256_add(&run, bytes, size);
    sw_sha256_end(&run, digest);
}
