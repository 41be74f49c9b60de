// y = a ^ b, in the type of a; integers are cut.
#include <cmath>

#include "num/real_functions.h"
#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::onnx, "Pow"}, {Format::tflite, "POW"}};
constexpr Rule rules[] = {
    {"a and b are numbers, not codes",
     [](const NodeView& n) {
       const auto fits = [](const Value& v) {
         return !v.quant.quantized() && v.dtype != DType::f16 && v.dtype != DType::boolean;
       };
       return fits(n.input(0)) && fits(n.input(1));
     }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Shape shape, broadcast_shape(n, n.input(0).shape, n.input(1).shape));
  return std::vector<Facts>{{n.input(0).dtype, shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Tensor &a = *c.in[0], &b = *c.in[1];
  const RealFunctions* const own = c.num.real.functions;
  if (own && own->power && a.dtype() == DType::f32 && b.dtype() == DType::f32) {
    const auto base = a.as<float>(), exponent = b.as<float>();
    const auto y = c.out[0].as<float>();
    const bool one_exponent = run_kind(a.shape(), b.shape()) == RunKind::second_still;
    each_pair(c.out[0].shape(), a.shape(), b.shape(),
              [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
                const float v = base[static_cast<std::size_t>(ia)],
                            e = exponent[static_cast<std::size_t>(ib)];
                y[static_cast<std::size_t>(i)] = one_exponent ? own->power(v, e) : std::pow(v, e);
              });
    return {};
  }
  each_pair(c.out[0].shape(), a.shape(), b.shape(),
            [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
              c.out[0].set_number(i, std::pow(a.number(ia), b.number(ib)));
            });
  return {};
}

}  // namespace

extern constinit const OpDef op_pow = {
    .name = "Pow",
    .meaning = "y = a ^ b",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
