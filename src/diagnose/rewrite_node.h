#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diagnose/judge.h"

namespace lockstep {

// One way to write a node that a found cause makes wrong.
struct Form {
  std::string text;
  int groups = 1;          // of input channels, each a node of its own, added afterwards
  bool half = false;       // weights of 7 bits
  bool one_scale = false;  // one weight scale for all output channels
  double coarser = 1;      // output scale
  bool symmetric_in = false, symmetric_out = false;
  bool own_clamp = false, own_pad = false;  // as operations of their own
  bool swapped = false;                     // the two operands in the other order
  bool one_operand_grid = false;  // all operands on the grid that holds the widest of them
  bool output_grid = false;       // all operands requantized to the output's grid beforehand
  bool struck = true;             // false: where the fault does not reach
};

// The node, or a part of it, that stands alone.
struct Part {
  Executor executor;
  RunOptions faulty;
  std::vector<std::string> in;  // names by input of the node; "": constant or absent
  std::vector<QuantParams> in_grids;
  std::string out;
  QuantParams out_grid;
  std::int64_t first = 0, count = 0;  // input channels [first, first + count); all when count is 0
  bool reached = false;               // by the fault
};

// What a form takes beside the nodes as they are, by the latency model of the device that rewrites
// are usually for.
struct RewriteCost {
  std::int64_t operations = 0;           // more
  std::int64_t macs = 0;                 // that move to the CPU
  std::int64_t results = 0;              // bytes that the nodes yield
  std::int64_t bytes = 0;                // of activations, more
  double own = 0, on_cpu = 0, more = 0;  // milliseconds
  void add(const RewriteCost& other);
  // "3 more operations, 18 432 bytes of activations; about 0.2 ms more on stm32n6"
  std::string text(const Form& form) const;
};

// Cuts a node out of the network and changes it: what the rewritten node makes of the tensors that
// the node reads, under the cause where that still reaches it.
class RewriteNode {
 public:
  // `cause` is the fault as it strikes this node.
  RewriteNode(const Executor& reference, NodeId node, FaultSpec cause);

  NodeId id() const { return node_; }
  NodeView view() const { return {g_, g_.node(node_)}; }
  bool has_weights_on_codes() const;
  bool combines_codes() const;  // two operands or more, all on codes of one scale each
  bool pads() const;
  // Nothing where the node cannot be written so. `inputs`: what it reads in some runs, by input;
  // null for constants.
  Result<std::optional<std::vector<Part>>> parts(
      const Form& form, const std::vector<std::vector<Tensor>>& inputs) const;
  // The node's result on its own grid from its parts' results.
  Result<void> combine(const std::vector<Part>& parts, std::span<const Tensor* const> in,
                       Tensor& out) const;
  RewriteCost cost(const Form& form) const;

 private:
  Result<Part> part(const Form& form, int index, int axis, std::int64_t first, std::int64_t count,
                    const std::vector<std::vector<Tensor>>& inputs) const;
  Result<std::optional<std::vector<Part>>> padded(
      const Form& form, const std::vector<std::vector<Tensor>>& inputs) const;
  Result<Executor> cut_out(const Form& form, int index, int axis, std::int64_t first,
                           std::int64_t count, const std::vector<Value>& in, const Node& node,
                           const Value& y) const;
  std::vector<Value> changed_inputs(const Form& form, int axis, std::int64_t count) const;
  Result<QuantParams> range_of(const Form& form, int index, int axis, std::int64_t first,
                               std::int64_t count, const std::vector<Value>& in, const Node& node,
                               const QuantParams& own,
                               const std::vector<std::vector<Tensor>>& inputs) const;
  Result<Tensor> run_part(const Part& part, std::span<const Tensor* const> in) const;
  Tensor regridded(const Tensor& t, const QuantParams& from, const QuantParams& to) const;

  const Executor& e_;
  const Graph& g_;
  NodeId node_;
  FaultSpec cause_;
  const QuantizePolicy* num_;
};

}  // namespace lockstep
