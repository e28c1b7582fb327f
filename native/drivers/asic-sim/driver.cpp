// A simulated ASIC for tests and screens: the driver's side of the link. Every name of it says "simulated".
#include "link.h"
#include "lode_driver.h"

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <map>
#include <mutex>
#include <csignal>
#include <set>
#include <spawn.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace lode::asic_sim;

// program.S
extern "C" const char asic_sim_program[], asic_sim_program_end[];

struct lode_epoch {
  uint64_t id;
};

struct lode_device {
  int link = -1;
  pid_t process = -1;
  uint64_t memory_limit_bytes = 0;
  std::thread listener;
  std::mutex mutex, sending;
  std::condition_variable changed;
  struct Arrived {
    Answer answer;
    std::vector<uint8_t> digests;
  };
  std::map<uint32_t, Arrived> arrived;
  std::set<uint32_t> waiting;
  uint32_t last_id = 0;
  uint64_t cancels = 0;
  bool lost = false;
  std::atomic<const char *> error{"no error"};

  void listen() {
    Arrived next;
    while (receive_all(link, &next.answer, sizeof next.answer)) {
      next.digests.resize(next.answer.digest_bytes);
      if (!receive_all(link, next.digests.data(), next.digests.size())) break;
      const std::lock_guard<std::mutex> lock(mutex);
      // An answer that nobody waits for belongs to a cancelled request.
      if (waiting.count(next.answer.id) != 0) arrived[next.answer.id] = std::move(next);
      changed.notify_all();
    }
    const std::lock_guard<std::mutex> lock(mutex);
    lost = true;
    changed.notify_all();
  }

  bool send(const Request &request) {
    const std::lock_guard<std::mutex> lock(sending);
    return send_all(link, &request, sizeof request);
  }

  // Sends a request and waits for its answer. LODE_OK: `answer` is set.
  lode_status ask(Request request, Arrived &answer, bool cancellable) {
    std::unique_lock<std::mutex> lock(mutex);
    const uint64_t began = cancels;
    const uint32_t id = request.id = ++last_id;
    waiting.insert(id);
    lock.unlock();
    const bool sent = send(request);
    lock.lock();
    if (sent) changed.wait(lock, [&] { return lost || arrived.count(id) != 0 || (cancellable && cancels != began); });
    waiting.erase(id);
    const auto found = arrived.find(id);
    if (found != arrived.end()) {
      answer = std::move(found->second);
      arrived.erase(found);
      if (cancellable && cancels != began) return LODE_CANCELLED;
      return static_cast<lode_status>(answer.answer.status);
    }
    return cancellable && cancels != began ? LODE_CANCELLED : LODE_DEVICE_LOST;
  }
};

namespace {

constexpr char DEVICE_ID[] = "asic0";
std::atomic<const char *> general_error{"no error"};

lode_status fail(lode_device *device, lode_status status, const char *text) {
  (device != nullptr ? device->error : general_error).store(text);
  return status;
}

// Records the text of a failed status. Returns the status.
lode_status reported(lode_device *device, lode_status status) {
  switch (status) {
  case LODE_OK:
    return status;
  case LODE_CANCELLED:
    return fail(device, status, "the work was cancelled");
  case LODE_OUT_OF_MEMORY:
    return fail(device, status, "there is not enough memory for the weights of another epoch");
  case LODE_DEVICE_LOST:
    return fail(device, status, "the link to the simulated device was lost");
  default:
    return fail(device, status, "the simulated device refused the work");
  }
}

std::string folder_of_this_library() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void *>(&fail), &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/') + 1);
}

// The device's program as a file in memory.
int program_file() {
  const int file = memfd_create("asic_sim_device", MFD_CLOEXEC);
  const size_t bytes = static_cast<size_t>(asic_sim_program_end - asic_sim_program);
  for (size_t done = 0; file >= 0 && done < bytes;) {
    const ssize_t written = write(file, asic_sim_program + done, bytes - done);
    if (written <= 0) {
      close(file);
      return -1;
    }
    done += static_cast<size_t>(written);
  }
  return file;
}

