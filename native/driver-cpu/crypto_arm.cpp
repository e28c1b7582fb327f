// AES and SHA-256 with the instructions of 64-bit Arm. Compiled for processors that have them; called only there.
#include "crypto.h"

#include <arm_neon.h>

namespace lode {

void keystream_arm(const AesKey &key, uint64_t first_block, uint8_t *output, size_t blocks) {
  constexpr size_t LANES = 8; // as many blocks as hide the latency of one round
  uint8x16_t round[15];
  for (int i = 0; i < 15; i++) round[i] = vld1q_u8(key.round[i]);
  const auto counter = [](uint64_t block) {
    return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(0), vcreate_u64(__builtin_bswap64(block))));
  };
  // The instruction adds the round's key at its beginning, so the last key is added separately.
  size_t block = 0;
  for (; block + LANES <= blocks; block += LANES) {
    uint8x16_t state[LANES];
    for (size_t lane = 0; lane < LANES; lane++) state[lane] = counter(first_block + block + lane);
    for (int i = 0; i < 13; i++)
      for (size_t lane = 0; lane < LANES; lane++) state[lane] = vaesmcq_u8(vaeseq_u8(state[lane], round[i]));
    for (size_t lane = 0; lane < LANES; lane++)
      vst1q_u8(output + 16 * (block + lane), veorq_u8(vaeseq_u8(state[lane], round[13]), round[14]));
  }
  for (; block < blocks; block++) {
    uint8x16_t state = counter(first_block + block);
    for (int i = 0; i < 13; i++) state = vaesmcq_u8(vaeseq_u8(state, round[i]));
    vst1q_u8(output + 16 * block, veorq_u8(vaeseq_u8(state, round[13]), round[14]));
  }
}

void compress_arm(uint32_t state[8], const uint8_t *data, size_t blocks) {
  uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
  for (; blocks > 0; blocks--, data += 64) {
    const uint32x4_t abcd_before = abcd, efgh_before = efgh;
    uint32x4_t w[4];
    for (int i = 0; i < 4; i++) w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
    for (int i = 0; i < 16; i++) {
      if (i >= 4) {
        // W of the next four rounds replaces the oldest four
        const uint32x4_t next = vsha256su1q_u32(vsha256su0q_u32(w[0], w[1]), w[2], w[3]);
        w[0] = w[1], w[1] = w[2], w[2] = w[3], w[3] = next;
      }
      const uint32x4_t sum = vaddq_u32(i >= 4 ? w[3] : w[i], vld1q_u32(sha256_constants + 4 * i));
      const uint32x4_t abcd_now = abcd;
      abcd = vsha256hq_u32(abcd, efgh, sum);
      efgh = vsha256h2q_u32(efgh, abcd_now, sum);
    }
    abcd = vaddq_u32(abcd, abcd_before);
    efgh = vaddq_u32(efgh, efgh_before);
  }
  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}

} // namespace lode
