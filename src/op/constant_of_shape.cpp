// y[i] = value for every i of the given shape
#include <algorithm>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"shape"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"value", "float32 0", "a tensor of one element, which gives y its type"}};
constexpr Foreign from[] = {{Format::onnx, "ConstantOfShape"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<0>},
    {"the value is one element",
     [](const NodeView& n) {
       return !n.attrs().tensor("value") || n.attrs().tensor("value")->count() == 1;
     }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const auto value = n.attrs().tensor("value");
  const Shape shape = integers_of(*n.constant(0));
  LOCKSTEP_CHECK(checked_count(shape, n.where()));
  return std::vector<Facts>{{value ? value->dtype() : DType::f32, shape, {}}};
}

Result<void> eval(EvalContext& c) {
  if (const auto value = c.view.attrs().tensor("value"))
    fill(c.out[0], value->bytes().data());
  else
    std::ranges::fill(c.out[0].bytes(), std::byte{0});
  return {};
}

}  // namespace

extern constinit const OpDef op_constant_of_shape = {
    .name = "ConstantOfShape",
    .meaning = "y[i] = value for every i of the given shape",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
