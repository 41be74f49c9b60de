#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "ir/patch.h"

namespace lockstep {

// y's axis d is x's axis perm[d].
using Perm = std::vector<std::int64_t>;
Perm inverse_of(const Perm& perm);
Perm composed(const Perm& first, const Perm& then);  // one Transpose for two in a row
bool is_identity(const Perm& perm);
// The same tensor with its axes in another order: shape, axis of the scales, contents.
Value turned(Value value, const Perm& perm);

// A tensor that no node makes any more, as an order of the axes of one that is made.
struct Shown {
  Value value;
  ValueId source = no_id;
  Perm perm;
};
// The same in another graph, by the sources' names; without those whose source is not there.
std::vector<Shown> shown_in(const Graph& to, const std::vector<Shown>& shown,
                            std::span<const Value> from);

// A graph that is being edited node by node, as onnxruntime's transpose optimizer edits one.
class Draft {
 public:
  explicit Draft(const Graph& graph, std::vector<Shown> shown = {});

  std::vector<Value> values;
  std::vector<Node> nodes;  // those that are gone have no op
  std::vector<Shown> shown;

  Node& node(NodeId n) { return nodes[static_cast<std::size_t>(n)]; }
  const Node& node(NodeId n) const { return nodes[static_cast<std::size_t>(n)]; }
  Value& value(ValueId v) { return values[static_cast<std::size_t>(v)]; }
  const Value& value(ValueId v) const { return values[static_cast<std::size_t>(v)]; }
  NodeId maker(ValueId v) const { return v == no_id ? no_id : value(v).producer; }
  bool made_by(ValueId v, std::string_view op) const {
    return maker(v) != no_id && node(maker(v)).op == op;
  }
  bool is_output(ValueId v) const { return outputs_[static_cast<std::size_t>(v)]; }
  // Every node that reads the value, each once.
  std::vector<NodeId> readers(ValueId v) const;
  bool is_read(ValueId v) const {
    return is_output(v) || !edges_[static_cast<std::size_t>(v)].empty();
  }
  NodeId only_reader(ValueId v) const;  // no_id: none, several, or it is an output of the graph
  bool is_constant(ValueId v) const;    // stored, and no caller may replace it
  // The constant codes that a dequantizer with one reader turns into this value, else no_id.
  ValueId constant_codes(ValueId v) const;

  ValueId add_value(Value value);  // under a name of its own, made from the wished one
  NodeId add_node(Node node);      // likewise
  void set_input(NodeId n, std::size_t slot, ValueId v);
  void set_output(NodeId n, std::size_t slot, ValueId v);
  void replace_reads(ValueId from, ValueId to);  // of every reader; not the graph's outputs
  void remove_node(NodeId n);
  // The graph gives `to` under the name of `from` from now on.
  void hand_name(ValueId from, ValueId to);
  // `v`, which goes, is `source` with its axes in the order `perm`.
  void show(ValueId v, ValueId source, const Perm& perm);

  Result<Graph> finish() const;

 private:
  ValueId before_own_quantizer(ValueId v) const;

  const Graph& graph_;
  std::vector<std::vector<NodeId>> edges_;
  std::vector<bool> outputs_;
  std::vector<ValueId> output_ids_;
  std::set<std::string> names_, node_names_;
};

// Every reader of a dequantizer but the first gets a dequantizer of its own.
void split_dequantizers(Draft& draft);
// What the runtime's transpose optimizer does to a graph once: Transposes go past what computes
// element by element where fewer remain, meet, and cancel; quantizers are put around those that
// stay. N115. False: nothing was changed.
bool carry_transposes(Draft& draft);
// Puts pairs of quantizers where a Transpose stands between reals and codes, and takes out
// dequantizers whose only reader quantizes alike. The draft is in order.
bool mend_quantizers(Draft& draft);

// The Transpose that makes an input of the node goes behind the node, where the operator can be
// turned. False: nothing was changed.
bool push_transpose(Draft& draft, NodeId transpose, NodeId node);
// The same where the node is a Transpose of order `second` itself, or a Reshape that is worth one.
bool meet_transpose(Draft& draft, NodeId transpose, NodeId node, const Perm& second);
bool meet_reshape(Draft& draft, NodeId transpose, NodeId node);
// Whether the runtime knows how to carry a Transpose past the operator, and then turns its results.
bool has_handler(const Node& node);
bool turns_outputs(const Node& node);
// Inputs that are turned with the one that a Transpose makes.
std::vector<std::size_t> turned_inputs(const Draft& draft, const Node& node);
// Puts DQ's quantizer and dequantizer behind the Transpose or Unsqueeze that alone reads it.
bool quantize_behind(Draft& draft, NodeId dq);
// The Transpose's order where the file states one.
const std::vector<std::int64_t>* stated_perm(const Node& node);
// Replaces input `slot` by itself in the order `perm`.
void turn_input(Draft& draft, NodeId n, std::size_t slot, const Perm& perm);
void turn_outputs(Draft& draft, NodeId n, const Perm& perm);

}  // namespace lockstep
