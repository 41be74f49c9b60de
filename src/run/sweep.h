#pragma once

#include <span>
#include <vector>

#include "run/executor.h"
#include "run/node_kernels.h"

namespace lockstep {

// One node by its kernel, or by the operator's own `eval`. `in` in node order, null where absent.
Result<std::vector<Tensor>> evaluate_node(const Graph& g, NodeId id, const Numerics& num,
                                          const NodeKernels& kernels,
                                          std::span<const Tensor* const> in);

// A few nodes, one by one, without a plan. Values that are set are not recomputed.
class Sweep {
 public:
  Sweep(const Graph& g, const Arithmetic& a, const NodeKernels& k, const RunOptions& o);

  void set(ValueId id, Tensor t);
  const Tensor* get(ValueId id) const;  // null until computed

  // Which nodes must run so that every value in `goals` is at hand when those `given` are.
  std::vector<bool> needed(std::span<const ValueId> goals, std::span<const ValueId> given) const;

  Result<void> run(const std::vector<bool>& which);

 private:
  Result<void> run_node(std::size_t n);
  Result<void> apply_hooks(NodeId n, std::span<const Tensor* const> in, std::vector<Tensor>& out);

  const Graph& g_;
  const Arithmetic& a_;
  const NodeKernels& k_;
  const RunOptions& o_;
  std::vector<Tensor> slots_;  // by value; empty until computed
  std::vector<bool> have_;
};

}  // namespace lockstep
