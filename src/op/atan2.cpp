// y = the angle of the point (b, a), from -pi to pi
#include <cmath>

#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::tflite, "ATAN2"}};
constexpr Rule rules[] = {
    {"a and b are float32 or float64 alike, and of one shape",
     [](const NodeView& n) {
       const DType t = n.input(0).dtype;
       return t == n.input(1).dtype && (t == DType::f32 || t == DType::f64) &&
              n.input(0).shape == n.input(1).shape;
     }},
};

Result<void> eval(EvalContext& c) {
  const Tensor &a = *c.in[0], &b = *c.in[1];
  const bool narrow = a.dtype() == DType::f32;
  each_pair(c.out[0].shape(), a.shape(), b.shape(),
            [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
              const double y = a.number(ia), x = b.number(ib);
              c.out[0].set_number(
                  i, narrow ? double{std::atan2(static_cast<float>(y), static_cast<float>(x))}
                            : std::atan2(y, x));
            });
  return {};
}

}  // namespace

extern constinit const OpDef op_atan2 = {
    .name = "Atan2",
    .meaning = "y = the angle of the point (b, a), from -pi to pi",
    .exact = Exactness::rounding,
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
