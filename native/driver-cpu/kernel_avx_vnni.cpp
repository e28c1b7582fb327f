// vpdpbusd in 256-bit registers, for processors without AVX-512.
#include "kernel_ymm.h"
#include "packing.h"

// The same instruction as processors with AVX-512 encode it, so that tests reach this kernel there too.
#if defined(LODE_AVX_VNNI_BY_EVEX)
#define LODE_VPDPBUSD "%{evex%} vpdpbusd"
#else
#define LODE_VPDPBUSD "%{vex%} vpdpbusd"
#endif

namespace lode {

namespace {

struct AvxVnniStep {
  static __m256i start(__m256i correction) { return correction; }
  // Inline assembly: from the intrinsic, GCC 12 makes two copies and a store in each step.
  LODE_INLINE static void add(__m256i &sums, __m256i operands, __m256i weights) {
    __asm__(LODE_VPDPBUSD " %2, %1, %0" : "+x"(sums) : "x"(operands), "x"(weights));
  }
  static __m256i finish(__m256i sums) { return sums; }
};

} // namespace

const Kernel avx_vnni_kernel = {"avx-vnni", COLUMNS, 4, multiply<AvxVnniStep>, pack_rows<COLUMNS, 4>, pack_columns<COLUMNS, 4>};

} // namespace lode
