#include "proof.h"

#include <chrono>
#include <cstring>

namespace lode {

namespace {

constexpr size_t MOST_ROWS = 256;
constexpr size_t MOST_WIDTH = 1024;
constexpr size_t MOST_TOKENS = 64;
// Rows that lie a power of two apart would share few lines of the first cache.
constexpr size_t APART = 64;
constexpr uint8_t STORED_ZERO = 64;

// One layer's work on `rows` rows; every stride in bytes.
struct Pass {
  const Ways &ways;
  const Weights &weights;
  Scratch &scratch;
  const Cancelled &cancelled;
  size_t nonces, rows;
  size_t x_stride, heads_stride, hidden_stride;

  // output = reduced(a · matrix), panel after panel. False when cancelled.
  bool multiply(size_t layer, size_t matrix, const uint8_t *a, size_t a_stride, uint8_t *output, size_t output_stride,
                Reduce reduce) const {
    const Shape shape = shape_of(weights.tier, matrix);
    const size_t columns = ways.kernel.columns;
    const int8_t *panels = weights.panels(layer, matrix);
    const int32_t *corrections = weights.corrections(layer, matrix);
    for (size_t first = 0; first < shape.columns; first += columns) {
      if (cancelled()) return false;
      ways.kernel.multiply({a, a_stride, rows, panels + first * shape.rows, corrections + first, shape.rows,
                            output + first, output_stride},
                           reduce);
    }
    return true;
  }

