#include "processor.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <fstream>
#include <sys/auxv.h>
#endif

namespace lode {

namespace {

struct Named {
  const char *mask_name, *name;
  bool Features::*has;
};
constexpr Named NAMED[] = {
    {"avx512-vnni", "AVX-512 VNNI", &Features::avx512_vnni},
    {"avx-vnni", "AVX-VNNI", &Features::avx_vnni},
    {"avx2", "AVX2", &Features::avx2},
    {"i8mm", "I8MM", &Features::i8mm},
    {"dotprod", "DotProd", &Features::dotprod},
    {"aes", "AES", &Features::aes},
    {"sha", "SHA", &Features::sha},
};

void add_name(std::string &text, const char *name) { text += (text.empty() ? "" : ", ") + std::string(name); }

// Removes features whose kernels also need a feature that is not there: wider kernels use instructions of narrower ones.
void remove_incomplete(Features &features) {
  features.avx512_vnni = features.avx512_vnni && features.avx2;
  features.avx_vnni = features.avx_vnni && features.avx2;
  features.i8mm = features.i8mm && features.dotprod;
}

} // namespace

#if defined(__x86_64__)

namespace {

bool bit(uint32_t value, int index) { return (value >> index & 1) != 0; }

// Reads XCR0 by inline assembly: with the intrinsic, this file would have to be compiled for processors that have it.
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
  found.avx512_vnni = zmm && bit(b, 16) && bit(b, 30) && bit(b, 31) && bit(c, 11);
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) found.avx_vnni = bit(a, 4);
#if defined(LODE_AVX_VNNI_BY_EVEX)
  found.avx_vnni = found.avx512_vnni;
#endif
  remove_incomplete(found);
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

#elif defined(__aarch64__) && defined(__APPLE__)

namespace {

// False also where the system does not know the name.
bool system_has(const char *name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

} // namespace

Features detect_features() {
  Features found;
  found.i8mm = system_has("hw.optional.arm.FEAT_I8MM");
  found.dotprod = system_has("hw.optional.arm.FEAT_DotProd");
  found.aes = system_has("hw.optional.arm.FEAT_AES");
  found.sha = system_has("hw.optional.arm.FEAT_SHA256");
  remove_incomplete(found);
  return found;
}

std::string processor_name() {
  char text[128] = {};
  size_t size = sizeof text - 1;
  const bool known = sysctlbyname("machdep.cpu.brand_string", text, &size, nullptr, 0) == 0;
  return known && text[0] != 0 ? text : "64-bit Arm processor";
}

#elif defined(__aarch64__) && defined(__linux__)

Features detect_features() {
  // Bits of the Linux kernel; older headers do not name all of them (Documentation/arch/arm64/elf_hwcaps.rst).
  constexpr unsigned long AES = 1ul << 3, SHA2 = 1ul << 6, DOT_PRODUCT = 1ul << 20, I8MM = 1ul << 13;
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  Features found;
  found.i8mm = (second & I8MM) != 0;
  found.dotprod = (first & DOT_PRODUCT) != 0;
  found.aes = (first & AES) != 0;
  found.sha = (first & SHA2) != 0;
  remove_incomplete(found);
  return found;
}

// Linux on Arm gives no name of the processor, but one of the board.
std::string processor_name() {
  std::ifstream file("/sys/firmware/devicetree/base/model");
  std::string model;
  std::getline(file, model, '\0');
  return model.empty() ? "64-bit Arm processor" : model;
}

#else

Features detect_features() { return {}; }

std::string processor_name() { return "processor"; }

#endif

std::string mask_features(Features &features, const char *mask) {
  std::string unknown;
  for (const char *next = mask; *next != 0;) {
    const size_t length = std::strcspn(next, ",");
    const std::string wanted(next, length);
    next += length + (next[length] == ',' ? 1 : 0);
    bool known = wanted.empty();
    for (const Named &named : NAMED) {
      if (wanted != named.mask_name) continue;
      features.*named.has = false;
      known = true;
    }
    if (!known && unknown.empty()) unknown = wanted;
  }
  remove_incomplete(features);
  return unknown;
}

std::string feature_names() {
  std::string text;
  for (const Named &named : NAMED) add_name(text, named.mask_name);
  return text;
}

std::string describe(const Features &features) {
  std::string text;
  for (const Named &named : NAMED) {
    if (features.*named.has) add_name(text, named.name);
  }
  return text.empty() ? "no vector instructions" : text;
}

} // namespace lode
