#include <algorithm>
#include <cmath>

#include "num/tflite_fixed.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// N55: real multiplier in double, one for each output channel.
Rescale conv_prepare(double x, double w, double y) {
  return fixed_multiplier(x * w / y);
}

// N56: the product of the two steps is rounded to float32 first.
Rescale unsigned_prepare(double x, double w, double y) {
  const float product = static_cast<float>(x) * static_cast<float>(w);
  return fixed_multiplier(static_cast<double>(product) / y);
}

// N70: as N60, in float32 throughout.
Rescale state_prepare(double x, double w, double y) {
  return fixed_multiplier(static_cast<float>(x) * static_cast<float>(w) / static_cast<float>(y));
}

std::int32_t twice(std::int32_t acc, const Rescale& r) {
  return rescale_twice(acc, r);
}

// N57: a double multiplier, rounded once, ties away from zero.
Rescale dense_prepare(double x, double w, double y) {
  Rescale r;
  r.real = x * w / y;
  return r;
}

std::int32_t to_int32(double real) {
  const double n = std::round(real);
  return n >= -2147483648.0 && n <= 2147483647.0 ? static_cast<std::int32_t>(n)
                                                 : std::numeric_limits<std::int32_t>::min();
}
std::int32_t dense_apply(std::int32_t acc, const Rescale& r) {
  return to_int32(acc * r.real);
}
std::int32_t dense_apply_wide(std::int64_t acc, const Rescale& r) {
  return to_int32(static_cast<double>(acc) * r.real);
}

// N69: the greatest magnitude becomes 127; ties away from zero.
void symmetric(std::span<const float> x, std::span<std::int8_t> codes, float& scale) {
  const auto [low, high] = std::ranges::minmax(x);
  const float range = std::max(std::abs(low), std::abs(high));
  std::ranges::fill(codes, std::int8_t{0});
  scale = range == 0 ? 1.f : range / 127;
  if (range == 0) return;
  const float inverse = 127 / range;
  for (std::size_t i = 0; i < x.size(); ++i)
    codes[i] = static_cast<std::int8_t>(clamp_code(nearest_away(x[i] * inverse), -127, 127));
}

// N69: [min, max] with zero inside becomes [-128, 127]; the zero point is a code.
void asymmetric(std::span<const float> x, std::span<std::int8_t> codes, float& scale,
                std::int32_t& zero) {
  const auto [low, high] = std::ranges::minmax(x);
  const double least = std::min(0.f, low), most = std::max(0.f, high);
  std::ranges::fill(codes, std::int8_t{0});
  scale = 1;
  zero = 0;
  if (least == most) return;
  const double step = (most - least) / 255.0;
  const double from_least = -128.0 - least / step, from_most = 127.0 - most / step;
  const double error_least = 128.0 + std::abs(least / step),
               error_most = 127.0 + std::abs(most / step);
  const double nudged = error_least < error_most ? from_least : from_most;
  zero = nudged <= -128.0  ? -128
         : nudged >= 127.0 ? 127
                           : static_cast<std::int32_t>(std::round(nudged));
  scale = static_cast<float>(step);
  const float inverse = 1.0f / scale;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float shifted = static_cast<float>(zero) + x[i] * inverse;
    codes[i] = static_cast<std::int8_t>(clamp_code(nearest_away(shifted), -128, 127));
  }
}

}  // namespace

const RequantPolicy tflite_conv = {"tflite-conv", conv_prepare, twice, rescale_wide};
const RequantPolicy tflite_conv_unsigned = {"tflite-conv-unsigned", unsigned_prepare, twice};
const RequantPolicy tflite_dense = {"tflite-dense", dense_prepare, dense_apply, dense_apply_wide};
const RequantPolicy tflite_matmul = {"tflite-matmul", unsigned_prepare, twice, rescale_wide};
const RequantPolicy tflite_state = {"tflite-state", state_prepare, twice};
const HybridPolicy tflite_hybrid = {"tflite-hybrid", symmetric, asymmetric};

}  // namespace lockstep
