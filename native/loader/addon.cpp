// The Node-API addon: loads a driver and gives its functions to JavaScript. All bytes are copied in both directions, since
// Electron allows no external memory. Only JavaScript's own thread calls into JavaScript.
//   describe(library | null)                                     what the driver is, and its devices
//   open(library | null, id, threads, memoryLimitBytes, kernel | null)   a device
//   prepare(device, width, layers, tokens, seed)                 Promise of an epoch
//   run(epoch, header, firstNonce, count)                        Promise of { digests, kernelMilliseconds }
//   setThreads(device, threads) · cancel(device) · sensors(device) · release(epoch) · close(device)
//   powerLimit(device)                                           the limit, null where there is none
//   setPowerLimit(device, watts)
//   probeArguments(library, id)                                  the invalid calls that the driver accepted, for the conformance kit
//   probeProduct(library, id)                                    whether single products are exact; null: not offered
#include "arguments.h"
#include "conformance.h"

#include <cmath>

namespace lode::loader {
namespace {

constexpr uint32_t MOST_NONCES = 1u << 20;

// Work on another thread that settles a promise. `work` may throw; `answer` makes the result on JavaScript's thread.
class Task {
public:
  virtual ~Task() = default;
  virtual void work() = 0;
  virtual napi_value answer(napi_env env) = 0;

  // Takes the task and returns its promise.
  static napi_value start(napi_env env, std::unique_ptr<Task> task) {
    napi_value promise;
    if (napi_create_promise(env, &task->deferred_, &promise) != napi_ok ||
        napi_create_async_work(env, nullptr, make_text(env, "lode"), execute, complete, task.get(), &task->handle_) != napi_ok ||
        napi_queue_async_work(env, task->handle_) != napi_ok)
      throw std::runtime_error("JavaScript refused work");
    task.release();
    return promise;
  }

private:
  static void execute(napi_env, void *data) {
    Task &task = *static_cast<Task *>(data);
    try {
      task.work();
    } catch (const DriverError &error) {
      task.failed_ = error.code, task.reason_ = error.what();
    } catch (const std::exception &error) {
      task.failed_ = "LODE_FAILED", task.reason_ = error.what();
    }
  }
  static void complete(napi_env env, napi_status, void *data) {
    const std::unique_ptr<Task> task(static_cast<Task *>(data));
    napi_delete_async_work(env, task->handle_);
    try {
      if (task->failed_ == nullptr) napi_resolve_deferred(env, task->deferred_, task->answer(env));
      else napi_reject_deferred(env, task->deferred_, make_error(env, task->failed_, task->reason_.c_str()));
    } catch (const std::exception &) {
      // JavaScript is shutting down and takes no more values.
    }
  }

  napi_deferred deferred_ = nullptr;
  napi_async_work handle_ = nullptr;
  const char *failed_ = nullptr;
  std::string reason_;
};

struct PrepareTask final : Task {
  std::shared_ptr<OpenDevice> device;
  lode_tier tier;
  std::vector<uint8_t> seed;
  std::shared_ptr<PreparedEpoch> made;

  PrepareTask(std::shared_ptr<OpenDevice> device, lode_tier tier, std::vector<uint8_t> seed)
      : device(std::move(device)), tier(tier), seed(std::move(seed)) {}
  void work() override {
    made = prepare_epoch(device, tier, seed.data());
  }
  napi_value answer(napi_env env) override { return wrap(env, std::move(made)); }
};

struct RunTask final : Task {
  std::shared_ptr<PreparedEpoch> epoch;
  std::vector<uint8_t> header;
  uint64_t first_nonce;
  uint32_t count;
  std::vector<uint8_t> digests;
  lode_run_result result = {sizeof(lode_run_result), 0, 0};

