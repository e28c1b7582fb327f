// Packing into a kernel's layout (kernels.h). Every kernel includes this file, so that it is compiled for that kernel's
// instructions. Bytes are taken modulo 128: bytes of keystreams and stored operands both become value = byte - 64.
#pragma once

#include "kernels.h"

#include <cstring>

namespace lode {
namespace {

// (b mod 128) − 64 of four bytes: bit 6 flips. Where bit 6 is then set, the number is negative, so bit 7 copies bit 6.
inline uint32_t operands(uint32_t bytes) {
  const uint32_t flipped = (bytes & 0x7f7f7f7fu) ^ 0x40404040u;
  return flipped | (flipped & 0x40404040u) << 1;
}

inline int32_t sum_of(uint32_t operands) {
  return static_cast<int8_t>(operands) + static_cast<int8_t>(operands >> 8) + static_cast<int8_t>(operands >> 16) +
         static_cast<int8_t>(operands >> 24);
}

// As Kernel::pack_rows.
template <size_t COLUMNS, size_t DEPTH>
void pack_rows(const uint8_t *rows, size_t stride, size_t columns, size_t k, size_t inner, int8_t *panels, int32_t *corrections) {
  for (size_t first = 0; first < columns; first += COLUMNS) {
    const uint8_t *row = rows + first;
    uint32_t four[COLUMNS];
    int32_t added[COLUMNS];
    // First the columns in their order, which compilers vectorize; then even columns before odd ones.
    for (size_t column = 0; column < COLUMNS; column++) {
      four[column] = operands(row[column] | static_cast<uint32_t>(row[column + stride]) << 8 |
                              static_cast<uint32_t>(row[column + 2 * stride]) << 16 |
                              static_cast<uint32_t>(row[column + 3 * stride]) << 24);
      added[column] = sum_of(four[column]);
    }
    int8_t *panel = panels + first * inner + k / DEPTH * DEPTH * COLUMNS + k % DEPTH;
    for (size_t half = 0; half < 2; half++) {
      for (size_t index = 0; index < COLUMNS / 2; index++) {
        const size_t place = half * (COLUMNS / 2) + index;
        std::memcpy(panel + place * DEPTH, four + 2 * index + half, 4);
        corrections[first + place] -= 64 * added[2 * index + half];
      }
    }
  }
}

// As Kernel::pack_columns.
template <size_t COLUMNS, size_t DEPTH>
void pack_columns(const uint8_t *rows, size_t stride, size_t count, size_t inner, int8_t *panels, int32_t *corrections) {
  for (size_t column = 0; column < count; column++) {
    const size_t place = place_of(column % COLUMNS, COLUMNS);
    int8_t *panel = panels + column / COLUMNS * COLUMNS * inner + place * DEPTH;
    const uint8_t *row = rows + column * stride;
    int32_t sum = 0;
    for (size_t k = 0; k < inner; k += 4) {
      uint32_t four;
      std::memcpy(&four, row + k, 4);
      four = operands(four);
      sum += sum_of(four);
      std::memcpy(panel + k / DEPTH * DEPTH * COLUMNS + k % DEPTH, &four, 4);
    }
    corrections[column / COLUMNS * COLUMNS + place] = -64 * sum;
  }
}

} // namespace
} // namespace lode
