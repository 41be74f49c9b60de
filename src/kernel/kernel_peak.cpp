#include "kernel/kernel_peak.h"

#if defined(__x86_64__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>
#endif

#include <algorithm>
#include <chrono>

#include "kernel/kernel.h"

namespace lockstep {
namespace {

#if defined(__x86_64__)
constexpr int chains = 20;  // independent sums: more than latency times ports

[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni"), gnu::noinline]] int spin_avx512vnni(long rounds) {
  __m512i sum[chains];
#pragma GCC unroll 20
  for (int i = 0; i < chains; ++i) sum[i] = _mm512_set1_epi32(i);
  __m512i x = _mm512_set1_epi32(0x01010101), w = _mm512_set1_epi32(0x02010201);
  for (long r = 0; r < rounds; ++r) {
    __asm__ volatile("" : "+v"(x), "+v"(w));
#pragma GCC unroll 20
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_dpbusd_epi32(sum[i], x, w);
  }
  __m512i all = sum[0];
#pragma GCC unroll 20
  for (int i = 1; i < chains; ++i) all = _mm512_add_epi32(all, sum[i]);
  alignas(64) int lanes[16];
  _mm512_store_si512(lanes, all);
  return lanes[0];
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
    best = std::max(best, macs_a_round * static_cast<double>(rounds) / std::chrono::duration<double>(end - start).count());
    if (std::chrono::duration<double>(end - begin).count() > seconds) return best;
  }
}
#endif

}  // namespace

PeakRate measure_peak([[maybe_unused]] double seconds) {
#if defined(__x86_64__)
  if (runs_here(Isa::avx512vnni)) return {best_rate(spin_avx512vnni, chains * 64.0, seconds), "vpdpbusd zmm"};
  if (runs_here(Isa::avx2)) return {best_rate(spin_avx2, 12 * 16.0, seconds), "vpmaddwd ymm"};
#endif
  return {};
}

}  // namespace lockstep
