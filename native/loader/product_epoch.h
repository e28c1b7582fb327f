// Whole nonces on a device that has only products (level 1): the device multiplies, the processor does the rest.
#pragma once

#include "driver_library.h"

#include "steps.h"

namespace lode::loader {

class ProductEpoch final : public PreparedEpoch {
public:
  // Throws DriverError: LODE_OUT_OF_MEMORY beyond the device's limit, LODE_CANCELLED.
  ProductEpoch(std::shared_ptr<OpenDevice> device, const lode_tier &tier, const uint8_t *seed);
  ~ProductEpoch() override;
  void run(const uint8_t *header, uint64_t first_nonce, uint32_t count, uint8_t *digests, lode_run_result &result) override;

private:
  struct Group;
  const int8_t *matrix(size_t layer, size_t index) const;
  void multiply(size_t layer, size_t index, const uint8_t *a, size_t rows, uint8_t *output, Group &group) const;
  void pass(const uint8_t *header, uint64_t first_nonce, size_t nonces, uint8_t *digests, Group &group) const;

  const std::shared_ptr<OpenDevice> device_;
  const Tier tier_;
  const KernelSet kernels_;
  const uint64_t bytes_;
  Memory weights_; // layer after layer: q, k, v, o, u, n, row-major, −64 to 63
};

} // namespace lode::loader
