// y = x without the given axes of extent 1 (none given: without all of them)
#include <algorithm>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"axes", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axes", "all of extent 1", "the axes when they are no input, -rank .. rank-1"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  const auto asked = integers_at(n, 1, "axes");
  LOCKSTEP_TRY(const auto axes, normal_axes(n, asked.value_or(Shape{}), x.shape.size()));
  Shape y;
  for (std::size_t d = 0; d < x.shape.size(); ++d) {
    const bool named = std::ranges::count(axes, d) > 0;
    if (named && x.shape[d] != 1)
      return Error{n.where(),
                   "axis " + std::to_string(d) + " of extent " + std::to_string(x.shape[d]),
                   "extent 1", ""};
    if (!named && (asked || x.shape[d] != 1)) y.push_back(x.shape[d]);
  }
  return std::vector<Facts>{{x.dtype, y, quant_reshaped(x.quant, x.shape, y)}};
}

// No dimensions listed means all of extent 1.
Result<void> from_tflite(const ForeignNode& foreign, GraphBuilder& graph) {
  Attrs canonical;
  if (auto axes = foreign.attrs.integers("squeeze_dims"); !axes.empty())
    canonical.set("axes", std::move(axes));
  return add_like(foreign, graph, "Squeeze", foreign.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "Squeeze"}, {Format::tflite, "SQUEEZE", from_tflite}};

}  // namespace

extern constinit const OpDef op_squeeze = {
    .name = "Squeeze",
    .meaning = "y = x without the given axes of extent 1 (none given: without all of them)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = copy_whole,
    .from = from,
};

}  // namespace lockstep
