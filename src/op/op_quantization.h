#pragma once

#include "op/op.h"

namespace lockstep {

// How a scale tensor lies over a tensor: one for all, one per index of `axis`, or one per block of
// `block` elements along `axis` (the scale then has the tensor's rank).
struct ScaleLayout {
  std::int64_t axis = -1;  // -1: one for all
  std::int64_t block = 0;
  std::int64_t inner = 1, extent = 1;  // elements behind one step of the axis; extent of the axis
  std::int64_t blocks = 1;             // along the axis

  std::int64_t index_of(std::int64_t element) const {
    if (axis < 0) return 0;
    const std::int64_t i = element / inner % extent;
    if (block == 0) return i;
    return (element / (inner * extent) * blocks + i / block) * inner + element % inner;
  }
};

// The layout of `scale` over a tensor of shape `shape`, or what is wrong with it.
Result<ScaleLayout> scale_layout(const NodeView& n, const Shape& shape, const Shape& scale);
// Quantization parameters from constant scale and zero point inputs; empty when they are not
// constant.
QuantParams quant_of(const NodeView& n, const Tensor* scale, const Tensor* zero, std::size_t rank);
// The policy of the arithmetic, or ONNX's own definition of the operator, which they all share.
const QuantizePolicy& quantize_policy(const Numerics& num);

}  // namespace lockstep
