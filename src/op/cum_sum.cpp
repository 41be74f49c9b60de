// y[i] = x[0] + ... + x[i] along the axis; exclusive without x[i], reverse from the other end.
#include "op/op_binary.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"axis"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"exclusive", "0", "1: x[i] itself is left out"},
                              {"reverse", "0", "1: sums start at the end"}};
constexpr Rule rules[] = {
    {"x is a number other than float16, not in codes",
     [](const NodeView& n) {
       return n.input(0).dtype != DType::f16 && n.input(0).dtype != DType::boolean &&
              !n.input(0).quant.quantized();
     }},
    {"the axis is one constant integer",
     [](const NodeView& n) {
       return n.constant(1) && is_integer(n.constant(1)->dtype()) && n.constant(1)->count() == 1;
     }},
};
constexpr Foreign from[] = {{Format::onnx, "CumSum"}, {Format::tflite, "CUMSUM"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY([[maybe_unused]] const std::size_t axis,
               normal_axis(n, n.constant(1)->code(0), n.input(0).shape.size()));
  return std::vector<Facts>{{n.input(0).dtype, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.constant(1)->code(0), x.shape().size()));
  const bool exclusive = c.view.attrs().integer("exclusive", 0) != 0,
             reverse = c.view.attrs().integer("reverse", 0) != 0;
  const auto length = static_cast<std::size_t>(x.shape()[axis]);
  const auto step = static_cast<std::size_t>(
      count_of(Shape(x.shape().begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape().end())));
  if (x.count() == 0) return {};
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    for (std::size_t row = 0; row < in.size() / length; ++row) {
      const std::size_t first = row / step * step * length + row % step;
      T sum = 0;
      for (std::size_t i = 0; i < length; ++i) {
        const std::size_t at = first + (reverse ? length - 1 - i : i) * step;
        const T element = in[at];
        out[at] = exclusive ? sum : wrapping_add(sum, element);
        sum = wrapping_add(sum, element);
      }
    }
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_cum_sum = {
    .name = "CumSum",
    .meaning = "y[i] = x[0] + ... + x[i] along the axis",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
