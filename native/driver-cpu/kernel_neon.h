// What the kernels for 64-bit Arm share: 16 columns a panel, four rows at once, in 16 registers of sums. Included by one
// file per instruction set, each with its own `Tile`:
//   Tile::DEPTH                 as in Kernel
//   Tile::add(p, a, sums)       sums[row][place / 4] of four rows from a on, the correction included
#pragma once

#include "kernels.h"

#include <arm_neon.h>

#define LODE_INLINE __attribute__((always_inline)) inline

namespace lode {
namespace {

constexpr size_t COLUMNS = 16;
constexpr size_t ROWS = 4;
constexpr int DROP_PROJECT = 8, DROP_SCORE = 7, DROP_MIX = 4;

using Sums = int32x4_t[ROWS][COLUMNS / 4];

template <Reduce REDUCE> constexpr int drop_of() {
  return REDUCE == Reduce::score ? DROP_SCORE : REDUCE == Reduce::mix ? DROP_MIX : DROP_PROJECT;
}

// The 16 lower bits above the dropped ones, eight columns.
template <int DROP> LODE_INLINE uint8x16_t halves(int32x4_t first, int32x4_t second) {
  const uint16x4_t low = vshrn_n_u32(vreinterpretq_u32_s32(first), DROP);
  return vreinterpretq_u8_u16(vshrn_high_n_u32(low, vreinterpretq_u32_s32(second), DROP));
}

// 16 stored bytes, in order, of the sums of eight even and eight odd columns.
template <Reduce REDUCE> LODE_INLINE void store_row(const int32x4_t (&sums)[COLUMNS / 4], uint8_t *output) {
  constexpr int DROP = drop_of<REDUCE>();
  // the lower byte of every half, even and odd ones in turn
  const uint8x16_t bytes = vtrn1q_u8(halves<DROP>(sums[0], sums[1]), halves<DROP>(sums[2], sums[3]));
  const uint8x16_t seven = vdupq_n_u8(127);
  if constexpr (REDUCE == Reduce::residual) {
    // The sum is (stored before) + w + 64 + 64; the mask drops the 128.
    vst1q_u8(output, vandq_u8(vaddq_u8(vld1q_u8(output), bytes), seven));
    return;
  }
  const uint8x16_t stored = vandq_u8(vaddq_u8(bytes, vdupq_n_u8(64)), seven);
  if constexpr (REDUCE == Reduce::triangle) {
    const uint8x16_t next = vaddq_u8(stored, vdupq_n_u8(1));
    const uint8x8_t low = vshrn_n_u16(vmull_u8(vget_low_u8(stored), vget_low_u8(next)), 1);
    vst1q_u8(output, vandq_u8(vshrn_high_n_u16(low, vmull_high_u8(stored, next), 1), seven));
    return;
  }
  vst1q_u8(output, stored);
}

template <Reduce REDUCE, class Tile> void multiply_all(const Product &p) {
  const uint8_t *a = p.a;
  uint8_t *output = p.output;
  for (size_t row = 0; row < p.rows; row += ROWS, a += ROWS * p.a_stride, output += ROWS * p.output_stride) {
    Sums sums;
    Tile::add(p, a, sums);
    for (size_t r = 0; r < ROWS; r++) store_row<REDUCE>(sums[r], output + r * p.output_stride);
  }
}

template <class Tile> void multiply(const Product &p, Reduce reduce) {
  switch (reduce) {
  case Reduce::project:
    return multiply_all<Reduce::project, Tile>(p);
  case Reduce::residual:
    return multiply_all<Reduce::residual, Tile>(p);
  case Reduce::triangle:
    return multiply_all<Reduce::triangle, Tile>(p);
  case Reduce::score:
    return multiply_all<Reduce::score, Tile>(p);
  case Reduce::mix:
    return multiply_all<Reduce::mix, Tile>(p);
  }
}

} // namespace
} // namespace lode
