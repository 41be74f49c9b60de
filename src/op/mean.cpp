// y = (x0 + x1 + ...) / n, in float32 times 1 / n
#include "op/op_variadic.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Mean"}};

Result<void> eval(EvalContext& c) {
  return join_all(
      c, [](auto y, auto x) { return wrapping_add(y, x); },
      [](auto y, std::size_t count) {
        using T = decltype(y);
        if constexpr (std::is_same_v<T, float>)
          return y * (1.0f / static_cast<float>(count));
        else
          return static_cast<T>(y / static_cast<T>(count));
      });
}

}  // namespace

extern constinit const OpDef op_mean = {
    .name = "Mean",
    .meaning = "y = (x0 + x1 + ...) / n",
    .inputs = variadic_inputs,
    .outputs = variadic_outputs,
    .rules = variadic_rules,
    .infer = infer_variadic,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
