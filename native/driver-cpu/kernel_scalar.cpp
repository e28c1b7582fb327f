// The specification in plain integer arithmetic, for processors without a faster kernel, and as a check of the other kernels.
#include "kernels.h"
#include "packing.h"

namespace lode {

namespace {

constexpr size_t COLUMNS = 16;

// w(sum, drop) + 64
uint32_t window(int32_t sum, int drop) { return ((static_cast<uint32_t>(sum) >> drop) + 64) & 127; }

uint8_t reduced(int32_t sum, uint8_t before, Reduce reduce) {
  switch (reduce) {
  case Reduce::residual:
    return static_cast<uint8_t>((before + window(sum, 8) + 64) & 127);
  case Reduce::triangle: {
    const uint32_t v = window(sum, 8);
    return static_cast<uint8_t>((v * (v + 1) / 2) & 127);
  }
  case Reduce::score:
    return static_cast<uint8_t>(window(sum, 7));
  case Reduce::mix:
    return static_cast<uint8_t>(window(sum, 4));
  case Reduce::project:
    break;
  }
  return static_cast<uint8_t>(window(sum, 8));
}

void multiply(const Product &p, Reduce reduce) {
  for (size_t row = 0; row < p.rows; row++) {
    const uint8_t *a = p.a + row * p.a_stride;
    int32_t sums[COLUMNS];
    for (size_t place = 0; place < COLUMNS; place++) sums[place] = p.correction[place];
    for (size_t k = 0; k < p.inner; k += 4) {
      const int8_t *b = p.panel + k * COLUMNS;
      for (size_t place = 0; place < COLUMNS; place++, b += 4)
        sums[place] += a[k] * b[0] + a[k + 1] * b[1] + a[k + 2] * b[2] + a[k + 3] * b[3];
    }
    uint8_t *output = p.output + row * p.output_stride;
    for (size_t column = 0; column < COLUMNS; column++)
      output[column] = reduced(sums[place_of(column, COLUMNS)], output[column], reduce);
  }
}

} // namespace

const Kernel scalar_kernel = {"scalar", COLUMNS, 4, multiply, pack_rows<COLUMNS, 4>, pack_columns<COLUMNS, 4>};

} // namespace lode
