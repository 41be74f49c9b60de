// y[:,i] = the indices of the i-th element of x that is not 0, in the order of x
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Rule rules[] = {
    {"x is a constant, or follows from constants, of a type other than float16: it decides the "
     "shape",
     [](const NodeView& n) { return n.constant(0) && n.constant(0)->dtype() != DType::f16; }}};
constexpr Foreign from[] = {{Format::onnx, "NonZero"}};

std::vector<std::int64_t> places_of(const Tensor& x) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < x.count(); ++i)
    if (is_float(x.dtype()) ? x.number(i) != 0 : x.code(i) != 0) places.push_back(i);
  return places;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Tensor& x = *n.constant(0);
  const std::int64_t axes = std::max<std::int64_t>(1, std::ssize(x.shape()));
  return std::vector<Facts>{{DType::i64, {axes, std::ssize(places_of(x))}, {}}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  const auto places = places_of(x);
  const Shape steps = strides_of(x.shape());
  const auto y = c.out[0].as<std::int64_t>();
  for (std::size_t i = 0; i < places.size(); ++i)
    for (std::size_t d = 0; d < std::max<std::size_t>(1, steps.size()); ++d)
      y[d * places.size() + i] = steps.empty() ? 0 : places[i] / steps[d] % x.shape()[d];
  return {};
}

}  // namespace

extern constinit const OpDef op_non_zero = {
    .name = "NonZero",
    .meaning = "y[:,i] = the indices of the i-th element of x that is not 0",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
