// y = 1 / sqrt x; on codes N71.
#include <cmath>

#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::tflite, "RSQRT"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) {
    LOCKSTEP_CHECK(no_code_below_zero(c));
    return map_codes(c, c.num.rsqrt);
  }
  if (c.in[0]->dtype() == DType::f32)
    return map_elements(c, [](auto x) { return 1 / std::sqrt(static_cast<float>(x)); });
  return map_reals(c, [](double x) { return 1 / std::sqrt(x); });
}

}  // namespace

extern constinit const OpDef op_rsqrt = {
    .name = "Rsqrt",
    .meaning = "y = 1 / sqrt x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
