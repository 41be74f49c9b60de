// y = tanh x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Tanh"}, {Format::tflite, "TANH"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.tanh);
  if (by_own_steps(c, &RealFunctions::tanh)) return {};
  if (c.in[0]->dtype() == DType::f32 && c.num.real.tanh)
    return map_elements(c, [&](auto x) { return c.num.real.tanh(static_cast<float>(x)); });
  return map_reals(c, [](double x) { return std::tanh(x); });
}

}  // namespace

extern constinit const OpDef op_tanh = {
    .name = "Tanh",
    .meaning = "y = tanh x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
