// y = (x0 + x1 + ...) / n
#include "op/op_variadic.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Mean"}};

Result<void> eval(EvalContext& c) {
  return join_all(c, [](auto y, auto x) { return wrapping_add(y, x); },
                  [](auto y, std::size_t count) { return static_cast<decltype(y)>(y / static_cast<decltype(y)>(count)); });
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
