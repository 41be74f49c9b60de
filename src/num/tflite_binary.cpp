#include <algorithm>

#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// N59: both operands to the grid of twice the larger step, `left_shift` bits finer; then to y's.
BinaryState common_grid(const BinaryScales& s, int left_shift, double y_multiplier) {
  const double twice_larger = 2 * std::max(s.a_scale, s.b_scale);
  BinaryState state{s, fixed_multiplier(s.a_scale / twice_larger),
                    fixed_multiplier(s.b_scale / twice_larger), fixed_multiplier(y_multiplier),
                    left_shift};
  return state;
}

BinaryState add_prepare(const BinaryScales& s) {
  const int left_shift = s.bits > 8 ? 15 : 20;  // codes of 16 bits leave less room
  const float step = static_cast<float>(1 << left_shift) * static_cast<float>(s.y_scale);
  return common_grid(s, left_shift, 2 * std::max(s.a_scale, s.b_scale) / step);
}

std::int32_t on_grid(std::int32_t code, std::int32_t zero, const Rescale& r, int left_shift) {
  return rescale_twice(wrap32(std::int64_t{code - zero} << left_shift), r);
}

std::int32_t finish(std::int32_t grid, const BinaryState& t) {
  return clamp_code(std::int64_t{rescale_twice(grid, t.y)} + t.s.y_zero, t.s.low, t.s.high);
}

std::int32_t add_apply(std::int32_t a, std::int32_t b, const BinaryState& t) {
  return finish(
      on_grid(a, t.s.a_zero, t.a, t.left_shift) + on_grid(b, t.s.b_zero, t.b, t.left_shift), t);
}

// A difference never shifts to the left, even where y is finer than the grid.
std::int32_t sub_apply(std::int32_t a, std::int32_t b, const BinaryState& t) {
  const std::int32_t d =
      on_grid(a, t.s.a_zero, t.a, t.left_shift) - on_grid(b, t.s.b_zero, t.b, t.left_shift);
  const std::int32_t y = divide_by_any_power(high_mul(d, t.y.multiplier), -t.y.shift);
  return clamp_code(std::int64_t{y} + t.s.y_zero, t.s.low, t.s.high);
}

// N75: as N59 on a grid 7 bits finer (of 16 bits: no finer), then the square.
BinaryState difference_prepare(const BinaryScales& s) {
  const int left_shift = s.bits > 8 ? 0 : 7;
  const double twice_larger = 2 * std::max(s.a_scale, s.b_scale);
  const float step = static_cast<float>(1 << (2 * left_shift)) * static_cast<float>(s.y_scale);
  return common_grid(s, left_shift, twice_larger * twice_larger / step);
}

std::int32_t difference_apply(std::int32_t a, std::int32_t b, const BinaryState& t) {
  const std::int32_t d =
      on_grid(a, t.s.a_zero, t.a, t.left_shift) - on_grid(b, t.s.b_zero, t.b, t.left_shift);
  return finish(wrap32(std::int64_t{d} * d), t);
}

// N60: the multiplier is formed in float32.
BinaryState mul_prepare(const BinaryScales& s) {
  BinaryState state{s, {}, {}, {}, 0};
  state.y = fixed_multiplier(static_cast<float>(s.a_scale) * static_cast<float>(s.b_scale) /
                             static_cast<float>(s.y_scale));
  return state;
}

std::int32_t mul_apply(std::int32_t a, std::int32_t b, const BinaryState& t) {
  return finish((a - t.s.a_zero) * (b - t.s.b_zero), t);
}

// N66: below zero the product with the slope, above zero x itself.
BinaryState prelu_prepare(const BinaryScales& s) {
  BinaryState state{s, {}, {}, {}, 0};
  const auto a = static_cast<float>(s.a_scale), y = static_cast<float>(s.y_scale);
  state.a = fixed_multiplier(a / y);
  state.y = fixed_multiplier(a * static_cast<float>(s.b_scale) / y);
  return state;
}

std::int32_t prelu_apply(std::int32_t a, std::int32_t b, const BinaryState& t) {
  const std::int32_t x = a - t.s.a_zero;
  if (x < 0) return finish(x * (b - t.s.b_zero), t);
  return clamp_code(std::int64_t{rescale_twice(x, t.a)} + t.s.y_zero, t.s.low, t.s.high);
}

// N74: the multiplier is formed in float32; the quotient through the reciprocal of b.
BinaryState div_prepare(const BinaryScales& s) {
  BinaryState state{s, {}, {}, {}, 0};
  state.y = fixed_multiplier(static_cast<float>(s.a_scale) /
                             (static_cast<float>(s.b_scale) * static_cast<float>(s.y_scale)));
  return state;
}

std::int32_t div_apply(std::int32_t a, std::int32_t b, const BinaryState& t) {
  std::int32_t top = a - t.s.a_zero, bottom = b - t.s.b_zero;
  if (bottom < 0) top = -top, bottom = -bottom;
  int power = 0;
  const std::int32_t inverse = reciprocal(bottom, 31, power);
  const std::int32_t magnitude = top < 0 ? ~top : top;
  const int headroom =
      magnitude == 0 ? 31 : leading_zeros(static_cast<std::uint32_t>(magnitude)) - 1;
  const std::int32_t quotient = high_mul(wrap32(std::int64_t{top} << headroom), inverse);
  const int down = -(t.y.shift - power - headroom);
  const std::int32_t scaled = divide_by_any_power(high_mul(quotient, t.y.multiplier), down);
  return clamp_code(std::int64_t{scaled} + t.s.y_zero, t.s.low, t.s.high);
}

}  // namespace

const BinaryPolicy tflite_add = {"tflite-add", add_prepare, add_apply};
const BinaryPolicy tflite_sub = {"tflite-sub", add_prepare, sub_apply};
const BinaryPolicy tflite_mul = {"tflite-mul", mul_prepare, mul_apply};
const BinaryPolicy tflite_div = {"tflite-div", div_prepare, div_apply};
const BinaryPolicy tflite_prelu = {"tflite-prelu", prelu_prepare, prelu_apply};
const BinaryPolicy tflite_squared_difference = {"tflite-squared-difference", difference_prepare,
                                                difference_apply};

}  // namespace lockstep
