// The C interface of the CPU driver: arguments checked, exceptions turned into statuses.
#include "lode_driver.h"

#include "device.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <system_error>

struct lode_device final : lode::Device {
  using lode::Device::Device;
};

namespace {

using lode::Outcome;

constexpr char DEVICE_ID[] = "cpu0";

thread_local std::string error_without_device;

lode_status fail(lode_device *device, lode_status status, const char *text) {
  try {
    if (device != nullptr) device->set_error(text);
    else error_without_device = text;
  } catch (const std::bad_alloc &) {
    // There is no memory for the text; the status is returned all the same.
  }
  return status;
}

// Runs `work` and turns what it throws into a status.
template <class Work> lode_status guarded(lode_device *device, Work work) {
  try {
    return work();
  } catch (const std::bad_alloc &) {
    return fail(device, LODE_OUT_OF_MEMORY, "there is not enough memory");
  } catch (const std::exception &error) {
    return fail(device, LODE_FAILED, error.what());
  }
}

lode_status outcome_status(lode_device *device, Outcome outcome) {
  switch (outcome) {
  case Outcome::done:
    return LODE_OK;
  case Outcome::cancelled:
    return fail(device, LODE_CANCELLED, "the work was cancelled");
  case Outcome::out_of_memory:
    break;
  }
  return fail(device, LODE_OUT_OF_MEMORY, "there is not enough memory for the weights of another epoch");
}

uint32_t most_threads() { return std::min(lode::MOST_THREADS, std::max(1u, std::thread::hardware_concurrency())); }

uint32_t device_count() { return 1; }

lode_status describe_device(uint32_t index, lode_device_info *info) {
  if (index != 0 || info == nullptr || info->size < sizeof(lode_device_info))
    return fail(nullptr, LODE_INVALID_ARGUMENT, "there is one device, and its description needs its whole structure");
  return guarded(nullptr, [&] {
    static const std::string name = lode::processor_name();
    static const std::string units = lode::describe(lode::usable_features());
    *info = {info->size, LODE_KIND_CPU, DEVICE_ID, name.c_str(), units.c_str(), "", 0, lode::MOST_THREADS};
    return LODE_OK;
  });
}

lode_status open_device(const char *id, const lode_open_options *options, lode_device **device) {
  if (device == nullptr) return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no place for the device");
  *device = nullptr;
  if (id == nullptr || std::strcmp(id, DEVICE_ID) != 0)
    return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no device with this id");
  if (options == nullptr || options->size < sizeof(lode_open_options))
    return fail(nullptr, LODE_INVALID_ARGUMENT, "the options are missing or too small");
  const uint32_t threads = options->threads == 0 ? most_threads() : options->threads;
  if (threads > lode::MOST_THREADS) return fail(nullptr, LODE_INVALID_ARGUMENT, "there are at most 1024 threads");
  return guarded(nullptr, [&] {
    const std::string mask_error = lode::mask_error();
    if (!mask_error.empty()) return fail(nullptr, LODE_INVALID_ARGUMENT, mask_error.c_str());
    for (const lode::KernelVariant &variant : lode::kernel_variants()) {
      const bool named = options->path != nullptr && std::strcmp(options->path, variant.kernel->name) == 0;
      if (named && !variant.possible)
        return fail(nullptr, LODE_NOT_AVAILABLE, "this processor does not have the instructions of that way");
      if (named || (options->path == nullptr && variant.possible)) {
        *device = new lode_device(lode::kernel_set_of(*variant.kernel), threads, options->memory_limit_bytes);
        return LODE_OK;
      }
    }
    return fail(nullptr, LODE_INVALID_ARGUMENT, "the driver has no way of computing with this name");
  });
}

void close_device(lode_device *device) { delete device; }

const char *last_error(lode_device *device) {
  return device == nullptr ? error_without_device.c_str() : device->error();
}

uint32_t capabilities(lode_device *) { return LODE_CAPABILITY_NONCES; }

lode_status set_threads(lode_device *device, uint32_t threads) {
  if (device == nullptr) return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no device");
  if (threads == 0 || threads > lode::MOST_THREADS)
    return fail(device, LODE_INVALID_ARGUMENT, "threads are 1 to 1024");
  return guarded(device, [&] {
    device->set_threads(threads);
    return LODE_OK;
  });
}

bool is_tier(const lode_tier *tier) {
  return tier != nullptr && tier->size >= sizeof(lode_tier) && (tier->width == 256 || tier->width == 1024) &&
         tier->layers >= 1 && tier->layers <= 256 && (tier->tokens == 16 || tier->tokens == 32 || tier->tokens == 64);
}

lode::Weights *weights_of(lode_epoch *epoch) { return reinterpret_cast<lode::Weights *>(epoch); }

lode_status prepare(lode_device *device, const lode_tier *tier, const uint8_t *seed, lode_epoch **epoch) {
  if (device == nullptr) return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no device");
  if (epoch == nullptr || seed == nullptr || !is_tier(tier))
    return fail(device, LODE_INVALID_ARGUMENT, "the tier, the seed or the place for the epoch is missing or wrong");
  *epoch = nullptr;
  return guarded(device, [&] {
    lode::Weights *weights = nullptr;
    const Outcome outcome = device->prepare({tier->width, tier->layers, tier->tokens}, seed, &weights);
    *epoch = reinterpret_cast<lode_epoch *>(weights);
    return outcome_status(device, outcome);
  });
}

lode_status run(lode_device *device, lode_epoch *epoch, const uint8_t *header, uint64_t first_nonce, uint32_t count,
                uint8_t *digests, lode_run_result *result) {
  if (device == nullptr) return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no device");
  if (epoch == nullptr || !device->owns(weights_of(epoch)))
    return fail(device, LODE_INVALID_ARGUMENT, "this device has no such epoch");
  if (header == nullptr || digests == nullptr || count == 0 || (result != nullptr && result->size < sizeof(*result)))
    return fail(device, LODE_INVALID_ARGUMENT, "the header, the count or the place for digests is missing or wrong");
  return guarded(device, [&] {
    uint64_t nanoseconds = 0;
    const Outcome outcome = device->run(*weights_of(epoch), header, first_nonce, count, digests, nanoseconds);
    if (result != nullptr) *result = {result->size, 0, nanoseconds};
    return outcome_status(device, outcome);
  });
}

void cancel(lode_device *device) {
  if (device != nullptr) device->cancel();
}

void release(lode_device *device, lode_epoch *epoch) {
  if (device != nullptr && epoch != nullptr) device->release(weights_of(epoch));
}

// The operating system gives the watts and temperatures of processors; Lode's sensors process reads them.
lode_status read_sensors(lode_device *device, lode_sensors *sensors) {
  if (device == nullptr || sensors == nullptr || sensors->size < sizeof(lode_sensors))
    return fail(device, LODE_INVALID_ARGUMENT, "the device or the place for readings is missing");
  *sensors = {sensors->size, 0, 0, 0, 0, 0, 0, 0};
  return fail(device, LODE_NOT_AVAILABLE, "this driver has no sensors; the operating system's are used");
}

lode_status get_power_limit(lode_device *device, lode_power_limit *) {
  return fail(device, LODE_NOT_AVAILABLE, "this driver sets no power limit");
}

lode_status set_power_limit(lode_device *device, double) {
  return fail(device, LODE_NOT_AVAILABLE, "this driver sets no power limit");
}

} // namespace

#if defined(LODE_DRIVER_BUILT_IN)
const lode_driver *lode_cpu_driver_entry(uint32_t abi)
#else
extern "C" const lode_driver *lode_driver_entry(uint32_t abi)
#endif
{
  static const lode_driver driver = {
      sizeof(lode_driver), LODE_DRIVER_ABI, "Lode CPU", "Lode", "1.0.0", "MIT", device_count, describe_device,
      open_device, close_device, last_error, capabilities, set_threads, prepare, run, cancel, release, nullptr,
      read_sensors, get_power_limit, set_power_limit};
  return abi == LODE_DRIVER_ABI ? &driver : nullptr;
}
