#include "op/op_binary.h"

#include "base/text.h"
#include "num/litert_sums.h"
#include "op/op_held.h"

namespace lockstep {

Result<Shape> broadcast_shape(const NodeView& n, const Shape& a, const Shape& b) {
  Shape y(std::max(a.size(), b.size()), 1);
  for (std::size_t k = 0; k < y.size(); ++k) {
    const std::int64_t ea = k < a.size() ? a[a.size() - 1 - k] : 1,
                       eb = k < b.size() ? b[b.size() - 1 - k] : 1;
    if (ea != eb && ea != 1 && eb != 1)
      return Error{n.where(), "operands " + shape_text(a) + " and " + shape_text(b),
                   "extents that are equal or 1, from the last axis on", ""};
    y[y.size() - 1 - k] = ea == 1 ? eb : ea;
  }
  return y;
}

Result<std::vector<Facts>> binary_facts(const NodeView& n) {
  LOCKSTEP_TRY(Shape y, broadcast_shape(n, n.input(0).shape, n.input(1).shape));
  return std::vector<Facts>{{code_type(n), std::move(y), {}}};
}

Result<void> binary_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string op) {
  Node node = node_from(f, std::move(op));
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

Result<void> binary_from_onnx(const ForeignNode& f, GraphBuilder& graph, std::string op) {
  if (f.attrs.integer("broadcast", 0) != 0 && f.attrs.has("axis"))
    return foreign_error(f, "broadcast with axis " + std::to_string(f.attrs.integer("axis", 0)),
                         "opset 7 or later", "the onnx version converter rewrites it");
  Node node = node_from(f, std::move(op));
  graph.add_node(std::move(node));
  return {};
}

RunKind run_kind(const Shape& a, const Shape& b) {
  const std::size_t common = std::min(a.size(), b.size());
  if (common == 0)
    return !a.empty() && a.back() != 1 ? RunKind::second_still : RunKind::first_still;
  for (std::size_t k = 1; k <= common; ++k) {
    const std::int64_t ea = a[a.size() - k], eb = b[b.size() - k];
    if (ea == 1 && eb == 1) continue;
    return ea == 1 ? RunKind::first_still : eb == 1 ? RunKind::second_still : RunKind::both_move;
  }
  return RunKind::first_still;
}

BinaryScales binary_scales(const NodeView& n) {
  const Value &a = n.input(0), &b = n.input(1), &y = n.output(0);
  const CodeClamp clamp = clamp_of(n);
  const std::int32_t y_shift = held_shift(n, y);
  return {.a_scale = a.quant.scale_at(0),
          .b_scale = b.quant.scale_at(0),
          .y_scale = y.quant.scale_at(0),
          .a_zero = a.quant.zero_at(0) + held_shift(n, a),
          .b_zero = b.quant.zero_at(0) + held_shift(n, b),
          .y_zero = y.quant.zero_at(0) + y_shift,
          .low = clamp.low + y_shift,
          .high = clamp.high + y_shift,
          .bits = static_cast<int>(8 * size_of(y.dtype)),
          .a_is_scalar = run_kind(a.shape, b.shape) == RunKind::first_still};
}

// N110: `take(i, value)` of every element, by its place in the row.
template <class Codes, class Take>
void each_sum(EvalContext& c, const BinaryState& state, const BinaryPolicy& rest, const Codes& a,
              const Codes& b, Take&& take) {
  const Shape &sa = c.in[0]->shape(), &sb = c.in[1]->shape();
  const SumRows rows = sum_rows(state, c.out[0].dtype() == DType::u8, sa, sb);
  each_pair(c.out[0].shape(), sa, sb, [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
    const std::int32_t x = a[static_cast<std::size_t>(ia)], z = b[static_cast<std::size_t>(ib)];
    take(i, rows.in_vectors(i) ? sum_in_vectors(x, z, state, rows.step) : rest.apply(x, z, state));
  });
}

Result<void> eval_binary_codes(EvalContext& c, const BinaryPolicy* policy, std::string_view kind) {
  if (!policy) return no_policy(c.view, kind);
  const std::int32_t shift = held_shift(c.view, c.view.output(0));
  const BinaryState state = policy->prepare(binary_scales(c.view));
  const auto a = centred_codes(*c.in[0], -held_shift(c.view, c.view.input(0))),
             b = centred_codes(*c.in[1], -held_shift(c.view, c.view.input(1)));
  if (sums_by_rows(*policy, state)) {
    each_sum(c, state, *policy, a, b,
             [&](std::int64_t i, std::int32_t y) { store_code(c.out[0], i, y - shift); });
    return {};
  }
  each_pair(c.out[0].shape(), c.in[0]->shape(), c.in[1]->shape(),
            [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
              store_code(c.out[0], i,
                         policy->apply(a[static_cast<std::size_t>(ia)],
                                       b[static_cast<std::size_t>(ib)], state) -
                             shift);
            });
  return {};
}

}  // namespace lockstep
