// Whole nonces from a driver that has only products, made to run under the sanitizers:
//   product_test VECTORS LIBRARY   the vectors in odd batches and by two threads at once, the limit of memory, cancellation
// Prints what failed, and ends with 1 when something did.
#include "driver_library.h"
#include "vectors.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

using namespace lode::loader;
using lode::test::read_vectors, lode::test::Vector;

namespace {

int failures = 0;

void expect(bool holds, const char *what) {
  if (holds) return;
  failures++;
  std::fprintf(stderr, "failed: %s\n", what);
}

// The code of what `work` throws, or an empty text.
template <class Work> std::string code_thrown(Work work) {
  try {
    work();
  } catch (const DriverError &error) {
    return error.code;
  }
  return {};
}

std::shared_ptr<OpenDevice> opened(const std::shared_ptr<DriverLibrary> &library, uint64_t limit) {
  lode_device_info info = {sizeof info, 0, nullptr, nullptr, nullptr, nullptr, 0, 0};
  if (library->functions().describe(0, &info) != LODE_OK) throw DriverError("LODE_FAILED", "there is no device");
  return std::make_shared<OpenDevice>(library, info.id, lode_open_options{sizeof(lode_open_options), 1, limit, nullptr});
}

void holds(const std::shared_ptr<OpenDevice> &device, const Vector &v) {
  const std::shared_ptr<PreparedEpoch> epoch = prepare_epoch(device, v.tier, v.seed);
  const auto check = [&](uint32_t before) {
    std::vector<uint8_t> digests((before + 1) * LODE_DIGEST_BYTES);
    lode_run_result result = {sizeof result, 0, 0};
    epoch->run(v.header, v.nonce - before, before + 1, digests.data(), result);
    expect(std::memcmp(digests.data() + before * LODE_DIGEST_BYTES, v.digest, LODE_DIGEST_BYTES) == 0, "digest");
    expect(result.kernel_nanoseconds > 0, "time in products");
  };
  std::thread other([&] { check(2); });
  check(0);
  other.join();
}

void limits(const std::shared_ptr<DriverLibrary> &library, const Vector &v) {
  const uint64_t bytes = 12ull * v.tier.width * v.tier.width * v.tier.layers;
  const std::shared_ptr<OpenDevice> device = opened(library, bytes);
  std::shared_ptr<PreparedEpoch> first = prepare_epoch(device, v.tier, v.seed), second;
  expect(code_thrown([&] { second = prepare_epoch(device, v.tier, v.seed); }) == "LODE_OUT_OF_MEMORY", "the limit");
  first.reset();
  expect(code_thrown([&] { second = prepare_epoch(device, v.tier, v.seed); }).empty(), "memory that was given back");
  const lode_tier odd = {sizeof odd, 300, 2, 16};
  expect(code_thrown([&] { second = prepare_epoch(device, odd, v.seed); }) == "LODE_INVALID_ARGUMENT", "an unknown tier");
}

void cancels(const std::shared_ptr<OpenDevice> &device, const Vector &v) {
  const std::shared_ptr<PreparedEpoch> epoch = prepare_epoch(device, v.tier, v.seed);
  constexpr uint32_t COUNT = 10000;
  std::vector<uint8_t> digests(COUNT * LODE_DIGEST_BYTES);
  lode_run_result result = {sizeof result, 0, 0};
  std::string code;
  std::thread runner([&] { code = code_thrown([&] { epoch->run(v.header, 0, COUNT, digests.data(), result); }); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  device->cancel();
  runner.join();
  expect(code == "LODE_CANCELLED", "cancelled");
  epoch->run(v.header, v.nonce, 1, digests.data(), result);
  expect(std::memcmp(digests.data(), v.digest, LODE_DIGEST_BYTES) == 0, "digest after cancel");
}

} // namespace

int main(int count, char **parameters) {
  const std::vector<Vector> vectors = count == 3 ? read_vectors(parameters[1]) : std::vector<Vector>{};
  if (vectors.empty()) {
    std::fprintf(stderr, "usage: product_test VECTORS LIBRARY\n");
    return 2;
  }
  try {
    const std::shared_ptr<DriverLibrary> library = DriverLibrary::load(parameters[2]);
    const std::shared_ptr<OpenDevice> device = opened(library, 0);
    expect(device->capabilities() == LODE_CAPABILITY_PRODUCT, "products only");
    for (const Vector &v : vectors) holds(device, v);
    limits(library, vectors.front());
    cancels(device, vectors.front());
  } catch (const DriverError &error) {
    expect(false, error.what());
  }
  return failures == 0 ? 0 : 1;
}
