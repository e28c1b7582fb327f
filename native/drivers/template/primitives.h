/* SHA-256 (FIPS 180-4) and the AES-256 counter keystream (FIPS 197, SP 800-38A), as short as possible in C. */
#ifndef PRIMITIVES_H
#define PRIMITIVES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sha256 {
  uint32_t state[8];
  uint8_t waiting[64];
  uint64_t bytes;
} sha256;

static uint32_t rotate_right(uint32_t value, int by) { return value >> by | value << (32 - by); }

static void sha256_block(sha256 *hash) {
  static const uint32_t k[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
      0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
      0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
      0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
      0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
      0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)hash->waiting[4 * i] << 24 | (uint32_t)hash->waiting[4 * i + 1] << 16 |
           (uint32_t)hash->waiting[4 * i + 2] << 8 | hash->waiting[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) +
           (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
  }
  memcpy(v, hash->state, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = v[7] + (rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25)) +
                  ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
    uint32_t t2 = (rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22)) +
                  ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) hash->state[i] += v[i];
}

static void sha256_begin(sha256 *hash) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(hash->state, start, sizeof start);
  hash->bytes = 0;
}

static void sha256_add(sha256 *hash, const void *data, size_t bytes) {
  const uint8_t *input = (const uint8_t *)data;
  for (size_t i = 0; i < bytes; i++) {
    hash->waiting[hash->bytes++ % 64] = input[i];
    if (hash->bytes % 64 == 0) sha256_block(hash);
  }
}

static void sha256_end(sha256 *hash, uint8_t digest[32]) {
  const uint64_t bits = hash->bytes * 8;
  const uint8_t one = 0x80, zero = 0;
  uint8_t length[8];
  for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
  sha256_add(hash, &one, 1);
  while (hash->bytes % 64 != 56) sha256_add(hash, &zero, 1);
  sha256_add(hash, length, 8);
  for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

static uint8_t aes_double(uint8_t value) { return (uint8_t)(value << 1 ^ (value & 0x80 ? 0x1b : 0)); }

/* The substitution, made once per key: inverses by walking the powers of 3 and of its inverse together. */
static void aes_substitution(uint8_t table[256]) {
  uint8_t power = 1, inverse = 1;
  do {
    uint8_t mixed;
    power = (uint8_t)(power ^ aes_double(power));
    inverse = (uint8_t)(inverse ^ inverse << 1);
    inverse = (uint8_t)(inverse ^ inverse << 2);
    inverse = (uint8_t)(inverse ^ inverse << 4);
    if (inverse & 0x80) inverse ^= 0x09;
    mixed = inverse;
    for (int by = 1; by <= 4; by++) mixed = (uint8_t)(mixed ^ (inverse << by | inverse >> (8 - by)));
    table[power] = mixed ^ 0x63;
  } while (power != 1);
  table[0] = 0x63;
}

/* `count` bytes (a multiple of 16) of AES-256-CTR, the counter from zero. */
static void aes_keystream(const uint8_t key_bytes[32], size_t count, uint8_t *output) {
  uint8_t table[256], key[240], constant = 1;
  aes_substitution(table);
  memcpy(key, key_bytes, 32);
  for (int i = 8; i < 60; i++) {
    uint8_t word[4];
    memcpy(word, key + 4 * (i - 1), 4);
    if (i % 8 == 0) {
      const uint8_t first = word[0];
      for (int j = 0; j < 3; j++) word[j] = table[word[j + 1]];
      word[3] = table[first];
      word[0] ^= constant;
      constant = aes_double(constant);
    } else if (i % 8 == 4) {
      for (int j = 0; j < 4; j++) word[j] = table[word[j]];
    }
    for (int j = 0; j < 4; j++) key[4 * i + j] = key[4 * (i - 8) + j] ^ word[j];
  }
  for (size_t block = 0; block < count / 16; block++) {
    uint8_t s[16] = {0}, t[16];
    for (int i = 0; i < 8; i++) s[15 - i] = (uint8_t)((uint64_t)block >> 8 * i);
    for (int i = 0; i < 16; i++) s[i] ^= key[i];
    for (int round = 1; round <= 14; round++) {
      for (int i = 0; i < 16; i++) t[i] = table[s[(i + 4 * (i % 4)) % 16]];
      for (int c = 0; c < 16; c += 4) {
        const uint8_t all = t[c] ^ t[c + 1] ^ t[c + 2] ^ t[c + 3];
        for (int i = 0; i < 4; i++)
          s[c + i] = (uint8_t)((round == 14 ? t[c + i]
                                            : t[c + i] ^ all ^ aes_double(t[c + i] ^ t[c + (i + 1) % 4])) ^
                               key[16 * round + c + i]);
      }
    }
    memcpy(output + 16 * block, s, 16);
  }
}

#endif
