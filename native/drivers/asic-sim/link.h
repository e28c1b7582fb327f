// Messages between the driver and the simulated device: requests of one size, and answers followed by their digests.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lode::asic_sim {

enum class Ask : uint32_t { prepare, run, release, cancel, sensors, set_limit };

struct Request {
  Ask ask;
  uint32_t id;
  uint64_t epoch, first_nonce, memory_limit_bytes;
  uint32_t width, layers, tokens, count;
  double watts;
  uint8_t bytes[32]; // seed or header
};

struct Answer {
  uint32_t id;
  uint32_t status; // lode_status
  uint64_t value;  // epoch, or nanoseconds of a run
  double temperature_celsius, power_watts, energy_joules, clock_hertz, fan_revolutions_per_minute, utilization, limit_watts;
  uint32_t digest_bytes, reserved;
};

constexpr double LEAST_WATTS = 20, MOST_WATTS = 80;
constexpr int LINK = 3; // the device's file descriptor

// Send or receive all bytes; false when the link is lost.
bool send_all(int link, const void *data, size_t bytes);
bool receive_all(int link, void *data, size_t bytes);

} // namespace lode::asic_sim
