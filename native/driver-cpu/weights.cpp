#include "proof.h"

#include <cstring>

namespace lode {

namespace {

constexpr size_t PAGE = 4096;

size_t rounded(size_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }
size_t layer_bytes(const Tier &tier) { return 12 * tier.width * tier.width; }
size_t layer_corrections(const Tier &tier) { return 9 * tier.width; }

} // namespace

size_t Weights::bytes_for(const Tier &tier) {
  return rounded(tier.layers * layer_bytes(tier)) + tier.layers * layer_corrections(tier) * sizeof(int32_t);
}

Weights::Weights(const Tier &tier) : tier(tier), memory_(bytes_for(tier)) {}

int8_t *Weights::panels(size_t layer, size_t matrix) const {
  size_t offset = layer * layer_bytes(tier);
  for (size_t before = 0; before < matrix; before++) {
    const Shape shape = shape_of(tier, before);
    offset += shape.rows * shape.columns;
  }
  return reinterpret_cast<int8_t *>(memory_.bytes()) + offset;
}

int32_t *Weights::corrections(size_t layer, size_t matrix) const {
  size_t offset = layer * layer_corrections(tier);
  for (size_t before = 0; before < matrix; before++) offset += shape_of(tier, before).columns;
  return reinterpret_cast<int32_t *>(memory_.bytes() + rounded(tier.layers * layer_bytes(tier))) + offset;
}

bool pack_matrix(const KernelSet &kernels, const Weights &weights, const uint8_t seed[32], size_t layer, size_t matrix,
                 Scratch &scratch, const Cancelled &cancelled) {
  const Shape shape = shape_of(weights.tier, matrix);
  int8_t *panels = weights.panels(layer, matrix);
  int32_t *corrections = weights.corrections(layer, matrix);
  std::memset(corrections, 0, shape.columns * sizeof(int32_t));

  AesKey key;
  matrix_key(kernels.crypto, seed, layer, matrix, key);

  uint8_t *rows = scratch.rows.bytes();
  for (size_t k = 0; k < shape.rows; k += 4) {
    if (cancelled()) return false;
    kernels.crypto.keystream(key, k * shape.columns / 16, rows, 4 * shape.columns / 16);
    kernels.kernel.pack_rows(rows, shape.columns, shape.columns, k, shape.rows, panels, corrections);
  }
  return true;
}

} // namespace lode
