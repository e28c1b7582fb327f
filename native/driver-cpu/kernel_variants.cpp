#include "kernel_variants.h"

#include <cstdlib>

namespace lode {

namespace {

// Features not to use, for tests and for a processor whose instruction computes wrongly: names as in feature_names, between commas.
constexpr char MASK_VARIABLE[] = "LODE_CPU_WITHOUT";

struct Processor {
  Features features = detect_features();
  std::string unknown_feature; // the first name of the mask that is no feature

  Processor() {
    const char *mask = std::getenv(MASK_VARIABLE);
    if (mask != nullptr) unknown_feature = mask_features(features, mask);
  }
};

const Processor &processor() {
  static const Processor found;
  return found;
}

} // namespace

const Features &usable_features() { return processor().features; }

std::string mask_error() {
  const std::string &unknown = processor().unknown_feature;
  if (unknown.empty()) return {};
  return std::string(MASK_VARIABLE) + " names \"" + unknown + "\", which is none of " + feature_names();
}

const std::vector<KernelVariant> &kernel_variants() {
  static const std::vector<KernelVariant> all = {
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

KernelSet kernel_set_of(const Kernel &kernel) {
  KernelSet chosen = {kernel, {keystream_portable, compress_portable}};
#if defined(__x86_64__)
  if (usable_features().aes) chosen.crypto.keystream = keystream_x86;
  if (usable_features().sha) chosen.crypto.compress = compress_x86;
#elif defined(__aarch64__)
  if (usable_features().aes) chosen.crypto.keystream = keystream_arm;
  if (usable_features().sha) chosen.crypto.compress = compress_arm;
#endif
  return chosen;
}

KernelSet best_kernel_set() {
  for (const KernelVariant &variant : kernel_variants())
    if (variant.possible) return kernel_set_of(*variant.kernel);
  return kernel_set_of(scalar_kernel);
}

} // namespace lode
