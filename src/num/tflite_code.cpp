#include <algorithm>
#include <bit>
#include <cmath>

#include "num/device_tables.h"
#include "num/softmax_fixed.h"
#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// N65: real to code: round(real / scale) in float32, ties away from zero, then the zero point.
std::int32_t quantize(float real, float scale, std::int32_t zero, std::int32_t low,
                      std::int32_t high) {
  return clamp_code(wrap32(std::int64_t{nearest_away(real / scale)} + zero), low, high);
}

// N65: code to real: the product in double, rounded to float32 once.
float dequantize(std::int32_t code, float scale, std::int32_t zero) {
  return static_cast<float>(static_cast<double>(scale) * (code - zero));
}

std::int32_t requantize(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale,
                        std::int32_t y_zero, std::int32_t low, std::int32_t high) {
  const Rescale r = fixed_multiplier(x_scale / y_scale);
  return clamp_code(wrap32(std::int64_t{rescale_twice(code - x_zero, r)} + y_zero), low, high);
}

// N61: the codes themselves are averaged (input and output share scale and zero point): nearest,
// ties away from zero.
std::int32_t average(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  const std::int32_t mean = sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n;
  return clamp_code(mean, s.low, s.high);
}

// N62: 1/n is folded into the multiplier, which keeps as many bits as it can.
std::int32_t mean(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  const Rescale r = tflite_mean_rescale(s.x_scale, s.y_scale, n);
  const std::int32_t centred = wrap32(std::int64_t{sum} - std::int64_t{s.x_zero} * n);
  return clamp_code(std::int64_t{rescale_twice(centred, r)} + s.y_zero, s.low, s.high);
}

// N62 without the division by n.
std::int32_t sum_of_codes(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  const std::int32_t centred = wrap32(std::int64_t{sum} - std::int64_t{s.x_zero} * n);
  return clamp_code(
      std::int64_t{rescale_twice(centred, fixed_multiplier(s.x_scale / s.y_scale))} + s.y_zero,
      s.low, s.high);
}

// N73: N63's sum, its logarithm, the difference of both in Q5.26 cut to eight fraction bits less.
void log_softmax(std::span<const std::int32_t> x, std::span<std::int32_t> y,
                 const SoftmaxScales& s) {
  const Rescale in = fixed_multiplier(std::min(s.beta * s.x_scale * (1 << 26), 2147483647.0));
  const Rescale back = fixed_multiplier(static_cast<double>(1 << (31 - in.shift)) / in.multiplier);
  const int least = -static_cast<int>(
      std::floor(31.0 * (1 << 26) / static_cast<double>(std::int64_t{1} << in.shift)));
  const std::int32_t greatest = std::ranges::max(x);
  std::int32_t sum = 0;
  for (const std::int32_t code : x)
    if (code - greatest >= least)
      sum += divide_by_power(exp_of_negative(rescale_twice(code - greatest, in)), 12);
  const std::int32_t log = log_of_sum(sum);
  const std::int32_t cut =
      rescale_twice(wrap32(std::int64_t{log} + std::numeric_limits<std::int32_t>::min()), back);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t diff = x[i] - greatest;
    y[i] = s.low;
    if (diff <= std::max(least - 1, cut)) continue;
    y[i] = clamp_code(
        std::int64_t{divide_by_power(wrap32(std::int64_t{rescale_twice(diff, in)} - log), 22)} +
            s.high,
        s.low, s.high);
  }
}

// N71: a row over the root of its sum of squares; y has step 1/128.
void l2_normalization(std::span<const std::int32_t> x, std::span<std::int32_t> y,
                      const SoftmaxScales& s) {
  const std::int32_t x_zero = s.x_low;
  std::int32_t squares = 0, multiplier = 0;
  for (const std::int32_t code : x) squares += (code - x_zero) * (code - x_zero);
  int shift = 0;
  inverse_sqrt(squares, multiplier, shift);
  const bool is_unsigned = s.low == 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t d = x[i] - x_zero;
    const std::int32_t scaled = is_unsigned
                                    ? divide_by_power(high_mul(128 * d, multiplier), -shift) + 128
                                    : rescale_twice(d, multiplier, shift + 7);
    y[i] = clamp_code(scaled, s.low, s.high);
  }
}

// N63: differences to the greatest code in Q5.26, their exponentials summed in Q12.19, one
// reciprocal.
void softmax8(std::span<const std::int32_t> x, std::span<std::int32_t> y, const SoftmaxScales& s) {
  const FixedSoftmaxScale scale(s);
  const std::int32_t greatest = std::ranges::max(x);
  std::int32_t sum = 0;
  for (const std::int32_t code : x)
    if (code - greatest >= scale.least)
      sum += divide_by_power(scale.exponential(code - greatest), 12);
  int power = 0;
  const std::int32_t inverse = reciprocal(sum, 12, power);
  const int bits = s.high - s.low > 255 ? 16 : 8;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t diff = x[i] - greatest;
    y[i] = s.low;
    if (diff < scale.least) continue;
    const std::int32_t product = high_mul(inverse, scale.exponential(diff));
    y[i] = clamp_code(std::int64_t{divide_by_power(product, power + 31 - bits)} + s.low, s.low,
                      s.high);
  }
}

}  // namespace

std::int32_t tflite_joined(std::int32_t code, const AverageScales& s) {
  const float factor = static_cast<float>(s.x_scale) * (1.0f / static_cast<float>(s.y_scale));
  const float offset = static_cast<float>(-s.x_zero) * factor;
  return clamp_code(
      std::int64_t{nearest_away(static_cast<float>(code) * factor + offset)} + s.y_zero, s.low,
      s.high);
}

const QuantizePolicy tflite_quantize = {"tflite-quantize", quantize, dequantize, requantize};
const AveragePolicy tflite_average = {"tflite-average", average};
const AveragePolicy tflite_mean = {"tflite-mean", mean};
const AveragePolicy tflite_sum = {"tflite-sum", sum_of_codes};
const SoftmaxPolicy tflite_log_softmax = {"tflite-log-softmax", log_softmax};
const SoftmaxPolicy tflite_l2_normalization = {"tflite-l2-normalization", l2_normalization};
const SoftmaxPolicy tflite_softmax = {"tflite-softmax", softmax8};

}  // namespace lockstep
