#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

// The only editor of a finished Graph: collects edits against it, then makes a new one. Values and
// nodes added here get ids after the existing ones; removed nodes vanish, as do values nobody uses.
class Patch {
 public:
  Patch(const Graph& graph, std::string label) : graph_(graph), label_(std::move(label)) {}

  const std::string& label() const { return label_; }
  bool empty() const;
  ValueId add_value(Value value);
  NodeId add_node(Node node);
  void remove_node(NodeId id);
  void replace_node(NodeId id, Node node);  // keeps its place
  void replace_uses(ValueId old_id,
                    ValueId new_id);        // of every remaining and added node, and outputs
  void set_value(ValueId id, Value value);  // other facts for an existing value
  void set_state_start(std::size_t state, std::shared_ptr<const Tensor> initial);
  // The edited graph, sorted and verified.
  Result<Graph> apply() const;

 private:
  const Graph& graph_;
  std::string label_;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<NodeId> removed_;
  std::vector<std::pair<NodeId, Node>> replaced_;
  std::vector<std::pair<ValueId, ValueId>> shunts_;
  std::vector<std::pair<ValueId, Value>> facts_;
  std::vector<std::pair<std::size_t, std::shared_ptr<const Tensor>>> starts_;
};

}  // namespace lockstep
