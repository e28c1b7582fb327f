// The ways of computing that this processor has: which kernel, which ciphers.
#pragma once

#include "crypto.h"
#include "kernels.h"
#include "processor.h"

#include <string>
#include <vector>

namespace lode {

// How this processor computes: chosen once, when a device is opened.
struct Ways {
  Kernel kernel;
  Crypto crypto;
};

struct Way {
  const Kernel *kernel;
  bool possible;
};

// The best first. What is not possible here is refused by name, so that no illegal instruction can be reached.
const std::vector<Way> &ways();

// A kernel with this processor's ciphers.
Ways complete_way(const Kernel &kernel);

// The best kernel that is possible here.
Ways best_way();

// What this processor has, less what LODE_CPU_WITHOUT takes away.
const Features &usable_features();

// Why LODE_CPU_WITHOUT is not understood, in words, or an empty text. A mask that is not understood must not look as if it masked.
std::string mask_fault();

} // namespace lode
