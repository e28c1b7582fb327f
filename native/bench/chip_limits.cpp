// The highest rates that this processor can reach, on all threads at once, for the benchmark only:
//   chip_limits products THREADS MILLISECONDS    8-bit multiply-accumulates a second with operands in registers, by the
//                                                best instruction that it has: a number and the instruction
//   chip_limits memory THREADS MILLISECONDS      bytes a second that are read from memory, one after another
#include "processor.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace {

constexpr int STEPS = 1000;

#if defined(__x86_64__)

// Twelve independent sums hide the latency of the product: two ports at five cycles want ten.
#define TWELVE(WHAT) WHAT(0) WHAT(1) WHAT(2) WHAT(3) WHAT(4) WHAT(5) WHAT(6) WHAT(7) WHAT(8) WHAT(9) WHAT(10) WHAT(11)

__attribute__((target("avx512f,avx512vnni"))) uint64_t avx512_vnni() {
  __m512i sums[12] = {}, a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
  for (int step = 0; step < STEPS; step++) {
#define ADD(i) __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sums[i]) : "v"(a), "v"(b));
    TWELVE(ADD)
#undef ADD
  }
  return STEPS * 12ull * 64;
}

__attribute__((target("avx2,avxvnni"))) uint64_t avx_vnni() {
  __m256i sums[12] = {}, a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(5);
  for (int step = 0; step < STEPS; step++) {
#define ADD(i) __asm__ volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums[i]) : "x"(a), "x"(b));
    TWELVE(ADD)
#undef ADD
  }
  return STEPS * 12ull * 32;
}

__attribute__((target("avx2"))) uint64_t avx2() {
  __m256i sums[12] = {}, a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(5), product;
  for (int step = 0; step < STEPS; step++) {
#define ADD(i)                                                                                                         \
  __asm__ volatile("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(sums[i]), "=&x"(product) : "x"(a), "x"(b));
    TWELVE(ADD)
#undef ADD
  }
  return STEPS * 12ull * 32;
}

#elif defined(__aarch64__)

// Twenty independent sums hide the latency of the product: four ports at four cycles want sixteen.
#define TWENTY(WHAT)                                                                                                   \
  WHAT(0) WHAT(1) WHAT(2) WHAT(3) WHAT(4) WHAT(5) WHAT(6) WHAT(7) WHAT(8) WHAT(9) WHAT(10) WHAT(11) WHAT(12) WHAT(13)  \
  WHAT(14) WHAT(15) WHAT(16) WHAT(17) WHAT(18) WHAT(19)

uint64_t i8mm() {
  int32x4_t sums[20] = {};
  const int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(5);
  for (int step = 0; step < STEPS; step++) {
#define ADD(i) __asm__ volatile(".arch armv8.2-a+i8mm\n\tsmmla %0.4s, %1.16b, %2.16b" : "+w"(sums[i]) : "w"(a), "w"(b));
    TWENTY(ADD)
#undef ADD
  }
  return STEPS * 20ull * 32;
}

uint64_t dotprod() {
  int32x4_t sums[20] = {};
  const int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(5);
  for (int step = 0; step < STEPS; step++) {
#define ADD(i) __asm__ volatile(".arch armv8.2-a+dotprod\n\tsdot %0.4s, %1.16b, %2.16b" : "+w"(sums[i]) : "w"(a), "w"(b));
    TWENTY(ADD)
#undef ADD
  }
  return STEPS * 20ull * 16;
}

#endif

struct Best {
  uint64_t (*loop)(); // returns how many products it did; null: no such instruction
  const char *name;
};

Best best_instruction() {
  const lode::Features has = lode::detect_features();
#if defined(__x86_64__)
  if (has.avx512_vnni) return {avx512_vnni, "vpdpbusd, 512 bits"};
  if (has.avx_vnni) return {avx_vnni, "vpdpbusd, 256 bits"};
  if (has.avx2) return {avx2, "vpmaddubsw, 256 bits"};
#elif defined(__aarch64__)
  if (has.i8mm) return {i8mm, "smmla"};
  if (has.dotprod) return {dotprod, "sdot"};
#endif
  (void)has;
  return {nullptr, "none"};
}

// Much more than any cache holds, so that every byte comes from memory.
constexpr size_t READ_BYTES = 256u << 20;

uint64_t read_all(const std::vector<uint64_t> &words) {
  // Eight independent sums, so that no addition waits for another.
  uint64_t sums[8] = {};
  for (size_t index = 0; index < words.size(); index += 8)
    for (size_t lane = 0; lane < 8; lane++) sums[lane] += words[index + lane];
  uint64_t sum = 0;
  for (const uint64_t one : sums) sum += one;
  return sum;
}

// Calls `work` on every thread until the time is over. Returns the sum of its results per second.
template <class Work> double rate_of(int threads, int milliseconds, Work work) {
  using Clock = std::chrono::steady_clock;
  std::atomic<uint64_t> counted{0};
  const auto started = Clock::now(), end = started + std::chrono::milliseconds(milliseconds);
  std::vector<std::thread> pool;
  for (int thread = 0; thread < threads; thread++) {
    pool.emplace_back([&, thread] {
      uint64_t own = 0;
      while (Clock::now() < end) own += work(static_cast<size_t>(thread));
      counted += own;
    });
  }
  for (std::thread &thread : pool) thread.join();
  return static_cast<double>(counted.load()) / std::chrono::duration<double>(Clock::now() - started).count();
}

} // namespace

int main(int count, char **arguments) {
  const char *what = count > 1 ? arguments[1] : "";
  const int threads = count > 2 ? std::atoi(arguments[2]) : 1, milliseconds = count > 3 ? std::atoi(arguments[3]) : 500;
  if (threads < 1 || threads > 1024 || milliseconds < 1) return 2;
  if (std::strcmp(what, "products") == 0) {
    const Best best = best_instruction();
    if (best.loop == nullptr) return 3;
    std::printf("%.6e %s\n", rate_of(threads, milliseconds, [&](size_t) { return best.loop(); }), best.name);
    return 0;
  }
  if (std::strcmp(what, "memory") == 0) {
    const std::vector<std::vector<uint64_t>> words(static_cast<size_t>(threads), std::vector<uint64_t>(READ_BYTES / 8, 1));
    std::atomic<uint64_t> kept{0};
    const double rate = rate_of(threads, milliseconds, [&](size_t thread) {
      kept += read_all(words[thread]);
      return READ_BYTES;
    });
    std::printf("%.6e bytes\n", rate);
    return kept.load() > 0 ? 0 : 1;
  }
  return 2;
}
