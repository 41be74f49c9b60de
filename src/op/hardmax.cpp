// y = 1 at the first of the greatest x along the axis, 0 elsewhere
#include <algorithm>

#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "-1", "axis along which one element is 1"},
    {"flatten", "0", "1: that axis and all behind it are one row"},
};
constexpr Rule rules[] = {
    {"x is float32", [](const NodeView& n) { return n.input(0).dtype == DType::f32; }}};

// Before opset 13 the axis defaulted to 1 and everything behind it was one row.
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"axis"}));
  Attrs a;
  a.set("axis", f.attrs.integer("axis", f.version < 13 ? 1 : -1));
  if (f.version < 13) a.set("flatten", std::int64_t{1});
  return add_like(f, graph, "Hardmax", f.inputs, std::move(a));
}
constexpr Foreign from[] = {{Format::onnx, "Hardmax", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY([[maybe_unused]] const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", -1), n.input(0).shape.size()));
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", -1), shape.size()));
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  const std::int64_t behind =
      count_of(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()));
  const bool flat = c.view.attrs().integer("flatten", 0) != 0;
  const auto length = static_cast<std::size_t>(flat ? shape[axis] * behind : shape[axis]);
  const auto step = static_cast<std::size_t>(flat ? 1 : behind);
  std::ranges::fill(y, 0.0f);
  for (std::size_t row = 0; !x.empty() && row < x.size() / length; ++row) {
    const std::size_t first = row / step * step * length + row % step;
    std::size_t best = 0;
    for (std::size_t i = 1; i < length; ++i)
      if (x[first + i * step] > x[first + best * step]) best = i;
    y[first + best * step] = 1;
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_hardmax = {
    .name = "Hardmax",
    .meaning = "y = 1 at the first of the greatest x along the axis, 0 elsewhere",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
