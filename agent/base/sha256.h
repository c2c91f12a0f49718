/* SHA-256 (FIPS 180-4 §6.2), for names too long to keep and for comparing configurations. */
#ifndef SW_BASE_SHA256_H
#define SW_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SW_SHA256_SIZE 32

void sw_sha256(uint8_t digest[SW_SHA256_SIZE], const void *bytes, size_t size);

#endif
