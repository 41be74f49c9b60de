#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "num/numerics.h"

namespace lockstep {

// What generated C holds as constants instead of computing it on the device.

// N63: exp of the difference to the greatest code, in Q0.31, for differences 0, 1, ... as far as
// they count.
std::vector<std::int64_t> tflite_exponentials(const SoftmaxScales& scales);

// N28: exp of the difference with its room, in float32, for 256 differences in a row of `count`
// codes.
std::vector<double> ort_exponentials(const SoftmaxScales& scales, std::int64_t count);
float ort_softmax_factor(const SoftmaxScales& scales);

// N73: what a row's differences and its logarithm are scaled by; differences below `least` count
// for nothing.
struct LogSoftmaxSteps {
  Rescale in, back;
  std::int32_t least = 0;
};
LogSoftmaxSteps tflite_log_softmax_steps(const SoftmaxScales& scales);

// N89: exp(-difference * step) in float32, for 256 differences.
std::vector<double> litert_terms(float step);

// N72: samples of functions of 16-bit codes.
std::vector<std::int64_t> exponential_samples_of(const SoftmaxPolicy& policy);  // of softmax
std::vector<std::int64_t> inverse_samples_of(const SoftmaxPolicy& policy);
std::vector<std::int64_t> tflite_sigmoid_samples();  // 256
// Multiplier and shift that bring x to the samples' places; for tanh more steps are used as they
// are.
Rescale tflite_wide_input(double x_scale, bool tanh);
// N72: the multiplier of a row's differences.
Rescale tflite_wide_differences(const SoftmaxScales& scales);
// The 513 samples between whose straight lines all 65536 entries of a table lie; nothing where they
// do not.
std::optional<std::vector<std::int64_t>> straight_samples(std::span<const std::int32_t> table);

// N62: the multiplier of the mean of n codes, less n times their zero point.
Rescale tflite_mean_rescale(double x_scale, double y_scale, std::int32_t n);
// N25.
Rescale ort_mean_rescale(double x_scale, double y_scale, std::int32_t n);

}  // namespace lockstep
