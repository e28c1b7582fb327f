// Drivers, their open devices and epochs, each kept alive by what still uses it.
#pragma once

#include "lode_driver.h"

#include <memory>
#include <stdexcept>
#include <string>

namespace lode::loader {

// What goes to JavaScript as an Error with a code.
struct DriverError : std::runtime_error {
  DriverError(const char *code, const std::string &message) : std::runtime_error(message), code(code) {}
  const char *code;
};

// The code of a status, the same text as its name in lode_driver.h.
const char *code_of(lode_status status);

// What a driver may have, so that a wrong count is an error and not a long wait.
constexpr uint32_t MOST_DEVICES = 64;

// A text that came from a driver. Throws DriverError LODE_WRONG_ANSWER for null, for more than 1024 bytes and for what is
// not UTF-8. `what` names it.
const char *checked_text(const char *text, const char *what);

// A loaded driver. It stays loaded: a library whose threads may still end must not be unmapped.
class DriverLibrary {
public:
  // The driver that is built in where `path` is empty. Throws DriverError.
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

private:
  std::shared_ptr<DriverLibrary> library_;
  lode_device *device_ = nullptr;
};

class PreparedEpoch {
public:
  // Takes what prepare made.
  PreparedEpoch(std::shared_ptr<OpenDevice> device, lode_epoch *epoch) : device_(std::move(device)), epoch_(epoch) {}
  ~PreparedEpoch() { device_->functions().release(device_->device(), epoch_); }
  PreparedEpoch(const PreparedEpoch &) = delete;
  PreparedEpoch &operator=(const PreparedEpoch &) = delete;

  OpenDevice &device() const { return *device_; }
  lode_epoch *epoch() const { return epoch_; }

private:
  std::shared_ptr<OpenDevice> device_;
  lode_epoch *epoch_;
};

} // namespace lode::loader
