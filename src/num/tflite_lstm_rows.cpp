#include <algorithm>
#include <limits>

#include "num/lstm.h"
#include "num/tflite_fixed.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

// Numbers of 16 bits in 32-bit lanes: the steps of tflite_functions.cpp without branches, so that a
// row of them becomes vectors.
using Lane = std::int32_t;

[[gnu::always_inline]] inline Lane wrapped(Lane v) {
  return static_cast<std::int16_t>(v);
}
[[gnu::always_inline]] inline Lane saturated(Lane v) {
  return std::min(std::max(v, -32768), 32767);
}
[[gnu::always_inline]] inline Lane multiply(Lane a, Lane b) {
  return std::min((a * b + (1 << 14)) >> 15, 32767);
}
// N52 for a fixed power.
template <int power>
[[gnu::always_inline]] inline Lane lowered(Lane x) {
  constexpr Lane mask = (1 << power) - 1;
  return (x >> power) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
}
constexpr Lane constant(std::int32_t q31) {
  return divide_by_power(q31, 16);
}

[[gnu::always_inline]] inline Lane exp_near_zero(Lane a) {
  constexpr Lane at_eighth = constant(1895147668), third = constant(715827883);
  const Lane x = wrapped(a + (1 << 12)), x2 = multiply(x, x), x3 = multiply(x2, x);
  const Lane quarter = lowered<2>(multiply(x2, x2));
  const Lane tail = lowered<1>(wrapped(multiply(wrapped(quarter + x3), third) + x2));
  return saturated(at_eighth + multiply(at_eighth, wrapped(x + tail)));
}

// 2 / (1 + x), x in [0, 1] of Q0.
[[gnu::always_inline]] inline Lane newton(Lane x) {
  const Lane half = (x + 32767 + 1) >> 1;
  Lane y = wrapped(constant(1515870810) + multiply(half, constant(-1010580540)));
  for (int i = 0; i < 3; ++i) {
    const Lane rest = wrapped((1 << 13) - multiply(half, y));
    y = wrapped(y + saturated(multiply(y, rest) * 4));
  }
  return y;
}

template <int exponent, int bits>
[[gnu::always_inline]] inline Lane times_power(Lane result, Lane rest) {
  constexpr std::int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
  if constexpr (exponent >= std::min(bits, 5)) {
    return result;
  } else {
    constexpr Lane factor = constant(factors[exponent + 2]);
    const Lane smaller = multiply(result, factor);
    return times_power<exponent + 1, bits>(
        ((rest >> (15 - bits + exponent)) & 1) != 0 ? smaller : result, rest);
  }
}

// exp(a), a <= 0 with `bits` integer bits.
template <int bits>
[[gnu::always_inline]] inline Lane exp_of(Lane a) {
  constexpr Lane quarter = 1 << (15 - bits - 2);
  const Lane low = wrapped((a & (quarter - 1)) - quarter);
  const Lane result =
      times_power<-2, bits>(exp_near_zero(saturated(low * (1 << bits))), wrapped(low - a));
  if constexpr (bits > 5) {
    const Lane cut = a < -(32 << (15 - bits)) ? 0 : result;
    return a == 0 ? 32767 : cut;
  }
  return a == 0 ? 32767 : result;
}

[[gnu::always_inline]] inline void sigmoid_lanes(const std::int16_t* x, std::int16_t* y,
                                                 std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const Lane v = x[i], minus_size = v > 0 ? -v : v;
    const Lane positive = saturated(newton(exp_of<3>(minus_size)) * 2);
    const Lane result = v > 0 ? positive : 32767 - positive;
    y[i] = static_cast<std::int16_t>(v == 0 ? 1 << 14 : result);
  }
}

template <int bits>
[[gnu::always_inline]] inline void tanh_lanes(const std::int16_t* x, std::int16_t* y,
                                              std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const Lane v = x[i], minus_size = v > 0 ? -v : v;
    const Lane size = saturated(wrapped(newton(exp_of<bits + 1>(minus_size)) - (1 << 13)) * 4);
    const Lane result = v > 0 ? size : -size;
    y[i] = static_cast<std::int16_t>(v == 0 ? 0 : result);
  }
}

