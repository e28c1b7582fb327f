// The features of this processor that its operating system allows: detected once, before a kernel is chosen.
#pragma once

#include <string>

namespace lode {

struct Features {
  // 64-bit x86
  bool avx512_vnni = false; // with F, BW, VL and the wide registers saved by the system
  bool avx_vnni = false;
  bool avx2 = false;
  // 64-bit Arm
  bool i8mm = false;
  bool dotprod = false;
  // ciphers, on x86 with SSE 4.1
  bool aes = false;
  bool sha = false;
};

Features detect_features();

// Removes the features whose names (as in feature_names) stand in `mask` between commas, and the features that build on
// them. Never adds a feature. Returns the first name that is no feature, or an empty text.
std::string mask_features(Features &features, const char *mask);

// "avx512-vnni, avx-vnni, …": the names that mask_features knows.
std::string feature_names();

// For people: "AVX-512 VNNI, AVX2, AES".
std::string describe(const Features &features);

// The name that the processor reports, or a general one.
std::string processor_name();

} // namespace lode
