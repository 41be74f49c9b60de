// y[prod(x[..axis]), prod(x[axis..])] = x's elements in their order
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axis", "1", "the first axis of the inner extent, -rank .. rank"}};
constexpr Rule rules[] = {{codes_rule, first_keeps_codes}};
constexpr Foreign from[] = {{Format::onnx, "Flatten"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  std::int64_t axis = n.attrs().integer("axis", 1);
  if (axis < -rank || axis > rank)
    return Error{n.where(), "axis " + std::to_string(axis),
                 std::to_string(-rank) + " .. " + std::to_string(rank), ""};
  if (axis < 0) axis += rank;
  Shape y{1, 1};
  for (std::int64_t d = 0; d < rank; ++d)
    y[d < axis ? 0 : 1] *= x.shape[static_cast<std::size_t>(d)];
  return std::vector<Facts>{{x.dtype, y, quant_reshaped(x.quant, x.shape, y)}};
}

}  // namespace

extern constinit const OpDef op_flatten = {
    .name = "Flatten",
    .meaning = "y[prod(x[..axis]), prod(x[axis..])] = x's elements in their order",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = copy_whole,
    .from = from,
};

}  // namespace lockstep
