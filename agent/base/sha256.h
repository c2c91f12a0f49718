/* SHA-256 (FIPS 180-4 §6.2), for names too long to keep, for comparing configurations and for
 * signatures (hmac.h). */
#ifndef SW_BASE_SHA256_H
#define SW_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SW_SHA256_SIZE 32

void sw_sha256(uint8_t digest[SW_SHA256_SIZE], const void *bytes, size_t size);

/* The same, of bytes that come in several runs: begin, add …, end. */
struct sw_sha256_run {
    uint32_t state[8];
    uint64_t size;
    uint8_t tail[64]; /* what does not fill a block yet */
};

void sw_sha256_begin(struct sw_sha256_run *run);
void sw_sha256_add(struct sw_sha256_run *run, const void *bytes, size_t size);
void sw_sha256_end(struct sw_sha256_run *run, uint8_t digest[SW_SHA256_SIZE]);

#endif
