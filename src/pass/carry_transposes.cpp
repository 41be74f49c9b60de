// onnxruntime's transpose optimizer: which Transposes go on, and what becomes of quantizers (N115).
#include <algorithm>
#include <utility>

#include "pass/transposes.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

// Axes of an extent other than 1: what the runtime counts a transposition by.
int weight_of(const Value& v) {
  return static_cast<int>(std::ranges::count_if(v.shape, [](std::int64_t n) { return n != 1; }));
}

bool may_go(const Draft& d, const Node& transpose) {
  const ValueId y = transpose.outputs[0];
  return !d.is_output(y) && std::ranges::all_of(d.readers(y), [&](NodeId reader) {
    return has_handler(d.node(reader));
  });
}

// What it costs to undo `perm` on this input: less than 0 where a Transpose goes.
int cost_of(const Draft& d, ValueId v, const Perm& perm) {
  if (d.is_constant(v) || d.constant_codes(v) != no_id) return 0;
  NodeId maker = d.maker(v);
  if (maker != no_id && d.node(maker).op == "DequantizeLinear") {
    const NodeId before = d.maker(d.node(maker).inputs[0]);
    if (before != no_id && d.node(before).op == "Squeeze") {
      const NodeId first = d.maker(d.node(before).inputs[0]);
      if (first != no_id && d.node(first).op == "Transpose") maker = first;
    } else if (before != no_id) {
      maker = before;
    }
  }
  if (maker != no_id && d.node(maker).op == "Transpose")
    if (const auto* const stated = stated_perm(d.node(maker)))
      return *stated == perm && may_go(d, d.node(maker)) ? -weight_of(d.value(v)) : 0;
  return weight_of(d.value(v));
}

bool worth_it(const Draft& d, const Node& n, const Perm& perm, const std::set<ValueId>& leading) {
  if (n.op == "Transpose") return true;
  int cost = 0;
  for (const std::size_t i : turned_inputs(d, n)) cost += cost_of(d, n.inputs[i], perm);
  if (cost >= 0 || !turns_outputs(n)) return cost < 0;
  int behind = 0;
  for (const ValueId y : n.outputs) {
    if (y == no_id) continue;
    if (leading.contains(y)) return true;
    behind = std::max(behind, weight_of(d.value(y)));
  }
  return cost + behind < 0;
}

// Values from which operators that can be turned lead to a Transpose.
std::set<ValueId> leading_to_transposes(const Draft& d) {
  std::set<ValueId> leading;
  for (std::size_t n = d.nodes.size(); n-- > 0;) {
    const Node& node = d.nodes[n];
    if (node.op == "Transpose") {
      leading.insert(node.inputs[0]);
      continue;
    }
    const bool leads = std::ranges::any_of(
        node.outputs, [&](ValueId y) { return y != no_id && leading.contains(y); });
    if (!leads || !has_handler(node) || !turns_outputs(node)) continue;
    for (const std::size_t i : turned_inputs(d, node)) leading.insert(node.inputs[i]);
  }
  return leading;
}

// A Q or DQ like `like`, whose axis is `axis` now.
Node quantizer_like(const Node& like, const std::string& op, ValueId from, ValueId to) {
  Node n;
  n.op = op;
  n.name = like.name + (op == "QuantizeLinear" ? "/quantize" : "/dequantize");
  n.origin = like.origin;
  n.attrs = like.attrs;
  n.attrs.values.erase("codes");
  n.inputs = like.inputs;
  n.inputs[0] = from;
  n.outputs = {to};
  return n;
}

Value unnamed(Value v, const std::string& name) {
  v.name = name;
  v.constant = nullptr;
  v.folded = false;
  v.origin = {v.origin.file, "", "", ""};
  return v;
}

