// y = x0 + x1 + ...
#include "op/op_variadic.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Sum"}, {Format::tflite, "ADD_N"}};

Result<void> eval(EvalContext& c) {
  return join_all(
      c, [](auto y, auto x) { return wrapping_add(y, x); }, [](auto y, std::size_t) { return y; });
}

}  // namespace

extern constinit const OpDef op_sum = {
    .name = "Sum",
    .meaning = "y = x0 + x1 + ...",
    .inputs = variadic_inputs,
    .outputs = variadic_outputs,
    .rules = variadic_rules,
    .infer = infer_variadic,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
