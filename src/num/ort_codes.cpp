#include "num/ort_codes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "num/ort_float.h"

namespace lockstep {
namespace {

float clamp_real(float v, float low, float high) {
  return v < low ? low : v > high ? high : v;
}

// Nearest integer, ties to even, of a float that has been clamped.
std::int32_t nearest_even(float v) {
  return static_cast<std::int32_t>(std::nearbyintf(v));
}

// N20: code = clamp(nearest_even(clamp(real / scale, low - zero, high - zero)) + zero). NaN gives
// `low`.
std::int32_t quantize(float real, float scale, std::int32_t zero, std::int32_t low,
                      std::int32_t high) {
  const float v = real / scale, least = static_cast<float>(low - zero);
  return nearest_even(clamp_real(v == v ? v : least, least, static_cast<float>(high - zero))) +
         zero;
}

// N21: real = (code - zero) * scale.
float dequantize(std::int32_t code, float scale, std::int32_t zero) {
  return static_cast<float>(code - zero) * scale;
}

// N27: QLinearConcat: through the real number.
std::int32_t requantize(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale,
                        std::int32_t y_zero, std::int32_t low, std::int32_t high) {
  const float from = static_cast<float>(x_scale), to = static_cast<float>(y_scale);
  if (from == to && x_zero == y_zero) return code;
  return quantize(from * static_cast<float>(code - x_zero), to, y_zero, low, high);
}

// N22: factor = (x_scale * w_scale) / y_scale, each step rounded to float32.
Rescale prepare_requant(double x_scale, double w_scale, double y_scale) {
  Rescale r;
  r.factor =
      static_cast<float>(x_scale) * static_cast<float>(w_scale) / static_cast<float>(y_scale);
  return r;
}
std::int32_t apply_requant(std::int32_t acc, const Rescale& r) {
  constexpr float far = 1 << 24;  // beyond every code, inside int32
  return nearest_even(clamp_real(static_cast<float>(acc) * r.factor, -far, far));
}

BinaryState prepare_add(const BinaryScales& s) {
  BinaryState state{s, {}, {}, {}, 0};
  state.a.factor = static_cast<float>(s.a_scale) / static_cast<float>(s.y_scale);
  state.b.factor = static_cast<float>(s.b_scale) / static_cast<float>(s.y_scale);
  // N23: what does not depend on the codes; the compiler of the runtime fused the first product.
  const float zeros = std::fma(state.a.factor, static_cast<float>(s.a_zero),
                               state.b.factor * static_cast<float>(s.b_zero));
  state.y.factor = static_cast<float>(s.y_zero) - zeros;
  return state;
}
std::int32_t saturated(float v, const BinaryScales& s) {
  constexpr float far = 1 << 24;
  return std::clamp(nearest_even(clamp_real(v, -far, far)), s.low, s.high);
}
std::int32_t apply_add(std::int32_t a, std::int32_t b, const BinaryState& state) {
  const float fa = static_cast<float>(a), fb = static_cast<float>(b);
  const float v = state.s.a_is_scalar
                      ? std::fma(fb, state.b.factor, std::fma(fa, state.a.factor, state.y.factor))
                      : std::fma(fa, state.a.factor, std::fma(fb, state.b.factor, state.y.factor));
  return saturated(v, state.s);
}

// N24: factor = a_scale * b_scale / y_scale; code = nearest_even(product * factor + y_zero).
BinaryState prepare_mul(const BinaryScales& s) {
  BinaryState state{s, {}, {}, {}, 0};
  state.y.factor =
      static_cast<float>(s.a_scale) * static_cast<float>(s.b_scale) / static_cast<float>(s.y_scale);
  return state;
}
std::int32_t apply_mul(std::int32_t a, std::int32_t b, const BinaryState& state) {
  const float product = static_cast<float>((a - state.s.a_zero) * (b - state.s.b_zero));
  const float v = product * state.y.factor + static_cast<float>(state.s.y_zero);
  return saturated(v, state.s);
}

// N25: factor = x_scale / (y_scale * n).
std::int32_t apply_global_average(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  const float factor =
      static_cast<float>(s.x_scale) / (static_cast<float>(s.y_scale) * static_cast<float>(n));
  const float least = static_cast<float>(s.low - s.y_zero),
              most = static_cast<float>(s.high - s.y_zero);
  return nearest_even(clamp_real(static_cast<float>(sum - n * s.x_zero) * factor, least, most)) +
         s.y_zero;
}

// N40: reals summed one by one, divided; the zero point is added before rounding.
std::int32_t average_window(std::span<const std::int32_t> codes, std::int32_t n,
                            const AverageScales& s) {
  float sum = 0;
  for (const std::int32_t code : codes)
    sum = sum + static_cast<float>(s.x_scale) * static_cast<float>(code - s.x_zero);
  constexpr float far = 1 << 24;
  const float v =
      sum / static_cast<float>(n) / static_cast<float>(s.y_scale) + static_cast<float>(s.y_zero);
  return std::clamp(nearest_even(clamp_real(v, -far, far)), s.low, s.high);
}
std::int32_t average_sum(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  const std::int32_t distance = sum - n * s.x_zero + s.x_zero;
  return average_window(std::span(&distance, 1), n, s);
}

// N26: every code through the float function and back.
template <class F>
void fill_table(const TableScales& s, std::span<std::int32_t> table, F&& function) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t code = s.x_low + static_cast<std::int32_t>(i);
    const float real = static_cast<float>(s.x_scale) * static_cast<float>(code - s.x_zero);
    table[i] = quantize(function(real), static_cast<float>(s.y_scale), s.y_zero, s.low, s.high);
  }
}
void fill_sigmoid(const TableScales& s, std::span<std::int32_t> table) {
  fill_table(s, table, ort_sigmoid);
}
void fill_leaky_relu(const TableScales& s, std::span<std::int32_t> table) {
  const float alpha = static_cast<float>(s.alpha);
  fill_table(s, table, [alpha](float v) { return v >= 0.0f ? v : alpha * v; });
}