  void attention(size_t nonce, size_t head) const;
  bool layer(size_t index) const;
};

// S = w(Q·Kᵀ, 7), S[i,j] = 0 for j > i;  mixed = w(S·V, 4)
void Pass::attention(size_t nonce, size_t head) const {
  const size_t tokens = weights.tier.tokens, width = weights.tier.width, columns = ways.kernel.columns;
  const size_t scores_stride = MOST_TOKENS + APART;
  const uint8_t *queries = scratch.heads.bytes() + nonce * tokens * heads_stride + head * HEAD;
  int8_t *keys = reinterpret_cast<int8_t *>(scratch.keys.bytes());
  int8_t *values = reinterpret_cast<int8_t *>(scratch.values.bytes());
  int32_t *key_corrections = reinterpret_cast<int32_t *>(scratch.keys.bytes() + HEAD * MOST_TOKENS);
  int32_t *value_corrections = reinterpret_cast<int32_t *>(scratch.values.bytes() + HEAD * MOST_TOKENS);
  uint8_t *scores = scratch.scores.bytes();

  // columns beyond the tokens hold what they held before, and are never read from the result
  ways.kernel.pack_columns(queries + width, heads_stride, tokens, HEAD, keys, key_corrections);
  for (size_t first = 0; first < tokens; first += columns) {
    ways.kernel.multiply({queries, heads_stride, tokens, keys + first * HEAD, key_corrections + first, HEAD,
                          scores + first, scores_stride},
                         Reduce::score);
  }
  for (size_t token = 0; token < tokens; token++)
    std::memset(scores + token * scores_stride + token + 1, STORED_ZERO, tokens - token - 1);

  const uint8_t *rows = queries + 2 * width;
  std::memset(value_corrections, 0, HEAD * sizeof(int32_t));
  for (size_t token = 0; token < tokens; token += 4)
    ways.kernel.pack_rows(rows + token * heads_stride, heads_stride, HEAD, token, tokens, values, value_corrections);
  uint8_t *mixed = scratch.mixed.bytes() + nonce * tokens * x_stride + head * HEAD;
  for (size_t first = 0; first < HEAD; first += columns) {
    ways.kernel.multiply({scores, scores_stride, tokens, values + first * tokens, value_corrections + first, tokens,
                          mixed + first, x_stride},
                         Reduce::mix);
  }
}

bool Pass::layer(size_t index) const {
  const size_t width = weights.tier.width;
  uint8_t *x = scratch.x.bytes(), *heads = scratch.heads.bytes();
  for (size_t matrix = 0; matrix < 3; matrix++) {
    if (!multiply(index, matrix, x, x_stride, heads + matrix * width, heads_stride, Reduce::project)) return false;
  }
  for (size_t nonce = 0; nonce < nonces; nonce++) {
    for (size_t head = 0; head < width / HEAD; head++) attention(nonce, head);
  }
  uint8_t *mixed = scratch.mixed.bytes(), *hidden = scratch.hidden.bytes();
  return multiply(index, 3, mixed, x_stride, x, x_stride, Reduce::residual) &&
         multiply(index, 4, x, x_stride, hidden, hidden_stride, Reduce::triangle) &&
         multiply(index, 5, hidden, hidden_stride, x, x_stride, Reduce::residual);
}

void store_nonce(uint8_t bytes[8], uint64_t nonce) {
  for (int index = 0; index < 8; index++) bytes[index] = static_cast<uint8_t>(nonce >> 8 * index);
}

// Stored operands of KS("input", header ‖ nonce, T·d): a byte modulo 128.
void fill_input(const Pass &pass, const uint8_t header[32], uint64_t nonce, size_t index) {
  const Tier &tier = pass.weights.tier;
  uint8_t nonce_bytes[8], key_bytes[32];
  store_nonce(nonce_bytes, nonce);
  Sha256 hash(pass.ways.crypto);
  hash.update("itp1/input/", 11);
  hash.update(header, 32);
  hash.update(nonce_bytes, 8);
  hash.finish(key_bytes);
  AesKey key;
  expand_aes_key(key, key_bytes);
  for (size_t token = 0; token < tier.tokens; token++) {
    uint8_t *row = pass.scratch.x.bytes() + (index * tier.tokens + token) * pass.x_stride;
    pass.ways.crypto.keystream(key, token * tier.width / 16, row, tier.width / 16);
    for (size_t column = 0; column < tier.width; column++) row[column] &= 127;
  }
}

// SHA-256("itp1/digest/" ‖ header ‖ nonce ‖ X), X as signed bytes.
void make_digest(const Pass &pass, const uint8_t header[32], uint64_t nonce, size_t index, uint8_t digest[32]) {
  const Tier &tier = pass.weights.tier;
  uint8_t nonce_bytes[8];
  store_nonce(nonce_bytes, nonce);
  Sha256 hash(pass.ways.crypto);
  hash.update("itp1/digest/", 12);
  hash.update(header, 32);
  hash.update(nonce_bytes, 8);
  for (size_t token = 0; token < tier.tokens; token++) {
    uint8_t *row = pass.scratch.x.bytes() + (index * tier.tokens + token) * pass.x_stride;
    for (size_t column = 0; column < tier.width; column++) row[column] = static_cast<uint8_t>(row[column] - 64);
    hash.update(row, tier.width);
  }
  hash.finish(digest);
}

} // namespace

Scratch::Scratch()
    : x(MOST_ROWS * (MOST_WIDTH + APART)), heads(MOST_ROWS * (3 * MOST_WIDTH + APART)),
      mixed(MOST_ROWS * (MOST_WIDTH + APART)), hidden(MOST_ROWS * (4 * MOST_WIDTH + APART)),
      scores(MOST_TOKENS * (MOST_TOKENS + APART)), keys(HEAD * MOST_TOKENS + MOST_TOKENS * sizeof(int32_t)),
      values(HEAD * MOST_TOKENS + HEAD * sizeof(int32_t)), rows(4 * 4 * MOST_WIDTH) {}

size_t most_nonces(const Tier &tier) { return MOST_ROWS / tier.tokens; }

bool run_nonces(const Ways &ways, const Weights &weights, const uint8_t header[32], uint64_t first_nonce, size_t count,
                uint8_t *digests, uint64_t &nanoseconds, Scratch &scratch, const Cancelled &cancelled) {
  const Tier &tier = weights.tier;
  const Pass pass = {ways,
                     weights,
                     scratch,
                     cancelled,
                     count,
                     count * tier.tokens,
                     tier.width + APART,
                     3 * tier.width + APART,
                     tier.hidden() + APART};
  for (size_t index = 0; index < count; index++) fill_input(pass, header, first_nonce + index, index);
  const auto started = std::chrono::steady_clock::now();
  for (size_t layer = 0; layer < tier.layers; layer++) {
    if (!pass.layer(layer)) return false;
  }
  const auto spent = std::chrono::steady_clock::now() - started;
  nanoseconds = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count());
  for (size_t index = 0; index < count; index++)
    make_digest(pass, header, first_nonce + index, index, digests + 32 * index);
  return true;
}

} // namespace lode
