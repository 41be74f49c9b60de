// y = x / max(sqrt(sum of x^2 along the last axis), 1e-6); codes through the integer root (N71).
#include <algorithm>
#include <cmath>

#include "op/op_codes.h"
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"activation", "none", "fused activation"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{code_type(n), n.input(0).shape, {}}};
}

Result<void> eval_codes(EvalContext& c, std::size_t depth) {
  if (!c.num.l2_normalization) return no_policy(c.view, "L2Normalization");
  const Value &xv = c.view.input(0), &yv = c.view.output(0);
  const CodeRange range = code_range(yv.dtype);
  // x_low carries the zero point of x, which the policy takes away.
  const SoftmaxScales s{xv.quant.scale_at(0),
                        yv.quant.scale_at(0),
                        1,
                        yv.quant.zero_at(0),
                        static_cast<std::int32_t>(range.low),
                        static_cast<std::int32_t>(range.high),
                        xv.quant.zero_at(0)};
  const auto x = centred_codes(*c.in[0], 0);
  std::vector<std::int32_t> out(depth);
  for (std::size_t first = 0; first + depth <= x.size(); first += depth) {
    c.num.l2_normalization->apply(std::span(x).subspan(first, depth), out, s);
    for (std::size_t k = 0; k < depth; ++k)
      store_code(c.out[0], static_cast<std::int64_t>(first + k), out[k]);
  }
  return {};
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const auto depth = static_cast<std::size_t>(shape.empty() ? 1 : shape.back());
  if (depth == 0) return {};
  if (on_codes(c.view)) return eval_codes(c, depth);
  if (c.in[0]->dtype() != DType::f32) return not_computed(c.view, c.in[0]->dtype());
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  const Activation act = activation_of(c.view);
  for (std::size_t first = 0; first + depth <= x.size(); first += depth) {
    float squares = 0;
    for (std::size_t k = 0; k < depth; ++k) squares += x[first + k] * x[first + k];
    const float length = std::max(std::sqrt(squares), 1e-6f);
    for (std::size_t k = 0; k < depth; ++k) y[first + k] = activate(act, x[first + k] / length);
  }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Node node = node_from(f, "L2Normalization");
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::tflite, "L2_NORMALIZATION", from_tflite}};

}  // namespace

extern constinit const OpDef op_l2_normalization = {
    .name = "L2Normalization",
    .meaning = "y = x over its length along the last axis",
    .exact = Exactness::rounding,
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