  RunTask(std::shared_ptr<PreparedEpoch> epoch, std::vector<uint8_t> header, uint64_t first_nonce, uint32_t count)
      : epoch(std::move(epoch)), header(std::move(header)), first_nonce(first_nonce), count(count),
        digests(static_cast<size_t>(count) * LODE_DIGEST_BYTES) {}
  void work() override {
    epoch->run(header.data(), first_nonce, count, digests.data(), result);
  }
  napi_value answer(napi_env env) override {
    napi_value object = make_object(env);
    set(env, object, "digests", make_bytes(env, digests));
    set(env, object, "kernelMilliseconds", make_number(env, static_cast<double>(result.kernel_nanoseconds) / 1e6));
    return object;
  }
};

// After close or release a handle is empty.
template <class Held> std::shared_ptr<Held> held(const std::shared_ptr<Held> &handle, const char *what) {
  if (handle == nullptr) throw ArgumentError(std::string(what) + " is no longer open");
  return handle;
}

napi_value describe(const Arguments &arguments) {
  const napi_env env = arguments.env;
  const std::shared_ptr<DriverLibrary> library = DriverLibrary::load(arguments.text(0));
  const lode_driver &driver = library->functions();
  napi_value object = make_object(env), devices;
  set(env, object, "name", make_text(env, checked_text(driver.name, "the name")));
  set(env, object, "vendor", make_text(env, checked_text(driver.vendor, "the vendor")));
  set(env, object, "version", make_text(env, checked_text(driver.version, "the version")));
  set(env, object, "licence", make_text(env, checked_text(driver.licence, "the licence")));
  const uint32_t count = driver.device_count();
  if (count > MOST_DEVICES)
    throw DriverError("LODE_WRONG_ANSWER", "the driver says that it has " + std::to_string(count) + " devices");
  if (napi_create_array_with_length(env, count, &devices) != napi_ok) throw std::runtime_error("no array");
  for (uint32_t index = 0; index < count; index++) {
    lode_device_info info = {sizeof info, 0, "", "", "", "", 0, 0};
    const lode_status status = driver.describe(index, &info);
    if (status != LODE_OK) throw DriverError(code_of(status), "device " + std::to_string(index) + " cannot be described");
    napi_value device = make_object(env);
    set(env, device, "id", make_text(env, checked_text(info.id, "a device's id")));
    set(env, device, "kind", make_number(env, info.kind));
    set(env, device, "name", make_text(env, checked_text(info.name, "a device's name")));
    set(env, device, "units", make_text(env, checked_text(info.units, "a device's units")));
    set(env, device, "firmware", make_text(env, checked_text(info.firmware, "a device's firmware")));
    set(env, device, "memoryBytes", make_number(env, static_cast<double>(info.memory_bytes)));
    set(env, device, "maximumThreads", make_number(env, info.maximum_threads));
    if (napi_set_element(env, devices, index, device) != napi_ok) throw std::runtime_error("no element");
  }
  set(env, object, "devices", devices);
  return object;
}

napi_value open(const Arguments &arguments) {
  constexpr uint64_t MOST_MEMORY = 1ull << 50;
  const std::string id = arguments.text(1), kernel = arguments.text(4);
  const lode_open_options options = {sizeof options, static_cast<uint32_t>(arguments.number(2, UINT32_MAX)),
                                     arguments.number(3, MOST_MEMORY), kernel.empty() ? nullptr : kernel.c_str()};
  return wrap(arguments.env, std::make_shared<OpenDevice>(DriverLibrary::load(arguments.text(0)), id, options));
}

napi_value prepare(const Arguments &arguments) {
  const auto size = [&](size_t index) { return static_cast<uint32_t>(arguments.number(index, UINT32_MAX)); };
  const lode_tier tier = {sizeof tier, size(1), size(2), size(3)};
  return Task::start(arguments.env, std::make_unique<PrepareTask>(held(arguments.device(0), "the device"), tier,
                                                                  arguments.bytes(4, LODE_SEED_BYTES)));
}

napi_value run(const Arguments &arguments) {
  const uint32_t count = static_cast<uint32_t>(arguments.number(3, MOST_NONCES));
  return Task::start(arguments.env, std::make_unique<RunTask>(held(arguments.epoch(0), "the epoch"),
                                                              arguments.bytes(1, LODE_HEADER_BYTES),
                                                              arguments.bigint(2), count));
}

napi_value set_threads(const Arguments &arguments) {
  const std::shared_ptr<OpenDevice> device = held(arguments.device(0), "the device");
  const uint32_t threads = static_cast<uint32_t>(arguments.number(1, UINT32_MAX));
  if (device->functions().set_threads == nullptr)
    throw DriverError("LODE_NOT_AVAILABLE", "threads are not chosen on this device");
  device->check(device->functions().set_threads(device->device(), threads));
  return make_undefined(arguments.env);
}

napi_value cancel(const Arguments &arguments) {
  held(arguments.device(0), "the device")->cancel();
  return make_undefined(arguments.env);
}

napi_value sensors(const Arguments &arguments) {
  const napi_env env = arguments.env;
  const std::shared_ptr<OpenDevice> device = held(arguments.device(0), "the device");
  lode_sensors found = {sizeof found, 0, 0, 0, 0, 0, 0, 0};
  const lode_status status = device->functions().read_sensors(device->device(), &found);
  if (status == LODE_NOT_AVAILABLE) return make_null(env);
  device->check(status);
  napi_value object = make_object(env);
  const auto add = [&](uint32_t bit, const char *name, double value) {
    if ((found.available & bit) && std::isfinite(value)) set(env, object, name, make_number(env, value));
  };
  add(LODE_SENSOR_TEMPERATURE, "temperatureCelsius", found.temperature_celsius);
  add(LODE_SENSOR_POWER, "powerWatts", found.power_watts);
  add(LODE_SENSOR_ENERGY, "energyJoules", found.energy_joules);
  add(LODE_SENSOR_CLOCK, "clockHertz", found.clock_hertz);
  add(LODE_SENSOR_FAN, "fanRevolutionsPerMinute", found.fan_revolutions_per_minute);
  add(LODE_SENSOR_UTILIZATION, "utilization", found.utilization);
  return object;
}

napi_value power_limit(const Arguments &arguments) {
  const napi_env env = arguments.env;
  const std::shared_ptr<OpenDevice> device = held(arguments.device(0), "the device");
  lode_power_limit limit = {sizeof limit, 0, 0, 0, 0, 0};
  const lode_status status = device->functions().get_power_limit(device->device(), &limit);
  if (status == LODE_NOT_AVAILABLE) return make_null(env);
  device->check(status);
  for (const double watts : {limit.minimum_watts, limit.maximum_watts, limit.standard_watts, limit.current_watts})
    if (!std::isfinite(watts) || watts < 0)
      throw DriverError("LODE_WRONG_ANSWER", "the driver's power limit is not a number of watts");
  napi_value object = make_object(env);
  set(env, object, "minimumWatts", make_number(env, limit.minimum_watts));
  set(env, object, "maximumWatts", make_number(env, limit.maximum_watts));
  set(env, object, "standardWatts", make_number(env, limit.standard_watts));
  set(env, object, "currentWatts", make_number(env, limit.current_watts));
  return object;
}

napi_value set_power_limit(const Arguments &arguments) {
  const std::shared_ptr<OpenDevice> device = held(arguments.device(0), "the device");
  device->check(device->functions().set_power_limit(device->device(), arguments.decimal(1)));
  return make_undefined(arguments.env);
}

// A running call keeps its epoch or device until it ends.
napi_value release(const Arguments &arguments) {
  arguments.epoch(0).reset();
  return make_undefined(arguments.env);
}

napi_value close(const Arguments &arguments) {
  arguments.device(0).reset();
  return make_undefined(arguments.env);
}

napi_value probe_arguments(const Arguments &arguments) {
  const napi_env env = arguments.env;
  const std::vector<std::string> faults = probe_arguments(DriverLibrary::load(arguments.text(0)), arguments.text(1));
  napi_value array;
  if (napi_create_array_with_length(env, faults.size(), &array) != napi_ok) throw std::runtime_error("no array");
  for (uint32_t index = 0; index < faults.size(); index++) {
    if (napi_set_element(env, array, index, make_text(env, faults[index].c_str())) != napi_ok)
      throw std::runtime_error("no element");
  }
  return array;
}

napi_value probe_product(const Arguments &arguments) {
  const int outcome = probe_product(DriverLibrary::load(arguments.text(0)), arguments.text(1));
  return outcome < 0 ? make_null(arguments.env) : make_boolean(arguments.env, outcome == 1);
}

} // namespace
} // namespace lode::loader

extern "C" LODE_DRIVER_EXPORT int32_t node_api_module_get_api_version_v1() { return 8; }

extern "C" LODE_DRIVER_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  using namespace lode::loader;
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"describe", call<describe>}, {"open", call<open>},       {"prepare", call<prepare>},
                   {"run", call<run>},           {"cancel", call<cancel>},   {"setThreads", call<set_threads>},
                   {"sensors", call<sensors>},   {"release", call<release>}, {"close", call<close>},
                   {"powerLimit", call<power_limit>}, {"setPowerLimit", call<set_power_limit>},
                   {"probeArguments", call<probe_arguments>}, {"probeProduct", call<probe_product>}};
  for (const auto &[name, function] : functions) {
    napi_value value;
    if (napi_create_function(env, name, static_cast<size_t>(-1), function, nullptr, &value) != napi_ok ||
        napi_set_named_property(env, exports, name, value) != napi_ok)
      return nullptr;
  }
  return exports;
}
