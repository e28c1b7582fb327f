// An open device: a fixed pool of threads that takes pieces of work (a matrix to pack, a group of nonces) in the order in
// which the work was queued. Callers wait; one thread computes each piece alone, so that no thread waits for another.
// The weights of the next epoch are packed while nonces of the current epoch are tried. Then at most every other piece is a
// matrix; since a matrix takes far less time than a group of nonces, mining hardly slows down. Without nonces all threads
// pack.
#pragma once

#include "proof.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lode {

constexpr uint32_t MOST_THREADS = 1024;

enum class Outcome { done, cancelled, out_of_memory };

class Device {
public:
  // `memory_limit_bytes` 0: none. Throws std::bad_alloc and std::system_error.
  Device(const KernelSet &kernels, uint32_t threads, uint64_t memory_limit_bytes);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  // Throws std::bad_alloc and std::system_error; then the threads stay as they were.
  void set_threads(uint32_t threads);
  // On Outcome::done, *weights is set and stays valid until release().
  Outcome prepare(const Tier &tier, const uint8_t seed[32], Weights **weights);
  Outcome run(const Weights &weights, const uint8_t header[32], uint64_t first_nonce, uint32_t count, uint8_t *digests,
              uint64_t &nanoseconds);
  void cancel();
  void release(Weights *weights);
  bool owns(const Weights *weights);

  void set_error(std::string text);
  // Valid until the next call.
  const char *error();

private:
  // Units 0 … count − 1 (matrices or nonces), computed in pieces of several units. Lives on the stack of the waiting caller.
  struct Work {
    size_t count;
    const bool patient; // takes turns with work that is not patient, which goes first
    Cancelled cancelled;
    size_t next = 0, running = 0;
    Work *following = nullptr;
    // Units of the next piece. `alone`: no other work is queued, so the threads should end together.
    virtual size_t piece_units(bool alone) const = 0;
    virtual void piece(size_t first, size_t units, Scratch &scratch) = 0;
    Work(size_t count, bool patient, const Device &device)
        : count(count), patient(patient), cancelled{device.cancels_, device.cancels_.load()} {}

  protected:
    ~Work() = default;
  };
  struct Packing;
  struct Nonces;

  void serve(size_t thread);
  Work &take_turn();
  void complete(Work &work);
  void remove(Work &work);

  const KernelSet kernels_;
  const uint64_t memory_limit_bytes_;
  std::atomic<uint64_t> cancels_{0};

  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  Work *first_ = nullptr;
  bool patient_waited_ = false; // a piece of other work was taken since the last piece of patient work
  uint32_t active_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
  std::vector<std::unique_ptr<Scratch>> scratches_;
  std::vector<std::unique_ptr<Weights>> epochs_;
  uint64_t epoch_bytes_ = 0;
  std::string error_;
};

} // namespace lode
