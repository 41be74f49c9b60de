// Nodes whose inputs are all constants are evaluated when the network is generated.
#include "emit/emit.h"
#include "op/op.h"

namespace lockstep {
namespace {

// What a node of constants yields; nothing when an input is computed.
Result<std::vector<std::shared_ptr<const Tensor>>> folded(const Graph& g, const Node& node,
                                                          const Numerics& num, GraphBuilder& b) {
  std::vector<const Tensor*> in;
  for (const ValueId v : node.inputs) {
    in.push_back(v == no_id ? nullptr : b.value(v).constant.get());
    if (v != no_id && !in.back()) return std::vector<std::shared_ptr<const Tensor>>{};
  }
  std::vector<Tensor> out;
  for (const ValueId v : node.outputs)
    out.push_back(v == no_id ? Tensor() : Tensor(g.value(v).dtype, g.value(v).shape));
  EvalContext context{{g, node}, num, in, out};
  LOCKSTEP_CHECK(find_op(node.op)->eval(context));
  std::vector<std::shared_ptr<const Tensor>> shared;
  for (Tensor& t : out) shared.push_back(std::make_shared<const Tensor>(std::move(t)));
  return shared;
}

}  // namespace

Result<Graph> without_constant_nodes(const Graph& g, const Numerics& num) {
  GraphBuilder b(g.file(), g.format());
  for (const Value& v : g.values()) {
    Value copy = v;
    copy.producer = no_id;
    b.add_value(std::move(copy));
  }
  for (const Node& node : g.nodes()) {
    LOCKSTEP_TRY(const auto constants, folded(g, node, num, b));
    if (constants.empty() || node.inputs.empty()) {
      b.add_node(node);
      continue;
    }
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      if (node.outputs[o] != no_id) {
        b.value(node.outputs[o]).constant = constants[o];
        b.value(node.outputs[o]).folded = true;
      }
  }
  for (const ValueId v : g.inputs()) b.add_input(v);
  for (const ValueId v : g.outputs()) b.add_output(v);
  for (const State& s : g.states()) b.add_state(s);
  return std::move(b).finish();
}

}  // namespace lockstep
