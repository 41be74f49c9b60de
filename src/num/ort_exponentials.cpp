#include "num/ort_exponentials.h"

#include <bit>
#include <cmath>
#include <cstdint>

#pragma GCC push_options
#pragma GCC optimize("O3", "fp-contract=off")

namespace lockstep {
namespace {

constexpr std::size_t lanes = 16;

[[gnu::always_inline]] inline float power_of_two(std::int32_t e) {
  return std::bit_cast<float>((e + 127) << 23);
}

// 2^m times p in two steps of which the first is exact and the second rounds, as one would: results
// may be denormal.
[[gnu::always_inline]] inline float exponential(float x) {
  constexpr float magic = 12582912.0f;
  const float v = x < -103.9720840454f ? -103.9720840454f : x;
  const float m = std::fma(v, 1.44269504088896341f, magic) - magic;
  const float r = std::fma(m, -1.42860677e-6f, std::fma(m, -6.93145752e-1f, v));
  float p = 0x1.694000p-10f;
  p = std::fma(p, r, 0x1.125edcp-7f);
  p = std::fma(p, r, 0x1.555b5ap-5f);
  p = std::fma(p, r, 0x1.555450p-3f);
  p = std::fma(p, r, 0x1.fffff6p-2f);
  p = std::fma(p, r, 1.0f);
  p = std::fma(p, r, 1.0f);
  const auto whole = static_cast<std::int32_t>(m);
  const std::int32_t first = whole < -125 ? -125 : whole > 0 ? 0 : whole;
  const std::int32_t rest = whole - first < -126 ? -126 : whole - first > 0 ? 0 : whole - first;
  return p * power_of_two(first) * power_of_two(rest);
}

struct Row {
  const float* x;
  float* y;
  std::size_t count;
};

[[gnu::always_inline]] inline float sum_of_exponentials(const Row& r, float top) {
  const float less = -top;
  for (std::size_t i = 0; i < r.count; ++i) r.y[i] = exponential(r.x[i] + less);
  float lane[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= r.count; i += lanes)
    for (std::size_t l = 0; l < lanes; ++l) lane[l] = lane[l] + r.y[i + l];
  for (std::size_t l = 0; i + l < r.count; ++l) lane[l] = lane[l] + r.y[i + l];
  float half[8];
  for (std::size_t l = 0; l < 8; ++l) half[l] = lane[l + 8] + lane[l];
  return ((half[0] + half[1]) + (half[2] + half[3])) + ((half[4] + half[5]) + (half[6] + half[7]));
}

[[gnu::always_inline]] inline float greatest_of(const float* x, std::size_t count) {
  float lane[lanes];
  for (float& l : lane) l = x[0];
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (std::size_t l = 0; l < lanes; ++l) lane[l] = lane[l] < x[i + l] ? x[i + l] : lane[l];
  for (; i < count; ++i) lane[0] = lane[0] < x[i] ? x[i] : lane[0];
  float most = lane[0];
  for (const float l : lane) most = most < l ? l : most;
  return most;
}
[[gnu::always_inline]] inline void scale(float* y, std::size_t count, float factor) {
  for (std::size_t i = 0; i < count; ++i) y[i] = y[i] * factor;
}

struct Steps {
  float (*sum)(const Row&, float);
  float (*greatest)(const float*, std::size_t);
  void (*scale)(float*, std::size_t, float);
};
float sum_portable(const Row& r, float top) {
  return sum_of_exponentials(r, top);
}
float greatest_portable(const float* x, std::size_t n) {
  return greatest_of(x, n);
}
void scale_portable(float* y, std::size_t n, float factor) {
  scale(y, n, factor);
}
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] float sum_avx2(const Row& r, float top) {
  return sum_of_exponentials(r, top);
}
[[gnu::target("avx2,fma")]] float greatest_avx2(const float* x, std::size_t n) {
  return greatest_of(x, n);
}
[[gnu::target("avx2,fma")]] void scale_avx2(float* y, std::size_t n, float factor) {
  scale(y, n, factor);
}
[[gnu::target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] float
sum_avx512(const Row& r, float top) {
  return sum_of_exponentials(r, top);
}
#endif

const Steps& steps() {
  static const Steps fastest = [] {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
      return Steps{wide ? sum_avx512 : sum_avx2, greatest_avx2, scale_avx2};
    }
#endif
    return Steps{sum_portable, greatest_portable, scale_portable};
  }();
  return fastest;
}

}  // namespace

float ort_greatest(std::span<const float> x) {
  return steps().greatest(x.data(), x.size());
}
float ort_exponentials(std::span<const float> x, float top, std::span<float> y) {
  return steps().sum({x.data(), y.data(), x.size()}, top);
}
void ort_scale(std::span<float> y, float factor) {
  steps().scale(y.data(), y.size(), factor);
}

}  // namespace lockstep

#pragma GCC pop_options
