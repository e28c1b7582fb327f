#include "processor.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lode {

#if defined(__x86_64__)

namespace {

bool bit(uint32_t value, int index) { return (value >> index & 1) != 0; }

// XCR0 by its encoding: the intrinsic would need this file to be compiled for processors that have it.
uint64_t saved_states() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

} // namespace

Features detect_features() {
  Features found;
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
  const bool sse41 = bit(c, 19);
  found.aes = sse41 && bit(c, 25);
  const bool saves = bit(c, 27) && bit(c, 28);
  const uint64_t states = saves ? saved_states() : 0;
  const bool ymm = (states & 0x06) == 0x06;
  const bool zmm = (states & 0xe6) == 0xe6;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
  const uint32_t subleaves = a;
  found.sha = sse41 && bit(b, 29);
  found.avx2 = ymm && bit(b, 5);
  found.avx512_vnni = zmm && found.avx2 && bit(b, 16) && bit(b, 30) && bit(b, 31) && bit(c, 11);
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) found.avx_vnni = found.avx2 && bit(a, 4);
  return found;
}

std::string processor_name() {
  char text[49] = {};
  uint32_t a = 0, b = 0, c = 0, d = 0;
  for (uint32_t part = 0; part < 3; part++) {
    if (!__get_cpuid(0x80000002u + part, &a, &b, &c, &d)) return "x86-64 processor";
    const uint32_t words[4] = {a, b, c, d};
    std::memcpy(text + 16 * part, words, 16);
  }
  return text[0] == 0 ? "x86-64 processor" : text;
}

#else

Features detect_features() { return {}; }

std::string processor_name() { return "processor"; }

#endif

std::string describe(const Features &features) {
  std::string text;
  const auto add = [&text](bool has, const char *name) {
    if (has) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(features.avx512_vnni, "AVX-512 VNNI");
  add(features.avx_vnni, "AVX-VNNI");
  add(features.avx2, "AVX2");
  add(features.aes, "AES");
  add(features.sha, "SHA");
  return text.empty() ? "no vector instructions" : text;
}

} // namespace lode
