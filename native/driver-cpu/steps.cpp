#include "steps.h"

#include <cstring>

namespace lode {

namespace {

constexpr size_t MOST_TOKENS = 64;
// Rows at a distance of a power of two would share few sets of the first cache.
constexpr size_t SCORES_STRIDE = MOST_TOKENS + 64;
constexpr uint8_t STORED_ZERO = 64;
constexpr char NAMES[MATRICES + 1] = "qkvoun";

void store_nonce(uint8_t bytes[8], uint64_t nonce) {
  for (int index = 0; index < 8; index++) bytes[index] = static_cast<uint8_t>(nonce >> 8 * index);
}

void attend_head(const KernelSet &kernels, const Tier &tier, const Heads &heads, size_t column, uint8_t *mixed,
                 size_t mixed_stride, HeadScratch &scratch) {
  const size_t tokens = tier.tokens, columns = kernels.kernel.columns;
  const uint8_t *queries = heads.queries + column;
  int8_t *keys = reinterpret_cast<int8_t *>(scratch.keys.bytes());
  int8_t *values = reinterpret_cast<int8_t *>(scratch.values.bytes());
  int32_t *key_corrections = reinterpret_cast<int32_t *>(scratch.keys.bytes() + HEAD * MOST_TOKENS);
  int32_t *value_corrections = reinterpret_cast<int32_t *>(scratch.values.bytes() + HEAD * MOST_TOKENS);
  uint8_t *scores = scratch.scores.bytes();

  // Columns beyond the tokens hold old values; nobody reads their results.
  kernels.kernel.pack_columns(heads.keys + column, heads.stride, tokens, HEAD, keys, key_corrections);
  for (size_t first = 0; first < tokens; first += columns) {
    kernels.kernel.multiply({queries, heads.stride, tokens, keys + first * HEAD, key_corrections + first, HEAD,
                          scores + first, SCORES_STRIDE},
                         Reduce::score);
  }
  for (size_t token = 0; token < tokens; token++)
    std::memset(scores + token * SCORES_STRIDE + token + 1, STORED_ZERO, tokens - token - 1);

  const uint8_t *rows = heads.values + column;
  std::memset(value_corrections, 0, HEAD * sizeof(int32_t));
  for (size_t token = 0; token < tokens; token += 4)
    kernels.kernel.pack_rows(rows + token * heads.stride, heads.stride, HEAD, token, tokens, values, value_corrections);
  for (size_t first = 0; first < HEAD; first += columns) {
    kernels.kernel.multiply({scores, SCORES_STRIDE, tokens, values + first * tokens, value_corrections + first, tokens,
                          mixed + column + first, mixed_stride},
                         Reduce::mix);
  }
}

} // namespace

HeadScratch::HeadScratch()
    : scores(MOST_TOKENS * SCORES_STRIDE), keys(HEAD * MOST_TOKENS + MOST_TOKENS * sizeof(int32_t)),
      values(HEAD * MOST_TOKENS + HEAD * sizeof(int32_t)) {}

Shape shape_of(const Tier &tier, size_t matrix) {
  if (matrix == 4) return {tier.width, tier.hidden()};
  if (matrix == 5) return {tier.hidden(), tier.width};
  return {tier.width, tier.width};
}

void matrix_key(const Crypto &crypto, const uint8_t seed[32], size_t layer, size_t matrix, AesKey &key) {
  const uint8_t layer_byte = static_cast<uint8_t>(layer);
  uint8_t key_bytes[32];
  Sha256 hash(crypto);
  hash.update("itp1/weights/", 13);
  hash.update(seed, 32);
  hash.update(&layer_byte, 1);
  hash.update(NAMES + matrix, 1);
  hash.finish(key_bytes);
  expand_aes_key(key, key_bytes);
}

void fill_input(const Crypto &crypto, const Tier &tier, const uint8_t header[32], uint64_t nonce, uint8_t *x,
                size_t stride) {
  uint8_t nonce_bytes[8], key_bytes[32];
  store_nonce(nonce_bytes, nonce);
  Sha256 hash(crypto);
  hash.update("itp1/input/", 11);
  hash.update(header, 32);
  hash.update(nonce_bytes, 8);
  hash.finish(key_bytes);
  AesKey key;
  expand_aes_key(key, key_bytes);
  for (size_t token = 0; token < tier.tokens; token++) {
    uint8_t *row = x + token * stride;
    crypto.keystream(key, token * tier.width / 16, row, tier.width / 16);
    for (size_t column = 0; column < tier.width; column++) row[column] &= 127;
  }
}

void attend(const KernelSet &kernels, const Tier &tier, const Heads &heads, uint8_t *mixed, size_t mixed_stride,
            HeadScratch &scratch) {
  for (size_t column = 0; column < tier.width; column += HEAD)
    attend_head(kernels, tier, heads, column, mixed, mixed_stride, scratch);
}

void make_digest(const Crypto &crypto, const Tier &tier, const uint8_t header[32], uint64_t nonce, uint8_t *x,
                 size_t stride, uint8_t digest[32]) {
  uint8_t nonce_bytes[8];
  store_nonce(nonce_bytes, nonce);
  Sha256 hash(crypto);
  hash.update("itp1/digest/", 12);
  hash.update(header, 32);
  hash.update(nonce_bytes, 8);
  for (size_t token = 0; token < tier.tokens; token++) {
    uint8_t *row = x + token * stride;
    for (size_t column = 0; column < tier.width; column++) row[column] = static_cast<uint8_t>(row[column] - 64);
    hash.update(row, tier.width);
  }
  hash.finish(digest);
}

} // namespace lode
