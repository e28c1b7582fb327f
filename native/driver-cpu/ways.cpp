#include "ways.h"

#include <cstdlib>

namespace lode {

namespace {

// Instructions to do without, for tests and for a processor that gets one wrong: words as in `units`, between commas.
constexpr char MASK_VARIABLE[] = "LODE_CPU_WITHOUT";

struct Processor {
  Features features = detect_features();
  std::string unknown_word; // of the mask

  Processor() {
    const char *mask = std::getenv(MASK_VARIABLE);
    if (mask != nullptr) unknown_word = mask_features(features, mask);
  }
};

const Processor &processor() {
  static const Processor found;
  return found;
}

} // namespace

const Features &usable_features() { return processor().features; }

std::string mask_fault() {
  const std::string &word = processor().unknown_word;
  if (word.empty()) return {};
  return std::string(MASK_VARIABLE) + " names \"" + word + "\", which is none of " + feature_words();
}

const std::vector<Way> &ways() {
  static const std::vector<Way> all = {
#if defined(__x86_64__)
      {&avx512_vnni_kernel, usable_features().avx512_vnni},
      {&avx_vnni_kernel, usable_features().avx_vnni},
      {&avx2_kernel, usable_features().avx2},
#elif defined(__aarch64__)
      {&i8mm_kernel, usable_features().i8mm},
      {&dotprod_kernel, usable_features().dotprod},
#endif
      {&scalar_kernel, true},
  };
  return all;
}

Ways complete_way(const Kernel &kernel) {
  Ways chosen = {kernel, {keystream_portable, compress_portable}};
#if defined(__x86_64__)
  if (usable_features().aes) chosen.crypto.keystream = keystream_x86;
  if (usable_features().sha) chosen.crypto.compress = compress_x86;
#elif defined(__aarch64__)
  if (usable_features().aes) chosen.crypto.keystream = keystream_arm;
  if (usable_features().sha) chosen.crypto.compress = compress_arm;
#endif
  return chosen;
}

Ways best_way() {
  for (const Way &way : ways())
    if (way.possible) return complete_way(*way.kernel);
  return complete_way(scalar_kernel);
}

} // namespace lode
