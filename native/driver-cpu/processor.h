// What this processor and its operating system allow: asked once, before any kernel is chosen.
#pragma once

#include <string>

namespace lode {

struct Features {
  bool avx512_vnni = false; // with F, BW, VL and the wide registers saved by the system
  bool avx_vnni = false;
  bool avx2 = false;
  bool aes = false; // with SSE 4.1
  bool sha = false; // with SSE 4.1
};

Features detect_features();

// For people: "AVX-512 VNNI, AVX2, AES".
std::string describe(const Features &features);

// The processor's own name, or a general word where it does not say.
std::string processor_name();

} // namespace lode
