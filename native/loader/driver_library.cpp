#include "driver_library.h"

#include "product_epoch.h"

#include <cstring>
#include <dlfcn.h>

const lode_driver *lode_cpu_driver_entry(uint32_t abi);

namespace lode::loader {

namespace {

// Functions that Lode calls for any device must be there. Functions of a level are checked when a device is opened.
bool is_complete(const lode_driver &driver) {
  return driver.size >= sizeof(lode_driver) && driver.abi == LODE_DRIVER_ABI && driver.name && driver.vendor &&
         driver.version && driver.licence && driver.device_count && driver.describe && driver.open && driver.close &&
         driver.last_error && driver.capabilities && driver.cancel &&
         driver.read_sensors && driver.get_power_limit && driver.set_power_limit;
}

// Whether these bytes are UTF-8 as Unicode defines it: shortest forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(const unsigned char *text, size_t length) {
  for (size_t index = 0; index < length;) {
    const unsigned char lead = text[index];
    const size_t more = lead < 0x80 ? 0 : lead < 0xc2 ? 4 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 4;
    if (more == 4 || index + more >= length) return false;
    for (size_t next = 1; next <= more; next++)
      if ((text[index + next] & 0xc0) != 0x80) return false;
    const unsigned char second = more > 0 ? text[index + 1] : 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
        (lead == 0xf4 && second > 0x8f))
      return false;
    index += more + 1;
  }
  return true;
}

// Why a call failed: the driver's text where it can be shown.
std::string reason_of(const lode_driver &driver, lode_device *device) {
  try {
    return checked_text(driver.last_error(device), "the reason");
  } catch (const DriverError &) {
    return "the driver gave no readable reason";
  }
}

// An epoch on a device that computes whole nonces itself.
class DriverEpoch final : public PreparedEpoch {
public:
  DriverEpoch(std::shared_ptr<OpenDevice> device, const lode_tier &tier, const uint8_t *seed) : device_(std::move(device)) {
    device_->check(device_->functions().prepare(device_->device(), &tier, seed, &epoch_));
    if (epoch_ == nullptr) throw DriverError("LODE_WRONG_ANSWER", "the driver said that the weights are ready and gave none");
  }
  ~DriverEpoch() override { device_->functions().release(device_->device(), epoch_); }
  void run(const uint8_t *header, uint64_t first_nonce, uint32_t count, uint8_t *digests, lode_run_result &result) override {
    device_->check(device_->functions().run(device_->device(), epoch_, header, first_nonce, count, digests, &result));
  }

private:
  std::shared_ptr<OpenDevice> device_;
  lode_epoch *epoch_ = nullptr;
};

} // namespace

std::shared_ptr<PreparedEpoch> prepare_epoch(const std::shared_ptr<OpenDevice> &device, const lode_tier &tier,
                                             const uint8_t *seed) {
  if ((device->capabilities() & LODE_CAPABILITY_NONCES) != 0) return std::make_shared<DriverEpoch>(device, tier, seed);
  return std::make_shared<ProductEpoch>(device, tier, seed);
}

const char *checked_text(const char *text, const char *what) {
  constexpr size_t MOST_BYTES = 1024;
  if (text == nullptr) throw DriverError("LODE_WRONG_ANSWER", std::string("the driver gave no text for ") + what);
  const size_t length = strnlen(text, MOST_BYTES + 1);
  if (length > MOST_BYTES || !is_utf8(reinterpret_cast<const unsigned char *>(text), length))
    throw DriverError("LODE_WRONG_ANSWER", std::string("the driver's text for ") + what + " is too long or not UTF-8");
  return text;
}

const char *code_of(lode_status status) {
  switch (status) {
  case LODE_OK:
    return "LODE_OK";
  case LODE_INVALID_ARGUMENT:
    return "LODE_INVALID_ARGUMENT";
  case LODE_NOT_AVAILABLE:
    return "LODE_NOT_AVAILABLE";
  case LODE_OUT_OF_MEMORY:
    return "LODE_OUT_OF_MEMORY";
  case LODE_CANCELLED:
    return "LODE_CANCELLED";
  case LODE_DEVICE_LOST:
    return "LODE_DEVICE_LOST";
  case LODE_FAILED:
    break;
  }
  return "LODE_FAILED";
}

std::shared_ptr<DriverLibrary> DriverLibrary::load(const std::string &path) {
  using Entry = const lode_driver *(*)(uint32_t);
  Entry entry = lode_cpu_driver_entry;
  if (!path.empty()) {
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw DriverError("LODE_NO_LIBRARY", std::string("the driver cannot be loaded: ") + dlerror());
    entry = reinterpret_cast<Entry>(dlsym(library, "lode_driver_entry"));
    if (entry == nullptr) throw DriverError("LODE_NO_DRIVER", "the library is not a Lode driver: it has no lode_driver_entry");
  }
  const lode_driver *driver = entry(LODE_DRIVER_ABI);
  if (driver == nullptr || driver->size < sizeof(uint32_t) * 2 || driver->abi != LODE_DRIVER_ABI)
    throw DriverError("LODE_WRONG_ABI", "the driver does not speak version 1 of the driver interface");
  if (driver->size < sizeof(lode_driver))
    throw DriverError("LODE_WRONG_ANSWER", "the driver's table of functions is smaller than version 1 of the interface says");
  if (!is_complete(*driver)) throw DriverError("LODE_WRONG_ANSWER", "the driver's table lacks a function or a text");
  return std::shared_ptr<DriverLibrary>(new DriverLibrary(driver));
}

OpenDevice::OpenDevice(std::shared_ptr<DriverLibrary> library, const std::string &id, const lode_open_options &options)
    : library_(std::move(library)) {
  products_.memory_limit_bytes = options.memory_limit_bytes;
  const lode_status status = functions().open(id.c_str(), &options, &device_);
  if (status != LODE_OK) throw DriverError(code_of(status), reason_of(functions(), nullptr));
  if (device_ == nullptr) throw DriverError("LODE_WRONG_ANSWER", "the driver said that the device is open and gave none");
  capabilities_ = functions().capabilities(device_);
  const bool has_nonces = functions().prepare && functions().run && functions().release;
  const bool lacks = ((capabilities_ & LODE_CAPABILITY_NONCES) != 0 && !has_nonces) ||
                     ((capabilities_ & LODE_CAPABILITY_PRODUCT) != 0 && !functions().multiply);
  if (!lacks && (capabilities_ & (LODE_CAPABILITY_NONCES | LODE_CAPABILITY_PRODUCT)) != 0) return;
  functions().close(device_);
  throw DriverError("LODE_WRONG_ANSWER", lacks ? "the device offers what its driver has no function for"
                                               : "the device offers neither whole nonces nor single products");
}

OpenDevice::~OpenDevice() { functions().close(device_); }

void OpenDevice::cancel() {
  products_.cancels++;
  functions().cancel(device_);
}

void OpenDevice::check(lode_status status) const {
  if (status != LODE_OK) throw DriverError(code_of(status), reason_of(functions(), device_));
}

} // namespace lode::loader
