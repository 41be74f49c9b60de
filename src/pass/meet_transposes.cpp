// What becomes of a Transpose behind another: both cancel, or are one (N115).
#include <algorithm>

#include "pass/transposes.h"

namespace lockstep {
namespace {

// The second one's readers read what the first one reads.
void cancel(Draft& d, NodeId n, ValueId x) {
  const ValueId y = d.node(n).outputs[0];
  Perm same;
  for (std::size_t i = 0; i < d.value(y).shape.size(); ++i)
    same.push_back(static_cast<std::int64_t>(i));
  if (!d.is_output(y)) {
    d.replace_reads(y, x);
    d.show(y, x, same);
  } else if (d.maker(x) != no_id && !d.is_output(x)) {
    d.replace_reads(y, x);
    d.hand_name(y, x);
  } else {
    d.node(n).op = "Identity";
    d.node(n).attrs = {};
    d.set_input(n, 0, x);
    return;
  }
  d.remove_node(n);
}

void become_one(Draft& d, NodeId n, ValueId x, const Perm& perm) {
  d.set_input(n, 0, x);
  while (d.node(n).inputs.size() > 1) {
    d.set_input(n, d.node(n).inputs.size() - 1, no_id);
    d.node(n).inputs.pop_back();
  }
  d.node(n).op = "Transpose";
  d.node(n).attrs = {};
  d.node(n).attrs.set("perm", perm);
}

}  // namespace

bool meet_transpose(Draft& d, NodeId transpose, NodeId n, const Perm& second) {
  const Perm first = *stated_perm(d.node(transpose));
  if (second.size() != first.size()) return false;
  const ValueId x = d.node(transpose).inputs[0], between = d.node(transpose).outputs[0];
  if (second == inverse_of(first))
    cancel(d, n, x);
  else
    become_one(d, n, x, composed(first, second));
  if (!d.is_read(between)) {
    d.show(between, x, first);
    d.remove_node(transpose);
  }
  return true;
}

// A Reshape that leaves the axes longer than 1 in their order orders the others only.
bool meet_reshape(Draft& d, NodeId transpose, NodeId n) {
  Shape from = d.value(d.node(n).inputs[0]).shape;
  const Shape& to = d.value(d.node(n).outputs[0]).shape;
  if (from.size() != to.size()) return false;
  Perm second;
  for (const std::int64_t extent : to) {
    std::size_t i = 0;
    for (; i < from.size() && from[i] != extent; ++i)
      if (from[i] > 1 && extent != 1) return false;
    if (i == from.size()) return false;
    second.push_back(static_cast<std::int64_t>(i));
    from[i] = -1;
  }
  return meet_transpose(d, transpose, n, second);
}

}  // namespace lockstep