// prev -> Transpose -> Q becomes prev -> Q -> DQ -> Transpose -> Q.
bool quantize_before(Draft& d, NodeId transpose) {
  const Node t = d.node(transpose);
  const NodeId q = d.only_reader(t.outputs[0]), before = d.maker(t.inputs[0]);
  if (q == no_id || d.node(q).op != "QuantizeLinear" || before == no_id ||
      d.node(before).op == "DequantizeLinear" || d.readers(t.inputs[0]).size() != 1 ||
      d.node(q).attrs.integer("block_size", 0) != 0)
    return false;
  const Node like = d.node(q);
  const Perm back = inverse_of(*stated_perm(t));
  Value codes =
      unnamed(turned(d.value(like.outputs[0]), back), d.value(t.inputs[0]).name + "/codes");
  const ValueId codes_id = d.add_value(std::move(codes));
  const ValueId reals =
      d.add_value(unnamed(d.value(t.inputs[0]), d.value(t.inputs[0]).name + "/dequantized"));
  Node first = quantizer_like(like, "QuantizeLinear", t.inputs[0], codes_id);
  Node second = quantizer_like(like, "DequantizeLinear", codes_id, reals);
  if (d.value(like.inputs[1]).shape.size() == 1 && d.value(like.inputs[1]).shape[0] > 1) {
    const auto rank = static_cast<std::int64_t>(t.outputs.empty() ? 0 : back.size());
    std::int64_t axis = like.attrs.integer("axis", 1);
    axis = (*stated_perm(t))[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
    first.attrs.set("axis", axis);
    second.attrs.set("axis", axis);
  }
  d.add_node(std::move(first));
  d.add_node(std::move(second));
  d.set_input(transpose, 0, reals);
  return true;
}

// DQ -> Transpose -> reader becomes DQ -> Transpose -> Q -> DQ -> reader.
bool mend_behind(Draft& d, NodeId transpose) {
  const Node& t = d.node(transpose);
  if (!d.made_by(t.inputs[0], "DequantizeLinear")) return false;
  const auto readers = d.readers(t.outputs[0]);
  if (readers.size() > 1 || (readers.size() == 1 && d.node(readers[0]).op == "QuantizeLinear"))
    return false;
  return quantize_behind(d, d.maker(t.inputs[0]));
}

bool alike(const Draft& d, const Node& dq, const Node& q) {
  const auto parameters = [&](const Node& n, DType codes) {
    const Tensor* const scale = d.value(n.inputs[1]).constant.get();
    const Tensor* const zero = has_input(n, 2) ? d.value(n.inputs[2]).constant.get() : nullptr;
    std::vector<double> all{static_cast<double>(codes), scale ? 1.0 : 0.0};
    for (std::int64_t i = 0; scale && i < scale->count(); ++i) {
      all.push_back(scale->number(i));
      all.push_back(zero ? static_cast<double>(zero->code(zero->count() > 1 ? i : 0)) : 0);
    }
    return all;
  };
  const auto a = parameters(dq, d.value(dq.inputs[0]).dtype),
             b = parameters(q, d.value(q.outputs[0]).dtype);
  return a == b && a[1] == 1 && dq.attrs.integer("bits", 8) == q.attrs.integer("bits", 8);
}

// codes -> DQ -> Q -> reader becomes codes -> reader.
bool drop_empty_pair(Draft& d, NodeId q) {
  const ValueId reals = d.node(q).inputs[0], y = d.node(q).outputs[0];
  const NodeId dq = d.maker(reals);
  if (dq == no_id || d.node(dq).op != "DequantizeLinear" || d.only_reader(reals) != q ||
      !alike(d, d.node(dq), d.node(q)))
    return false;
  const ValueId codes = d.node(dq).inputs[0];
  Perm same(d.value(codes).shape.size());
  for (std::size_t i = 0; i < same.size(); ++i) same[i] = static_cast<std::int64_t>(i);
  if (d.only_reader(y) != no_id) {
    d.replace_reads(y, codes);
    d.show(y, codes, same);
  } else if (d.is_output(y) && d.readers(y).empty() && d.maker(codes) != no_id &&
             d.only_reader(codes) == dq) {
    d.hand_name(y, codes);
  } else {
    return false;
  }
  d.remove_node(q);
  d.remove_node(dq);
  return true;
}

}  // namespace

