// y[n,c] = greatest x[n,c,p] over all positions p; codes keep their quantization.
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Rule rules[] = {{"x has batch and channels, and is not empty",
                           [](const NodeView& n) {
                             return n.input(0).shape.size() >= 2 && count_of(n.input(0).shape) > 0;
                           }},
                          {codes_rule, first_keeps_codes}};
constexpr Foreign from[] = {{Format::onnx, "GlobalMaxPool"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  Shape y = x.shape;
  for (std::size_t d = 2; d < y.size(); ++d) y[d] = 1;
  return std::vector<Facts>{{x.dtype, y, x.quant}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  if (x.dtype() == DType::f16)
    return Error{c.view.where(), "x of type float16", "another element type", ""};
  const auto planes = static_cast<std::size_t>(c.out[0].count());
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    const std::size_t positions = in.size() / planes;
    for (std::size_t p = 0; p < planes; ++p) {
      out[p] = in[p * positions];
      for (std::size_t i = 1; i < positions; ++i)
        if (in[p * positions + i] > out[p]) out[p] = in[p * positions + i];
    }
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_global_max_pool = {
    .name = "GlobalMaxPool",
    .meaning = "y[n,c] = greatest x[n,c,p] over all positions p",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
