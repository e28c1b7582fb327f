// The CPU driver through its C interface, made to run under the sanitizers and under emulated processors:
//   driver_test VECTORS         the vectors with every kernel that this processor has
//   driver_test VECTORS CALLS   then refusals, cancellation, CALLS random calls, and opening again and again
// Prints the units of the device and what failed, and ends with 1 when something did.
#include "vectors.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

// The kernels of all processors; null: the driver chooses.
constexpr const char *KERNELS[] = {"avx512-vnni", "avx-vnni", "avx2", "i8mm", "dotprod", "scalar", nullptr};

int failures = 0;

void expect(bool holds, const std::string &what) {
  if (holds) return;
  failures++;
  std::fprintf(stderr, "failed: %s\n", what.c_str());
}

using lode::test::read_vectors, lode::test::Vector;

const lode_driver &driver = *lode_driver_entry(LODE_DRIVER_ABI);

lode_open_options options(uint32_t threads, const char *kernel, uint64_t limit = 0) {
  return {sizeof(lode_open_options), threads, limit, kernel};
}

// `kernel` null: the driver chooses.
void vectors_hold(const std::vector<Vector> &vectors, const char *kernel) {
  const char *name = kernel == nullptr ? "its own choice" : kernel;
  const lode_open_options how = options(2, kernel);
  lode_device *device = nullptr;
  const lode_status opened = driver.open("cpu0", &how, &device);
  if (kernel != nullptr && (opened == LODE_NOT_AVAILABLE || opened == LODE_INVALID_ARGUMENT)) {
    expect(driver.last_error(nullptr)[0] != 0, "a reason");
    std::printf("%s: not on this processor\n", kernel);
    return;
  }
  expect(opened == LODE_OK, std::string("open, ") + name);
  if (opened != LODE_OK) return;
  for (const Vector &v : vectors) {
    lode_epoch *epoch = nullptr;
    expect(driver.prepare(device, &v.tier, v.seed, &epoch) == LODE_OK, "prepare");
    // The vector's nonce is the last of a batch whose rows are no multiple of any kernel's group of rows.
    uint8_t digests[5 * 32];
    const uint32_t before = v.tier.layers > 2 ? 0 : 4;
    expect(driver.run(device, epoch, v.header, v.nonce - before, before + 1, digests, nullptr) == LODE_OK, "run");
    expect(std::memcmp(digests + before * 32, v.digest, 32) == 0, std::string("digest, ") + name);
    driver.release(device, epoch);
  }
  driver.close(device);
  std::printf("%s: %zu vectors\n", name, vectors.size());
}

void refuses(const Vector &v) {
  lode_open_options how = options(1, nullptr);
  lode_device *device = nullptr;
  expect(lode_driver_entry(2) == nullptr, "an unknown interface");
  expect(driver.open("cpu1", &how, &device) == LODE_INVALID_ARGUMENT && device == nullptr, "an unknown device");
  expect(driver.last_error(nullptr)[0] != 0, "a reason");
  how.path = "abacus";
  expect(driver.open("cpu0", &how, &device) == LODE_INVALID_ARGUMENT, "an unknown kernel");
  how = options(1, nullptr, 4 << 20);
  expect(driver.open("cpu0", &how, &device) == LODE_OK, "open");
  lode_epoch *epoch = nullptr, *second = nullptr, *third = nullptr;
  const lode_tier base = {sizeof base, 1024, 16, 64}, odd = {sizeof odd, 300, 16, 64};
  expect(driver.prepare(device, &base, v.seed, &epoch) == LODE_OUT_OF_MEMORY && epoch == nullptr, "the limit");
  expect(driver.prepare(device, &odd, v.seed, &epoch) == LODE_INVALID_ARGUMENT, "an unknown tier");
  const lode_tier test = {sizeof test, 256, 2, 16};
  expect(driver.prepare(device, &test, v.seed, &epoch) == LODE_OK, "prepare");
  expect(driver.prepare(device, &test, v.seed, &second) == LODE_OK, "a second epoch");
  expect(driver.prepare(device, &test, v.seed, &third) == LODE_OUT_OF_MEMORY, "a third epoch");
  driver.release(device, second);
  expect(driver.prepare(device, &test, v.seed, &third) == LODE_OK, "memory that was given back");
  uint8_t digest[32];
  expect(driver.run(device, epoch, v.header, 0, 0, digest, nullptr) == LODE_INVALID_ARGUMENT, "no nonces");
  expect(driver.run(device, reinterpret_cast<lode_epoch *>(digest), v.header, 0, 1, digest, nullptr) ==
             LODE_INVALID_ARGUMENT, "a stranger's epoch");
  expect(driver.run(nullptr, epoch, v.header, 0, 1, digest, nullptr) == LODE_INVALID_ARGUMENT, "no device");
  expect(driver.set_threads(device, 0) == LODE_INVALID_ARGUMENT, "no threads");
  lode_sensors sensors = {sizeof sensors, 1, 1, 1, 1, 1, 1, 1};
  expect(driver.read_sensors(device, &sensors) == LODE_NOT_AVAILABLE && sensors.available == 0, "no sensors");
  driver.close(device);
  driver.close(nullptr);
}