bool quantize_behind(Draft& d, NodeId dq_id) {
  const Node dq = d.node(dq_id);
  const NodeId mover = d.only_reader(dq.outputs[0]);
  if (mover == no_id || dq.attrs.integer("block_size", 0) != 0) return false;
  const Node move = d.node(mover);
  if (move.op != "Transpose" && move.op != "Unsqueeze") return false;
  const bool channels =
      d.value(dq.inputs[1]).shape.size() == 1 && d.value(dq.inputs[1]).shape[0] > 1;
  if (channels && move.op == "Unsqueeze") return false;
  const ValueId y = move.outputs[0];
  const ValueId moved = d.add_value(unnamed(d.value(y), d.value(y).name + "/moved"));
  Value codes = unnamed(d.value(y), d.value(y).name + "/codes");
  codes.dtype = d.value(dq.inputs[0]).dtype;
  codes.quant = d.value(dq.inputs[0]).quant;
  if (move.op == "Transpose") codes.quant = turned(d.value(dq.inputs[0]), *stated_perm(move)).quant;
  const ValueId codes_id = d.add_value(std::move(codes));
  d.set_output(mover, 0, moved);
  Node q = quantizer_like(dq, "QuantizeLinear", moved, codes_id);
  Node next = quantizer_like(dq, "DequantizeLinear", codes_id, y);
  if (channels) {
    const std::int64_t stated = dq.attrs.integer("axis", 1);
    const auto rank = static_cast<std::int64_t>(d.value(y).shape.size());
    const std::int64_t axis = inverse_of(
        *stated_perm(move))[static_cast<std::size_t>(stated < 0 ? stated + rank : stated)];
    q.attrs.set("axis", axis);
    next.attrs.set("axis", axis);
  }
  d.add_node(std::move(q));
  d.add_node(std::move(next));
  return true;
}

const std::vector<std::int64_t>* stated_perm(const Node& node) {
  const auto it = node.attrs.values.find("perm");
  return it == node.attrs.values.end() ? nullptr
                                       : std::get_if<std::vector<std::int64_t>>(&it->second);
}

void split_dequantizers(Draft& d) {
  const std::size_t count = d.nodes.size();
  for (std::size_t n = 0; n < count; ++n) {
    if (d.nodes[n].op != "DequantizeLinear") continue;
    const ValueId y = d.nodes[n].outputs[0];
    bool first = !d.is_output(y);
    for (const NodeId reader : d.readers(y))
      for (std::size_t i = 0; i < d.node(reader).inputs.size(); ++i) {
        if (d.node(reader).inputs[i] != y || std::exchange(first, false)) continue;
        Node copy = d.nodes[n];
        const ValueId own = d.add_value(unnamed(d.value(y), d.value(y).name + "/copy"));
        copy.outputs = {own};
        d.add_node(std::move(copy));
        d.set_input(reader, i, own);
      }
  }
}

bool carry_transposes(Draft& d) {
  const std::set<ValueId> leading = leading_to_transposes(d);
  const std::size_t count = d.nodes.size();
  bool changed = false;
  for (std::size_t n = 0; n < count; ++n) {
    const auto id = static_cast<NodeId>(n);
    for (std::size_t i = 0; i < d.node(id).inputs.size(); ++i) {
      const ValueId x = d.node(id).inputs[i];
      if (x == no_id || !d.made_by(x, "Transpose")) continue;
      const Node& transpose = d.node(d.maker(x));
      const auto* const perm = stated_perm(transpose);
      const auto turned = turned_inputs(d, d.node(id));
      if (!perm || !has_handler(d.node(id)) || std::ranges::find(turned, i) == turned.end() ||
          !worth_it(d, d.node(id), *perm, leading))
        continue;
      if (!push_transpose(d, d.maker(x), id)) continue;
      changed = true;
      break;
    }
  }
  return changed;
}

bool mend_quantizers(Draft& d) {
  bool changed = false;
  const std::size_t count = d.nodes.size();
  for (std::size_t n = 0; n < count; ++n) {
    const auto id = static_cast<NodeId>(n);
    if (d.node(id).op == "QuantizeLinear")
      changed = drop_empty_pair(d, id) || changed;
    else if (d.node(id).op == "Transpose" && stated_perm(d.node(id)))
      changed = mend_behind(d, id) || quantize_before(d, id) || changed;
  }
  return changed;
}

}  // namespace lockstep