bool start(lode_device &device) {
  int ends[2];
  static const int program = program_file();
  if (program < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  const std::string path = "/proc/self/fd/" + std::to_string(program), folder = folder_of_this_library();
  char *const arguments[] = {const_cast<char *>("asic_sim_device"), const_cast<char *>(folder.c_str()), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], LINK);
  const int failed = posix_spawn(&device.process, path.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) {
    close(ends[0]);
    return false;
  }
  device.link = ends[0];
  device.listener = std::thread([&device] { device.listen(); });
  return true;
}

uint32_t device_count() { return 1; }

lode_status describe_device(uint32_t index, lode_device_info *info) {
  if (index != 0 || info == nullptr || info->size < sizeof *info)
    return fail(nullptr, LODE_INVALID_ARGUMENT, "there is one device, and its description needs its whole structure");
  *info = {info->size, LODE_KIND_ASIC, DEVICE_ID, "Simulated ASIC", "one simulated core on this computer's processor",
           "simulated 1.0", 1ull << 30, 0};
  return LODE_OK;
}

void close_device(lode_device *device) {
  if (device == nullptr) return;
  if (device->link >= 0) shutdown(device->link, SHUT_RDWR);
  if (device->listener.joinable()) device->listener.join();
  if (device->link >= 0) close(device->link);
  if (device->process > 0) {
    kill(device->process, SIGKILL);
    waitpid(device->process, nullptr, 0);
  }
  delete device;
}

lode_status open_device(const char *id, const lode_open_options *options, lode_device **device) {
  if (device == nullptr) return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no place for the device");
  *device = nullptr;
  if (id == nullptr || std::strcmp(id, DEVICE_ID) != 0)
    return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no device with this id");
  if (options == nullptr || options->size < sizeof *options)
    return fail(nullptr, LODE_INVALID_ARGUMENT, "the options are missing or too small");
  lode_device *made = nullptr;
  try {
    made = new lode_device;
    made->memory_limit_bytes = options->memory_limit_bytes;
    if (!start(*made)) {
      close_device(made);
      return fail(nullptr, LODE_FAILED, "the program of the simulated device does not start");
    }
  } catch (const std::exception &) {
    close_device(made);
    return fail(nullptr, LODE_OUT_OF_MEMORY, "there is not enough memory for a device");
  }
  *device = made;
  return LODE_OK;
}

const char *last_error(lode_device *device) { return (device != nullptr ? device->error : general_error).load(); }

uint32_t capabilities(lode_device *device) { return device == nullptr ? 0 : LODE_CAPABILITY_NONCES; }

lode_status prepare(lode_device *device, const lode_tier *tier, const uint8_t seed[LODE_SEED_BYTES], lode_epoch **epoch) {
  if (device == nullptr) return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no device");
  if (epoch == nullptr) return fail(device, LODE_INVALID_ARGUMENT, "there is no place for the epoch");
  *epoch = nullptr;
  if (tier == nullptr || tier->size < sizeof *tier || seed == nullptr)
    return fail(device, LODE_INVALID_ARGUMENT, "tier or seed is missing");
  if ((tier->width != 256 && tier->width != 1024) || tier->layers < 1 || tier->layers > 256 ||
      (tier->tokens != 16 && tier->tokens != 32 && tier->tokens != 64))
    return fail(device, LODE_INVALID_ARGUMENT, "there is no such tier");
  Request request = {};
  request.ask = Ask::prepare;
  request.width = tier->width, request.layers = tier->layers, request.tokens = tier->tokens;
  request.memory_limit_bytes = device->memory_limit_bytes;
  std::memcpy(request.bytes, seed, sizeof request.bytes);
  lode_device::Arrived answer;
  const lode_status status = reported(device, device->ask(request, answer, true));
  if (status == LODE_OK) *epoch = new lode_epoch{answer.answer.value};
  return status;
}

