// y_i = exp(beta * (x_i - max x)) / sum_j exp(beta * (x_j - max x)) along the axis; on codes N63.
#include <algorithm>
#include <cmath>

#include "op/op_codes.h"
#include "op/op_held.h"
#include "op/op_marks.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "-1", "the axis that sums to one"},
    {"flatten", "0", "1: all axes from `axis` on together are one row"},
    {"beta", "1", "factor of the differences"},
    codes_mark,
    makes_mark,
};

// The rows: `outer` times `inner` of them, `count` elements each, `inner` apart.
struct Rows {
  std::int64_t outer = 1, count = 1, inner = 1;
};

Result<Rows> rows_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = n.attrs().integer("axis", -1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= std::max<std::int64_t>(rank, 1))
    return Error{n.where(), "axis " + std::to_string(n.attrs().integer("axis", -1)),
                 "an axis of " + std::to_string(rank), ""};
  Rows r;
  const bool flatten = n.attrs().integer("flatten", 0) != 0;
  for (std::int64_t i = 0; i < rank; ++i)
    (i < axis               ? r.outer
     : i == axis || flatten ? r.count
                            : r.inner) *= x[static_cast<std::size_t>(i)];
  return r;
}

void softmax_of_reals(std::span<const float> x, std::span<float> y, float beta) {
  const float greatest = std::ranges::max(x);
  float sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += y[i] = std::exp((x[i] - greatest) * beta);
  for (float& v : y) v /= sum;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY([[maybe_unused]] const Rows r, rows_of(n));
  return std::vector<Facts>{{code_type(n), n.input(0).shape, {}}};
}

Result<void> eval_codes(EvalContext& c, const Rows& r) {
  const bool wide = c.view.input(0).dtype == DType::i16;
  const SoftmaxPolicy* const policy =
      wide && c.num.softmax_wide ? c.num.softmax_wide : c.num.softmax;
  if (!policy) return no_policy(c.view, "Softmax");
  const Value &xv = c.view.input(0), &yv = c.view.output(0);
  const CodeRange range = code_range(yv.dtype);
  // Shares beyond every code end as the runtime's own type of codes says.
  const std::int32_t shift = held_shift(c.view, yv);
  const SoftmaxScales s{xv.quant.scale_at(0),
                        yv.quant.scale_at(0),
                        c.view.attrs().real("beta", 1),
                        yv.quant.zero_at(0) + shift,
                        static_cast<std::int32_t>(range.low) + shift,
                        static_cast<std::int32_t>(range.high) + shift,
                        static_cast<std::int32_t>(code_range(xv.dtype).low)};
  const auto x = centred_codes(*c.in[0], 0);
  std::vector<std::int32_t> row(static_cast<std::size_t>(r.count)), out(row.size());
  for (std::int64_t o = 0; o < r.outer; ++o)
    for (std::int64_t i = 0; i < r.inner; ++i) {
      const std::int64_t first = o * r.count * r.inner + i;
      for (std::size_t k = 0; k < row.size(); ++k)
        row[k] = x[static_cast<std::size_t>(first) + k * static_cast<std::size_t>(r.inner)];
      policy->apply(row, out, s);
      for (std::size_t k = 0; k < row.size(); ++k)
        store_code(c.out[0], first + static_cast<std::int64_t>(k) * r.inner, out[k] - shift);
    }
  return {};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Rows r, rows_of(c.view));
  if (r.count == 0 || r.outer == 0 || r.inner == 0) return {};
  if (is_code(c.view.input(0)) && is_code(c.view.output(0))) return eval_codes(c, r);
  if (c.in[0]->dtype() != DType::f32)
    return Error{c.view.where(), "x of type " + std::string(name_of(c.in[0]->dtype())),
                 "float32 or codes", ""};
  const auto beta = static_cast<float>(c.view.attrs().real("beta", 1));
  const auto x = c.in[0]->as<float>();
  std::vector<float> row(static_cast<std::size_t>(r.count)), out(row.size());
  for (std::int64_t o = 0; o < r.outer; ++o)
    for (std::int64_t i = 0; i < r.inner; ++i) {
      const auto at = [&](std::size_t k) {
        return static_cast<std::size_t>(o * r.count * r.inner + i) +
               k * static_cast<std::size_t>(r.inner);
      };
      for (std::size_t k = 0; k < row.size(); ++k) row[k] = x[at(k)];
      if (c.num.real.softmax && beta == 1)
        c.num.real.softmax(row, out);
      else
        softmax_of_reals(row, out, beta);
      for (std::size_t k = 0; k < row.size(); ++k) c.out[0].as<float>()[at(k)] = out[k];
    }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Node node = node_from(f, "Softmax");
  node.attrs.set("beta", f.attrs.real("beta", 0));
  graph.add_node(std::move(node));
  return {};
}

// Before opset 13 the axis defaulted to 1 and everything behind it was one row.
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  Node node = node_from(f, "Softmax");
  node.attrs.set("axis", f.attrs.integer("axis", f.version < 13 ? 1 : -1));
  if (f.version < 13) node.attrs.set("flatten", std::int64_t{1});
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::onnx, "com.microsoft:QLinearSoftmax", from_qlinear_softmax},
                            {Format::onnx, "Softmax", from_onnx},
                            {Format::tflite, "SOFTMAX", from_tflite}};

}  // namespace

extern constinit const OpDef op_softmax = {
    .name = "Softmax",
    .meaning = "y = exp(beta * (x - max)) / sum of the same",
    .exact = Exactness::rounding,
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
