// y = -x
#include "op/op_binary.h"
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Neg"}, {Format::tflite, "NEG"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.neg);
  return map_elements(c, [](auto x) {
    using T = decltype(x);
    if constexpr (std::is_floating_point_v<T>)
      return -x;
    else
      return wrapping_sub<T>(0, x);
  });
}

}  // namespace

extern constinit const OpDef op_neg = {
    .name = "Neg",
    .meaning = "y = -x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
