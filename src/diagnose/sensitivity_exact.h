#pragma once

#include <optional>
#include <vector>

#include "run/executor.h"

namespace lockstep {

// What an operation makes of recorded inputs before its rounding and its clamp, in reals.
class ExactResults {
 public:
  explicit ExactResults(const Graph& lowered);
  // Whether the network can be computed in reals at all.
  bool known() const { return reals_.has_value(); }
  // Every element of `value`, made from the tensors in `sample`; nothing where that cannot be.
  std::optional<std::vector<double>> of(ValueId value, const Sample& sample) const;
  // The codes between which rounding alone decides: the type's, or those that a fused activation
  // leaves.
  CodeRange range_of(ValueId value) const;

 private:
  const Tensor* in(const Sample& sample, ValueId id) const;
  Sample reals_read_by(const Node& node, const Sample& sample) const;

  const Graph& g_;
  std::optional<Executor> reals_;
};

}  // namespace lockstep
