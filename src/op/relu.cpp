// y = x < 0 ? 0 : x; on codes y = max(x, zero): scale and zero point stay.
#include <algorithm>
#include <cmath>

#include "op/op.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::onnx, "Relu"}};
constexpr Rule rules[] = {
    {"x and y have the same quantization when quantized",
     [](const NodeView& n) {
       return !n.output(0).quant.quantized() || n.output(0).quant == n.input(0).quant;
     }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, x.shape, x.quant}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto& quant = c.view.input(0).quant;
    const T zero = quant.quantized() ? static_cast<T>(quant.zero_at(0)) : T{0};
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = in[i] < zero ? zero : in[i];  // -0 stays
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_relu = {
    .name = "Relu",
    .meaning = "y = max(x, 0)",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
