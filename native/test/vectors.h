// The vectors that the tests' scripts write: each line width layers tokens seed header nonce digest (hex).
#pragma once

#include "lode_driver.h"

#include <fstream>
#include <string>
#include <vector>

namespace lode::test {

struct Vector {
  lode_tier tier;
  uint8_t seed[32], header[32], digest[32];
  uint64_t nonce;
};

inline void read_hex(const std::string &text, uint8_t *bytes) {
  for (size_t index = 0; index < 32; index++)
    bytes[index] = static_cast<uint8_t>(std::stoul(text.substr(2 * index, 2), nullptr, 16));
}

inline std::vector<Vector> read_vectors(const char *file) {
  std::vector<Vector> vectors;
  std::ifstream input(file);
  Vector v{};
  std::string seed, header, digest;
  while (input >> v.tier.width >> v.tier.layers >> v.tier.tokens >> seed >> header >> v.nonce >> digest) {
    v.tier.size = sizeof v.tier;
    read_hex(seed, v.seed), read_hex(header, v.header), read_hex(digest, v.digest);
    vectors.push_back(v);
  }
  return vectors;
}

} // namespace lode::test
