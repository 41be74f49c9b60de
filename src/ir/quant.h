#pragma once

#include <cstdint>
#include <vector>

namespace lockstep {

// real = scale[c] * (code - zero[c]), c the index along `axis`; per tensor when there is one scale.
// Scales are float32 values of the file held as double. Empty: the tensor is not quantized.
struct QuantParams {
  std::vector<double> scale;
  std::vector<std::int32_t> zero;  // as many as scales
  int axis = -1;                   // per-channel axis; -1 per tensor

  bool quantized() const { return !scale.empty(); }
  bool per_channel() const { return scale.size() > 1; }
  double scale_at(std::size_t channel) const { return per_channel() ? scale[channel] : scale[0]; }
  std::int32_t zero_at(std::size_t channel) const {
    return zero.size() > 1 ? zero[channel] : zero.empty() ? 0 : zero[0];
  }
  friend bool operator==(const QuantParams&, const QuantParams&) = default;
};

}  // namespace lockstep
