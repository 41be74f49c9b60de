#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

// Who reads each value of a graph, edge by edge.
struct Use {
  NodeId node;
  std::size_t slot;
};

class Uses {
 public:
  explicit Uses(const Graph& graph);
  const std::vector<Use>& of(ValueId v) const { return uses_[static_cast<std::size_t>(v)]; }
  bool is_output(ValueId v) const { return outputs_[static_cast<std::size_t>(v)]; }
  // The one reader of a value that is no output of the graph; null when there are none or several.
  const Node* only_reader(ValueId v) const;
  // The node that makes input `slot` of `node` when it is of kind `op`, else null.
  const Node* maker(const Node& node, std::size_t slot, std::string_view op) const;
  NodeId id_of(const Node& node) const {
    return static_cast<NodeId>(&node - graph_.nodes().data());
  }

 private:
  const Graph& graph_;
  std::vector<std::vector<Use>> uses_;
  std::vector<bool> outputs_;
};

// Constant scale and zero point of a QuantizeLinear or DequantizeLinear, one for all.
struct ScalarQuant {
  float scale;
  std::int32_t zero;
  DType dtype;  // of the codes
  bool has_zero;
  friend bool operator==(const ScalarQuant& a, const ScalarQuant& b) {
    return a.scale == b.scale && a.zero == b.zero && a.dtype == b.dtype;
  }
};
std::optional<ScalarQuant> scalar_quant(const Graph& graph, const Node& node);

inline bool has_input(const Node& n, std::size_t i) {
  return i < n.inputs.size() && n.inputs[i] != no_id;
}
// Axis of the scale of a (de)quantize node over a tensor of that rank, 0 .. rank - 1.
int scale_axis(const Node& node, std::size_t rank);
// Quantization that a (de)quantize node's constants state; empty when they are not constant.
QuantParams stated_quant(const Graph& graph, const Node& node, std::size_t rank);

}  // namespace lockstep
