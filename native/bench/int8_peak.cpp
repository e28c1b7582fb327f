// `int8_peak THREADS MILLISECONDS`: the most 8-bit multiply-accumulates a second that this processor does with operands in
// registers, on all threads at once. Prints one number and the instruction. For the benchmark only.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <immintrin.h>
#include <thread>
#include <vector>

namespace {

constexpr int STEPS = 1000;

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

} // namespace

int main(int count, char **arguments) {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1, milliseconds = count > 2 ? std::atoi(arguments[2]) : 500;
  if (threads < 1 || threads > 1024 || milliseconds < 1) return 2;
  __builtin_cpu_init();
  uint64_t (*loop)() = nullptr;
  const char *name = "none";
  if (__builtin_cpu_supports("avx512vnni")) loop = avx512_vnni, name = "vpdpbusd, 512 bits";
  else if (__builtin_cpu_supports("avxvnni")) loop = avx_vnni, name = "vpdpbusd, 256 bits";
  else if (__builtin_cpu_supports("avx2")) loop = avx2, name = "vpmaddubsw, 256 bits";
  if (loop == nullptr) return 3;
  using Clock = std::chrono::steady_clock;
  std::atomic<uint64_t> products{0};
  const auto started = Clock::now(), end = started + std::chrono::milliseconds(milliseconds);
  std::vector<std::thread> pool;
  for (int thread = 0; thread < threads; thread++) {
    pool.emplace_back([&] {
      uint64_t own = 0;
      while (Clock::now() < end) own += loop();
      products += own;
    });
  }
  for (std::thread &thread : pool) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  std::printf("%.6e %s\n", static_cast<double>(products.load()) / seconds, name);
}
