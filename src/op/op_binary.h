#pragma once

#include "op/op_codes.h"

namespace lockstep {

// What operators on two operands share: NumPy's broadcasting, from the last axis on.

// The common shape, or an error that names both.
Result<Shape> broadcast_shape(const NodeView& n, const Shape& a, const Shape& b);

// Which operand does not move along the run that runtimes compute at once: the innermost axis that
// both have and on which either moves; under a scalar the other's last axis. Where neither moves
// the first counts as still (N101).
enum class RunKind : std::uint8_t { both_move, first_still, second_still };
RunKind run_kind(const Shape& a, const Shape& b);

// The scales of both operands and the result, the clamp and which operand stands still, as a
// BinaryPolicy is prepared with them. Codes are those of the runtime: `held_shift` (op_held.h) of
// its operand more than the stored ones.
BinaryScales binary_scales(const NodeView& n);

// visit(i, ia, ib) for every element i of `y` with the elements of a and b that meet there.
template <class Visit>
void each_pair(const Shape& y, const Shape& a, const Shape& b, Visit&& visit);

// Shape rule of an elementwise operator: the common shape, the first operand's type, or codes.
Result<std::vector<Facts>> binary_facts(const NodeView& n);
// Type and activation of TFLite's two-operand operators.
Result<void> binary_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string op);
// ONNX's opset 6 form: attribute broadcast with axis says where b starts.
Result<void> binary_from_onnx(const ForeignNode& f, GraphBuilder& graph, std::string op);

// Operands in codes through the policy, all else by `on_numbers(a, b)` in the operands' type.
template <class OnNumbers>
Result<void> eval_binary(EvalContext& c, const BinaryPolicy* policy, std::string_view kind,
                         OnNumbers&& on_numbers);

Result<void> eval_binary_codes(EvalContext& c, const BinaryPolicy* policy, std::string_view kind);

template <class Visit>
void each_pair(const Shape& y, const Shape& a, const Shape& b, Visit&& visit) {
  const std::size_t rank = y.size();
  const auto strides = [&](const Shape& s) {
    std::vector<std::int64_t> out(rank, 0);
    std::int64_t step = 1;
    for (std::size_t k = 0; k < s.size(); ++k) {
      const std::size_t axis = s.size() - 1 - k;
      if (s[axis] != 1) out[rank - 1 - k] = step;
      step *= s[axis];
    }
    return out;
  };
  const auto sa = strides(a), sb = strides(b);
  std::vector<std::int64_t> at(rank, 0);
  std::int64_t ia = 0, ib = 0;
  const std::int64_t count = count_of(y);
  for (std::int64_t i = 0; i < count; ++i) {
    visit(i, ia, ib);
    for (std::size_t k = rank; k-- > 0;) {
      ia += sa[k];
      ib += sb[k];
      if (++at[k] < y[k]) break;
      ia -= sa[k] * y[k];
      ib -= sb[k] * y[k];
      at[k] = 0;
    }
  }
}

template <class OnNumbers>
Result<void> eval_binary(EvalContext& c, const BinaryPolicy* policy, std::string_view kind,
                         OnNumbers&& on_numbers) {
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (is_code(a) && is_code(b) && is_code(c.view.output(0)))
    return eval_binary_codes(c, policy, kind);
  if (a.dtype != b.dtype || c.out[0].dtype() != a.dtype)
    return Error{c.view.where(),
                 "operands of type " + std::string(name_of(a.dtype)) + " and " +
                     std::string(name_of(b.dtype)),
                 "one type for both", ""};
  const Activation act = activation_of(c.view);
  with_type(a.dtype, [&](auto type) {
    using T = decltype(type);
    const auto x = c.in[0]->as<T>(), z = c.in[1]->as<T>();
    const auto y = c.out[0].as<T>();
    each_pair(c.out[0].shape(), c.in[0]->shape(), c.in[1]->shape(),
              [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
                const T value =
                    on_numbers(x[static_cast<std::size_t>(ia)], z[static_cast<std::size_t>(ib)]);
                if constexpr (std::is_same_v<T, float>)
                  y[static_cast<std::size_t>(i)] = activate(act, value);
                else
                  y[static_cast<std::size_t>(i)] = value;
              });
  });
  return {};
}

// Sums, differences and products of integers wrap in the type's width, as two's complement does.
template <class T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a + b;
  else
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class T>
T wrapping_sub(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a - b;
  else
    return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
template <class T>
T wrapping_mul(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a * b;
  else
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
// Integers: toward zero; a division by zero gives 0, the least by -1 itself.
template <class T>
T wrapping_div(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a / b;
  else if constexpr (std::is_signed_v<T>)
    return b == 0 ? T{0} : b == -1 ? wrapping_sub<T>(0, a) : static_cast<T>(a / b);
  else
    return b == 0 ? T{0} : static_cast<T>(a / b);
}

}  // namespace lockstep