[[gnu::always_inline]] inline void tanh_lanes(const std::int16_t* x, int integer_bits,
                                              std::int16_t* y, std::int64_t n) {
  switch (integer_bits) {
    case 0:
      return tanh_lanes<0>(x, y, n);
    case 1:
      return tanh_lanes<1>(x, y, n);
    case 2:
      return tanh_lanes<2>(x, y, n);
    case 3:
      return tanh_lanes<3>(x, y, n);
    case 4:
      return tanh_lanes<4>(x, y, n);
    case 5:
      return tanh_lanes<5>(x, y, n);
    default:
      return tanh_lanes<6>(x, y, n);
  }
}

// N53; a multiplier below 2^31 leaves nothing to saturate. The product is moved into the positive
// numbers, where its shift is one without sign.
template <bool adds>
[[gnu::always_inline]] inline void accumulate_lanes(const std::int32_t* acc, const Rescale& r,
                                                    const std::int16_t* before, std::int16_t* y,
                                                    std::int64_t n) {
  const int left = std::max(r.shift, 0), right = std::max(-r.shift, 0);
  const std::int32_t multiplier = r.multiplier;
  const Lane mask = static_cast<Lane>((std::int64_t{1} << right) - 1), half = mask >> 1;
  constexpr std::int64_t up = (std::int64_t{1} << 62) + (std::int64_t{1} << 30);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto wide = static_cast<std::int32_t>(static_cast<std::uint32_t>(acc[i]) << left);
    const auto moved = static_cast<std::uint64_t>(std::int64_t{wide} * multiplier + up) >> 31;
    const auto high = static_cast<std::int32_t>(static_cast<std::uint32_t>(moved) - 0x80000000u);
    const Lane scaled = (high >> right) + ((high & mask) > half + (high < 0 ? 1 : 0) ? 1 : 0);
    const auto sum = static_cast<std::uint32_t>(scaled) +
                     static_cast<std::uint32_t>(adds ? std::int32_t{before[i]} : 0);
    y[i] = static_cast<std::int16_t>(saturated(static_cast<Lane>(sum)));
  }
}

[[gnu::always_inline]] inline void accumulate_lanes(const std::int32_t* acc, const Rescale& r,
                                                    const std::int16_t* before, std::int16_t* y,
                                                    std::int64_t n) {
  if (before)
    accumulate_lanes<true>(acc, r, before, y, n);
  else
    accumulate_lanes<false>(acc, r, before, y, n);
}

enum class Step : std::uint8_t { accumulate, sigmoid, tanh };
struct Row {
  Step step;
  const std::int32_t* acc;
  Rescale rescale;
  const std::int16_t* x;  // before
  int integer_bits;
  std::int16_t* y;
  std::int64_t n;
};
[[gnu::always_inline]] inline void lanes(const Row& r) {
  if (r.step == Step::accumulate) return accumulate_lanes(r.acc, r.rescale, r.x, r.y, r.n);
  if (r.step == Step::sigmoid) return sigmoid_lanes(r.x, r.y, r.n);
  tanh_lanes(r.x, r.integer_bits, r.y, r.n);
}
void row_portable(const Row& r) {
  lanes(r);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void row_avx2(const Row& r) {
  lanes(r);
}
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void row_avx512(
    const Row& r) {
  lanes(r);
}
#endif

void run(const Row& r) {
#if defined(__x86_64__)
  static const auto picked = __builtin_cpu_supports("avx512bw") &&
                                     __builtin_cpu_supports("avx512dq") &&
                                     __builtin_cpu_supports("avx512vl")
                                 ? row_avx512
                             : __builtin_cpu_supports("avx2") ? row_avx2
                                                              : row_portable;
  picked(r);
#else
  row_portable(r);
#endif
}

}  // namespace

void tflite_accumulate_row(const std::int32_t* acc, const Rescale& r, const std::int16_t* before,
                           std::int16_t* y, std::int64_t n) {
  run({Step::accumulate, acc, r, before, 0, y, n});
}
void tflite_sigmoid_row(const std::int16_t* x, std::int16_t* y, std::int64_t n) {
  run({Step::sigmoid, nullptr, {}, x, 0, y, n});
}
void tflite_tanh_row(const std::int16_t* x, int integer_bits, std::int16_t* y, std::int64_t n) {
  run({Step::tanh, nullptr, {}, x, integer_bits, y, n});
}

}  // namespace lockstep

#pragma GCC pop_options
