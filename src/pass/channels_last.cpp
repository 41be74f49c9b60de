// Linear and cubic Resize of codes behind integer convolutions run channels last, where onnxruntime
// mixes in fixed point (N44).
#include <algorithm>
#include <set>

#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

// Operators across which the runtime carries the transposition before or
// behind an integer convolution.
const std::set<std::string_view>& carriers() {
  static const std::set<std::string_view> names = {"Abs",
                                                   "Add",
                                                   "ArgMax",
                                                   "ArgMin",
                                                   "AveragePool",
                                                   "Cast",
                                                   "Ceil",
                                                   "Clip",
                                                   "Concat",
                                                   "Cos",
                                                   "Div",
                                                   "Elu",
                                                   "Equal",
                                                   "Erf",
                                                   "Exp",
                                                   "Floor",
                                                   "Greater",
                                                   "HardSigmoid",
                                                   "HardSwish",
                                                   "Identity",
                                                   "LeakyRelu",
                                                   "Less",
                                                   "Log",
                                                   "Max",
                                                   "MaxPool",
                                                   "Mean",
                                                   "Min",
                                                   "Mod",
                                                   "Mul",
                                                   "Neg",
                                                   "PRelu",
                                                   "Pad",
                                                   "Pow",
                                                   "QuantizeLinear",
                                                   "DequantizeLinear",
                                                   "Reciprocal",
                                                   "ReduceMax",
                                                   "ReduceMean",
                                                   "ReduceMin",
                                                   "ReduceSum",
                                                   "Relu",
                                                   "Resize",
                                                   "Round",
                                                   "Selu",
                                                   "Sigmoid",
                                                   "Sign",
                                                   "Slice",
                                                   "Softmax",
                                                   "Softplus",
                                                   "Softsign",
                                                   "Split",
                                                   "Sqrt",
                                                   "Squeeze",
                                                   "Sub",
                                                   "Sum",
                                                   "Tanh",
                                                   "Unsqueeze",
                                                   "Where",
                                                   "GlobalAveragePool"};
  return names;
}
bool carries(const Node& n) {
  return carriers().contains(n.op);
}

bool is_integer_convolution(const Graph& g, const Node& n) {
  const Value& x = g.value(n.inputs[0]);
  return n.op == "Conv" && x.shape.size() == 4 && is_integer(x.dtype) && x.quant.quantized();
}

// Some way down from v ends at an integer convolution or a Transpose.
bool leads_to_transpose(const Graph& g, const Uses& uses, ValueId v, std::set<ValueId>& seen) {
  if (!seen.insert(v).second) return false;
  return std::ranges::any_of(uses.of(v), [&](const Use& use) {
    const Node& n = g.node(use.node);
    if (n.op == "Transpose" || (use.slot == 0 && is_integer_convolution(g, n))) return true;
    return carries(n) && std::ranges::any_of(n.outputs, [&](ValueId out) {
             return out != no_id && leads_to_transpose(g, uses, out, seen);
           });
  });
}

// A transposition behind an integer convolution has come down to v. It always passes linear
// Resize, MaxPool and ArgMax, and operators that join several such values; others only where it
// will meet another transposition.
bool arrives_transposed(const Graph& g, const Uses& uses, ValueId v) {
  const NodeId maker = v == no_id ? no_id : g.value(v).producer;
  if (maker == no_id || g.value(v).constant) return false;
  const Node& n = g.node(maker);
  if (is_integer_convolution(g, n)) return true;
  if (!carries(n)) return false;
  const auto count =
      std::ranges::count_if(n.inputs, [&](ValueId in) { return arrives_transposed(g, uses, in); });
  const bool free = n.op == "MaxPool" || n.op == "ArgMax" ||
                    (n.op == "Resize" && n.attrs.text("mode", "") == "linear");
  std::set<ValueId> seen;
  return count > 1 || (count == 1 && (free || leads_to_transpose(g, uses, v, seen)));
}

}  // namespace

Result<Patch> resize_channels_last(const Graph& g) {
  Patch patch(g, "resize-channels-last");
  const Uses uses(g);
  for (const Node& n : g.nodes()) {
    const bool cubic = n.attrs.text("mode", "") == "cubic";
    if (n.op != "Resize" || (n.attrs.text("mode", "") != "linear" && !cubic) ||
        n.attrs.has("kernel"))
      continue;
    const Value &x = g.value(n.inputs[0]), &y = g.value(n.outputs[0]);
    // With the rows as they were, the runtime takes columns and channels for the image.
    if (x.shape.size() != 4 || !is_integer(x.dtype) || x.shape[2] == y.shape[2]) continue;
    if (n.attrs.integer("antialias", 0) != 0 ||
        n.attrs.text("coordinates", "") == "tf_crop_and_resize")
      continue;
    if (!arrives_transposed(g, uses, cubic ? n.outputs[0] : n.inputs[0])) continue;
    Node next = n;
    next.attrs.set("kernel", std::string("channels-last"));
    patch.replace_node(uses.id_of(n), std::move(next));
  }
  return patch;
}

}  // namespace lockstep
