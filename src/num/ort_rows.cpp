#include "num/ort_rows.h"

#include "num/ort_float.h"
#include "num/ort_functions.h"
#include "num/ort_lanes.h"

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")

namespace lockstep {
namespace {

struct Row {
  OrtRow which;
  const float* x;
  float* y;
  std::int64_t n;
};

template <class F>
[[gnu::always_inline]] inline void each(const Row& r, F f) {
  for (std::int64_t i = 0; i < r.n; ++i) r.y[i] = f(r.x[i]);
}
[[gnu::always_inline]] inline void row(const Row& r) {
  switch (r.which) {
    case OrtRow::sigmoid:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::sigmoid(v); });
    case OrtRow::tanh:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::tanh(v); });
    case OrtRow::exp:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::exp(v); });
    case OrtRow::erf:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::erf(v); });
    case OrtRow::gelu:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::gelu(v); });
    case OrtRow::gelu_tanh:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::gelu_tanh(v); });
    case OrtRow::gru_reset:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::gru_reset(v); });
    case OrtRow::gru_output:
      return each(
          r, [](float v) __attribute__((always_inline)) { return ort_lanes::gru_output(v); });
  }
}

void row_portable(const Row& r) {
  row(r);
}
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void row_avx2(const Row& r) {
  row(r);
}
[[gnu::target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void
row_avx512(const Row& r) {
  row(r);
}
#endif

// N20: clamped first, so that adding and subtracting a large number rounds to the nearest even one.
[[gnu::always_inline]] inline void quantize(const float* x, const WideCodes& to, std::uint16_t* y,
                                            std::int64_t n) {
  constexpr float magic = 12582912.0f;
  const float low = static_cast<float>(to.low - to.zero),
              high = static_cast<float>(to.high - to.zero);
  for (std::int64_t i = 0; i < n; ++i) {
    const float v = x[i] / to.scale, number = v == v ? v : low;
    const float near = (ort_lanes::clamped(number, low, high) + magic) - magic;
    y[i] = static_cast<std::uint16_t>(static_cast<std::int32_t>(near) + to.zero);
  }
}
void quantize_portable(const float* x, const WideCodes& to, std::uint16_t* y, std::int64_t n) {
  quantize(x, to, y, n);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void quantize_avx2(const float* x, const WideCodes& to, std::uint16_t* y,
                                           std::int64_t n) {
  quantize(x, to, y, n);
}
#endif

using Run = void (*)(const Row&);
Run pick() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return row_avx512;
  if (avx2) return row_avx2;
#endif
  return row_portable;
}

}  // namespace

void ort_row(OrtRow which, const float* x, float* y, std::int64_t n) {
  static const Run run = pick();
  run({which, x, y, n});
}

void ort_quantize_row(const float* x, const WideCodes& to, std::uint16_t* y, std::int64_t n) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return quantize_avx2(x, to, y, n);
#endif
  quantize_portable(x, to, y, n);
}

void map_row(float (*f)(float), const float* x, float* y, std::int64_t n) {
  if (f == ort_sigmoid) return ort_row(OrtRow::sigmoid, x, y, n);
  if (f == ort_tanh) return ort_row(OrtRow::tanh, x, y, n);
  if (f == ort_exp) return ort_row(OrtRow::exp, x, y, n);
  if (f == ort_gru_reset) return ort_row(OrtRow::gru_reset, x, y, n);
  if (f == ort_gru_output) return ort_row(OrtRow::gru_output, x, y, n);
  for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}

}  // namespace lockstep

#pragma GCC pop_options
