// vpdpbusd in 256-bit registers, as processors without AVX-512 have it.
#include "kernel_ymm.h"

namespace lode {

namespace {

struct AvxVnniStep {
  static __m256i start(__m256i correction) { return correction; }
  static __m256i add(__m256i sums, __m256i a, __m256i b) { return _mm256_dpbusd_avx_epi32(sums, a, b); }
  static __m256i finish(__m256i sums) { return sums; }
};

} // namespace

const Kernel avx_vnni_kernel = {"avx-vnni", COLUMNS, multiply<AvxVnniStep>};

} // namespace lode
