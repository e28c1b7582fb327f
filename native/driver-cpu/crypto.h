// AES-256-CTR keystreams and SHA-256, with the processor's instructions or without. Nothing here is secret, because keys
// come from public seeds; so table lookups need not take constant time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lode {

// Round keys of AES-256 in the order of use, 15 of 16 bytes.
struct AesKey {
  alignas(16) uint8_t round[15][16];
};

void expand_aes_key(AesKey &key, const uint8_t bytes[32]);

struct Crypto {
  // Keystream bytes of blocks first_block … first_block + blocks − 1; the counter is a 128-bit big-endian number.
  void (*keystream)(const AesKey &key, uint64_t first_block, uint8_t *output, size_t blocks);
  // SHA-256's compression of `blocks` blocks of 64 bytes.
  void (*compress)(uint32_t state[8], const uint8_t *data, size_t blocks);
};

void keystream_portable(const AesKey &key, uint64_t first_block, uint8_t *output, size_t blocks);
void compress_portable(uint32_t state[8], const uint8_t *data, size_t blocks);
#if defined(__x86_64__)
void keystream_x86(const AesKey &key, uint64_t first_block, uint8_t *output, size_t blocks);
void compress_x86(uint32_t state[8], const uint8_t *data, size_t blocks);
#elif defined(__aarch64__)
void keystream_arm(const AesKey &key, uint64_t first_block, uint8_t *output, size_t blocks);
void compress_arm(uint32_t state[8], const uint8_t *data, size_t blocks);
#endif

extern const uint32_t sha256_constants[64];

// SHA-256 of data that comes in pieces.
class Sha256 {
public:
  explicit Sha256(const Crypto &crypto);
  void update(const void *data, size_t bytes);
  void finish(uint8_t digest[32]);

private:
  const Crypto &crypto_;
  uint32_t state_[8];
  uint8_t waiting_[64];
  size_t waiting_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

} // namespace lode
