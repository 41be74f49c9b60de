// y = x + bias where x < -lambd, x - bias where x > lambd, else 0
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"lambd", "0.5", "what is within becomes 0"},
                              {"bias", "0", "added below, taken off above"}};
constexpr Foreign from[] = {{Format::onnx, "Shrink"}};

Result<void> eval(EvalContext& c) {
  const double lambd = c.view.attrs().real("lambd", 0.5), bias = c.view.attrs().real("bias", 0);
  return map_elements(c, [&](auto x) {
    using T = decltype(x);
    const auto v = static_cast<double>(x);
    return v < -lambd  ? static_cast<T>(x + static_cast<T>(bias))
           : v > lambd ? static_cast<T>(x - static_cast<T>(bias))
                       : T{0};
  });
}

}  // namespace

extern constinit const OpDef op_shrink = {
    .name = "Shrink",
    .meaning = "y = x + bias where x < -lambd, x - bias where x > lambd, else 0",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
