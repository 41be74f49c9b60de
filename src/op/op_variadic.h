#pragma once

#include "op/op_binary.h"

namespace lockstep {

// What operators on any number of operands share: all are spread to one shape.

inline constexpr Slot variadic_inputs[] = {{"x", Slot::variadic}};
inline constexpr Slot variadic_outputs[] = {{"y"}};
inline constexpr Rule variadic_rules[] = {
    {"one x at least, all of one type and not in codes",
     [](const NodeView& n) {
       for (std::size_t i = 0; i < n.input_count(); ++i)
         if (!n.has_input(i) || n.input(i).dtype != n.input(0).dtype ||
             n.input(i).quant.quantized())
           return false;
       return n.input_count() > 0;
     }},
};

// A choice among codes is right where all stand for numbers in the same way.
inline constexpr Rule choice_rules[] = {
    {"one x at least, all of one type, codes with the scale and zero point of y",
     [](const NodeView& n) {
       for (std::size_t i = 0; i < n.input_count(); ++i)
         if (!n.has_input(i) || n.input(i).dtype != n.input(0).dtype ||
             (n.input(i).quant.quantized() && n.input(i).quant != n.output(0).quant))
           return false;
       return n.input_count() > 0;
     }},
};

inline Result<std::vector<Facts>> infer_variadic(const NodeView& n) {
  Shape shape = n.input(0).shape;
  for (std::size_t i = 1; i < n.input_count(); ++i) {
    LOCKSTEP_TRY(shape, broadcast_shape(n, shape, n.input(i).shape));
  }
  return std::vector<Facts>{{n.input(0).dtype, shape, {}}};
}

// y = x0, then y = join(y, x) for every further x, in order; at the end y = finish(y).
template <class Join, class Finish>
Result<void> join_all(EvalContext& c, Join join, Finish finish) {
  if (c.in[0]->dtype() == DType::f16)
    return Error{c.view.where(), "float16", "float32, float64 or integers", ""};
  with_type(c.in[0]->dtype(), [&](auto type) {
    using T = decltype(type);
    const auto y = c.out[0].as<T>();
    const Shape& shape = c.out[0].shape();
    for (std::size_t k = 0; k < c.in.size(); ++k) {
      const auto x = c.in[k]->as<T>();
      each_pair(shape, shape, c.in[k]->shape(),
                [&](std::int64_t i, std::int64_t, std::int64_t from) {
                  T& to = y[static_cast<std::size_t>(i)];
                  to = k == 0 ? x[static_cast<std::size_t>(from)]
                              : join(to, x[static_cast<std::size_t>(from)]);
                });
    }
    for (T& to : y) to = finish(to, c.in.size());
  });
  return {};
}

}  // namespace lockstep
