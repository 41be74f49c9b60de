// y = x's elements in their order under another shape
#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"shape", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"shape", "", "the shape when it is no input; one extent may be -1: what is left"},
    {"allowzero", "0", "1: an extent 0 means 0; 0: it means x's extent on that axis"},
};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

Result<Shape> target_shape(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto asked = integers_at(n, 1, "shape");
  if (!asked) return Error{n.where(), "no shape", "an input or attribute 'shape'", ""};
  Shape y = *asked;
  std::int64_t free = -1;
  for (std::size_t d = 0; d < y.size(); ++d) {
    if (y[d] == 0 && n.attrs().integer("allowzero", 0) == 0 && d < x.size()) y[d] = x[d];
    if (y[d] != -1) continue;
    if (free >= 0)
      return Error{n.where(), "shape " + shape_text(*asked), "at most one extent -1", ""};
    free = static_cast<std::int64_t>(d);
    y[d] = 1;
  }
  LOCKSTEP_TRY(const std::int64_t rest, checked_count(y, n.where()));
  const std::int64_t count = count_of(x);
  if (free >= 0 && rest > 0 && count % rest == 0) y[static_cast<std::size_t>(free)] = count / rest;
  if (count_of(y) != count)
    return Error{n.where(), "shape " + shape_text(*asked) + " for " + shape_text(x),
                 std::to_string(count) + " elements", ""};
  return y;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(Shape y, target_shape(n));
  const Value& x = n.input(0);
  const QuantParams quant = quant_reshaped(x.quant, x.shape, y);
  return std::vector<Facts>{{x.dtype, std::move(y), quant}};
}

// The shape tensor wins over the option; a zero extent is a zero extent, but [0] alone is how old
// files write a scalar.
Result<void> from_tflite(const ForeignNode& foreign, GraphBuilder& graph) {
  Attrs canonical;
  auto shape = foreign.attrs.integers("new_shape");
  if (shape == Shape{0} && count_of(graph.value(foreign.inputs[0]).shape) == 1) shape = {};
  canonical.set("shape", std::move(shape));
  canonical.set("allowzero", std::int64_t{1});
  return add_like(foreign, graph, "Reshape", foreign.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "Reshape"}, {Format::tflite, "RESHAPE", from_tflite}};

}  // namespace

extern constinit const OpDef op_reshape = {
    .name = "Reshape",
    .meaning = "y = x's elements in their order under another shape",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = copy_whole,
    .from = from,
};

}  // namespace lockstep