// A run that would take minutes ends soon after cancel, and the device works on.
void cancels(const Vector &v) {
  const lode_open_options how = options(2, "scalar");
  lode_device *device = nullptr;
  lode_epoch *epoch = nullptr;
  expect(driver.open("cpu0", &how, &device) == LODE_OK, "open");
  expect(driver.prepare(device, &v.tier, v.seed, &epoch) == LODE_OK, "prepare");
  constexpr uint32_t COUNT = 100000;
  std::vector<uint8_t> digests(COUNT * 32);
  lode_status status = LODE_OK;
  std::thread runner([&] { status = driver.run(device, epoch, v.header, 0, COUNT, digests.data(), nullptr); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  driver.cancel(device);
  runner.join();
  expect(status == LODE_CANCELLED, "cancelled");
  expect(driver.run(device, epoch, v.header, v.nonce, 1, digests.data(), nullptr) == LODE_OK, "run after cancel");
  expect(std::memcmp(digests.data(), v.digest, 32) == 0, "digest after cancel");
  driver.close(device);
}

// Nonces do not wait for the weights of the next epoch: a run that is asked for while many are packed ends before they do.
void packs_patiently(const Vector &v) {
  const lode_open_options how = options(1, nullptr);
  lode_device *device = nullptr;
  lode_epoch *epoch = nullptr;
  expect(driver.open("cpu0", &how, &device) == LODE_OK, "open");
  expect(driver.prepare(device, &v.tier, v.seed, &epoch) == LODE_OK, "prepare");
  lode_tier deep = v.tier;
  deep.layers = 128;
  bool overtook = false;
  // The system may delay this thread so long that no packing is left to overtake: then the test tries again.
  for (int turn = 0; turn < 20 && !overtook; turn++) {
    std::atomic<bool> prepared{false};
    lode_epoch *next = nullptr;
    lode_status status = LODE_FAILED;
    std::thread preparing([&] {
      status = driver.prepare(device, &deep, v.seed, &next);
      prepared = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    uint8_t digest[32];
    expect(driver.run(device, epoch, v.header, v.nonce, 1, digest, nullptr) == LODE_OK, "run beside prepare");
    overtook = !prepared;
    preparing.join();
    expect(status == LODE_OK, "prepare beside run");
    driver.release(device, next);
  }
  expect(overtook, "a run overtakes the packing of weights");
  driver.close(device);
}

// One of several callers: any function, any argument, right or wrong. Every call must return a status.
void call_at_random(const Vector &v, lode_device *device, int calls, unsigned seed) {
  std::mt19937 random(seed);
  const auto one_in = [&](uint32_t count) { return random() % count == 0; };
  std::vector<lode_epoch *> epochs;
  std::vector<uint8_t> digests(9 * 32);
  for (int call = 0; call < calls; call++) {
    lode_device *with = one_in(16) ? nullptr : device;
    lode_epoch *epoch = epochs.empty() || one_in(8) ? nullptr : epochs[random() % epochs.size()];
    lode_status status = LODE_OK;
    switch (random() % 16) {
    case 0: {
      lode_tier tier = v.tier;
      uint32_t *const fields[4] = {&tier.size, &tier.width, &tier.layers, &tier.tokens};
      if (one_in(2)) *fields[random() % 4] = one_in(2) ? static_cast<uint32_t>(random()) : random() % 300;
      lode_epoch *made = nullptr;
      // the limit holds three epochs: now and then one is too many
      status = driver.prepare(with, one_in(16) ? nullptr : &tier, one_in(16) ? nullptr : v.seed, one_in(16) ? nullptr : &made);
      expect((made != nullptr) == (status == LODE_OK), "an epoch with LODE_OK, and only then");
      if (made != nullptr) epochs.push_back(made);
      break;
    }
    case 1:
      if (epochs.empty() || epoch == nullptr) {
        driver.release(with, nullptr);
      } else if (with != nullptr) {
        driver.release(with, epoch);
        epochs.erase(std::find(epochs.begin(), epochs.end(), epoch));
      }
      break;
    case 2:
      status = driver.set_threads(with, one_in(4) ? static_cast<uint32_t>(random()) | 4096 : random() % 5);
      break;
    case 3:
      driver.cancel(with);
      break;
    case 4: {
      lode_sensors sensors = {static_cast<uint32_t>(random() % 80), 0, 0, 0, 0, 0, 0, 0};
      status = driver.read_sensors(with, one_in(8) ? nullptr : &sensors);
      break;
    }
    case 5: {
      lode_device_info info = {static_cast<uint32_t>(random() % 100), 0, nullptr, nullptr, nullptr, nullptr, 0, 0};
      status = driver.describe(random() % 3, one_in(8) ? nullptr : &info);
      break;
    }
    case 6: {
      const char *const ids[3] = {"cpu0", "cpu1", nullptr}, *const kernels[4] = {nullptr, "scalar", "avx2", "\xff"};
      lode_open_options how = options(random() % 3, kernels[random() % 4], random() % (8 << 20));
      if (one_in(4)) how.size = random() % 64;
      if (one_in(8)) how.threads = static_cast<uint32_t>(random()) | 4096;
      lode_device *other = nullptr;
      // opening makes threads: now and then only
      status = driver.open(one_in(8) ? ids[0] : ids[1 + random() % 2], one_in(8) ? nullptr : &how, one_in(8) ? nullptr : &other);
      driver.close(other);
      break;
    }
    case 7: {
      lode_power_limit limit = {static_cast<uint32_t>(random() % 80), 0, 0, 0, 0, 0};
      status = one_in(2) ? driver.get_power_limit(with, one_in(8) ? nullptr : &limit) : driver.set_power_limit(with, random());
      expect(status != LODE_OK, "no power limit");
      break;
    }
    case 8:
      expect(driver.last_error(nullptr) != nullptr, "a text");
      expect(driver.capabilities(with) == LODE_CAPABILITY_NONCES, "capabilities");
      break;
    default: {
      lode_run_result result = {static_cast<uint32_t>(one_in(4) ? random() % 32 : sizeof(lode_run_result)), 0, 0};
      // most calls are refused or short: a nonce is a thousand times as much work as a call
      const uint32_t count = one_in(64) ? random() % 10 : one_in(4) ? 1 : 0;
      const uint64_t first = static_cast<uint64_t>(random()) << 32 | random();
      status = driver.run(with, epoch, one_in(8) ? nullptr : v.header, first, count, one_in(8) ? nullptr : digests.data(),
                          one_in(2) ? nullptr : &result);
    }
    }
    expect(status >= LODE_OK && status <= LODE_FAILED && status != LODE_DEVICE_LOST && status != LODE_FAILED, "a status");
  }
  for (lode_epoch *epoch : epochs) driver.release(device, epoch);
}

void survives(const Vector &v, int calls) {
  const lode_open_options how = options(1, nullptr, 6 << 20);
  lode_device *device = nullptr;
  expect(driver.open("cpu0", &how, &device) == LODE_OK, "open");
  std::thread one([&] { call_at_random(v, device, calls / 2, 1); }), other([&] { call_at_random(v, device, calls - calls / 2, 2); });
  one.join();
  other.join();
  lode_epoch *epoch = nullptr;
  uint8_t digest[32];
  expect(driver.prepare(device, &v.tier, v.seed, &epoch) == LODE_OK, "prepare after all that");
  expect(driver.run(device, epoch, v.header, v.nonce, 1, digest, nullptr) == LODE_OK, "run after all that");
  expect(std::memcmp(digest, v.digest, 32) == 0, "digest after all that");
  driver.close(device);
  std::printf("%d random calls\n", calls);
}

void opens_again(int turns) {
  for (int turn = 0; turn < turns; turn++) {
    const lode_open_options how = options(3, nullptr);
    lode_device *device = nullptr;
    expect(driver.open("cpu0", &how, &device) == LODE_OK, "open again");
    driver.close(device);
  }
}

// Prints the units as the driver describes them.
void describes() {
  lode_device_info info = {sizeof info, 0, nullptr, nullptr, nullptr, nullptr, 0, 0};
  expect(driver.device_count() == 1 && driver.describe(0, &info) == LODE_OK, "describe");
  if (info.units != nullptr) std::printf("units: %s\n", info.units);
}

} // namespace

int main(int count, char **arguments) {
  const std::vector<Vector> vectors = read_vectors(count > 1 ? arguments[1] : "");
  expect(!vectors.empty(), "vectors");
  if (vectors.empty()) return 1;
  describes();
  for (const char *kernel : KERNELS) vectors_hold(vectors, kernel);
  if (count > 2) {
    refuses(vectors[0]);
    cancels(vectors[0]);
    packs_patiently(vectors[0]);
    survives(vectors[0], std::stoi(arguments[2]));
    opens_again(100);
  }
  if (failures == 0) std::printf("all hold\n");
  return failures == 0 ? 0 : 1;
}
