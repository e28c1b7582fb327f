// Memory for operands: aligned for the widest registers, and for large pages where the system has them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lode {

// Owns `bytes` bytes, zero at first. Throws std::bad_alloc.
class Memory {
public:
  Memory() = default;
  explicit Memory(size_t bytes);
  ~Memory();
  Memory(Memory &&other) noexcept;
  Memory &operator=(Memory &&other) noexcept;
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  uint8_t *bytes() const { return bytes_; }

private:
  uint8_t *bytes_ = nullptr;
};

} // namespace lode
