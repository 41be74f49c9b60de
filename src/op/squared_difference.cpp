// y = (a - b)^2, spread to one shape; codes on a finer common grid (N75).
#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};

Result<void> eval(EvalContext& c) {
  return eval_binary(c, c.num.squared_difference, "SquaredDifference", [](auto a, auto b) {
    const auto d = wrapping_sub(a, b);
    return wrapping_mul(d, d);
  });
}

constexpr Foreign from[] = {{Format::tflite, "SQUARED_DIFFERENCE"}};

}  // namespace

extern constinit const OpDef op_squared_difference = {
    .name = "SquaredDifference",
    .meaning = "y = (a - b)^2",
    .inputs = inputs,
    .outputs = outputs,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
