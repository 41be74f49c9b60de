// y[.., i, ..] = x[.., n - 1 - i, ..] on each of the axes. Codes move as they are: converters give
// y a scale of its own, and the runtime does not look at it.
#include <algorithm>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"axes"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::tflite, "REVERSE_V2"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
};

Result<Sources> sources_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  LOCKSTEP_TRY(const auto axes, normal_axes(n, integers_of(*n.constant(1)), x.size()));
  Sources sources = all_of(x);
  for (const std::size_t axis : axes) std::ranges::reverse(sources[axis]);
  return sources;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Sources sources, sources_of(n));
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, x.shape, quant_of_sources(x.quant, sources)}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Sources sources, sources_of(c.view));
  copy_from_sources(*c.in[0], sources, c.out[0]);
  return {};
}

}  // namespace

extern constinit const OpDef op_reverse = {
    .name = "Reverse",
    .meaning = "y[.., i, ..] = x[.., n - 1 - i, ..] on each of the axes",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
