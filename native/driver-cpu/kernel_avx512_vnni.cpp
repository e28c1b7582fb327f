// vpdpbusd in 512-bit registers: 32 columns a panel, twelve rows at once. 24 registers of sums hide the latency of five
// cycles on two ports; a step loads 14 times for 24 multiplications, so that loads never limit.
#include "kernels.h"
#include "packing.h"

#include <cstring>
#include <immintrin.h>

#define LODE_INLINE __attribute__((always_inline)) inline

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
  // Selects bits of `low` where the mask is set, bits of `high` elsewhere.
  const __m512i pairs = _mm512_ternarylogic_epi32(_mm512_set1_epi32(0x00ff), low, high, 0xca);
  const __m256i bytes = _mm512_cvtepi32_epi16(pairs);
  const __m256i seven = _mm256_set1_epi8(127);
  __m256i *out = reinterpret_cast<__m256i *>(output);
  if constexpr (REDUCE == Reduce::residual) {
    // The sum is (stored before) + w + 64 + 64; the mask drops the 128.
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

// sums += products of stored operands and weights. Inline assembly: from the intrinsic, GCC 12 makes two copies and a store in each step.
LODE_INLINE void add_products(__m512i &sums, __m512i operands, __m512i weights) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(operands), "v"(weights));
}

// The sums of rows 0 … LAST, as members: compilers keep members in registers, but an array on the stack.
template <int LAST> struct Sums {
  Sums<LAST - 1> above;
  __m512i even, odd;

  LODE_INLINE Sums(__m512i even_start, __m512i odd_start)
      : above(even_start, odd_start), even(even_start), odd(odd_start) {}
  // `rows`: where rows 0, 3, 6 and 9 begin.
  LODE_INLINE void add(const uint8_t *const (&rows)[4], size_t stride, __m512i b0, __m512i b1) {
    above.add(rows, stride, b0, b1);
    int32_t four;
    std::memcpy(&four, rows[LAST / 3] + LAST % 3 * stride, 4);
    const __m512i operands = _mm512_set1_epi32(four);
    add_products(even, operands, b0);
    add_products(odd, operands, b1);
  }
  template <Reduce REDUCE> LODE_INLINE void store(uint8_t *output, size_t stride) const {
    above.template store<REDUCE>(output, stride);
    store_row<REDUCE>(even, odd, output + LAST * stride);
  }
};
template <> struct Sums<-1> {
  LODE_INLINE Sums(__m512i, __m512i) {}
  LODE_INLINE void add(const uint8_t *const (&)[4], size_t, __m512i, __m512i) {}
  template <Reduce REDUCE> LODE_INLINE void store(uint8_t *, size_t) const {}
};

template <int ROWS, Reduce REDUCE> void multiply_rows(const Product &p, const uint8_t *a, uint8_t *output) {
  Sums<ROWS - 1> sums(_mm512_loadu_si512(p.correction), _mm512_loadu_si512(p.correction + 16));
  const size_t stride = p.a_stride;
  const uint8_t *rows[4] = {a, a + 3 * stride, a + 6 * stride, a + 9 * stride};
  const int8_t *b = p.panel;
  for (const int8_t *end = b + p.inner * COLUMNS; b < end; b += 4 * COLUMNS) {
    sums.add(rows, stride, _mm512_load_si512(b), _mm512_load_si512(b + 64));
    rows[0] += 4, rows[1] += 4, rows[2] += 4, rows[3] += 4;
  }
  sums.template store<REDUCE>(output, p.output_stride);
}

template <Reduce REDUCE> void multiply_all(const Product &p) {
  const uint8_t *a = p.a;
  uint8_t *output = p.output;
  // The number of rows is a multiple of 16: groups of twelve rows, and of eight at the end (four rows have too few sums to hide the latency).
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

const Kernel avx512_vnni_kernel = {"avx512-vnni", COLUMNS, 4, multiply, pack_rows<COLUMNS, 4>, pack_columns<COLUMNS, 4>};

} // namespace lode
