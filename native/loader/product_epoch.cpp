#include "product_epoch.h"

#include <algorithm>
#include <chrono>

namespace lode::loader {

namespace {

using Clock = std::chrono::steady_clock;

// Rows of all nonces that pass through the layers together: enough to fill a device.
constexpr size_t MOST_ROWS = 4096;
// A product that takes longer is split into parts, so that a cancellation waits for one part only.
constexpr auto LONG_PRODUCT = std::chrono::milliseconds(60), SHORT_PRODUCT = std::chrono::milliseconds(15);
constexpr uint32_t FEWEST_ROWS = 16;

[[noreturn]] void cancelled() { throw DriverError("LODE_CANCELLED", "the work was cancelled"); }

bool is_tier(const lode_tier &tier) {
  return (tier.width == 256 || tier.width == 1024) && tier.layers >= 1 && tier.layers <= 256 &&
         (tier.tokens == 16 || tier.tokens == 32 || tier.tokens == 64);
}

uint64_t weight_bytes(const lode_tier &tier) { return uint64_t{12} * tier.width * tier.width * tier.layers; }

// X = w(X + change, 0), all stored
void add(uint8_t *x, const uint8_t *change, size_t count) {
  for (size_t index = 0; index < count; index++) x[index] = static_cast<uint8_t>((x[index] + change[index] + 64) & 127);
}

// H = t(H), stored: the triangular number of each
void triangle(uint8_t *hidden, size_t count) {
  for (size_t index = 0; index < count; index++) {
    const uint32_t v = hidden[index];
    hidden[index] = static_cast<uint8_t>((v * (v + 1) / 2) & 127);
  }
}

} // namespace

// The memory of one call for the nonces that pass through the layers together.
struct ProductEpoch::Group {
  Memory x, queries, keys, values, mixed, change, hidden;
  HeadScratch head;
  uint64_t cancels_at_start;
  Clock::duration multiplying{};

