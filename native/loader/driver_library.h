// Drivers, their open devices and epochs. Each stays alive as long as something uses it.
#pragma once

#include "lode_driver.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace lode::loader {

// Becomes a JavaScript Error with a code.
struct DriverError : std::runtime_error {
  DriverError(const char *code, const std::string &message) : std::runtime_error(message), code(code) {}
  const char *code;
};

// The code of a status, the same text as its name in lode_driver.h.
const char *code_of(lode_status status);

// A driver that reports more devices is wrong: an error, not a long wait.
constexpr uint32_t MOST_DEVICES = 64;

// A text that came from a driver. Throws DriverError LODE_WRONG_ANSWER for null, for more than 1024 bytes and for what is
// not UTF-8. `what` names it.
const char *checked_text(const char *text, const char *what);

// A loaded driver. It stays loaded: a library whose threads may still end must not be unmapped.
class DriverLibrary {
public:
  // `path` empty: the built-in driver. Throws DriverError.
  static std::shared_ptr<DriverLibrary> load(const std::string &path);
  const lode_driver &functions() const { return *functions_; }

private:
  explicit DriverLibrary(const lode_driver *functions) : functions_(functions) {}
  const lode_driver *functions_;
};

class OpenDevice {
public:
  // Throws DriverError.
  OpenDevice(std::shared_ptr<DriverLibrary> library, const std::string &id, const lode_open_options &options);
  ~OpenDevice();
  OpenDevice(const OpenDevice &) = delete;
  OpenDevice &operator=(const OpenDevice &) = delete;

  const lode_driver &functions() const { return library_->functions(); }
  lode_device *device() const { return device_; }
  // Throws DriverError with the driver's own reason unless the status is LODE_OK.
  void check(lode_status status) const;
  // LODE_CAPABILITY_...
  uint32_t capabilities() const { return capabilities_; }
  // Makes every running or waiting prepare and run of this device end within 200 ms with DriverError LODE_CANCELLED.
  void cancel();

  // For a device that has only products: what its epochs share.
  struct Products {
    uint64_t memory_limit_bytes; // 0: none
    std::mutex turn;             // one product at a time
    std::atomic<uint64_t> cancels{0}, used_bytes{0};
    std::atomic<uint32_t> rows{16}; // of one product, adapted to take a short time
  };
  Products &products() { return products_; }

private:
  std::shared_ptr<DriverLibrary> library_;
  lode_device *device_ = nullptr;
  uint32_t capabilities_ = 0;
  Products products_;
};

// An epoch's weights on a device, released with the last owner.
class PreparedEpoch {
public:
  virtual ~PreparedEpoch() = default;
  // Writes `count` digests. Throws DriverError.
  virtual void run(const uint8_t *header, uint64_t first_nonce, uint32_t count, uint8_t *digests,
                   lode_run_result &result) = 0;
};

// An epoch of the driver where it computes whole nonces, else one from its products (product_epoch.h). Throws DriverError.
std::shared_ptr<PreparedEpoch> prepare_epoch(const std::shared_ptr<OpenDevice> &device, const lode_tier &tier,
                                             const uint8_t *seed);

} // namespace lode::loader
