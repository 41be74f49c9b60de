// y = least of all x
#include <algorithm>

#include "op/op_variadic.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Min"}, {Format::tflite, "MINIMUM"}};

Result<void> eval(EvalContext& c) {
  return join_all(
      c, [](auto y, auto x) { return x < y || x != x ? x : y; },
      [](auto y, std::size_t) { return y; });
}

}  // namespace

extern constinit const OpDef op_min = {
    .name = "Min",
    .meaning = "y = least of all x",
    .inputs = variadic_inputs,
    .outputs = variadic_outputs,
    .rules = choice_rules,
    .infer = infer_variadic,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
