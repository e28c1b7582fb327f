// The kernel variants of this processor: product kernels for its instructions, and ciphers.
#pragma once

#include "crypto.h"
#include "kernels.h"
#include "processor.h"

#include <string>
#include <vector>

namespace lode {

// The kernels that a device computes with: chosen once, when the device is opened.
struct KernelSet {
  Kernel kernel;
  Crypto crypto;
};

struct KernelVariant {
  const Kernel *kernel;
  bool possible; // this processor has its instructions
};

// All variants, the fastest first. A driver refuses one that is not possible here, so that no illegal instruction can run.
const std::vector<KernelVariant> &kernel_variants();

// The set of a product kernel and this processor's ciphers.
KernelSet kernel_set_of(const Kernel &kernel);

// The set with the fastest kernel that is possible here.
KernelSet best_kernel_set();

// The features of this processor without those that LODE_CPU_WITHOUT masks.
const Features &usable_features();

// Why LODE_CPU_WITHOUT is not understood, for people, or an empty text. A device does not open with such a mask: it would
// compute with instructions that a person meant to mask.
std::string mask_error();

} // namespace lode
