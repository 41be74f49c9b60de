#pragma once

#include <cstdint>
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

// N62: the multiplier of the mean of n codes, less n times their zero point.
Rescale tflite_mean_rescale(double x_scale, double y_scale, std::int32_t n);
// N25.
Rescale ort_mean_rescale(double x_scale, double y_scale, std::int32_t n);

}  // namespace lockstep
