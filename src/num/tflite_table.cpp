#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "num/activation.h"
#include "num/cmsis_nn.h"
#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"
#include "num/tflite_wide.h"

namespace lockstep {
namespace {

// N64: f in float32 between the steps of x and y; 8-bit codes.
template <class F>
void fill_narrow(const TableScales& s, std::span<std::int32_t> table, F&& f) {
  const auto x_scale = static_cast<float>(s.x_scale);
  const float inverse = 1 / static_cast<float>(s.y_scale);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const float real =
        x_scale * static_cast<float>(s.x_low + static_cast<std::int32_t>(i) - s.x_zero);
    const float code = std::round(f(real) * inverse) + static_cast<float>(s.y_zero);
    // Held in float32, so that what is beyond 32 bits is the greatest code.
    table[i] = clamp_code(
        nearest_away(std::clamp(code, static_cast<float>(s.low), static_cast<float>(s.high))),
        s.low, s.high);
  }
}

template <class F>
void fill(const TableScales& s, std::span<std::int32_t> table, F&& f) {
  if (table.size() <= 256) return fill_narrow(s, table, f);
  const auto samples = samples16<float>(static_cast<float>(s.x_scale), s.x_zero,
                                        static_cast<float>(s.y_scale), s.y_zero, f);
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = between_samples(samples, static_cast<std::int32_t>(i) - 32768);
}

void sigmoid(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() <= 256)
    return fill_narrow(s, table, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
  const WideInput w = wide_input(s.x_scale, 1);
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = wide_sigmoid(static_cast<std::int32_t>(i) - 32768, w);
}

void tanh(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() <= 256) return fill_narrow(s, table, [](float x) { return std::tanh(x); });
  const WideInput w = wide_input(s.x_scale, 2);
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = wide_tanh(static_cast<std::int32_t>(i) - 32768, w);
}

void exponential(const TableScales& s, std::span<std::int32_t> table) {
  fill(s, table, [](float x) { return std::exp(x); });
}

// Not above zero there is no logarithm: the least code's real stands there.
void logarithm(const TableScales& s, std::span<std::int32_t> table) {
  const float least = static_cast<float>(s.low - s.y_zero) * static_cast<float>(s.y_scale);
  fill(s, table, [&](float x) { return x <= 0 ? least : std::log(x); });
}

void elu(const TableScales& s, std::span<std::int32_t> table) {
  fill(s, table, [](float x) { return x < 0 ? std::expm1(x) : x; });
}

constexpr float root_half = 0.70710678118654752440f;
void gelu(const TableScales& s, std::span<std::int32_t> table) {
  fill(s, table, [](float x) { return 0.5f * x * std::erfc(x * -root_half); });
}
void gelu_tanh(const TableScales& s, std::span<std::int32_t> table) {
  constexpr float slope = static_cast<float>(1.12837916709551257390 * 0.70710678118654752440);
  fill(s, table,
       [](float x) { return 0.5f * x * (1.f + std::tanh(slope * (x + 0.044715f * x * x * x))); });
}

std::int32_t code_at(const TableScales& s, std::size_t i) {
  return s.x_low + static_cast<std::int32_t>(i) - s.x_zero;
}

// N66: alpha and beta are the bounds; an infinite beta leaves the type's own.
void bounded_relu(const TableScales& s, std::span<std::int32_t> table) {
  const auto y_scale = static_cast<float>(s.y_scale);
  const Rescale r = fixed_multiplier(static_cast<float>(s.x_scale) / y_scale);
  const auto code = [&](double bound) {
    return s.y_zero + nearest_away(static_cast<float>(bound) / y_scale);
  };
  const std::int32_t low = std::max(s.low, code(s.alpha));
  const std::int32_t high = std::isinf(s.beta) ? s.high : std::min(s.high, code(s.beta));
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = std::min(std::max(low, s.y_zero + rescale_twice(code_at(s, i), r)), high);
}

void leaky_relu(const TableScales& s, std::span<std::int32_t> table) {
  const auto x_scale = static_cast<float>(s.x_scale), y_scale = static_cast<float>(s.y_scale);
  const Rescale above = fixed_multiplier(x_scale / y_scale);
  const double slope = x_scale * static_cast<float>(s.alpha) / y_scale;
  const Rescale below = fixed_multiplier(std::abs(slope));
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = code_at(s, i);
    const std::int32_t y = x >= 0      ? rescale_twice(x, above)
                           : slope < 0 ? -rescale_twice(x, below)
                                       : rescale_twice(x, below);
    table[i] = clamp_code(std::int64_t{s.y_zero} + y, s.low, s.high);
  }
}

