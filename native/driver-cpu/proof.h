// ITP-1 on one thread: packing an epoch's weights, and whole nonces through all layers.
#pragma once

#include "steps.h"

#include <atomic>

namespace lode {

// The weights of an epoch: 12·d² bytes and 9·d corrections a layer.
class Weights {
public:
  explicit Weights(const Tier &tier);
  static size_t bytes_for(const Tier &tier);

  const Tier tier;
  int8_t *panels(size_t layer, size_t matrix) const;
  int32_t *corrections(size_t layer, size_t matrix) const;

private:
  Memory memory_;
};

// Whether the device was cancelled since this work began.
struct Cancelled {
  const std::atomic<uint64_t> &device_cancels;
  uint64_t at_start;
  bool operator()() const { return device_cancels.load(std::memory_order_relaxed) != at_start; }
};

// The memory that one thread needs beside the weights, for the widest tier.
class Scratch {
public:
  Scratch();

  Memory x, heads, mixed, hidden; // stored operands, rows apart by their width and 64 bytes
  HeadScratch head;
  Memory rows;                    // four rows of a matrix, or a nonce's input
};

// The most nonces that pass through the layers together: enough rows that weights are seldom read, few enough for the cache.
size_t most_nonces(const Tier &tier);

// Expands and packs one matrix. False when cancelled.
bool pack_matrix(const KernelSet &kernels, const Weights &weights, const uint8_t seed[32], size_t layer, size_t matrix,
                 Scratch &scratch, const Cancelled &cancelled);

// The digests of `count` (at most most_nonces) nonces, 32 bytes each, and the nanoseconds in the layers. False when cancelled.
bool run_nonces(const KernelSet &kernels, const Weights &weights, const uint8_t header[32], uint64_t first_nonce, size_t count,
                uint8_t *digests, uint64_t &nanoseconds, Scratch &scratch, const Cancelled &cancelled);

} // namespace lode
