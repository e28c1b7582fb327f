// The product in 256-bit registers, 16 columns a panel, six rows at once: 12 registers hold sums, two weights, one
// operands, and one is free. Included by one file per instruction set, each with its own `Step`:
//   Step::add(sums, a, b): sums += products of four bytes a column;  Step::start(correction);  Step::finish(sums).
#pragma once

#include "kernels.h"

#include <cstring>
#include <immintrin.h>

#define LODE_INLINE __attribute__((always_inline)) inline

namespace lode {
namespace {

constexpr size_t COLUMNS = 16;
constexpr int DROP_PROJECT = 8, DROP_SCORE = 7, DROP_MIX = 4;

template <Reduce REDUCE> constexpr int drop_of() {
  return REDUCE == Reduce::score ? DROP_SCORE : REDUCE == Reduce::mix ? DROP_MIX : DROP_PROJECT;
}

// 16 stored bytes, in order, of the sums of eight even and eight odd columns.
template <Reduce REDUCE> inline void store_row(__m256i even, __m256i odd, uint8_t *output) {
  constexpr int DROP = drop_of<REDUCE>();
  const __m256i low = _mm256_and_si256(_mm256_srli_epi32(even, DROP), _mm256_set1_epi32(0x00ff));
  const __m256i high = _mm256_and_si256(_mm256_slli_epi32(odd, 8 - DROP), _mm256_set1_epi32(0xff00));
  const __m256i pairs = _mm256_or_si256(low, high);
  const __m128i bytes = _mm256_castsi256_si128(
      _mm256_permute4x64_epi64(_mm256_packus_epi32(pairs, pairs), 0x08));
  const __m128i seven = _mm_set1_epi8(127);
  __m128i *out = reinterpret_cast<__m128i *>(output);
  if constexpr (REDUCE == Reduce::residual) {
    // The sum is (stored before) + w + 64 + 64; the mask drops the 128.
    _mm_storeu_si128(out, _mm_and_si128(_mm_add_epi8(_mm_loadu_si128(out), bytes), seven));
    return;
  }
  const __m128i stored = _mm_and_si128(_mm_add_epi8(bytes, _mm_set1_epi8(64)), seven);
  if constexpr (REDUCE == Reduce::triangle) {
    const __m128i one = _mm_set1_epi16(1);
    const __m128i first = _mm_and_si128(stored, _mm_set1_epi16(0x00ff)), second = _mm_srli_epi16(stored, 8);
    const __m128i t = _mm_srli_epi16(_mm_mullo_epi16(first, _mm_add_epi16(first, one)), 1);
    const __m128i u = _mm_slli_epi16(_mm_mullo_epi16(second, _mm_add_epi16(second, one)), 7);
    const __m128i both = _mm_or_si128(_mm_and_si128(t, _mm_set1_epi16(0x00ff)), _mm_andnot_si128(_mm_set1_epi16(0x00ff), u));
    _mm_storeu_si128(out, _mm_and_si128(both, seven));
    return;
  }
  _mm_storeu_si128(out, stored);
}

// The sums of rows 0 … LAST, as members: compilers keep members in registers, but an array on the stack.
template <int LAST, class Step> struct Sums {
  Sums<LAST - 1, Step> above;
  __m256i even, odd;

  LODE_INLINE Sums(__m256i even_start, __m256i odd_start)
      : above(even_start, odd_start), even(even_start), odd(odd_start) {}
  // `rows`: where rows 0 and 3 begin.
  LODE_INLINE void add(const uint8_t *const (&rows)[2], size_t stride, __m256i b0, __m256i b1) {
    above.add(rows, stride, b0, b1);
    int32_t four;
    std::memcpy(&four, rows[LAST / 3] + LAST % 3 * stride, 4);
    const __m256i operands = _mm256_set1_epi32(four);
    Step::add(even, operands, b0);
    Step::add(odd, operands, b1);
  }
  template <Reduce REDUCE> LODE_INLINE void store(uint8_t *output, size_t stride) const {
    above.template store<REDUCE>(output, stride);
    store_row<REDUCE>(Step::finish(even), Step::finish(odd), output + LAST * stride);
  }
};
template <class Step> struct Sums<-1, Step> {
  LODE_INLINE Sums(__m256i, __m256i) {}
  LODE_INLINE void add(const uint8_t *const (&)[2], size_t, __m256i, __m256i) {}
  template <Reduce REDUCE> LODE_INLINE void store(uint8_t *, size_t) const {}
};

template <int ROWS, Reduce REDUCE, class Step> void multiply_rows(const Product &p, const uint8_t *a, uint8_t *output) {
  const __m256i *corrections = reinterpret_cast<const __m256i *>(p.correction);
  Sums<ROWS - 1, Step> sums(Step::start(_mm256_loadu_si256(corrections)), Step::start(_mm256_loadu_si256(corrections + 1)));
  const size_t stride = p.a_stride;
  const uint8_t *rows[2] = {a, a + 3 * stride};
  const __m256i *b = reinterpret_cast<const __m256i *>(p.panel);
  for (size_t k = 0; k < p.inner; k += 4, b += 2) {
    sums.add(rows, stride, _mm256_load_si256(b), _mm256_load_si256(b + 1));
    rows[0] += 4, rows[1] += 4;
  }
  sums.template store<REDUCE>(output, p.output_stride);
}

template <Reduce REDUCE, class Step> void multiply_all(const Product &p) {
  const uint8_t *a = p.a;
  uint8_t *output = p.output;
  // The number of rows is a multiple of 16: groups of six rows, and of four at the end.
  for (size_t left = p.rows; left > 0;) {
    const size_t rows = left >= 6 && left != 8 ? 6 : 4;
    if (rows == 6) multiply_rows<6, REDUCE, Step>(p, a, output);
    else multiply_rows<4, REDUCE, Step>(p, a, output);
    a += rows * p.a_stride;
    output += rows * p.output_stride;
    left -= rows;
  }
}

template <class Step> void multiply(const Product &p, Reduce reduce) {
  switch (reduce) {
  case Reduce::project:
    return multiply_all<Reduce::project, Step>(p);
  case Reduce::residual:
    return multiply_all<Reduce::residual, Step>(p);
  case Reduce::triangle:
    return multiply_all<Reduce::triangle, Step>(p);
  case Reduce::score:
    return multiply_all<Reduce::score, Step>(p);
  case Reduce::mix:
    return multiply_all<Reduce::mix, Step>(p);
  }
}

} // namespace
} // namespace lode
