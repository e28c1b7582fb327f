// The CPU driver through its C interface, made to run under the sanitizers:
//   driver_test VECTORS    each line: width layers tokens seed header nonce digest (hex)
// Prints what failed and ends with 1.
#include "lode_driver.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

int failures = 0;

void expect(bool holds, const std::string &what) {
  if (holds) return;
  failures++;
  std::fprintf(stderr, "failed: %s\n", what.c_str());
}

struct Vector {
  lode_tier tier;
  uint8_t seed[32], header[32], digest[32];
  uint64_t nonce;
};

void read_hex(const std::string &text, uint8_t *bytes) {
  for (size_t index = 0; index < 32; index++)
    bytes[index] = static_cast<uint8_t>(std::stoul(text.substr(2 * index, 2), nullptr, 16));
}

std::vector<Vector> read_vectors(const char *file) {
  std::vector<Vector> vectors;
  std::ifstream input(file);
  Vector v{};
  std::string seed, header, digest;
  while (input >> v.tier.width >> v.tier.layers >> v.tier.tokens >> seed >> header >> v.nonce >> digest) {
    v.tier.size = sizeof v.tier;
    read_hex(seed, v.seed), read_hex(header, v.header), read_hex(digest, v.digest);
    vectors.push_back(v);
  }
  return vectors;
}

const lode_driver &driver = *lode_driver_entry(LODE_DRIVER_ABI);

lode_open_options options(uint32_t threads, const char *path, uint64_t limit = 0) {
  return {sizeof(lode_open_options), threads, limit, path};
}

void vectors_hold(const std::vector<Vector> &vectors, const char *path) {
  const lode_open_options how = options(2, path);
  lode_device *device = nullptr;
  const lode_status opened = driver.open("cpu0", &how, &device);
  if (opened == LODE_NOT_AVAILABLE) {
    std::printf("%s: not on this processor\n", path);
    return;
  }
  expect(opened == LODE_OK, std::string("open ") + path);
  for (const Vector &v : vectors) {
    lode_epoch *epoch = nullptr;
    expect(driver.prepare(device, &v.tier, v.seed, &epoch) == LODE_OK, "prepare");
    // the vector's nonce last of an odd batch
    uint8_t digests[7 * 32];
    expect(driver.run(device, epoch, v.header, v.nonce - 6, 7, digests, nullptr) == LODE_OK, "run");
    expect(std::memcmp(digests + 6 * 32, v.digest, 32) == 0, std::string("digest, ") + path);
    driver.release(device, epoch);
  }
  driver.close(device);
  std::printf("%s: %zu vectors\n", path, vectors.size());
}

void refuses(const Vector &v) {
  lode_open_options how = options(1, nullptr);
  lode_device *device = nullptr;
  expect(lode_driver_entry(2) == nullptr, "an unknown interface");
  expect(driver.open("cpu1", &how, &device) == LODE_INVALID_ARGUMENT && device == nullptr, "an unknown device");
  expect(driver.last_error(nullptr)[0] != 0, "a reason");
  how.path = "abacus";
  expect(driver.open("cpu0", &how, &device) == LODE_INVALID_ARGUMENT, "an unknown way");
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

// Many callers, changing threads, and random arguments: nothing but statuses comes back.
void survives(const Vector &v, int calls) {
  const lode_open_options how = options(1, nullptr, 8 << 20);
  lode_device *device = nullptr;
  expect(driver.open("cpu0", &how, &device) == LODE_OK, "open");
  const auto caller = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<lode_epoch *> epochs;
    uint8_t digests[9 * 32];
    for (int call = 0; call < calls; call++) {
      const uint32_t pick = random() % 100;
      lode_epoch *epoch = epochs.empty() || pick % 7 == 0 ? nullptr : epochs[random() % epochs.size()];
      lode_tier tier = v.tier;
      if (pick < 5) tier.width = random();
      if (pick < 10 && epochs.size() < 3) {
        lode_epoch *made = nullptr;
        if (driver.prepare(device, &tier, pick == 9 ? nullptr : v.seed, &made) == LODE_OK) epochs.push_back(made);
      } else if (pick < 15) {
        driver.set_threads(device, random() % 5);
      } else if (pick < 20 && !epochs.empty()) {
        driver.release(device, epochs.back());
        epochs.pop_back();
      } else if (pick < 25) {
        driver.cancel(device);
      } else if (pick < 30) {
        lode_sensors sensors = {static_cast<uint32_t>(random() % 80), 0, 0, 0, 0, 0, 0, 0};
        driver.read_sensors(device, &sensors);
      } else if (pick < 35) {
        const lode_status status = driver.run(device, epoch, v.header, random(), random() % 10, digests, nullptr);
        expect(status == LODE_OK || status == LODE_CANCELLED || status == LODE_INVALID_ARGUMENT, "a status");
      } else {
        driver.run(device, epoch, pick % 2 ? v.header : nullptr, 0, 0, digests, nullptr);
        driver.last_error(device);
      }
    }
  };
  std::thread one(caller, 1), other(caller, 2);
  one.join();
  other.join();
  driver.close(device);
}

} // namespace

int main(int count, char **arguments) {
  const std::vector<Vector> vectors = read_vectors(count > 1 ? arguments[1] : "");
  expect(!vectors.empty(), "vectors");
  if (vectors.empty()) return 1;
  for (const char *path : {"avx512-vnni", "avx-vnni", "avx2", "scalar"}) vectors_hold(vectors, path);
  refuses(vectors[0]);
  cancels(vectors[0]);
  survives(vectors[0], count > 2 ? std::stoi(arguments[2]) : 2000);
  for (int turn = 0; turn < 100; turn++) {
    const lode_open_options how = options(3, nullptr);
    lode_device *device = nullptr;
    expect(driver.open("cpu0", &how, &device) == LODE_OK, "open again");
    driver.close(device);
  }
  if (failures == 0) std::printf("all hold\n");
  return failures == 0 ? 0 : 1;
}
