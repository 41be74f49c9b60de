#pragma once

#include <vector>

#include "op/op.h"

namespace lockstep {

// Where tensors lie in memory. Networks whose file has the channels before the image (ONNX) are
// computed with the channels last wherever convolutions and poolings on codes gain by it: their
// vectors run along the channels. A tensor that lies so has the turned shape in `graph`; the
// network's inputs, outputs and states keep their own order.
struct Layout {
  Graph graph;
  const Graph* before = nullptr;  // as the model has it
  std::vector<NodeId>
      origin;  // by node of `graph`: the node of the graph before; no_id: it only turns a tensor
  std::vector<bool> turned;  // by value of `graph`: channels last, while the model has them first
  std::vector<bool> inner;   // by value of `graph`: a tensor that the model does not have
  std::vector<bool> same_bytes;  // by node of `graph`: its output is its input, byte by byte
};

// `before`: without nodes of constants. `turn` false: everything lies as the model has it.
Result<Layout> lay_out(const Graph& before, const Numerics& num, bool turn);

// Axes of a tensor of `rank` axes in the order in which they lie, channels last: 0, 2, 3, 1.
std::vector<std::size_t> channels_last_order(std::size_t rank);
// A shape in that order.
Shape channels_last_shape(const Shape& shape);
// By element as it lies: which element of the model's order it is.
std::vector<std::int64_t> channels_last_elements(const Shape& shape);

// Operators that only move elements of input 0, whatever the order of its axes: they read and write
// any.
bool moves_elements(const NodeView& v);
// Which element of input 0 each element of output `o` is, -1 where it is filled, in the node's own
// shapes.
Result<std::vector<std::int64_t>> elements_moved(const NodeView& v, const Numerics& num,
                                                 std::size_t o);
// The same as they lie in memory.
Result<std::vector<std::int64_t>> elements_as_they_lie(const Layout& layout, const Numerics& num,
                                                       NodeId n, std::size_t o);

// Moves nothing but for the order in which operands lie: the same elements under another shape.
bool keeps_order(std::string_view op);

// Operators that compute the same with the channels of every operand moved, once rewritten by
// `turn_node`.
bool may_turn(const NodeView& v, const Numerics& num);
// The node's attributes with channels last, and constants that are spread over the others turned.
Result<void> turn_node(const NodeView& before, Node& node, GraphBuilder& b);
// Elements that a convolution reads out of order while the channels stand first: what turning
// saves.
std::int64_t gain_of_turning(const NodeView& v);

}  // namespace lockstep
