#include "device.h"

#include <algorithm>

namespace lode {

struct Device::Packing final : Work {
  const Device &device;
  const Weights &weights;
  const uint8_t *seed;
  Packing(const Device &device, const Weights &weights, const uint8_t *seed)
      : Work(weights.tier.layers * MATRICES, true, device), device(device), weights(weights), seed(seed) {}
  size_t piece_units(bool) const override { return 1; }
  void piece(size_t index, size_t, Scratch &scratch) override {
    pack_matrix(device.kernels_, weights, seed, index / MATRICES, index % MATRICES, scratch, cancelled);
  }
};

struct Device::Nonces final : Work {
  const Device &device;
  const Weights &weights;
  const uint8_t *header;
  uint64_t first_nonce;
  size_t threads;
  uint8_t *digests;
  std::atomic<uint64_t> nanoseconds{0};
  Nonces(const Device &device, const Weights &weights, const uint8_t *header, uint64_t first_nonce, size_t nonces,
         size_t threads, uint8_t *digests)
      : Work(nonces, false, device), device(device), weights(weights), header(header), first_nonce(first_nonce),
        threads(threads), digests(digests) {}
  // Many nonces share a pass over the weights. Towards the end pieces are smaller, so that no thread works long after the others.
  size_t piece_units(bool alone) const override {
    const bool narrows = alone && threads > 1;
    const size_t shares = narrows ? 2 * threads : threads, of = narrows ? count - next : count;
    return std::min({(of + shares - 1) / shares, most_nonces(weights.tier), count - next});
  }
  void piece(size_t first, size_t units, Scratch &scratch) override {
    uint64_t spent = 0;
    run_nonces(device.kernels_, weights, header, first_nonce + first, units, digests + 32 * first, spent, scratch, cancelled);
    nanoseconds += spent;
  }
};

Device::Device(const KernelSet &kernels, uint32_t threads, uint64_t memory_limit_bytes)
    : kernels_(kernels), memory_limit_bytes_(memory_limit_bytes) {
  set_threads(threads);
}

Device::~Device() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread &thread : threads_) thread.join();
}

void Device::set_threads(uint32_t threads) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    threads_.reserve(threads);
    while (scratches_.size() < threads) scratches_.push_back(std::make_unique<Scratch>());
    while (threads_.size() < threads) {
      const size_t index = threads_.size();
      threads_.emplace_back([this, index] { serve(index); });
    }
    active_ = threads;
  }
  wake_.notify_all();
}

Outcome Device::prepare(const Tier &tier, const uint8_t seed[32], Weights **weights) {
  const uint64_t bytes = Weights::bytes_for(tier);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (memory_limit_bytes_ != 0 && epoch_bytes_ + bytes > memory_limit_bytes_) return Outcome::out_of_memory;
    epoch_bytes_ += bytes;
  }
  std::unique_ptr<Weights> made;
  try {
    made = std::make_unique<Weights>(tier);
  } catch (const std::bad_alloc &) {
    const std::lock_guard<std::mutex> lock(mutex_);
    epoch_bytes_ -= bytes;
    return Outcome::out_of_memory;
  }
  Packing packing(*this, *made, seed);
  complete(packing);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (packing.cancelled()) {
    epoch_bytes_ -= bytes;
    return Outcome::cancelled;
  }
  *weights = made.get();
  epochs_.push_back(std::move(made));
  return Outcome::done;
}

Outcome Device::run(const Weights &weights, const uint8_t header[32], uint64_t first_nonce, uint32_t count,
                    uint8_t *digests, uint64_t &nanoseconds) {
  uint32_t threads;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    threads = active_;
  }
  Nonces nonces(*this, weights, header, first_nonce, count, threads, digests);
  complete(nonces);
  nanoseconds = nonces.nanoseconds;
  return nonces.cancelled() ? Outcome::cancelled : Outcome::done;
}

void Device::cancel() {
  cancels_++;
  // Wakes callers none of whose pieces is running.
  const std::lock_guard<std::mutex> lock(mutex_);
  finished_.notify_all();
}

void Device::release(Weights *weights) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = std::find_if(epochs_.begin(), epochs_.end(), [=](const auto &epoch) { return epoch.get() == weights; });
  if (found == epochs_.end()) return;
  epoch_bytes_ -= Weights::bytes_for((*found)->tier);
  epochs_.erase(found);
}

bool Device::owns(const Weights *weights) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(epochs_.begin(), epochs_.end(), [=](const auto &epoch) { return epoch.get() == weights; });
}

void Device::set_error(std::string text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  error_ = std::move(text);
}

const char *Device::error() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return error_.c_str();
}

void Device::serve(size_t thread) {
  std::unique_lock<std::mutex> lock(mutex_);
  Scratch &scratch = *scratches_[thread];
  for (;;) {
    wake_.wait(lock, [&] { return ending_ || (first_ != nullptr && thread < active_); });
    if (ending_) return;
    Work &work = take_turn();
    const size_t first = work.next, units = work.piece_units(&work == first_ && work.following == nullptr);
    work.next += units;
    work.running++;
    if (work.next == work.count) remove(work);
    lock.unlock();
    if (!work.cancelled()) work.piece(first, units, scratch);
    lock.lock();
    work.running--;
    if (work.running == 0 && (work.next == work.count || work.cancelled())) finished_.notify_all();
  }
}

// The work whose next piece is due. There must be some.
Device::Work &Device::take_turn() {
  Work *patient = nullptr, *other = nullptr;
  for (Work *work = first_; work != nullptr; work = work->following) {
    Work *&first = work->patient ? patient : other;
    if (first == nullptr) first = work;
  }
  const bool take_patient = patient != nullptr && (other == nullptr || patient_waited_);
  patient_waited_ = patient != nullptr && !take_patient;
  return take_patient ? *patient : *other;
}

// Queues work, and returns when every piece is done, or when the work is cancelled and no piece is running.
void Device::complete(Work &work) {
  std::unique_lock<std::mutex> lock(mutex_);
  Work **last = &first_;
  while (*last != nullptr) last = &(*last)->following;
  *last = &work;
  wake_.notify_all();
  finished_.wait(lock, [&] { return work.running == 0 && (work.next == work.count || work.cancelled()); });
  remove(work);
}

void Device::remove(Work &work) {
  for (Work **at = &first_; *at != nullptr; at = &(*at)->following) {
    if (*at == &work) {
      *at = work.following;
      return;
    }
  }
}

} // namespace lode
