#include "crypto.h"

#include <array>
#include <cstring>

namespace lode {

namespace {

using Table = std::array<uint8_t, 256>;

constexpr uint8_t times_two(uint8_t value) { return static_cast<uint8_t>(value << 1 ^ (value & 0x80 ? 0x1b : 0)); }
constexpr uint8_t rotated(uint8_t value, int by) { return static_cast<uint8_t>(value << by | value >> (8 - by)); }

// FIPS 197's substitution: inverses found by walking the powers of 3 and of its inverse together.
constexpr Table make_substitution() {
  Table table{};
  uint8_t power = 1, inverse = 1;
  do {
    power = static_cast<uint8_t>(power ^ times_two(power));
    inverse = static_cast<uint8_t>(inverse ^ inverse << 1);
    inverse = static_cast<uint8_t>(inverse ^ inverse << 2);
    inverse = static_cast<uint8_t>(inverse ^ inverse << 4);
    if (inverse & 0x80) inverse ^= 0x09;
    table[power] = static_cast<uint8_t>(inverse ^ rotated(inverse, 1) ^ rotated(inverse, 2) ^ rotated(inverse, 3) ^
                                        rotated(inverse, 4) ^ 0x63);
  } while (power != 1);
  table[0] = 0x63;
  return table;
}
constexpr Table substitution = make_substitution();

// Substitution and column mixing of the byte in row 0; a column is a little-endian word.
constexpr std::array<uint32_t, 256> make_mixed() {
  std::array<uint32_t, 256> table{};
  for (size_t value = 0; value < 256; value++) {
    const uint8_t s = substitution[value], two = times_two(s), three = static_cast<uint8_t>(two ^ s);
    table[value] = two | static_cast<uint32_t>(s) << 8 | static_cast<uint32_t>(s) << 16 | static_cast<uint32_t>(three) << 24;
  }
  return table;
}
constexpr std::array<uint32_t, 256> mixed = make_mixed();

uint32_t rotate_left(uint32_t value, int by) { return value << by | value >> (32 - by); }
uint32_t rotate_right(uint32_t value, int by) { return value >> by | value << (32 - by); }

uint32_t word_at(const uint8_t *bytes) {
  return bytes[0] | static_cast<uint32_t>(bytes[1]) << 8 | static_cast<uint32_t>(bytes[2]) << 16 |
         static_cast<uint32_t>(bytes[3]) << 24;
}
void store_word(uint8_t *bytes, uint32_t word) {
  for (int index = 0; index < 4; index++) bytes[index] = static_cast<uint8_t>(word >> 8 * index);
}
uint32_t big_word_at(const uint8_t *bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}
void store_big_word(uint8_t *bytes, uint32_t word) {
  for (int index = 0; index < 4; index++) bytes[index] = static_cast<uint8_t>(word >> (24 - 8 * index));
}

void encrypt(const AesKey &key, const uint8_t input[16], uint8_t output[16]) {
  uint32_t columns[4];
  for (int c = 0; c < 4; c++) columns[c] = word_at(input + 4 * c) ^ word_at(key.round[0] + 4 * c);
  for (int round = 1; round < 14; round++) {
    uint32_t next[4];
    for (int c = 0; c < 4; c++) {
      next[c] = mixed[columns[c] & 255] ^ rotate_left(mixed[columns[(c + 1) & 3] >> 8 & 255], 8) ^
                rotate_left(mixed[columns[(c + 2) & 3] >> 16 & 255], 16) ^
                rotate_left(mixed[columns[(c + 3) & 3] >> 24], 24) ^ word_at(key.round[round] + 4 * c);
    }
    std::memcpy(columns, next, sizeof columns);
  }
  for (int c = 0; c < 4; c++) {
    const uint32_t last = substitution[columns[c] & 255] |
                          static_cast<uint32_t>(substitution[columns[(c + 1) & 3] >> 8 & 255]) << 8 |
                          static_cast<uint32_t>(substitution[columns[(c + 2) & 3] >> 16 & 255]) << 16 |
                          static_cast<uint32_t>(substitution[columns[(c + 3) & 3] >> 24]) << 24;
    store_word(output + 4 * c, last ^ word_at(key.round[14] + 4 * c));
  }
}

} // namespace

void expand_aes_key(AesKey &key, const uint8_t bytes[32]) {
  uint8_t *words = key.round[0];
  std::memcpy(words, bytes, 32);
  uint8_t constant = 1;
  for (size_t index = 8; index < 60; index++) {
    uint8_t word[4];
    std::memcpy(word, words + 4 * (index - 1), 4);
    if (index % 8 == 0) {
      const uint8_t first = word[0];
      for (int i = 0; i < 3; i++) word[i] = substitution[word[i + 1]];
      word[3] = substitution[first];
      word[0] ^= constant;
      constant = times_two(constant);
    } else if (index % 8 == 4) {
      for (uint8_t &byte : word) byte = substitution[byte];
    }
    for (size_t i = 0; i < 4; i++) words[4 * index + i] = static_cast<uint8_t>(words[4 * (index - 8) + i] ^ word[i]);
  }
}

void keystream_portable(const AesKey &key, uint64_t first_block, uint8_t *output, size_t blocks) {
  for (size_t block = 0; block < blocks; block++) {
    uint8_t counter[16] = {};
    store_big_word(counter + 8, static_cast<uint32_t>((first_block + block) >> 32));
    store_big_word(counter + 12, static_cast<uint32_t>(first_block + block));
    encrypt(key, counter, output + 16 * block);
  }
}

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void compress_portable(uint32_t state[8], const uint8_t *data, size_t blocks) {
  for (; blocks > 0; blocks--, data += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) w[i] = big_word_at(data + 4 * i);
    for (int i = 16; i < 64; i++) {
      const uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
      const uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
      const uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + sha256_constants[i] + w[i];
      const uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

Sha256::Sha256(const Crypto &crypto)
    : crypto_(crypto), state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

void Sha256::update(const void *data, size_t bytes) {
  const uint8_t *input = static_cast<const uint8_t *>(data);
  total_bytes_ += bytes;
  while (bytes > 0) {
    if (waiting_bytes_ == 0 && bytes >= 64) {
      crypto_.compress(state_, input, bytes / 64);
      input += bytes / 64 * 64;
      bytes %= 64;
      continue;
    }
    const size_t taken = bytes < 64 - waiting_bytes_ ? bytes : 64 - waiting_bytes_;
    std::memcpy(waiting_ + waiting_bytes_, input, taken);
    waiting_bytes_ += taken;
    input += taken;
    bytes -= taken;
    if (waiting_bytes_ == 64) {
      crypto_.compress(state_, waiting_, 1);
      waiting_bytes_ = 0;
    }
  }
}

void Sha256::finish(uint8_t digest[32]) {
  const uint64_t bits = total_bytes_ * 8;
  const uint8_t one = 0x80, zero = 0;
  update(&one, 1);
  while (waiting_bytes_ != 56) update(&zero, 1);
  uint8_t length[8];
  store_big_word(length, static_cast<uint32_t>(bits >> 32));
  store_big_word(length + 4, static_cast<uint32_t>(bits));
  update(length, 8);
  for (int i = 0; i < 8; i++) store_big_word(digest + 4 * i, state_[i]);
}

} // namespace lode
