#include "kernel/kernel_peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <chrono>

#include "kernel/kernel.h"

namespace lockstep {
namespace {

#if defined(__x86_64__)
constexpr int chains = 20;  // independent sums: more than latency times ports

// Twenty sums in named registers: what stands in an array, gcc keeps in memory.
[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni"), gnu::noinline]] int spin_avx512vnni(
    long rounds) {
  __asm__ volatile(
      "vpxord %%zmm20, %%zmm20, %%zmm20\n vpxord %%zmm21, %%zmm21, %%zmm21\n"
      "1:\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm0\n vpdpbusd %%zmm20, %%zmm21, %%zmm1\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm2\n vpdpbusd %%zmm20, %%zmm21, %%zmm3\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm4\n vpdpbusd %%zmm20, %%zmm21, %%zmm5\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm6\n vpdpbusd %%zmm20, %%zmm21, %%zmm7\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm8\n vpdpbusd %%zmm20, %%zmm21, %%zmm9\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm10\n vpdpbusd %%zmm20, %%zmm21, %%zmm11\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm12\n vpdpbusd %%zmm20, %%zmm21, %%zmm13\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm14\n vpdpbusd %%zmm20, %%zmm21, %%zmm15\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm16\n vpdpbusd %%zmm20, %%zmm21, %%zmm17\n"
      "vpdpbusd %%zmm20, %%zmm21, %%zmm18\n vpdpbusd %%zmm20, %%zmm21, %%zmm19\n"
      "dec %0\n jnz 1b\n"
      : "+r"(rounds)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19",
        "xmm20", "xmm21");
  return static_cast<int>(rounds);
}

[[gnu::target("avx2"), gnu::noinline]] int spin_avx2(long rounds) {
  constexpr int few = 12;
  __m256i sum[few];
#pragma GCC unroll 12
  for (int i = 0; i < few; ++i) sum[i] = _mm256_set1_epi32(i);
  __m256i x = _mm256_set1_epi32(0x00010001), w = _mm256_set1_epi32(0x00020001);
  for (long r = 0; r < rounds; ++r) {
    __asm__ volatile("" : "+x"(x), "+x"(w));
#pragma GCC unroll 12
    for (int i = 0; i < few; ++i) sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(x, w));
  }
  __m256i all = sum[0];
#pragma GCC unroll 12
  for (int i = 1; i < few; ++i) all = _mm256_add_epi32(all, sum[i]);
  return _mm256_extract_epi32(all, 0);
}

double best_rate(int (*spin)(long), double macs_a_round, double seconds) {
  volatile int sink = 0;
  double best = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    constexpr long rounds = 20000;
    const auto start = std::chrono::steady_clock::now();
    sink = sink + spin(rounds);
    const auto end = std::chrono::steady_clock::now();
    best = std::max(best, macs_a_round * static_cast<double>(rounds) /
                              std::chrono::duration<double>(end - start).count());
    if (std::chrono::duration<double>(end - begin).count() > seconds) return best;
  }
}
#endif

}  // namespace

PeakRate measure_peak([[maybe_unused]] double seconds) {
#if defined(__x86_64__)
  if (runs_here(Isa::avx512vnni))
    return {best_rate(spin_avx512vnni, chains * 64.0, seconds), "vpdpbusd zmm"};
  if (runs_here(Isa::avx2)) return {best_rate(spin_avx2, 12 * 16.0, seconds), "vpmaddwd ymm"};
#endif
  return {};
}

}  // namespace lockstep
