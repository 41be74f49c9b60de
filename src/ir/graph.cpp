#include "ir/graph.h"

#include <algorithm>

#include "ir/order.h"

namespace lockstep {

Graph::Graph() = default;
Graph::Graph(const Graph&) = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(const Graph&) = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

ValueId Graph::find_value(std::string_view name) const {
  for (std::size_t i = 0; i < values_.size(); ++i)
    if (values_[i].name == name) return static_cast<ValueId>(i);
  return no_id;
}

NodeId Graph::find_node(std::string_view name) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].name == name) return static_cast<NodeId>(i);
  return no_id;
}

std::vector<NodeId> Graph::consumers(ValueId id) const {
  std::vector<NodeId> found;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (std::ranges::find(nodes_[i].inputs, id) != nodes_[i].inputs.end())
      found.push_back(static_cast<NodeId>(i));
  return found;
}

std::string Graph::where(const Node& node) const {
  return file_ + ": " + node.op + " '" + node.name + "'";
}

GraphBuilder::GraphBuilder(std::string file, std::string format) {
  graph_.file_ = std::move(file);
  graph_.format_ = std::move(format);
}

GraphBuilder::GraphBuilder(const GraphBuilder&) = default;
GraphBuilder::GraphBuilder(GraphBuilder&&) noexcept = default;
GraphBuilder& GraphBuilder::operator=(const GraphBuilder&) = default;
GraphBuilder& GraphBuilder::operator=(GraphBuilder&&) noexcept = default;
GraphBuilder::~GraphBuilder() = default;

ValueId GraphBuilder::add_value(Value value) {
  const auto id = static_cast<ValueId>(graph_.values_.size());
  if (value.origin.file.empty()) value.origin.file = graph_.file_;
  by_name_.emplace(value.name, id);
  graph_.values_.push_back(std::move(value));
  return id;
}

NodeId GraphBuilder::add_node(Node node) {
  const auto id = static_cast<NodeId>(graph_.nodes_.size());
  for (const ValueId out : node.outputs)
    if (out != no_id) value(out).producer = id;
  nodes_by_name_.emplace(node.name, id);
  graph_.nodes_.push_back(std::move(node));
  return id;
}

void GraphBuilder::add_input(ValueId id) {
  graph_.inputs_.push_back(id);
}
void GraphBuilder::add_output(ValueId id) {
  graph_.outputs_.push_back(id);
}
void GraphBuilder::add_state(State state) {
  graph_.states_.push_back(std::move(state));
}

ValueId GraphBuilder::find(std::string_view name) const {
  const auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? no_id : it->second;
}

namespace {

template <class Map>
std::string unique(const Map& taken, std::string_view wish) {
  std::string name(wish);
  for (int i = 2; taken.contains(name); ++i) name = std::string(wish) + "_" + std::to_string(i);
  return name;
}

}  // namespace

std::string GraphBuilder::unique_name(std::string_view wish) const {
  return unique(by_name_, wish);
}

std::string GraphBuilder::unique_node_name(std::string_view wish) const {
  return unique(nodes_by_name_, wish);
}

Result<Graph> GraphBuilder::finish() && {
  std::erase_if(graph_.nodes_, [&](const Node& n) {
    return !n.outputs.empty() && std::ranges::all_of(n.outputs, [&](ValueId v) {
      return v == no_id || graph_.value(v).constant != nullptr;
    });
  });
  LOCKSTEP_CHECK(sort_nodes(graph_.values_, graph_.nodes_, graph_.file_));
  LOCKSTEP_CHECK(verify(graph_));
  return std::move(graph_);
}

}  // namespace lockstep
