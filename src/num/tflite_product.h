#pragma once

#include <cmath>

#include "num/tflite_fixed.h"

namespace lockstep {

// N113: REDUCE_PROD of codes. Each factor brings its share of the change of scales.
inline Rescale product_rescale(double x_scale, double y_scale, std::int64_t factors) {
  return fixed_multiplier(x_scale / std::pow(y_scale, 1.0 / static_cast<double>(factors)));
}
// The product so far times the next distance from x's zero point.
constexpr std::int32_t product_step(std::int32_t product, std::int32_t distance, const Rescale& r) {
  return rescale_wide(std::int64_t{product} * distance, r);
}

}  // namespace lockstep
