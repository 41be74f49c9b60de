#pragma once

#include "num/numerics.h"
#include "op/op.h"

namespace lockstep {

// The rule of a transposed convolution's codes: by type, and LiteRT's own (N55, N56) where XNNPACK
// leaves the node.
inline const RequantPolicy* transposed_policy(const NodeView& n, const Numerics& num) {
  const DType x = n.input(0).dtype;
  if (n.attrs().text("kernel", "") == "left") return x == DType::u8 ? num.matmul : num.conv_int16;
  if (x == DType::u8 && num.conv_unsigned) return num.conv_unsigned;
  return x == DType::i16 && num.conv_int16 ? num.conv_int16 : num.conv;
}

}  // namespace lockstep
