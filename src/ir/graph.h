#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/attrs.h"
#include "ir/quant.h"
#include "ir/tensor.h"

namespace lockstep {

using ValueId = std::int32_t;
using NodeId = std::int32_t;
inline constexpr std::int32_t no_id = -1;

// Where something stands in the user's file.
struct Origin {
  std::string file;
  std::string name;    // the tensor's (or node's) name in the file
  std::string node;    // the node that makes it, as the file names it
  std::string layout;  // "NCHW", "NHWC", ... where known
};

// One tensor of the graph: its facts, and its contents when constant.
struct Value {
  std::string name;  // unique in the graph
  DType dtype = DType::f32;
  Shape shape;
  QuantParams quant;
  Origin origin;
  std::shared_ptr<const Tensor> constant;  // initializer, or folded at import; null otherwise
  bool folded = false;  // computed at import from constants: still a tensor of the file
  NodeId producer = no_id;
};

// One operation. `op` names an entry of the operator registry; an absent optional input is no_id.
struct Node {
  std::string name;  // unique in the graph
  std::string op;
  Attrs attrs;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Origin origin;
};

// A tensor that lives from one inference to the next: `in` is read, `out` becomes the next `in`.
struct State {
  ValueId in = no_id, out = no_id;
  std::shared_ptr<const Tensor> initial;  // null: all zero points
};

// Static shapes, nodes in an order in which every input is made before it is read. Nothing in it is
// specific to ONNX or TFLite. Built by a GraphBuilder, edited by a Patch, by nothing else.
class Graph {
 public:
  // Not inline: every file that reads this header would instantiate them.
  Graph();
  Graph(const Graph&);
  Graph(Graph&&) noexcept;
  Graph& operator=(const Graph&);
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  const std::string& file() const { return file_; }
  const std::string& format() const { return format_; }  // "onnx", "tflite"
  std::span<const Value> values() const { return {values_.data(), values_.size()}; }
  std::span<const Node> nodes() const { return {nodes_.data(), nodes_.size()}; }
  std::span<const ValueId> inputs() const { return {inputs_.data(), inputs_.size()}; }
  std::span<const ValueId> outputs() const { return {outputs_.data(), outputs_.size()}; }
  std::span<const State> states() const { return {states_.data(), states_.size()}; }
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  ValueId find_value(std::string_view name) const;  // no_id when there is none
  NodeId find_node(std::string_view name) const;
  std::vector<NodeId> consumers(ValueId id) const;
  std::string where(const Node& node) const;  // "m.onnx: Conv 'c1'"

 private:
  friend class GraphBuilder;
  friend class Patch;
  std::string file_, format_;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_, outputs_;
  std::vector<State> states_;
};

// Every invariant that a Graph keeps: ids in range, unique names, order, producers, shapes,
// quantization lengths. The error names the first that is broken.
Result<void> verify(const Graph& graph);

// A node with its graph: what shape rules, support questions and evaluation look at.
struct NodeView {
  const Graph& graph;
  const Node& node;

  std::size_t input_count() const { return node.inputs.size(); }
  bool has_input(std::size_t i) const { return i < node.inputs.size() && node.inputs[i] != no_id; }
  const Value& input(std::size_t i) const { return graph.value(node.inputs[i]); }
  const Value& output(std::size_t i) const { return graph.value(node.outputs[i]); }
  const Tensor* constant(std::size_t i) const {
    return has_input(i) ? input(i).constant.get() : nullptr;
  }
  const Attrs& attrs() const { return node.attrs; }
  std::string where() const { return graph.where(node); }
};

// Builds a Graph in any order; `finish` sorts, verifies and returns it.
class GraphBuilder {
 public:
  GraphBuilder(std::string file, std::string format);
  GraphBuilder(const GraphBuilder&);
  GraphBuilder(GraphBuilder&&) noexcept;
  GraphBuilder& operator=(const GraphBuilder&);
  GraphBuilder& operator=(GraphBuilder&&) noexcept;
  ~GraphBuilder();

  ValueId add_value(Value value);  // the name must be new
  NodeId add_node(Node node);      // sets the outputs' producer
  Value& value(ValueId id) { return graph_.values_[static_cast<std::size_t>(id)]; }
  Node& node(NodeId id) { return graph_.nodes_[static_cast<std::size_t>(id)]; }
  ValueId find(std::string_view name) const;
  std::string unique_name(std::string_view wish) const;  // a value name not yet used
  std::string unique_node_name(std::string_view wish) const;
  void add_input(ValueId id);
  void add_output(ValueId id);
  void add_state(State state);
  const Graph& so_far() const { return graph_; }  // for NodeView while building
  Result<Graph> finish() &&;

 private:
  Graph graph_;
  std::unordered_map<std::string, ValueId> by_name_;
  std::unordered_map<std::string, NodeId> nodes_by_name_;
};

}  // namespace lockstep
