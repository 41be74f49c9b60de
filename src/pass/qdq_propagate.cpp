// Quantization carried across operators that only move elements, so that what
// stands behind them fuses.
#include <algorithm>
#include <array>

#include "pass/qdq.h"
#include "pass/twins.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

bool only_moves(const Node& n) {
  static constexpr std::array names = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice"};
  if (n.op == "MaxPool") return n.attrs.integer("opset", 12) >= 12 && n.outputs.size() == 1;
  return std::ranges::any_of(names, [&](const char* name) { return n.op == name; });
}

// Codes of `like`'s quantization for a float value, and the dequantized value behind them.
struct Pair {
  ValueId codes, reals;
};

// Adds Q and DQ with the scale and zero point of `like`. `from` is read by Q; DQ
// makes `to`, or a new value.
Pair add_pair(Patch& patch, const Graph& g, const Node& like, const ScalarQuant& quant,
              ValueId from, const Value& at, ValueId to) {
  Value codes = at;
  codes.constant = nullptr;
  codes.producer = no_id;
  codes.folded = false;
  codes.name = at.name + "/codes";
  codes.dtype = quant.dtype;
  codes.quant = stated_quant(g, like, at.shape.size());
  const ValueId codes_id = patch.add_value(codes);
  ValueId reals_id = to;
  if (to == no_id) {
    Value reals = at;
    reals.constant = nullptr;
    reals.producer = no_id;
    reals.folded = false;
    reals.name = at.name + "/dequantized";
    reals_id = patch.add_value(std::move(reals));
  }
  Node q, dq;
  q.op = "QuantizeLinear";
  q.name = at.name + "/quantize";
  dq.op = "DequantizeLinear";
  dq.name = at.name + "/dequantize";
  q.origin = dq.origin = like.origin;
  q.inputs = {from, like.inputs[1]};
  dq.inputs = {codes_id, like.inputs[1]};
  if (has_input(like, 2)) {
    q.inputs.push_back(like.inputs[2]);
    dq.inputs.push_back(like.inputs[2]);
  } else if (quant.dtype != DType::u8) {
    q.attrs = like.attrs;
  }
  q.outputs = {codes_id};
  dq.outputs = {reals_id};
  patch.add_node(std::move(q));
  patch.add_node(std::move(dq));
  return {codes_id, reals_id};
}

}  // namespace

// DQ -> move -> reader becomes DQ -> move -> Q -> DQ -> reader, once for each reader that is no Q.
Result<Patch> propagate_dequantize(const Graph& g) {
  Patch patch(g, "propagate-dequantize");
  const Uses uses(g);
  for (const Node& dq : g.nodes()) {
    if (dq.op != "DequantizeLinear") continue;
    const auto quant = scalar_quant(g, dq);
    const Node* const move = uses.only_reader(dq.outputs[0]);
    if (!quant || !move || !only_moves(*move) || move->inputs[0] != dq.outputs[0]) continue;
    const ValueId moved = move->outputs[0];
    if (uses.is_output(moved)) continue;
    std::vector<Use> readers;
    for (const Use& use : uses.of(moved))
      if (g.node(use.node).op != "QuantizeLinear") readers.push_back(use);
    if (readers.empty() || readers.size() != uses.of(moved).size()) continue;
    const Pair pair = add_pair(patch, g, dq, *quant, moved, g.value(moved), no_id);
    for (const Use& use : readers) {
      Node reader = g.node(use.node);
      std::ranges::replace(reader.inputs, moved, pair.reals);
      patch.replace_node(use.node, std::move(reader));
    }
    return patch;  // the next node may be a mover too
  }
  return patch;
}

// maker -> move -> Q becomes maker -> Q -> DQ -> move -> Q.
Result<Patch> propagate_quantize(const Graph& g) {
  Patch patch(g, "propagate-quantize");
  const Uses uses(g);
  for (const Node& q : g.nodes()) {
    if (q.op != "QuantizeLinear") continue;
    const auto quant = scalar_quant(g, q);
    const NodeId by = g.value(q.inputs[0]).producer;
    if (!quant || by == no_id || !only_moves(g.node(by)) || uses.only_reader(q.inputs[0]) != &q)
      continue;
    const Node& move = g.node(by);
    const ValueId before = move.inputs[0];
    const Value& at = g.value(before);
    if (at.constant || (at.producer != no_id && g.node(at.producer).op == "DequantizeLinear"))
      continue;
    if (at.producer != no_id && (uses.only_reader(before) != &move || has_twin(g, before)))
      continue;
    const Pair pair = add_pair(patch, g, q, *quant, before, at, no_id);
    Node next = move;
    next.inputs[0] = pair.reals;
    if (at.producer != no_id) {
      patch.replace_node(by, std::move(next));
      return patch;
    }
    // On a network input the moved reals stay to be seen beside the moved codes.
    Value moved = g.value(q.inputs[0]);
    moved.name += "/of_codes";
    moved.producer = no_id;
    next.name += "/of_codes";
    next.outputs = {patch.add_value(std::move(moved))};
    Node reader = q;
    reader.inputs[0] = next.outputs[0];
    patch.add_node(std::move(next));
    patch.replace_node(uses.id_of(q), std::move(reader));
    return patch;
  }
  return patch;
}

}  // namespace lockstep
