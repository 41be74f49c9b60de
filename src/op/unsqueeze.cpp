// y = x with axes of extent 1 put in, so that they are y's axes `axes`
#include <algorithm>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"axes", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axes", "", "the axes when they are no input, counted in y"}};
constexpr Foreign from[] = {{Format::onnx, "Unsqueeze"}, {Format::tflite, "EXPAND_DIMS"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  const auto asked = integers_at(n, 1, "axes");
  if (!asked) return Error{n.where(), "no axes", "an input or attribute 'axes'", ""};
  const std::size_t rank = x.shape.size() + asked->size();
  LOCKSTEP_TRY(const auto axes, normal_axes(n, *asked, rank));
  Shape y;
  for (std::size_t d = 0, from_x = 0; d < rank; ++d)
    y.push_back(std::ranges::count(axes, d) > 0 ? 1 : x.shape[from_x++]);
  return std::vector<Facts>{{x.dtype, y, quant_reshaped(x.quant, x.shape, y)}};
}

}  // namespace

extern constinit const OpDef op_unsqueeze = {
    .name = "Unsqueeze",
    .meaning = "y = x with axes of extent 1 put in, so that they are y's axes `axes`",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = copy_whole,
    .from = from,
};

}  // namespace lockstep
