#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "arith/arith.h"
#include "kernel/kernel.h"

namespace lockstep {

// True where `kernel` wants the activations of this node with axis 1 moved to the end.
bool moves_channels(const Kernel& kernel, const NodeView& node);

// Evaluates a node by a kernel: `in` and `out` in the order of their shapes, operands brought to
// the kernel's order and back.
void run_kernel(const Kernel& kernel, const PreparedKernel& prepared, const NodeView& view,
                std::span<const Tensor* const> constants, std::span<const Tensor* const> in,
                std::span<Tensor> out);

// The kernels of a graph's nodes, each made ready when first asked for. Safe for several threads.
class NodeKernels {
 public:
  NodeKernels(const Graph& graph, const Numerics& num);

  // By value: the graph's constants, and what follows from constants alone and is read on the way
  // to an output; null elsewhere.
  std::span<const Tensor* const> constants() const;
  // What follows from constants alone, whether anything reads it or not; an error of the
  // operator's.
  bool follows_from_constants(ValueId id) const;
  Result<Tensor> folded(ValueId id) const;

  // The kernel of a node with the constants; null: the operator's `eval`.
  const Kernel* kernel(NodeId node) const;
  const PreparedKernel* prepared(NodeId node) const;
  // A convolution behind a Pad as a kernel that pads for itself (own_pads.h); null: another case,
  // or no kernel.
  struct Padded {
    Node node;  // over the Pad's input
    const Kernel* kernel = nullptr;
    std::unique_ptr<PreparedKernel> prepared;
  };
  const Padded* padded(NodeId node) const;

  // Evaluates the node by its kernel; false when it has none. `in` may hold other contents than the
  // graph's constants; shapes and types are the graph's.
  bool run(NodeId node, std::span<const Tensor* const> in, std::span<Tensor> out) const;

 private:
  struct Slot {
    std::once_flag once;
    const Kernel* kernel = nullptr;
    std::unique_ptr<PreparedKernel> prepared;
  };
  struct PaddedSlot {
    std::once_flag once;
    std::unique_ptr<Padded> made;
  };
  Slot& slot(NodeId node) const;
  std::vector<const Tensor*> inputs_of(const Node& node) const;  // those that are constant
  void fold() const;
  Result<void> fold_node(const Node& node) const;
  Result<std::vector<Tensor>> evaluate(const Node& node, std::span<const Tensor* const> in) const;

  const Graph& graph_;
  const Numerics& num_;
  mutable std::vector<Slot> slots_;
  mutable std::vector<PaddedSlot> padded_;
  mutable std::once_flag folded_once_;
  mutable std::vector<std::unique_ptr<const Tensor>> folded_;
  mutable std::vector<const Tensor*> constants_;
  mutable std::vector<char> follows_;
};

}  // namespace lockstep
