#include <algorithm>
#include <bit>
#include <cmath>

#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// N65: real to code: round(real / scale) in float32, ties away from zero, then the zero point.
std::int32_t quantize(float real, float scale, std::int32_t zero, std::int32_t low, std::int32_t high) {
  return clamp_code(wrap32(std::int64_t{nearest_away(real / scale)} + zero), low, high);
}

// N65: code to real: the product in double, rounded to float32 once.
float dequantize(std::int32_t code, float scale, std::int32_t zero) {
  return static_cast<float>(static_cast<double>(scale) * (code - zero));
}

std::int32_t requantize(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale, std::int32_t y_zero,
                        std::int32_t low, std::int32_t high) {
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
  Rescale r = fixed_multiplier(s.x_scale / s.y_scale);
  const int bits = std::bit_width(static_cast<std::uint32_t>(n)) - 1;
  const int shift = std::min({bits, 32, 31 + r.shift});
  r.multiplier = static_cast<std::int32_t>((std::int64_t{r.multiplier} << shift) / n);
  r.shift -= shift;
  const std::int32_t centred = wrap32(std::int64_t{sum} - std::int64_t{s.x_zero} * n);
  return clamp_code(std::int64_t{rescale_twice(centred, r)} + s.y_zero, s.low, s.high);
}

// N63: differences to the greatest code in Q5.26, their exponentials summed in Q12.19, one reciprocal.
void softmax8(std::span<const std::int32_t> x, std::span<std::int32_t> y, const SoftmaxScales& s) {
  const Rescale in = fixed_multiplier(std::min(s.beta * s.x_scale * (1 << 26), 2147483647.0));
  const int least = -static_cast<int>(std::floor(31.0 * (1 << 26) / static_cast<double>(std::int64_t{1} << in.shift)));
  const std::int32_t greatest = std::ranges::max(x);
  const auto scaled = [&](std::int32_t diff) { return high_mul(wrap32(std::int64_t{diff} << in.shift), in.multiplier); };
  std::int32_t sum = 0;
  for (const std::int32_t code : x)
    if (code - greatest >= least) sum += divide_by_power(exp_of_negative(scaled(code - greatest)), 12);
  int power = 0;
  const std::int32_t inverse = reciprocal(sum, 12, power);
  const int bits = s.high - s.low > 255 ? 16 : 8;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int32_t diff = x[i] - greatest;
    y[i] = s.low;
    if (diff < least) continue;
    const std::int32_t product = high_mul(inverse, exp_of_negative(scaled(diff)));
    y[i] = clamp_code(std::int64_t{divide_by_power(product, power + 31 - bits)} + s.low, s.low, s.high);
  }
}

}  // namespace

const QuantizePolicy tflite_quantize = {"tflite-quantize", quantize, dequantize, requantize};
const AveragePolicy tflite_average = {"tflite-average", average};
const AveragePolicy tflite_mean = {"tflite-mean", mean};
const SoftmaxPolicy tflite_softmax = {"tflite-softmax", softmax8};

}  // namespace lockstep
