#pragma once

#include <memory>
#include <optional>

#include "run/executor.h"

namespace lockstep {

// y = conv(x) + x as one convolution: identity weights added to the convolution's, requantized to
// int8 with one scale, or one for each output channel. Runs in reals; the caller puts the result on
// the sum's grid.
struct FoldedIdentity {
  std::size_t identity = 1;  // which operand of the sum is x
  double vanished = 0;  // share of the branch's weights that the identity's step rounds to nothing
  // From x as the sum reads it (codes of `quant`, or reals).
  std::function<Result<Tensor>(const Tensor& x, const QuantParams& quant)> run;
};

// Nothing when `sum` is not of that form: a branch of one convolution and movements, of the same x
// as the other operand, with as many channels out as in.
std::optional<FoldedIdentity> fold_identity(const Executor& reference, NodeId sum,
                                            bool per_channel);

}  // namespace lockstep
