#pragma once

#include <cstdint>
#include <vector>

#include "ir/quant.h"
#include "ir/tensor.h"

namespace lockstep {

// Which scale belongs to which element: the index along the per-channel axis, 0 when per tensor.
class ChannelIndex {
 public:
  ChannelIndex(const QuantParams& quant, const Shape& shape);
  std::size_t operator()(std::int64_t element) const {
    return static_cast<std::size_t>(element / inner_ % extent_);
  }

 private:
  std::int64_t inner_ = 1, extent_ = 1;
};

// The numbers that a tensor stands for, in C order: scale[c] * (code - zero[c]), or the elements
// themselves when they are floats or not quantized.
std::vector<double> reals_of(const Tensor& tensor, const QuantParams& quant);

}  // namespace lockstep
