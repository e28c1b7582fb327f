// The simulated device: a process at the other end of a link. It computes with the CPU driver's code on one thread, takes
// batches from a queue, answers with a delay, warms up, and simulates faults on demand. Like a real chip it keeps its power
// limit while nobody is connected, in a file.
#include "link.h"
#include "lode_driver.h"
#include "processor.h"
#include "proof.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace lode::asic_sim {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr auto LATENCY = std::chrono::microseconds(300);
constexpr double IDLE_WATTS = 8, AMBIENT_CELSIUS = 28, CELSIUS_PER_WATT = 0.6, WARMING_SECONDS = 15, COOLING_SECONDS = 4, HOT_CELSIUS = 118;

// Temperature and energy, computed from how long the device worked, whenever they are read.
class Body {
public:
  void working(bool now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    advance();
    working_ = now;
  }
  explicit Body(std::string limit_file) : limit_file_(std::move(limit_file)) { read_limit(); }
  bool limit(double watts) {
    const std::lock_guard<std::mutex> lock(mutex_);
    advance();
    limit_watts_ = watts;
    std::ofstream file(limit_file_);
    file << watts << '\n';
    return static_cast<bool>(file.flush());
  }
  void hot(bool now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    advance();
    hot_ = now;
  }
  double limit_watts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    read_limit();
    return limit_watts_;
  }
  void read(Answer &answer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    advance();
    read_limit();
    answer.temperature_celsius = celsius_;
    answer.power_watts = watts();
    answer.energy_joules = joules_;
    answer.clock_hertz = 1.5e9 * limit_watts_ / MOST_WATTS;
    answer.fan_revolutions_per_minute = 900 + 40 * std::max(0.0, celsius_ - AMBIENT_CELSIUS);
    answer.utilization = working_ ? 1 : 0;
    answer.limit_watts = limit_watts_;
  }

private:
  // Another process may have set the limit.
  void read_limit() {
    double watts = 0;
    if (std::ifstream(limit_file_) >> watts && watts >= LEAST_WATTS && watts <= MOST_WATTS) limit_watts_ = watts;
  }
  double watts() const { return working_ ? limit_watts_ : IDLE_WATTS; }
  void advance() {
    const auto now = Clock::now();
    const double seconds = Seconds(now - before_).count();
    before_ = now;
    joules_ += watts() * seconds;
    const double goal = hot_ ? HOT_CELSIUS : AMBIENT_CELSIUS + CELSIUS_PER_WATT * watts();
    celsius_ += (goal - celsius_) * std::min(1.0, seconds / (hot_ ? 1 : goal < celsius_ ? COOLING_SECONDS : WARMING_SECONDS));
  }

  const std::string limit_file_;
  std::mutex mutex_;
  Clock::time_point before_ = Clock::now();
  bool working_ = false, hot_ = false;
  double limit_watts_ = MOST_WATTS, celsius_ = AMBIENT_CELSIUS, joules_ = 0;
};

// The name of the fault to simulate: in the variable LODE_ASIC_SIM_FAULT, or in the file asic-sim.fault beside the driver.
// Read at each batch.
std::string wanted_fault(const std::string &file) {
  if (const char *fault = std::getenv("LODE_ASIC_SIM_FAULT")) return fault;
  std::string fault;
  std::ifstream(file) >> fault;
  return fault;
}

class Device {
public:
  Device(std::string fault_file, std::string limit_file)
      : fault_file_(std::move(fault_file)), body_(std::move(limit_file)) {}

  int serve() {
    std::thread worker([this] { work(); });
    Request request;
    while (receive_all(LINK, &request, sizeof request)) {
      if (request.ask == Ask::cancel) {
        cancels_++;
        continue;
      }
      if (request.ask == Ask::sensors || request.ask == Ask::set_limit) {
        Answer answer = {};
        answer.id = request.id;
        // Also while no batch runs, so that the device can cool down again.
        body_.hot(wanted_fault(fault_file_) == "hot");
        if (request.ask == Ask::set_limit && !body_.limit(request.watts)) answer.status = LODE_FAILED;
        body_.read(answer);
        reply(answer, {});
        continue;
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      queue_.push_back({request, cancels_.load()});
      wake_.notify_one();
    }
    std::_Exit(0); // the driver is gone, so the worker's work is not needed any more
  }

private:
  struct Job {
    Request request;
    uint64_t cancels;
  };

  void work() {
    for (;;) {
      Job job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        body_.working(!queue_.empty());
        wake_.wait(lock, [this] { return !queue_.empty(); });
        job = queue_.front();
        queue_.pop_front();
      }
      body_.working(true);
      std::this_thread::sleep_for(LATENCY);
      const Request &request = job.request;
      if (request.ask == Ask::prepare) prepare(request, job.cancels);
      else if (request.ask == Ask::run) run(request, job.cancels);
      else epochs_.erase(request.epoch);
    }
  }