std::int16_t saturate16(std::int64_t v) {
  return static_cast<std::int16_t>(clamp_code(v, -32768, 32767));
}
// 16-bit fraction products: half up, and truncated.
std::int16_t high_mul16(std::int16_t a, std::int16_t b) {
  const std::int32_t product = std::int32_t{a} * b;
  return saturate16((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}
std::int16_t high_mul16_truncated(std::int16_t a, std::int16_t b) {
  return saturate16(std::int32_t{a} * b / (1 << 15));
}
std::int16_t cut_to_16(std::int32_t multiplier) {
  constexpr std::int32_t rest = 1 << 15;
  if (multiplier >= std::numeric_limits<std::int32_t>::max() - rest)
    return std::numeric_limits<std::int16_t>::max();
  return static_cast<std::int16_t>((multiplier + rest) >> 16);
}

void hard_swish(const TableScales& s, std::span<std::int32_t> table) {  // N67
  const float fine = (1.0f / 128.0f) * static_cast<float>(s.x_scale);
  const Rescale out = fixed_multiplier(fine / static_cast<float>(s.y_scale));
  const Rescale gate = fixed_multiplier(fine / (3.0f / 32768.0f));
  const std::int16_t out16 = cut_to_16(out.multiplier), gate16 = cut_to_16(gate.multiplier);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto x = static_cast<std::int16_t>(code_at(s, i) * 128);
    const std::int16_t scaled = high_mul16(x, out16);
    std::int16_t g = x;
    if (gate.shift > 0) g = saturate16(std::int64_t{g} << (gate.shift - 1));
    g = high_mul16(g, gate16);
    if (gate.shift > 0) g = saturate16(std::int64_t{g} << 1);
    if (gate.shift < 0) g = static_cast<std::int16_t>(divide_by_any_power(g, -gate.shift, 16));
    g = static_cast<std::int16_t>((g + (1 << 15)) >> 1);
    const std::int16_t product = high_mul16_truncated(g, scaled);
    table[i] = clamp_code(std::int64_t{divide_by_any_power(product, -out.shift, 16)} + s.y_zero,
                          s.low, s.high);
  }
}

void absolute(const TableScales& s, std::span<std::int32_t> table) {
  const Rescale r = fixed_multiplier(static_cast<float>(s.x_scale) / static_cast<float>(s.y_scale));
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = std::abs(code_at(s, i));
    table[i] = clamp_code(std::int64_t{s.x_scale == s.y_scale ? x : rescale_twice(x, r)} + s.y_zero,
                          s.low, s.high);
  }
}

// The code itself is negated, whatever its zero point; the least stays.
void negated(const TableScales& s, std::span<std::int32_t> table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = s.x_low + static_cast<std::int32_t>(i);
    table[i] = -x > s.high ? x : -x;
  }
}

void square_root(const TableScales& s, std::span<std::int32_t> table) {
  const auto x_scale = static_cast<float>(s.x_scale), y_scale = static_cast<float>(s.y_scale);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const float real = x_scale * static_cast<float>(code_at(s, i));
    table[i] = real < 0 ? s.low
                        : clamp_code(static_cast<std::int32_t>(std::sqrt(real) / y_scale) +
                                         std::int64_t{s.y_zero},
                                     s.low, s.high);
  }
}

// N71
void inverse_root_in_integers(const TableScales& s, std::span<std::int32_t> table) {
  const Rescale r = fixed_multiplier(
      1. / (std::sqrt(static_cast<float>(s.x_scale)) * static_cast<float>(s.y_scale)));
  constexpr int fine = 20;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = code_at(s, i);
    table[i] = x < 0 ? s.low : s.high;
    if (x <= 0) continue;
    std::int32_t multiplier = 0;
    int shift = 0;
    inverse_sqrt(x, multiplier, shift);
    const std::int32_t root = rescale_twice(1, multiplier, shift + fine);
    table[i] = clamp_code(
        std::int64_t{rescale_twice(root, r.multiplier, r.shift - fine)} + s.y_zero, s.low, s.high);
  }
}
// 16-bit codes by samples.
void inverse_root(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() <= 256) return inverse_root_in_integers(s, table);
  const float most = 32767 * static_cast<float>(s.y_scale);
  fill(s, table, [&](float x) { return x <= 0 ? most : 1.0f / std::sqrt(x); });
}

}  // namespace

float tflite_float_sigmoid(float x) {
  if (x > 16.619047164916992188f) return 1.0f;
  return x < -9.f ? std::exp(x) : 1.f / (1.f + std::exp(-x));
}

const TablePolicy tflite_sigmoid = {"tflite-sigmoid", sigmoid};
const TablePolicy tflite_tanh = {"tflite-tanh", tanh};
const TablePolicy tflite_exp = {"tflite-exp", exponential};
const TablePolicy tflite_log = {"tflite-log", logarithm};
const TablePolicy tflite_elu = {"tflite-elu", elu};
const TablePolicy tflite_gelu = {"tflite-gelu", gelu};
const TablePolicy tflite_gelu_tanh = {"tflite-gelu-tanh", gelu_tanh};
const TablePolicy tflite_bounded_relu = {"tflite-bounded-relu", bounded_relu};
const TablePolicy tflite_leaky_relu = {"tflite-leaky-relu", leaky_relu};
const TablePolicy tflite_hard_swish = {"tflite-hard-swish", hard_swish};
const TablePolicy tflite_abs = {"tflite-abs", absolute};
const TablePolicy tflite_neg = {"tflite-neg", negated};
const TablePolicy tflite_sqrt = {"tflite-sqrt", square_root};
const TablePolicy tflite_rsqrt = {"tflite-rsqrt", inverse_root};
const TablePolicy tflm_rsqrt = {"tflm-rsqrt", inverse_root_in_integers};

}  // namespace lockstep