// N28: a table of exp((i - 255 + room) * x_scale) in float32, `room` so that a row's sum stays
// finite; the row is shifted so that its largest code reads entry 255; y = nearest_even(t * floor(1
// / y_scale) / sum) + zero.
void softmax_row(std::span<const std::int32_t> x, std::span<std::int32_t> y,
                 const SoftmaxScales& s) {
  if (x.empty()) return;
  const float x_scale = static_cast<float>(s.x_scale);
  const float per_term = std::numeric_limits<float>::max() / static_cast<float>(x.size());
  const double room = std::max(0.0, static_cast<double>(std::log(per_term)) - 5.0) / x_scale;
  const std::int32_t top = *std::ranges::max_element(x);
  const auto entry = [&](std::int32_t code) {
    return static_cast<float>(
        std::exp((static_cast<double>(code - top) + room) * static_cast<double>(x_scale)));
  };
  float sum = 0;
  for (const std::int32_t code : x) sum = sum + entry(code);
  const float y_factor = std::floor(1.0f / static_cast<float>(s.y_scale));
  // What no int32 holds becomes its least: of uint8 y_zero is left; of int8 the sum with y_zero,
  // which wraps to its greatest where y_zero is below 0.
  const std::int32_t beyond = s.low == 0 ? s.y_zero : s.y_zero < 0 ? s.high : s.low;
  for (std::size_t i = 0; i < x.size(); ++i) {
    constexpr float far = 1 << 24, most = 2147483648.0f;
    const float v = entry(x[i]) * y_factor / sum;
    y[i] = std::clamp(v >= most ? beyond : nearest_even(clamp_real(v, -far, far)) + s.y_zero, s.low,
                      s.high);
  }
}

}  // namespace

DynamicRange dynamic_range(float low, float high) {
  const float scale = high == low ? 1.0f : (high - low) / 255.0f;
  return {scale, nearest_even(clamp_real(0.0f - low / scale, 0.0f, 255.0f))};
}

float ort_to_real(std::int32_t acc, double alpha, double a_scale, double b_scale) {
  return static_cast<float>(acc) * ort_real_factor(alpha, a_scale, b_scale);
}
float ort_real_factor(double alpha, double a_scale, double b_scale) {
  const float scale = static_cast<float>(alpha) * static_cast<float>(a_scale);
  return scale * static_cast<float>(b_scale);
}

PairRange merged_pair(const PairRange& first, const PairRange& second, std::int32_t low,
                      std::int32_t high) {
  const auto least = [&](const PairRange& r) { return static_cast<float>(low - r.zero) * r.scale; };
  const auto most = [&](const PairRange& r) { return static_cast<float>(high - r.zero) * r.scale; };
  const float bottom = std::max(least(first), least(second)),
              top = std::min(most(first), most(second));
  const float scale = (top - bottom) / static_cast<float>(high - low);
  return {scale, static_cast<std::int32_t>(std::round(static_cast<float>(low) - bottom / scale))};
}

std::int32_t bias_code(float bias, float scale) {
  return static_cast<std::int32_t>(
      clamp_real(std::nearbyintf(bias / scale), -2147483648.0f, 2147483520.0f));
}

constinit const RequantPolicy ort_requant = {"ort-requant", prepare_requant, apply_requant};
constinit const BinaryPolicy ort_add = {"ort-add", prepare_add, apply_add};
constinit const BinaryPolicy ort_mul = {"ort-mul", prepare_mul, apply_mul};
constinit const QuantizePolicy ort_quantize = {"ort-quantize", quantize, dequantize, requantize};
constinit const AveragePolicy ort_average = {"ort-average", average_sum, average_window};
constinit const AveragePolicy ort_global_average = {"ort-global-average", apply_global_average};
constinit const TablePolicy ort_sigmoid_table = {"ort-sigmoid", fill_sigmoid};
constinit const TablePolicy ort_leaky_relu_table = {"ort-leaky-relu", fill_leaky_relu};
constinit const SoftmaxPolicy ort_softmax_codes = {"ort-softmax", softmax_row};

}  // namespace lockstep
