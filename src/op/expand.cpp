// y[i0, i1, ...] = x[j0, j1, ...], j[d] = i[d] or 0 where x has extent 1; axes aligned at the
// innermost
#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"shape"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  const Shape asked = integers_of(*n.constant(1));
  LOCKSTEP_CHECK(checked_count(asked, n.where()));
  const auto y = broadcast(x.shape, asked);
  if (!y)
    return Error{n.where(), "shape " + shape_text(x.shape),
                 "one that stretches to " + shape_text(asked), ""};
  const std::size_t shift = y->size() - x.shape.size();
  const auto axis = x.quant.axis + static_cast<int>(shift);
  const bool stays = x.quant.per_channel() && (*y)[static_cast<std::size_t>(axis)] ==
                                                  x.shape[static_cast<std::size_t>(x.quant.axis)];
  return std::vector<Facts>{{x.dtype, *y, quant_on_axis(x.quant, stays ? axis : -1)}};
}

Result<void> eval(EvalContext& c) {
  const Shape& y = c.out[0].shape();
  copy_strided(*c.in[0], y, broadcast_strides(c.in[0]->shape(), y), 0, c.out[0]);
  return {};
}

Result<void> from_fill(const ForeignNode& f, GraphBuilder& graph) {
  if (f.inputs.size() != 2)
    return Error{f.where, std::to_string(f.inputs.size()) + " inputs", "shape and value", ""};
  return add_like(f, graph, "Expand", {f.inputs[1], f.inputs[0]}, {});
}

constexpr Foreign from[] = {{Format::onnx, "Expand"},
                            {Format::tflite, "BROADCAST_TO"},
                            {Format::tflite, "FILL", from_fill}};

}  // namespace

extern constinit const OpDef op_expand = {
    .name = "Expand",
    .meaning =
        "y[i0, i1, ...] = x[j0, j1, ...], j[d] = i[d] or 0 where x has extent 1; axes aligned at "
        "the innermost",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
