// y = |x|
#include <cmath>

#include "op/op_binary.h"
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Abs"}, {Format::tflite, "ABS"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.abs);
  return map_elements(c, [](auto x) {
    using T = decltype(x);
    if constexpr (std::is_floating_point_v<T>)
      return std::fabs(x);
    else
      return x < 0 ? wrapping_sub<T>(0, x) : x;
  });
}

}  // namespace

extern constinit const OpDef op_abs = {
    .name = "Abs",
    .meaning = "y = |x|",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
