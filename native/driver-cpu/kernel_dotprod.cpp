// sdot: four products of four columns an instruction. For 16 rows k, four loads of operands and 16 of weights feed 64 of
// them, so that loads limit no core that has twice as many multiplications a cycle as loads.
#include "kernel_neon.h"
#include "packing.h"

namespace lode {

namespace {

struct DotProductTile {
  static constexpr size_t DEPTH = 4;

  template <int FOUR> LODE_INLINE static void add_four(const int8_t *b, const int8x16_t (&operands)[ROWS], Sums &sums) {
    for (size_t c = 0; c < COLUMNS / 4; c++) {
      const int8x16_t weights = vld1q_s8(b + FOUR * 4 * COLUMNS + 16 * c);
      for (size_t r = 0; r < ROWS; r++) sums[r][c] = vdotq_laneq_s32(sums[r][c], weights, operands[r], FOUR);
    }
  }

  LODE_INLINE static void add(const Product &p, const uint8_t *a, Sums &sums) {
    for (size_t c = 0; c < COLUMNS / 4; c++)
      for (size_t r = 0; r < ROWS; r++) sums[r][c] = vld1q_s32(p.correction + 4 * c);
    const int8_t *b = p.panel;
    for (size_t k = 0; k < p.inner; k += 16, b += 16 * COLUMNS) {
      int8x16_t operands[ROWS];
      for (size_t r = 0; r < ROWS; r++) operands[r] = vreinterpretq_s8_u8(vld1q_u8(a + r * p.a_stride + k));
      add_four<0>(b, operands, sums);
      add_four<1>(b, operands, sums);
      add_four<2>(b, operands, sums);
      add_four<3>(b, operands, sums);
    }
  }
};

} // namespace

const Kernel dotprod_kernel = {"dotprod", COLUMNS, DotProductTile::DEPTH, multiply<DotProductTile>, pack_rows<COLUMNS, DotProductTile::DEPTH>,
                              pack_columns<COLUMNS, DotProductTile::DEPTH>};

} // namespace lode