  void prepare(const Request &request, uint64_t cancels) {
    Answer answer = {};
    answer.id = request.id;
    const Tier tier = {request.width, request.layers, request.tokens};
    size_t used = Weights::bytes_for(tier);
    for (const auto &entry : epochs_) used += Weights::bytes_for(entry.second->tier);
    if (request.memory_limit_bytes != 0 && used > request.memory_limit_bytes) {
      answer.status = LODE_OUT_OF_MEMORY;
      return reply(answer, {});
    }
    auto weights = std::make_unique<Weights>(tier);
    const Cancelled cancelled = {cancels_, cancels};
    for (size_t layer = 0; layer < tier.layers; layer++) {
      for (size_t matrix = 0; matrix < MATRICES; matrix++) {
        if (!pack_matrix(kernels_, *weights, request.bytes, layer, matrix, scratch_, cancelled)) {
          answer.status = LODE_CANCELLED;
          return reply(answer, {});
        }
      }
    }
    answer.value = ++last_epoch_;
    epochs_[answer.value] = std::move(weights);
    reply(answer, {});
  }

  void run(const Request &request, uint64_t cancels) {
    const std::string fault = wanted_fault(fault_file_);
    body_.hot(fault == "hot");
    if (fault == "die") std::_Exit(9);
    if (fault == "lost-link") {
      shutdown(LINK, SHUT_RDWR);
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    if (fault == "hang") {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    Answer answer = {};
    answer.id = request.id;
    const auto found = epochs_.find(request.epoch);
    if (found == epochs_.end()) {
      answer.status = LODE_INVALID_ARGUMENT;
      return reply(answer, {});
    }
    const Cancelled cancelled = {cancels_, cancels};
    std::vector<uint8_t> digests(static_cast<size_t>(request.count) * LODE_DIGEST_BYTES);
    const size_t most = most_nonces(found->second->tier);
    for (size_t done = 0; done < request.count;) {
      const size_t count = std::min(most, request.count - done);
      uint64_t nanoseconds = 0;
      const auto started = Clock::now();
      if (!run_nonces(kernels_, *found->second, request.bytes, request.first_nonce + done, count,
                      digests.data() + done * LODE_DIGEST_BYTES, nanoseconds, scratch_, cancelled)) {
        answer.status = LODE_CANCELLED;
        return reply(answer, {});
      }
      answer.value += nanoseconds;
      done += count;
      // A lower power limit gives fewer nonces.
      std::this_thread::sleep_for((Clock::now() - started) * (MOST_WATTS / body_.limit_watts() - 1));
    }
    // A digest of zeros looks like the best share possible.
    if (fault == "wrong-digest") std::fill_n(digests.begin(), LODE_DIGEST_BYTES, uint8_t{0});
    reply(answer, digests);
  }

  void reply(Answer answer, const std::vector<uint8_t> &digests) {
    const std::lock_guard<std::mutex> lock(sending_);
    answer.digest_bytes = static_cast<uint32_t>(digests.size());
    if (send_all(LINK, &answer, sizeof answer)) (void)send_all(LINK, digests.data(), digests.size());
  }

  const std::string fault_file_;
  const KernelSet kernels_ = best_kernel_set();
  Scratch scratch_;
  Body body_;
  std::map<uint64_t, std::unique_ptr<Weights>> epochs_;
  uint64_t last_epoch_ = 0;
  std::atomic<uint64_t> cancels_{0};
  std::mutex mutex_, sending_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
};

} // namespace
} // namespace lode::asic_sim

// `asic_sim_device FOLDER`: the folder for the file of the fault, and for the file of the power limit unless
// LODE_ASIC_SIM_LIMIT names one.
int main(int count, char **arguments) {
  const std::string folder = count > 1 ? arguments[1] : "";
  const char *limit = std::getenv("LODE_ASIC_SIM_LIMIT");
  return lode::asic_sim::Device(folder + "asic-sim.fault", limit != nullptr ? limit : folder + "asic-sim.limit").serve();
}
