#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "num/activation.h"
#include "num/device_tables.h"
#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"

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
    table[i] = clamp_code(nearest_away(std::clamp(code, static_cast<float>(s.low), static_cast<float>(s.high))), s.low, s.high);
  }
}

// N72: 513 samples of f over the 16-bit codes, each moved by half the error that a straight line
// makes in the middle of its piece; between them straight lines in integers.
template <class Real, class F>
std::vector<std::int32_t> samples16(Real x_scale, std::int32_t x_zero, Real y_scale,
                                    std::int32_t y_zero, F&& f) {
  const Real x_min = x_scale * static_cast<Real>(-32768 - x_zero),
             x_max = x_scale * static_cast<Real>(32767 - x_zero);
  const Real y_min = y_scale * static_cast<Real>(-32768 - y_zero),
             y_max = y_scale * static_cast<Real>(32767 - y_zero);
  const Real step = (x_max - x_min) / 512, half = step / 2, inverse = 65536 / (y_max - y_min);
  std::vector<std::int32_t> out(513);
  const auto bounded = [](Real v) {
    return static_cast<std::int32_t>(std::min<Real>(std::max<Real>(v, -32768), 32767));
  };
  for (int i = 0; i < 512; ++i) {
    const Real at = x_min + static_cast<Real>(i) * step;
    const Real here = f(at), middle = f(at + half),
               next = f(x_min + static_cast<Real>(i + 1) * step);
    const Real line = std::round((next * inverse + std::round(here * inverse)) / 2);
    const Real error = line - std::round(middle * inverse);
    out[static_cast<std::size_t>(i)] = bounded(std::round(here * inverse) - std::round(error / 2));
  }
  out[512] = bounded(std::round(f(x_max) * inverse));
  return out;
}

std::int32_t between(const std::vector<std::int32_t>& samples, std::int32_t code) {
  const auto index = static_cast<std::size_t>(256 + (code >> 7));
  const std::int32_t slope = static_cast<std::int16_t>(samples[index + 1] - samples[index]);
  return static_cast<std::int16_t>(samples[index] + ((slope * (code & 0x7f) + 64) >> 7));
}

template <class F>
void fill(const TableScales& s, std::span<std::int32_t> table, F&& f) {
  if (table.size() <= 256) return fill_narrow(s, table, f);
  const auto samples = samples16<float>(static_cast<float>(s.x_scale), s.x_zero,
                                        static_cast<float>(s.y_scale), s.y_zero, f);
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = between(samples, static_cast<std::int32_t>(i) - 32768);
}

// N72: 256 values of 65536 * sigmoid(i / 24), each moved by a sixteenth of the second difference.
std::uint32_t sigmoid_sample(std::uint32_t i) {
  const auto f = [](double k) { return 65536 / (1 + std::exp(-k / 24)); };
  if (i == 255) return 65535;
  const double k = i;
  return static_cast<std::uint32_t>(std::floor(f(k) - (f(k + 1) + f(k - 1) - 2 * f(k)) / 16 + 0.5));
}

// N72: x * 3 * 4096 in integers. `powers` are the shifts with which a step that is a power of two
// is used as it is.
struct WideInput {
  std::int32_t multiplier, shift;
};
WideInput wide_input(double x_scale, int powers) {
  const float log2 = std::log(static_cast<float>(x_scale)) * (1.0f / std::log(2.0f));
  const bool power = std::abs(log2 - std::round(log2)) < 1e-3f;
  const int left = 12 + nearest_away(log2);
  if (power && left >= 0 && left < powers) return {3 << left, 0};
  double multiplier = x_scale * 4096.0 * 3.0;
  std::int32_t shift = 0;
  for (; multiplier <= 32767.0 / 2.0 && shift <= 30; ++shift) multiplier *= 2;
  return {static_cast<std::int32_t>(multiplier), shift};
}

// The sigmoid of |x| between samples 2^bits apart, with `bits` fraction bits more than the samples.
std::int32_t wide_sigmoid(std::uint32_t magnitude, int bits, std::int32_t limit) {
  const std::uint32_t index = magnitude >> bits;
  if (index >= 255) return limit;
  static const auto samples = [] {
    std::vector<std::uint32_t> v(256);
    for (std::uint32_t i = 0; i < 256; ++i) v[i] = sigmoid_sample(i);
    return v;
  }();
  const std::uint32_t fraction = magnitude & ((1u << bits) - 1);
  return static_cast<std::int32_t>((samples[index] << bits) +
                                   fraction * (samples[index + 1] - samples[index]));
}

std::int32_t scaled_input(std::int32_t code, const WideInput& w) {
  const std::int32_t round = w.shift > 0 ? 1 << (w.shift - 1) : 0;
  return (code * w.multiplier + round) >> w.shift;
}

void sigmoid(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() <= 256)
    return fill_narrow(s, table, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
  const WideInput w = wide_input(s.x_scale, 1);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = scaled_input(static_cast<std::int32_t>(i) - 32768, w);
    const std::int32_t y = wide_sigmoid(static_cast<std::uint32_t>(std::abs(x)), 9, 0x7fff << 10);
    table[i] =
        static_cast<std::int16_t>((x >= 0 ? y + (1 << 9) : (1 << 25) - y + (1 << 9) - 1) >> 10);
  }
}

