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

// One pass over the nodes. `known` values are not recomputed; nodes that nobody needs are skipped.
class Sweep {
 public:
  Sweep(const Graph& g, const Arithmetic& a, const NodeKernels& k, const RunOptions& o);

  void set(ValueId id, Tensor t);
  const Tensor* get(ValueId id) const;  // null until computed

  // Which nodes must run so that every value in `goals` is at hand.
  std::vector<bool> needed(std::span<const ValueId> goals) const;

  Result<void> run(const std::vector<bool>& which, const std::vector<bool>& keep,
                   const Sample* previous);

 private:
  Result<void> run_node(std::size_t n, const Sample* previous);
  Result<void> apply_hooks(NodeId n, std::span<const Tensor* const> in, std::vector<Tensor>& out,
                           const Sample* previous);

  const Graph& g_;
  const Arithmetic& a_;
  const NodeKernels& k_;
  const RunOptions& o_;
  std::vector<Tensor> slots_;  // by value; empty until computed
  std::vector<bool> have_;
};

}  // namespace lockstep
