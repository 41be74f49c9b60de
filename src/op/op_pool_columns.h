#pragma once

#include "num/xnnpack_float.h"
#include "op/op_window.h"

namespace lockstep {

// N109: whether an average of floats takes its taps column by column; strides beyond the window are
// left to LiteRT.
inline bool averages_by_columns(const Numerics& num, const Window& w, bool with_pads) {
  return sums_from_bias(num) && !with_pads && w.spatial_rank <= 2 && w.strides[1] <= w.kernel[1] &&
         w.strides[2] <= w.kernel[2];
}

// N109: the mean over the window at (oh, ow) of channel `ch`, nine taps at a time; taps outside x
// add zeros.
inline float average_by_columns(const Window& w, const float* x, std::int64_t n, std::int64_t ch,
                                std::int64_t oh, std::int64_t ow) {
  float sum = 0, met[9] = {};
  std::int64_t there = 0, k = 0;
  for (std::int64_t j = 0; j < w.kernel[2]; ++j)
    for (std::int64_t i = 0; i < w.kernel[1]; ++i) {
      const std::int64_t h = oh * w.strides[1] - w.begin[1] + i * w.dilations[1],
                         v = ow * w.strides[2] - w.begin[2] + j * w.dilations[2];
      const bool inside = h >= 0 && h < w.in[1] && v >= 0 && v < w.in[2];
      met[k++] = inside ? x[w.index(n, ch, h * w.in[2] + v, w.in_count(), w.channels)] : 0.0f;
      there += inside;
      if (k < 9) continue;
      sum += xnnpack_float_nine(met);
      for (float& m : met) m = 0;
      k = 0;
    }
  if (k > 0) sum += xnnpack_float_nine(met);
  return there == 0 ? 0.0f : sum * (1.0f / static_cast<float>(there));
}

}  // namespace lockstep
