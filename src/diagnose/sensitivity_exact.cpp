#include "diagnose/sensitivity_exact.h"

#include "ir/patch.h"
#include "measure/reals.h"
#include "num/activation.h"

namespace lockstep {
namespace {

bool coded(const Value& v) {
  return v.quant.quantized() && is_integer(v.dtype);
}

// An activation that only cuts off.
bool is_clamp(Activation a) {
  return a == Activation::relu || a == Activation::relu6 || a == Activation::relu_n1_to_1;
}

Activation activation_in(const Node& node) {
  return activation_named(node.attrs.text("activation", "none"));
}

// The network without the clamps that are fused into operations on codes.
Result<Graph> without_clamps(const Graph& g) {
  Patch patch(g, "without-fused-clamps");
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    Node node = g.nodes()[n];
    if (!is_clamp(activation_in(node)) || node.outputs.empty() || !coded(g.value(node.outputs[0])))
      continue;
    node.attrs.set("activation", std::string("none"));
    patch.replace_node(static_cast<NodeId>(n), std::move(node));
  }
  if (patch.empty()) return g;
  return patch.apply();
}

}  // namespace

ExactResults::ExactResults(const Graph& lowered) : g_(lowered) {
  const auto bare = without_clamps(lowered);
  if (!bare.ok()) return;
  if (auto made = Executor::make(*bare, *find_arithmetic("float")); made.ok())
    reals_ = std::move(*made);
}

const Tensor* ExactResults::in(const Sample& sample, ValueId id) const {
  if (g_.value(id).constant) return g_.value(id).constant.get();
  const auto it = sample.find(g_.value(id).name);
  return it == sample.end() ? nullptr : &it->second;
}

Sample ExactResults::reals_read_by(const Node& node, const Sample& sample) const {
  Sample known;
  for (const ValueId id : node.inputs) {
    const Tensor* t = id == no_id || g_.value(id).constant ? nullptr : in(sample, id);
    const ValueId twin = t ? reals_->graph().find_value(g_.value(id).name) : no_id;
    if (twin == no_id) continue;
    if (reals_->graph().value(twin).dtype == t->dtype()) {
      known.insert_or_assign(g_.value(id).name, *t);
      continue;
    }
    Tensor reals(DType::f32, t->shape());
    const std::vector<double> numbers = reals_of(*t, g_.value(id).quant);
    for (std::int64_t i = 0; i < t->count(); ++i)
      reals.set_number(i, numbers[static_cast<std::size_t>(i)]);
    known.insert_or_assign(g_.value(id).name, std::move(reals));
  }
  return known;
}

std::optional<std::vector<double>> ExactResults::of(ValueId value, const Sample& sample) const {
  const Node& maker = g_.node(g_.value(value).producer);
  if (maker.op == "QuantizeLinear" || maker.op == "Requantize") {
    const Tensor* x = in(sample, maker.inputs[0]);
    if (!x || (is_integer(x->dtype()) && !coded(g_.value(maker.inputs[0])))) return {};
    return reals_of(*x, g_.value(maker.inputs[0]).quant);
  }
  if (!reals_) return {};
  std::string wanted = g_.value(value).name + "/unclamped";
  if (reals_->graph().find_value(wanted) == no_id) wanted = g_.value(value).name;
  const auto made =
      reals_->run_from(reals_read_by(maker, sample), std::vector<std::string>{wanted});
  if (!made.ok() || !made->contains(wanted)) return {};
  return reals_of(made->at(wanted), {});
}

CodeRange ExactResults::range_of(ValueId value) const {
  const Value& v = g_.value(value);
  CodeRange range = code_range(v.dtype);
  const Activation a = v.producer == no_id ? Activation::none : activation_in(g_.node(v.producer));
  if (!is_clamp(a) || v.quant.per_channel() || size_of(v.dtype) > 2) return range;
  const CodeClamp left =
      activation_clamp(a, v.quant.scale_at(0), static_cast<std::int32_t>(v.quant.zero_at(0)),
                       static_cast<std::int32_t>(range.low), static_cast<std::int32_t>(range.high));
  range.low = left.low;
  range.high = left.high;
  return range;
}

}  // namespace lockstep