  Group(const Tier &tier, size_t nonces, uint64_t cancels) : cancels_at_start(cancels) {
    const size_t bytes = nonces * tier.tokens * tier.width;
    for (Memory *memory : {&x, &queries, &keys, &values, &mixed, &change}) *memory = Memory(bytes);
    hidden = Memory(4 * bytes);
  }
};

ProductEpoch::ProductEpoch(std::shared_ptr<OpenDevice> device, const lode_tier &tier, const uint8_t *seed)
    : device_(std::move(device)), tier_{tier.width, tier.layers, tier.tokens}, kernels_(best_kernel_set()), bytes_(weight_bytes(tier)) {
  if (!is_tier(tier)) throw DriverError("LODE_INVALID_ARGUMENT", "there is no such tier");
  OpenDevice::Products &products = device_->products();
  const uint64_t started = products.cancels, used = products.used_bytes.fetch_add(bytes_) + bytes_;
  try {
    if (products.memory_limit_bytes != 0 && used > products.memory_limit_bytes)
      throw DriverError("LODE_OUT_OF_MEMORY", "there is not enough memory for the weights of another epoch");
    weights_ = Memory(bytes_);
    for (size_t layer = 0; layer < tier_.layers; layer++) {
      for (size_t index = 0; index < MATRICES; index++) {
        if (products.cancels != started) cancelled();
        const Shape shape = shape_of(tier_, index);
        const size_t size = shape.rows * shape.columns;
        uint8_t *bytes = weights_.bytes() + (matrix(layer, index) - matrix(0, 0));
        AesKey key;
        matrix_key(kernels_.crypto, seed, layer, index, key);
        kernels_.crypto.keystream(key, 0, bytes, size / 16);
        for (size_t place = 0; place < size; place++) bytes[place] = static_cast<uint8_t>((bytes[place] & 127) - 64);
      }
    }
  } catch (const std::bad_alloc &) {
    products.used_bytes -= bytes_;
    throw DriverError("LODE_OUT_OF_MEMORY", "there is not enough memory for the weights of another epoch");
  } catch (...) {
    products.used_bytes -= bytes_;
    throw;
  }
}

ProductEpoch::~ProductEpoch() { device_->products().used_bytes -= bytes_; }

const int8_t *ProductEpoch::matrix(size_t layer, size_t index) const {
  const size_t square = tier_.width * tier_.width;
  const size_t offset = 12 * square * layer + (index < 5 ? index * square : 8 * square);
  return reinterpret_cast<const int8_t *>(weights_.bytes()) + offset;
}

// output = w(a · matrix, 8), some rows at a time.
void ProductEpoch::multiply(size_t layer, size_t index, const uint8_t *a, size_t rows, uint8_t *output, Group &group) const {
  const Shape shape = shape_of(tier_, index);
  OpenDevice::Products &products = device_->products();
  for (size_t first = 0; first < rows;) {
    const std::lock_guard<std::mutex> turn(products.turn);
    if (products.cancels != group.cancels_at_start) cancelled();
    const uint32_t now = static_cast<uint32_t>(std::min<size_t>(products.rows, rows - first));
    const lode_product product = {sizeof product, now, static_cast<uint32_t>(shape.rows), static_cast<uint32_t>(shape.columns),
                                  8, a + first * shape.rows, matrix(layer, index), output + first * shape.columns};
    const Clock::time_point began = Clock::now();
    device_->check(device_->functions().multiply(device_->device(), &product));
    const Clock::duration took = Clock::now() - began;
    group.multiplying += took;
    if (took > LONG_PRODUCT && now > FEWEST_ROWS) products.rows = std::max(FEWEST_ROWS, now / 2);
    else if (took < SHORT_PRODUCT && now == products.rows && now < MOST_ROWS) products.rows = now * 2;
    first += now;
  }
}

void ProductEpoch::pass(const uint8_t *header, uint64_t first_nonce, size_t nonces, uint8_t *digests, Group &group) const {
  const size_t rows = nonces * tier_.tokens, width = tier_.width, nonce_bytes = tier_.tokens * width;
  uint8_t *x = group.x.bytes(), *change = group.change.bytes(), *hidden = group.hidden.bytes();
  for (size_t nonce = 0; nonce < nonces; nonce++)
    fill_input(kernels_.crypto, tier_, header, first_nonce + nonce, x + nonce * nonce_bytes, width);
  for (size_t layer = 0; layer < tier_.layers; layer++) {
    multiply(layer, 0, x, rows, group.queries.bytes(), group);
    multiply(layer, 1, x, rows, group.keys.bytes(), group);
    multiply(layer, 2, x, rows, group.values.bytes(), group);
    for (size_t at = 0; at < rows * width; at += nonce_bytes) {
      const Heads heads = {group.queries.bytes() + at, group.keys.bytes() + at, group.values.bytes() + at, width};
      attend(kernels_, tier_, heads, group.mixed.bytes() + at, width, group.head);
    }
    multiply(layer, 3, group.mixed.bytes(), rows, change, group);
    add(x, change, rows * width);
    multiply(layer, 4, x, rows, hidden, group);
    triangle(hidden, rows * tier_.hidden());
    multiply(layer, 5, hidden, rows, change, group);
    add(x, change, rows * width);
  }
  for (size_t nonce = 0; nonce < nonces; nonce++)
    make_digest(kernels_.crypto, tier_, header, first_nonce + nonce, x + nonce * nonce_bytes, width,
                digests + nonce * LODE_DIGEST_BYTES);
}

void ProductEpoch::run(const uint8_t *header, uint64_t first_nonce, uint32_t count, uint8_t *digests, lode_run_result &result) {
  const size_t together = std::min<size_t>(count, MOST_ROWS / tier_.tokens);
  try {
    Group group(tier_, together, device_->products().cancels);
    for (size_t done = 0; done < count; done += together)
      pass(header, first_nonce + done, std::min<size_t>(together, count - done), digests + done * LODE_DIGEST_BYTES, group);
    result.kernel_nanoseconds =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(group.multiplying).count());
  } catch (const std::bad_alloc &) {
    throw DriverError("LODE_OUT_OF_MEMORY", "there is not enough memory for the nonces of one batch");
  }
}

} // namespace lode::loader
