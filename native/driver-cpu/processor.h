// What this processor and its operating system allow: asked once, before any kernel is chosen.
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

// Takes away the features that `words` names, as they stand in `feature_words`, between commas; a feature that builds on
// another goes with it. Nothing is ever added: what a processor lacks stays out of reach. Returns the first word that
// names no feature, or an empty text.
std::string mask_features(Features &features, const char *words);

// "avx512-vnni, avx-vnni, …": what mask_features knows.
std::string feature_words();

// For people: "AVX-512 VNNI, AVX2, AES".
std::string describe(const Features &features);

// The processor's own name, or a general word where it does not say.
std::string processor_name();

} // namespace lode
