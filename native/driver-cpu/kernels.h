// The matrix product of ITP-1, fused with everything that follows it: one implementation for each kind of processor.
//
// Operands on the left are kept *stored*: value + 64, 0 to 127, unsigned. Weights on the right are signed. Hence
//   sum of a*b = sum of stored*b - 64 * sum of b,
// and the last term, the *correction*, is computed for every column when the weights are packed. Of a sum, only the seven bits
// above the `drop` lowest are read, so sums modulo 2^15 suffice.
//
// Packed weights: panels of `columns` columns. Within a panel, for every `depth` rows k, each column's bytes stand
// together; even columns first, then odd ones, so that two vectors of sums interleave to bytes in order. A pair sum of
// stored * weight is at most 2 * 127 * 64 = 16,256 in size: AVX2's multiplication never saturates. Stored operands are
// below 128, so that instructions for signed operands take them as they are.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lode {

// What a sum s is reduced to.
enum class Reduce {
  project,  // w(s, 8)
  residual, // w(output + w(s, 8), 0), in place
  triangle, // t(w(s, 8))
  score,    // w(s, 7)
  mix       // w(s, 4)
};

struct Product {
  const uint8_t *a; // rows x inner, stored
  size_t a_stride;
  size_t rows; // a multiple of 16
  const int8_t *panel;
  const int32_t *correction; // one a column, in the panel's order
  size_t inner;              // a multiple of 16
  uint8_t *output;           // rows x columns, stored
  size_t output_stride;
};

struct Kernel {
  const char *name;
  size_t columns; // of a panel: 16 or 32
  size_t depth;   // rows k whose bytes stand together: 4 or 8
  void (*multiply)(const Product &product, Reduce reduce);
  // Packs rows k … k + 3 (k a multiple of 4) of a matrix of `inner` rows and `columns` columns, and adds their share to
  // the columns' corrections.
  void (*pack_rows)(const uint8_t *rows, size_t stride, size_t columns, size_t k, size_t inner, int8_t *panels,
                    int32_t *corrections);
  // Packs a transposed matrix: each of `count` rows of `inner` bytes becomes a column. Writes the columns' corrections.
  // Columns of the last panel beyond `count` are not written.
  void (*pack_columns)(const uint8_t *rows, size_t stride, size_t count, size_t inner, int8_t *panels, int32_t *corrections);
};

extern const Kernel scalar_kernel;
#if defined(__x86_64__)
extern const Kernel avx2_kernel;
extern const Kernel avx_vnni_kernel;
extern const Kernel avx512_vnni_kernel;
#elif defined(__aarch64__)
extern const Kernel dotprod_kernel;
extern const Kernel i8mm_kernel;
#endif

// The place of a column's sum within its panel.
constexpr size_t place_of(size_t column, size_t columns) { return (column & 1) * (columns / 2) + (column >> 1); }

} // namespace lode
