// An open device: a fixed pool of threads that takes pieces of work (a matrix to pack, a group of nonces) in the order
// in which they were asked for. Callers wait; each piece is done by one thread alone, so that none waits for another.
// Weights are asked for ahead, while nonces of the epoch before are tried: then at most every other piece is of them, and
// since a matrix takes far less time than a group of nonces, mining hardly slows down. Without nonces all threads pack.
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
  Device(const Ways &ways, uint32_t threads, uint64_t memory_limit_bytes);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  // Throws std::bad_alloc and std::system_error; then the threads stay as they were.
  void set_threads(uint32_t threads);
  // On Outcome::done *weights is set; it goes back with release().
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
  // Pieces 0 … count − 1, on the caller's stack while they are done.
  struct Work {
    size_t count;
    const bool patient; // lets others go first, in turns
    Cancelled cancelled;
    size_t next = 0, running = 0;
    Work *following = nullptr;
    virtual void piece(size_t index, Scratch &scratch) = 0;
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

  const Ways ways_;
  const uint64_t memory_limit_bytes_;
  std::atomic<uint64_t> cancels_{0};

  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  Work *first_ = nullptr;
  bool patient_waited_ = false; // since the last piece of patient work another one was taken
  uint32_t active_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
  std::vector<std::unique_ptr<Scratch>> scratches_;
  std::vector<std::unique_ptr<Weights>> epochs_;
  uint64_t epoch_bytes_ = 0;
  std::string error_;
};

} // namespace lode
