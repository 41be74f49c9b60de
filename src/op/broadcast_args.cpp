// y = the shape that tensors of shapes a and b make when they are spread against each other
#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<0, 1>},
    {"a and b have one type and one axis",
     [](const NodeView& n) {
       return n.input(0).dtype == n.input(1).dtype && n.input(0).shape.size() == 1 &&
              n.input(1).shape.size() == 1;
     }},
};
constexpr Foreign from[] = {{Format::tflite, "BROADCAST_ARGS"}};

Result<Shape> joined(const NodeView& n) {
  const Shape a = integers_of(*n.constant(0)), b = integers_of(*n.constant(1));
  auto shape = broadcast(a, b);
  if (!shape)
    return Error{n.where(), "shapes " + shape_text(a) + " and " + shape_text(b),
                 "shapes that can be spread against each other", ""};
  return *std::move(shape);
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Shape shape, joined(n));
  return std::vector<Facts>{{n.input(0).dtype, {static_cast<std::int64_t>(shape.size())}, {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Shape shape, joined(c.view));
  for (std::size_t i = 0; i < shape.size(); ++i)
    c.out[0].set_code(static_cast<std::int64_t>(i), shape[i]);
  return {};
}

}  // namespace

extern constinit const OpDef op_broadcast_args = {
    .name = "BroadcastArgs",
    .meaning =
        "y = the shape that tensors of shapes a and b make when they are spread against "
        "each other",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
