#include "proof.h"

#include <chrono>

namespace lode {

namespace {

constexpr size_t MOST_ROWS = 256;
constexpr size_t MOST_WIDTH = 1024;
// Rows at a distance of a power of two would share few sets of the first cache.
constexpr size_t APART = 64;

// One layer's work on `rows` rows; every stride in bytes.
struct Pass {
  const KernelSet &kernels;
  const Weights &weights;
  Scratch &scratch;
  const Cancelled &cancelled;
  size_t nonces, rows;
  size_t x_stride, heads_stride, hidden_stride;

  // output = reduced(a · matrix), panel after panel. False when cancelled.
  bool multiply(size_t layer, size_t matrix, const uint8_t *a, size_t a_stride, uint8_t *output, size_t output_stride,
                Reduce reduce) const {
    const Shape shape = shape_of(weights.tier, matrix);
    const size_t columns = kernels.kernel.columns;
    const int8_t *panels = weights.panels(layer, matrix);
    const int32_t *corrections = weights.corrections(layer, matrix);
    for (size_t first = 0; first < shape.columns; first += columns) {
      if (cancelled()) return false;
      kernels.kernel.multiply({a, a_stride, rows, panels + first * shape.rows, corrections + first, shape.rows,
                            output + first, output_stride},
                           reduce);
    }
    return true;
  }

  bool layer(size_t index) const;
};

bool Pass::layer(size_t index) const {
  const size_t width = weights.tier.width;
  uint8_t *x = scratch.x.bytes(), *heads = scratch.heads.bytes();
  for (size_t matrix = 0; matrix < 3; matrix++) {
    if (!multiply(index, matrix, x, x_stride, heads + matrix * width, heads_stride, Reduce::project)) return false;
  }
  for (size_t nonce = 0; nonce < nonces; nonce++) {
    const uint8_t *first = heads + nonce * weights.tier.tokens * heads_stride;
    attend(kernels, weights.tier, {first, first + width, first + 2 * width, heads_stride},
           scratch.mixed.bytes() + nonce * weights.tier.tokens * x_stride, x_stride, scratch.head);
  }
  uint8_t *mixed = scratch.mixed.bytes(), *hidden = scratch.hidden.bytes();
  return multiply(index, 3, mixed, x_stride, x, x_stride, Reduce::residual) &&
         multiply(index, 4, x, x_stride, hidden, hidden_stride, Reduce::triangle) &&
         multiply(index, 5, hidden, hidden_stride, x, x_stride, Reduce::residual);
}

} // namespace

Scratch::Scratch()
    : x(MOST_ROWS * (MOST_WIDTH + APART)), heads(MOST_ROWS * (3 * MOST_WIDTH + APART)),
      mixed(MOST_ROWS * (MOST_WIDTH + APART)), hidden(MOST_ROWS * (4 * MOST_WIDTH + APART)),
      rows(4 * 4 * MOST_WIDTH) {}

size_t most_nonces(const Tier &tier) { return MOST_ROWS / tier.tokens; }

bool run_nonces(const KernelSet &kernels, const Weights &weights, const uint8_t header[32], uint64_t first_nonce, size_t count,
                uint8_t *digests, uint64_t &nanoseconds, Scratch &scratch, const Cancelled &cancelled) {
  const Tier &tier = weights.tier;
  const Pass pass = {kernels,
                     weights,
                     scratch,
                     cancelled,
                     count,
                     count * tier.tokens,
                     tier.width + APART,
                     3 * tier.width + APART,
                     tier.hidden() + APART};
  const auto first_row = [&](size_t index) { return scratch.x.bytes() + index * tier.tokens * pass.x_stride; };
  for (size_t index = 0; index < count; index++)
    fill_input(kernels.crypto, tier, header, first_nonce + index, first_row(index), pass.x_stride);
  const auto started = std::chrono::steady_clock::now();
  for (size_t layer = 0; layer < tier.layers; layer++) {
    if (!pass.layer(layer)) return false;
  }
  const auto spent = std::chrono::steady_clock::now() - started;
  nanoseconds = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count());
  for (size_t index = 0; index < count; index++)
    make_digest(kernels.crypto, tier, header, first_nonce + index, first_row(index), pass.x_stride, digests + 32 * index);
  return true;
}

} // namespace lode
