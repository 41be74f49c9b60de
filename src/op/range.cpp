// y = start, start + delta, (start + delta) + delta, ... before limit: ceil((limit - start) /
// delta) of them
#include <cmath>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"start"}, {"limit"}, {"delta"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::onnx, "Range"}, {Format::tflite, "RANGE"}};

bool one_constant(const NodeView& n, std::size_t i) {
  const Tensor* t = n.constant(i);
  return t && t->count() == 1 && t->dtype() == n.constant(0)->dtype() && t->dtype() != DType::f16;
}

constexpr Rule rules[] = {
    {"start, limit and delta are constants, or follow from constants, each one element of one type",
     [](const NodeView& n) {
       return one_constant(n, 0) && one_constant(n, 1) && one_constant(n, 2);
     }},
    {"delta is not zero", [](const NodeView& n) { return n.constant(2)->number(0) != 0; }},
};

// limit - start is taken in the type of the tensors (float32 rounds there), the quotient in double.
Result<std::vector<Facts>> infer(const NodeView& n) {
  const DType dtype = n.constant(0)->dtype();
  double span = n.constant(1)->number(0) - n.constant(0)->number(0);
  if (dtype == DType::f32) span = static_cast<float>(span);
  const double count = std::ceil(span / n.constant(2)->number(0));
  if (!(count < 0x1p40))
    return Error{n.where(), std::to_string(count) + " elements", "at most 2^40", ""};
  return std::vector<Facts>{{dtype, {count > 0 ? static_cast<std::int64_t>(count) : 0}, {}}};
}

Result<void> eval(EvalContext& c) {
  with_type(c.out[0].dtype(), [&](auto type) {
    using T = decltype(type);
    const T delta = c.in[2]->as<T>()[0];
    T element = c.in[0]->as<T>()[0];
    const auto y = c.out[0].as<T>();
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (i > 0) element = static_cast<T>(element + delta);
      y[i] = element;
    }
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_range = {
    .name = "Range",
    .meaning = "y = start, start + delta, (start + delta) + delta, ... before limit",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
