// AES and SHA-256 with the processor's own instructions. Compiled for processors that have them; called only there.
#include "crypto.h"

#include <immintrin.h>

namespace lode {

void keystream_x86(const AesKey &key, uint64_t first_block, uint8_t *output, size_t blocks) {
  constexpr size_t LANES = 8; // as many blocks as hide the latency of one round
  __m128i round[15];
  for (int i = 0; i < 15; i++) round[i] = _mm_load_si128(reinterpret_cast<const __m128i *>(key.round[i]));
  const auto counter = [](uint64_t block) {
    return _mm_set_epi64x(static_cast<long long>(__builtin_bswap64(block)), 0);
  };
  __m128i *out = reinterpret_cast<__m128i *>(output);
  size_t block = 0;
  for (; block + LANES <= blocks; block += LANES) {
    __m128i state[LANES];
    for (size_t lane = 0; lane < LANES; lane++) state[lane] = _mm_xor_si128(counter(first_block + block + lane), round[0]);
    for (int i = 1; i < 14; i++)
      for (size_t lane = 0; lane < LANES; lane++) state[lane] = _mm_aesenc_si128(state[lane], round[i]);
    for (size_t lane = 0; lane < LANES; lane++)
      _mm_storeu_si128(out + block + lane, _mm_aesenclast_si128(state[lane], round[14]));
  }
  for (; block < blocks; block++) {
    __m128i state = _mm_xor_si128(counter(first_block + block), round[0]);
    for (int i = 1; i < 14; i++) state = _mm_aesenc_si128(state, round[i]);
    _mm_storeu_si128(out + block, _mm_aesenclast_si128(state, round[14]));
  }
}

void compress_x86(uint32_t state[8], const uint8_t *data, size_t blocks) {
  const __m128i byte_order = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  // The instructions take the state as ABEF and CDGH.
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(state)), 0xb1);
  __m128i high = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(state + 4)), 0x1b);
  __m128i abef = _mm_alignr_epi8(low, high, 8);
  __m128i cdgh = _mm_blend_epi16(high, low, 0xf0);
  for (; blocks > 0; blocks--, data += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
    for (int i = 0; i < 4; i++)
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(data + 16 * i)), byte_order);
    for (int i = 0; i < 16; i++) {
      if (i >= 4) {
        // W of the next four rounds replaces the oldest four
        const __m128i early = _mm_sha256msg1_epu32(w[0], w[1]);
        const __m128i middle = _mm_add_epi32(early, _mm_alignr_epi8(w[3], w[2], 4));
        const __m128i next = _mm_sha256msg2_epu32(middle, w[3]);
        w[0] = w[1], w[1] = w[2], w[2] = w[3], w[3] = next;
      }
      const __m128i words = i >= 4 ? w[3] : w[i];
      const __m128i sum =
          _mm_add_epi32(words, _mm_loadu_si128(reinterpret_cast<const __m128i *>(sha256_constants + 4 * i)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  low = _mm_shuffle_epi32(abef, 0x1b);  // FEBA
  high = _mm_shuffle_epi32(cdgh, 0xb1); // DCHG
  _mm_storeu_si128(reinterpret_cast<__m128i *>(state), _mm_blend_epi16(low, high, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i *>(state + 4), _mm_alignr_epi8(high, low, 8));
}

} // namespace lode