void tanh(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() <= 256) return fill_narrow(s, table, [](float x) { return std::tanh(x); });
  const WideInput w = wide_input(s.x_scale, 2);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = scaled_input(static_cast<std::int32_t>(i) - 32768, w);
    const std::int32_t y = wide_sigmoid(static_cast<std::uint32_t>(std::abs(x)), 8, 0xffff << 8);
    table[i] = static_cast<std::int16_t>(
        (x >= 0 ? y - (1 << 23) + (1 << 7) : -y + (1 << 23) + (1 << 7) - 1) >> 8);
  }
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
    table[i] =
        clamp_code(std::int64_t{divide_by_any_power(product, -out.shift, 16)} + s.y_zero, s.low, s.high);
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

// N71; 16-bit codes by samples.
void inverse_root(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() > 256) {
    const float most = 32767 * static_cast<float>(s.y_scale);
    return fill(s, table, [&](float x) { return x <= 0 ? most : 1.0f / std::sqrt(x); });
  }
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

std::vector<std::int32_t> exponential_samples() {
  return samples16<double>(10.0 / 65535, 32767, 2.0 / 65535, 0,
                           [](double v) { return std::exp(v); });
}
std::vector<std::int32_t> inverses() {
  return samples16<double>(1.0 / 65535, -32768, 2.0 / 65535, 0,
                           [](double v) { return 1.0 / (1.0 + v); });
}

// N72: differences in units of 10/65535, exp and 1/(1+x) by samples taken in double.
void softmax16(std::span<const std::int32_t> x, std::span<std::int32_t> y, const SoftmaxScales& s) {
  static const auto exp_samples = exponential_samples(), inverse_samples = inverses();
  const Rescale r = tflite_wide_differences(s);
  const std::int32_t greatest = std::ranges::max(x);
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t diff = rescale_twice(x[i] - greatest, r) + 32767;
    y[i] = between(exp_samples, clamp_code(diff, -32768, 32767));
    sum += y[i];
  }
  const int headroom = leading_zeros(static_cast<std::uint32_t>(sum));
  const auto shifted =
      static_cast<std::int32_t>(((std::int64_t{sum} << (headroom - 1)) + (1 << 13)) >> 14);
  const std::int32_t inverse = between(
      inverse_samples, clamp_code(std::int64_t{shifted} - ((1 << 15) + (1 << 16)), -32768, 32767));
  const int down = 31 - headroom;
  for (std::int32_t& v : y) {
    const std::int64_t product = std::int64_t{v} * inverse + (std::int64_t{1} << (down - 1));
    v = clamp_code(product >> down, 0, 32767);
  }
}

}  // namespace

std::vector<std::int64_t> tflite_exponential_samples() {
  const auto v = exponential_samples();
  return {v.begin(), v.end()};
}
std::vector<std::int64_t> tflite_inverse_samples() {
  const auto v = inverses();
  return {v.begin(), v.end()};
}
std::vector<std::int64_t> tflite_sigmoid_samples() {
  std::vector<std::int64_t> v;
  for (std::uint32_t i = 0; i < 256; ++i) v.push_back(sigmoid_sample(i));
  return v;
}
Rescale tflite_wide_input(double x_scale, bool tanh) {
  const WideInput w = wide_input(x_scale, tanh ? 2 : 1);
  Rescale r;
  r.multiplier = w.multiplier, r.shift = w.shift;
  return r;
}
Rescale tflite_wide_differences(const SoftmaxScales& s) {
  const float scaled = static_cast<float>(s.x_scale) * static_cast<float>(s.beta);
  return fixed_multiplier(static_cast<double>(scaled) / (10.0 / 65535.0));
}

std::optional<std::vector<std::int64_t>> straight_samples(std::span<const std::int32_t> table) {
  if (table.size() != 65536) return std::nullopt;
  std::vector<std::int32_t> samples;
  for (std::size_t i = 0; i < 512; ++i) samples.push_back(table[128 * i]);
  const auto fits = [&](std::int32_t from, std::int32_t to) {
    for (std::int32_t code = from; code < to; ++code)
      if (between(samples, code) != table[static_cast<std::size_t>(code + 32768)]) return false;
    return true;
  };
  // Of the last piece only the end is not in the table.
  const std::int32_t last = table[65535] - samples[511];
  samples.push_back(0);
  if (!fits(-32768, 32767 - 127)) return std::nullopt;
  for (std::int32_t slope = last - 2; slope <= last + 2 + last / 64; ++slope) {
    samples[512] = samples[511] + slope;
    if (samples[512] >= -32768 && samples[512] <= 32767 && fits(32767 - 127, 32768))
      return std::vector<std::int64_t>(samples.begin(), samples.end());
  }
  for (std::int32_t slope = last + 2; slope >= last - 2 + last / 64; --slope) {
    samples[512] = samples[511] + slope;
    if (samples[512] >= -32768 && samples[512] <= 32767 && fits(32767 - 127, 32768))
      return std::vector<std::int64_t>(samples.begin(), samples.end());
  }
  return std::nullopt;
}

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
const SoftmaxPolicy tflite_softmax_wide = {"tflite-softmax-wide", softmax16};

}  // namespace lockstep
