// vpdpbusd in 512-bit registers: 32 columns a panel, twelve rows at once. 24 registers of sums hide the latency of five
// cycles on two ports; a step loads 14 times for 24 multiplications, so that loads never limit.
#include "kernels.h"

#include <cstring>
#include <immintrin.h>

namespace lode {

namespace {

constexpr size_t COLUMNS = 32;
constexpr int DROP_PROJECT = 8, DROP_SCORE = 7, DROP_MIX = 4;

template <Reduce REDUCE> constexpr int drop_of() {
  return REDUCE == Reduce::score ? DROP_SCORE : REDUCE == Reduce::mix ? DROP_MIX : DROP_PROJECT;
}

// 32 stored bytes, in order, of the sums of 16 even and 16 odd columns.
template <Reduce REDUCE> inline void store_row(__m512i even, __m512i odd, uint8_t *output) {
  constexpr unsigned DROP = drop_of<REDUCE>();
  const __m512i low = _mm512_srli_epi32(even, DROP), high = _mm512_slli_epi32(odd, 8 - DROP);
  // bit by bit: the mask chooses low where it is set, high elsewhere
  const __m512i pairs = _mm512_ternarylogic_epi32(_mm512_set1_epi32(0x00ff), low, high, 0xca);
  const __m256i bytes = _mm512_cvtepi32_epi16(pairs);
  const __m256i seven = _mm256_set1_epi8(127);
  __m256i *out = reinterpret_cast<__m256i *>(output);
  if constexpr (REDUCE == Reduce::residual) {
    // stored before + w + 64 + 64, and 128 falls away
    _mm256_storeu_si256(out, _mm256_and_si256(_mm256_add_epi8(_mm256_loadu_si256(out), bytes), seven));
    return;
  }
  const __m256i stored = _mm256_and_si256(_mm256_add_epi8(bytes, _mm256_set1_epi8(64)), seven);
  if constexpr (REDUCE == Reduce::triangle) {
    const __m256i one = _mm256_set1_epi16(1), lower = _mm256_set1_epi16(0x00ff);
    const __m256i first = _mm256_and_si256(stored, lower), second = _mm256_srli_epi16(stored, 8);
    const __m256i t = _mm256_srli_epi16(_mm256_mullo_epi16(first, _mm256_add_epi16(first, one)), 1);
    const __m256i u = _mm256_slli_epi16(_mm256_mullo_epi16(second, _mm256_add_epi16(second, one)), 7);
    _mm256_storeu_si256(out, _mm256_and_si256(_mm256_ternarylogic_epi32(lower, t, u, 0xca), seven));
    return;
  }
  _mm256_storeu_si256(out, stored);
}

template <int ROWS, Reduce REDUCE> void multiply_rows(const Product &p, const uint8_t *a, uint8_t *output) {
  __m512i sums[ROWS][2];
  const __m512i even = _mm512_loadu_si512(p.correction), odd = _mm512_loadu_si512(p.correction + 16);
#pragma GCC unroll 12
  for (int row = 0; row < ROWS; row++) sums[row][0] = even, sums[row][1] = odd;
  const int8_t *b = p.panel;
  for (size_t k = 0; k < p.inner; k += 4, b += 128) {
    const __m512i b0 = _mm512_load_si512(b), b1 = _mm512_load_si512(b + 64);
#pragma GCC unroll 12
    for (int row = 0; row < ROWS; row++) {
      int32_t four;
      std::memcpy(&four, a + static_cast<size_t>(row) * p.a_stride + k, 4);
      const __m512i operands = _mm512_set1_epi32(four);
      sums[row][0] = _mm512_dpbusd_epi32(sums[row][0], operands, b0);
      sums[row][1] = _mm512_dpbusd_epi32(sums[row][1], operands, b1);
    }
  }
#pragma GCC unroll 12
  for (int row = 0; row < ROWS; row++)
    store_row<REDUCE>(sums[row][0], sums[row][1], output + static_cast<size_t>(row) * p.output_stride);
}

template <Reduce REDUCE> void multiply_all(const Product &p) {
  const uint8_t *a = p.a;
  uint8_t *output = p.output;
  // rows are a multiple of 16: twelves, and eights at the end (four rows alone would wait for their sums)
  for (size_t left = p.rows; left > 0;) {
    const size_t rows = left >= 12 && left != 16 ? 12 : 8;
    if (rows == 12) multiply_rows<12, REDUCE>(p, a, output);
    else multiply_rows<8, REDUCE>(p, a, output);
    a += rows * p.a_stride;
    output += rows * p.output_stride;
    left -= rows;
  }
}

void multiply(const Product &p, Reduce reduce) {
  switch (reduce) {
  case Reduce::project:
    return multiply_all<Reduce::project>(p);
  case Reduce::residual:
    return multiply_all<Reduce::residual>(p);
  case Reduce::triangle:
    return multiply_all<Reduce::triangle>(p);
  case Reduce::score:
    return multiply_all<Reduce::score>(p);
  case Reduce::mix:
    return multiply_all<Reduce::mix>(p);
  }
}

} // namespace

const Kernel avx512_vnni_kernel = {"avx512-vnni", COLUMNS, multiply};

} // namespace lode
