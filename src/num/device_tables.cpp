#include "num/device_tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"

namespace lockstep {

std::vector<std::int64_t> tflite_exponentials(const SoftmaxScales& s) {
  const Rescale in = fixed_multiplier(std::min(s.beta * s.x_scale * (1 << 26), 2147483647.0));
  const double least =
      std::floor(31.0 * (1 << 26) / static_cast<double>(std::int64_t{1} << in.shift));
  const auto live = static_cast<std::int64_t>(std::min(least, 255.0)) + 1;
  std::vector<std::int64_t> table;
  for (std::int64_t d = 0; d < live; ++d)
    table.push_back(
        exp_of_negative(high_mul(wrap32(-d * (std::int64_t{1} << in.shift)), in.multiplier)));
  return table;
}

std::vector<double> ort_exponentials(const SoftmaxScales& s, std::int64_t count) {
  const float x_scale = static_cast<float>(s.x_scale);
  const float per_term = std::numeric_limits<float>::max() / static_cast<float>(count);
  const double room = std::max(0.0, static_cast<double>(std::log(per_term)) - 5.0) / x_scale;
  std::vector<double> table;
  for (int d = 0; d < 256; ++d)
    table.push_back(static_cast<float>(
        std::exp((static_cast<double>(-d) + room) * static_cast<double>(x_scale))));
  return table;
}

float ort_softmax_factor(const SoftmaxScales& s) {
  return std::floor(1.0f / static_cast<float>(s.y_scale));
}

LogSoftmaxSteps tflite_log_softmax_steps(const SoftmaxScales& s) {
  LogSoftmaxSteps steps;
  steps.in = fixed_multiplier(std::min(s.beta * s.x_scale * (1 << 26), 2147483647.0));
  steps.back =
      fixed_multiplier(static_cast<double>(1 << (31 - steps.in.shift)) / steps.in.multiplier);
  steps.least = -static_cast<std::int32_t>(
      std::floor(31.0 * (1 << 26) / static_cast<double>(std::int64_t{1} << steps.in.shift)));
  return steps;
}

std::vector<double> litert_terms(float step) {
  std::vector<double> terms;
  for (int d = 0; d < 256; ++d) terms.push_back(std::exp(step * static_cast<float>(d)));
  return terms;
}

Rescale tflite_mean_rescale(double x_scale, double y_scale, std::int32_t n) {
  Rescale r = fixed_multiplier(x_scale / y_scale);
  const int bits = std::bit_width(static_cast<std::uint32_t>(n)) - 1;
  const int shift = std::min({bits, 32, 31 + r.shift});
  r.multiplier = static_cast<std::int32_t>((std::int64_t{r.multiplier} << shift) / n);
  r.shift -= shift;
  return r;
}

Rescale ort_mean_rescale(double x_scale, double y_scale, std::int32_t n) {
  Rescale r;
  r.factor = static_cast<float>(x_scale) / (static_cast<float>(y_scale) * static_cast<float>(n));
  return r;
}

}  // namespace lockstep
