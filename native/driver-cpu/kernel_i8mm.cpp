// smmla: eight products each of two rows with two columns an instruction, twice what sdot does.
#include "kernel_neon.h"
#include "packing.h"

namespace lode {

namespace {

struct MatrixTile {
  static constexpr size_t DEPTH = 8;
  static constexpr size_t PAIRS = COLUMNS / 2;

  LODE_INLINE static int8x16_t rows_pair(const uint8_t *one, const uint8_t *other) {
    return vreinterpretq_s8_u8(vcombine_u8(vld1_u8(one), vld1_u8(other)));
  }

  LODE_INLINE static void add(const Product &p, const uint8_t *a, Sums &sums) {
    // of rows 0 and 1, and of rows 2 and 3: two columns of the one, then of the other
    int32x4_t upper[PAIRS], lower[PAIRS];
    for (size_t pair = 0; pair < PAIRS; pair++) {
      const int32x2_t start = vld1_s32(p.correction + 2 * pair);
      upper[pair] = lower[pair] = vcombine_s32(start, start);
    }
    const int8_t *b = p.panel;
    for (size_t k = 0; k < p.inner; k += 8, a += 8, b += 8 * COLUMNS) {
      const int8x16_t first = rows_pair(a, a + p.a_stride), second = rows_pair(a + 2 * p.a_stride, a + 3 * p.a_stride);
      for (size_t pair = 0; pair < PAIRS; pair++) {
        const int8x16_t weights = vld1q_s8(b + 16 * pair);
        upper[pair] = vmmlaq_s32(upper[pair], first, weights);
        lower[pair] = vmmlaq_s32(lower[pair], second, weights);
      }
    }
    for (size_t c = 0; c < COLUMNS / 4; c++) {
      separate(upper[2 * c], upper[2 * c + 1], sums[0][c], sums[1][c]);
      separate(lower[2 * c], lower[2 * c + 1], sums[2][c], sums[3][c]);
    }
  }

  LODE_INLINE static void separate(int32x4_t left, int32x4_t right, int32x4_t &one, int32x4_t &other) {
    const int64x2_t l = vreinterpretq_s64_s32(left), r = vreinterpretq_s64_s32(right);
    one = vreinterpretq_s32_s64(vzip1q_s64(l, r));
    other = vreinterpretq_s32_s64(vzip2q_s64(l, r));
  }
};

} // namespace

const Kernel i8mm_kernel = {"i8mm", COLUMNS, MatrixTile::DEPTH, multiply<MatrixTile>, pack_rows<COLUMNS, MatrixTile::DEPTH>,
                              pack_columns<COLUMNS, MatrixTile::DEPTH>};

} // namespace lode
