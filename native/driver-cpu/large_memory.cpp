#include "large_memory.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lode {

namespace {
constexpr size_t LARGE_PAGE_BYTES = 2u << 20;
constexpr size_t REGISTER_BYTES = 64;
} // namespace

Memory::Memory(size_t bytes) {
  const size_t alignment = bytes >= LARGE_PAGE_BYTES ? LARGE_PAGE_BYTES : REGISTER_BYTES;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void *found = nullptr;
  if (posix_memalign(&found, alignment, rounded) != 0) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Only a hint: without large pages the results are the same, only slower.
  if (alignment == LARGE_PAGE_BYTES) (void)madvise(found, rounded, MADV_HUGEPAGE);
#endif
  std::memset(found, 0, rounded);
  bytes_ = static_cast<uint8_t *>(found);
}

Memory::~Memory() { std::free(bytes_); }

Memory::Memory(Memory &&other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}

Memory &Memory::operator=(Memory &&other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

} // namespace lode
