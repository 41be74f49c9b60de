// A node's inputs and outputs in another order of axes: by Transposes that are there already,
// cancel or are put there, and by constants that are stored so (N115).
#include "pass/transposes.h"

namespace lockstep {
namespace {

Value renamed(Value v, const std::string& suffix) {
  v.name += suffix;
  v.origin = {v.origin.file, "", "", ""};
  return v;
}

// A dequantizer reads `codes`, an order of what it read before, from now on.
ValueId turn_dequantizer(Draft& d, NodeId dq, ValueId codes, const Perm& perm) {
  if (const Shape& scales = d.value(d.node(dq).inputs[1]).shape;
      scales.size() == 1 && scales[0] > 1) {
    std::int64_t axis = d.node(dq).attrs.integer("axis", 1);
    if (axis < 0) axis += static_cast<std::int64_t>(perm.size());
    d.node(dq).attrs.set("axis", inverse_of(perm)[static_cast<std::size_t>(axis)]);
  }
  d.set_input(dq, 0, codes);
  const ValueId before = d.node(dq).outputs[0];
  const ValueId next = d.add_value(renamed(turned(d.value(before), perm), "/turned"));
  d.set_output(dq, 0, next);
  d.show(before, next, inverse_of(perm));
  return next;
}

void add_transpose(Draft& d, ValueId from, ValueId to, const Perm& perm, const Origin& origin) {
  Node t;
  t.op = "Transpose";
  t.name = d.value(to).name + "/transpose";
  t.origin = origin;
  t.inputs = {from};
  t.outputs = {to};
  t.attrs.set("perm", perm);
  d.add_node(std::move(t));
}

}  // namespace

void turn_input(Draft& d, NodeId n, std::size_t slot, const Perm& perm) {
  const ValueId x = d.node(n).inputs[slot];
  if (d.is_constant(x)) {
    d.set_input(n, slot, d.add_value(renamed(turned(d.value(x), perm), "/turned")));
    return;
  }
  const NodeId maker = d.maker(x);
  if (const ValueId codes = d.constant_codes(x); codes != no_id) {
    const ValueId next = d.add_value(renamed(turned(d.value(codes), perm), "/turned"));
    d.set_input(n, slot, turn_dequantizer(d, maker, next, perm));
    return;
  }
  const bool dequantized = maker != no_id && d.node(maker).op == "DequantizeLinear";
  const ValueId before = dequantized ? d.node(maker).inputs[0] : x;
  if (d.made_by(before, "Transpose")) {
    const NodeId transpose = d.maker(before);
    const auto* const stated = stated_perm(d.node(transpose));
    const ValueId first = d.node(transpose).inputs[0];
    if (stated && *stated == inverse_of(perm)) {
      d.set_input(n, slot, dequantized ? turn_dequantizer(d, maker, first, perm) : first);
    } else if (stated && !dequantized) {
      const ValueId next = d.add_value(renamed(turned(d.value(x), perm), "/turned"));
      add_transpose(d, first, next, composed(*stated, perm), d.node(n).origin);
      d.set_input(n, slot, next);
    }
    if (stated && (*stated == inverse_of(perm) || !dequantized)) {
      const Perm own = *stated_perm(d.node(transpose));
      if (!d.is_read(before)) {
        d.show(before, first, own);
        d.remove_node(transpose);
      }
      return;
    }
  }
  for (const NodeId reader : d.readers(x))
    if (d.node(reader).op == "Transpose" && stated_perm(d.node(reader)) &&
        *stated_perm(d.node(reader)) == perm)
      return d.set_input(n, slot, d.node(reader).outputs[0]);
  d.set_input(n, slot, no_id);
  const ValueId next = d.add_value(renamed(turned(d.value(x), perm), "/turned"));
  add_transpose(d, x, next, perm, d.node(n).origin);
  d.set_input(n, slot, next);
  if (dequantized) quantize_behind(d, maker);
}

void turn_outputs(Draft& d, NodeId n, const Perm& perm) {
  if (is_identity(perm)) return;
  for (std::size_t o = 0; o < d.node(n).outputs.size(); ++o) {
    const ValueId y = d.node(n).outputs[o];
    if (y == no_id) continue;
    const ValueId next = d.add_value(renamed(turned(d.value(y), inverse_of(perm)), "/turned"));
    d.set_output(n, o, next);
    add_transpose(d, next, y, perm, d.node(n).origin);
  }
}

}  // namespace lockstep
