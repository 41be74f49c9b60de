// y = x where x >= 0, else slope * x; the slope is spread over x.
#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"slope"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::onnx, "PRelu"}, {Format::tflite, "PRELU"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  LOCKSTEP_TRY(const Shape both, broadcast_shape(n, x.shape, n.input(1).shape));
  if (both != x.shape)
    return Error{n.where(), "a slope larger than x", "one that spreads over x", ""};
  return std::vector<Facts>{{x.dtype, x.shape, {}}};
}

Result<void> eval(EvalContext& c) {
  return eval_binary(c, c.num.prelu, "PRelu",
                     [](auto x, auto slope) { return x >= 0 ? x : wrapping_mul(x, slope); });
}

}  // namespace

extern constinit const OpDef op_prelu = {
    .name = "PRelu",
    .meaning = "y = x where x >= 0, else slope * x",
    .inputs = inputs,
    .outputs = outputs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
