// The checks of the conformance kit that need C: calls with arguments that JavaScript cannot make.
#include "conformance.h"

#include <cmath>
#include <cstring>

namespace lode::loader {
namespace {

constexpr lode_tier TEST_TIER = {sizeof(lode_tier), 256, 2, 16};

// Calls and the faults among them.
struct Questions {
  std::vector<std::string> faults;
  void refused(const char *what, lode_status status) {
    if (status == LODE_OK) faults.push_back(std::string(what) + " was taken");
  }
};

lode_open_options plain_options() { return {sizeof(lode_open_options), 1, 0, nullptr}; }

void probe_nonces(const OpenDevice &open, Questions &ask) {
  const lode_driver &driver = open.functions();
  lode_device *device = open.device();
  uint8_t bytes[LODE_DIGEST_BYTES] = {};
  lode_epoch *epoch = nullptr;
  ask.refused("prepare without a device", driver.prepare(nullptr, &TEST_TIER, bytes, &epoch));
  ask.refused("prepare without a tier", driver.prepare(device, nullptr, bytes, &epoch));
  ask.refused("prepare without a seed", driver.prepare(device, &TEST_TIER, nullptr, &epoch));
  ask.refused("prepare without a place for the epoch", driver.prepare(device, &TEST_TIER, bytes, nullptr));
  for (const lode_tier &tier : {lode_tier{4, 256, 2, 16}, lode_tier{sizeof(lode_tier), 257, 2, 16},
                                lode_tier{sizeof(lode_tier), 256, 0, 16}, lode_tier{sizeof(lode_tier), 256, 2, 17},
                                lode_tier{sizeof(lode_tier), UINT32_MAX, UINT32_MAX, UINT32_MAX}})
    ask.refused("prepare of a tier that does not exist", driver.prepare(device, &tier, bytes, &epoch));
  if (epoch != nullptr) ask.faults.push_back("an epoch was given although it was not prepared");
  driver.release(device, nullptr);

  open.check(driver.prepare(device, &TEST_TIER, bytes, &epoch));
  uint8_t digest[LODE_DIGEST_BYTES];
  ask.refused("run without a device", driver.run(nullptr, epoch, bytes, 0, 1, digest, nullptr));
  ask.refused("run without an epoch", driver.run(device, nullptr, bytes, 0, 1, digest, nullptr));
  ask.refused("run without a header", driver.run(device, epoch, nullptr, 0, 1, digest, nullptr));
  ask.refused("run without a place for digests", driver.run(device, epoch, bytes, 0, 1, nullptr, nullptr));
  ask.refused("run of no nonces", driver.run(device, epoch, bytes, 0, 0, digest, nullptr));
  if (driver.run(device, epoch, bytes, 0, 1, digest, nullptr) != LODE_OK)
    ask.faults.push_back("run without a place for the result was refused");
  driver.release(device, epoch);
}

void probe_multiply(const OpenDevice &open, Questions &ask) {
  const lode_driver &driver = open.functions();
  lode_device *device = open.device();
  uint8_t a[16] = {}, output[16] = {};
  const int8_t b[16] = {};
  const lode_product right = {sizeof right, 4, 4, 4, 8, a, b, output};
  ask.refused("a product without a device", driver.multiply(nullptr, &right));
  ask.refused("a product without a structure", driver.multiply(device, nullptr));
  const auto wrong = [&](const char *what, auto change) {
    lode_product product = right;
    change(product);
    ask.refused(what, driver.multiply(device, &product));
  };
  wrong("a product with a structure of 4 bytes", [](lode_product &product) { product.size = 4; });
  wrong("a product of no rows", [](lode_product &product) { product.rows = 0; });
  wrong("a product of nothing in between", [](lode_product &product) { product.inner = 0; });
  wrong("a product of no columns", [](lode_product &product) { product.columns = 0; });
  wrong("a product that drops 5 bits", [](lode_product &product) { product.drop = 5; });
  wrong("a product without its left operand", [](lode_product &product) { product.a = nullptr; });
  wrong("a product without its right operand", [](lode_product &product) { product.b = nullptr; });
  wrong("a product without a place for the output", [](lode_product &product) { product.output = nullptr; });
}

} // namespace

std::vector<std::string> probe_arguments(const std::shared_ptr<DriverLibrary> &library, const std::string &id) {
  const lode_driver &driver = library->functions();
  Questions ask;
  lode_device_info info = {sizeof info, 0, nullptr, nullptr, nullptr, nullptr, 0, 0};
  ask.refused("describe without a structure", driver.describe(0, nullptr));
  ask.refused("describe of a device beyond the last", driver.describe(driver.device_count(), &info));
  info.size = 4;
  ask.refused("describe with a structure of 4 bytes", driver.describe(0, &info));

  lode_device *device = nullptr;
  lode_open_options options = plain_options();
  ask.refused("open without an id", driver.open(nullptr, &options, &device));
  ask.refused("open without options", driver.open(id.c_str(), nullptr, &device));
  ask.refused("open without a place for the device", driver.open(id.c_str(), &options, nullptr));
  options.size = 4;
  ask.refused("open with options of 4 bytes", driver.open(id.c_str(), &options, &device));
  if (device != nullptr) ask.faults.push_back("a device was given although it was not opened");
  driver.close(nullptr);
  if (driver.last_error(nullptr) == nullptr) ask.faults.push_back("the last error is null");

  const OpenDevice open(library, id, plain_options());
  device = open.device();
  if ((open.capabilities() & LODE_CAPABILITY_NONCES) != 0) probe_nonces(open, ask);
  if ((open.capabilities() & LODE_CAPABILITY_PRODUCT) != 0) probe_multiply(open, ask);
  driver.cancel(nullptr);

  ask.refused("sensors without a structure", driver.read_sensors(device, nullptr));
  lode_sensors sensors = {4, 0, 0, 0, 0, 0, 0, 0};
  ask.refused("sensors with a structure of 4 bytes", driver.read_sensors(device, &sensors));
  ask.refused("a power limit without a structure", driver.get_power_limit(device, nullptr));
  ask.refused("a power limit that is no number", driver.set_power_limit(device, std::nan("")));
  if (driver.set_threads != nullptr) ask.refused("no threads at all", driver.set_threads(device, 0));
  return ask.faults;
}

int probe_product(const std::shared_ptr<DriverLibrary> &library, const std::string &id) {
  const OpenDevice open(library, id, plain_options());
  const lode_driver &driver = open.functions();
  if ((open.capabilities() & LODE_CAPABILITY_PRODUCT) == 0) return -1;
  uint32_t random = 1;
  const auto next = [&] { return (random = random * 1664525u + 1013904223u) >> 24; };
  for (const uint32_t drop : {4u, 7u, 8u}) {
    for (const auto &[rows, inner, columns] : {std::array<uint32_t, 3>{5, 64, 48}, {16, 256, 256}, {1, 4, 1}}) {
      std::vector<uint8_t> a(rows * inner), output(rows * columns);
      std::vector<int8_t> b(inner * columns);
      for (uint8_t &value : a) value = next() & 127;
      for (int8_t &value : b) value = static_cast<int8_t>((next() & 127) - 64);
      const lode_product product = {sizeof product, rows, inner, columns, drop, a.data(), b.data(), output.data()};
      open.check(driver.multiply(open.device(), &product));
      for (uint32_t m = 0; m < rows; m++) {
        for (uint32_t n = 0; n < columns; n++) {
          int32_t sum = 0;
          for (uint32_t k = 0; k < inner; k++) sum += (a[m * inner + k] - 64) * b[k * columns + n];
          if (output[m * columns + n] != ((static_cast<uint32_t>(sum >> drop) + 64) & 127)) return 0;
        }
      }
    }
  }
  return 1;
}

} // namespace lode::loader
