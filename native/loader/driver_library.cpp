#include "driver_library.h"

#include <dlfcn.h>

const lode_driver *lode_cpu_driver_entry(uint32_t abi);

namespace lode::loader {

namespace {

// Everything that Lode calls must be there; multiply and set_threads may be missing by the interface's rules.
bool is_complete(const lode_driver &driver) {
  return driver.size >= sizeof(lode_driver) && driver.abi == LODE_DRIVER_ABI && driver.name && driver.vendor &&
         driver.version && driver.licence && driver.device_count && driver.describe && driver.open && driver.close &&
         driver.last_error && driver.capabilities && driver.prepare && driver.run && driver.cancel && driver.release &&
         driver.read_sensors && driver.get_power_limit && driver.set_power_limit;
}

} // namespace

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
  if (driver == nullptr || !is_complete(*driver))
    throw DriverError("LODE_WRONG_ABI", "the driver does not speak version 1 of the driver interface");
  return std::shared_ptr<DriverLibrary>(new DriverLibrary(driver));
}

OpenDevice::OpenDevice(std::shared_ptr<DriverLibrary> library, const std::string &id, const lode_open_options &options)
    : library_(std::move(library)) {
  const lode_status status = functions().open(id.c_str(), &options, &device_);
  if (status != LODE_OK) throw DriverError(code_of(status), functions().last_error(nullptr));
}

OpenDevice::~OpenDevice() { functions().close(device_); }

void OpenDevice::check(lode_status status) const {
  if (status != LODE_OK) throw DriverError(code_of(status), functions().last_error(device_));
}

} // namespace lode::loader