lode_status run(lode_device *device, lode_epoch *epoch, const uint8_t header[LODE_HEADER_BYTES], uint64_t first_nonce,
                uint32_t count, uint8_t *digests, lode_run_result *result) {
  if (device == nullptr) return fail(nullptr, LODE_INVALID_ARGUMENT, "there is no device");
  if (epoch == nullptr || header == nullptr || digests == nullptr || count == 0 ||
      (result != nullptr && result->size < sizeof *result))
    return fail(device, LODE_INVALID_ARGUMENT, "epoch, header, digests or nonces are missing");
  Request request = {};
  request.ask = Ask::run;
  request.epoch = epoch->id, request.first_nonce = first_nonce, request.count = count;
  std::memcpy(request.bytes, header, sizeof request.bytes);
  lode_device::Arrived answer;
  const lode_status status = reported(device, device->ask(request, answer, true));
  if (status != LODE_OK) return status;
  if (answer.digests.size() != static_cast<size_t>(count) * LODE_DIGEST_BYTES)
    return fail(device, LODE_FAILED, "the simulated device gave another number of digests");
  std::memcpy(digests, answer.digests.data(), answer.digests.size());
  if (result != nullptr) result->kernel_nanoseconds = answer.answer.value;
  return LODE_OK;
}

void cancel(lode_device *device) {
  if (device == nullptr) return;
  Request request = {};
  request.ask = Ask::cancel;
  (void)device->send(request);
  const std::lock_guard<std::mutex> lock(device->mutex);
  device->cancels++;
  device->changed.notify_all();
}

void release(lode_device *device, lode_epoch *epoch) {
  if (device != nullptr && epoch != nullptr) {
    Request request = {};
    request.ask = Ask::release;
    request.epoch = epoch->id;
    (void)device->send(request);
  }
  delete epoch;
}

lode_status read_sensors(lode_device *device, lode_sensors *sensors) {
  if (device == nullptr || sensors == nullptr || sensors->size < sizeof *sensors)
    return fail(device, LODE_INVALID_ARGUMENT, "device or place for the readings is missing");
  Request request = {};
  request.ask = Ask::sensors;
  lode_device::Arrived answer;
  const lode_status status = reported(device, device->ask(request, answer, false));
  if (status != LODE_OK) return status;
  const Answer &found = answer.answer;
  constexpr uint32_t ALL = LODE_SENSOR_TEMPERATURE | LODE_SENSOR_POWER | LODE_SENSOR_ENERGY | LODE_SENSOR_CLOCK |
                           LODE_SENSOR_FAN | LODE_SENSOR_UTILIZATION;
  *sensors = {sensors->size,      ALL, found.temperature_celsius, found.power_watts, found.energy_joules,
              found.clock_hertz, found.fan_revolutions_per_minute, found.utilization};
  return LODE_OK;
}

lode_status get_power_limit(lode_device *device, lode_power_limit *limit) {
  if (device == nullptr || limit == nullptr || limit->size < sizeof *limit)
    return fail(device, LODE_INVALID_ARGUMENT, "device or place for the limit is missing");
  Request request = {};
  request.ask = Ask::sensors;
  lode_device::Arrived answer;
  const lode_status status = reported(device, device->ask(request, answer, false));
  if (status == LODE_OK)
    *limit = {limit->size, 0, LEAST_WATTS, MOST_WATTS, MOST_WATTS, answer.answer.limit_watts};
  return status;
}

lode_status set_power_limit(lode_device *device, double watts) {
  if (device == nullptr || !std::isfinite(watts) || watts < LEAST_WATTS || watts > MOST_WATTS)
    return fail(device, LODE_INVALID_ARGUMENT, "the power limit is from 20 to 80 watts");
  Request request = {};
  request.ask = Ask::set_limit;
  request.watts = watts;
  lode_device::Arrived answer;
  return reported(device, device->ask(request, answer, false));
}

const lode_driver driver = {sizeof(lode_driver),
                            LODE_DRIVER_ABI,
                            "asic-sim",
                            "Lode (simulated)",
                            "1.0.0",
                            "MIT",
                            device_count,
                            describe_device,
                            open_device,
                            close_device,
                            last_error,
                            capabilities,
                            nullptr,
                            prepare,
                            run,
                            cancel,
                            release,
                            nullptr,
                            read_sensors,
                            get_power_limit,
                            set_power_limit};

} // namespace

const lode_driver *lode_driver_entry(uint32_t abi) { return abi == LODE_DRIVER_ABI ? &driver : nullptr; }
