// Pair sums of 16 bits, added modulo 2^16: half a column's products in the lower half of its 32 bits, half in the upper.
#include "kernel_ymm.h"
#include "packing.h"

namespace lode {

namespace {

struct Avx2Step {
  static __m256i start(__m256i correction) { return _mm256_and_si256(correction, _mm256_set1_epi32(0xffff)); }
  // Inline assembly: from the intrinsics, GCC 12 keeps all pair sums of a step at once, and half of all sums on the stack.
  LODE_INLINE static void add(__m256i &sums, __m256i operands, __m256i weights) {
    __m256i pairs;
    __asm__("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(sums), "=&x"(pairs) : "x"(operands), "x"(weights));
  }
  static __m256i finish(__m256i sums) { return _mm256_add_epi16(sums, _mm256_srli_epi32(sums, 16)); }
};

} // namespace

const Kernel avx2_kernel = {"avx2", COLUMNS, 4, multiply<Avx2Step>, pack_rows<COLUMNS, 4>, pack_columns<COLUMNS, 4>};

} // namespace lode
