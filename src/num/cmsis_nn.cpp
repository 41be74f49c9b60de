#include "num/cmsis_nn.h"

#include <algorithm>
#include <cmath>

#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

std::int32_t once(std::int32_t acc, const Rescale& r) {
  return rescale_once(acc, r);
}
std::int32_t rescale_wide_int(std::int64_t x, const Rescale& r) {
  return rescale_wide(x, r);
}

// N91: the multiplier in double.
BinaryState mul_prepare(const BinaryScales& s) {
  BinaryState state{s, {}, {}, {}, 0};
  state.y = fixed_multiplier(s.a_scale * s.b_scale / s.y_scale);
  return state;
}
std::int32_t mul_once(std::int32_t a, std::int32_t b, const BinaryState& t) {
  const std::int32_t product = (a - t.s.a_zero) * (b - t.s.b_zero);
  return clamp_code(std::int64_t{rescale_once(product, t.y)} + t.s.y_zero, t.s.low, t.s.high);
}

std::int32_t add_once(std::int32_t a, std::int32_t b, const BinaryState& t) {
  const auto on_grid = [&](std::int32_t code, std::int32_t zero, const Rescale& r) {
    return rescale_once(wrap32(std::int64_t{code - zero} << t.left_shift), r);
  };
  const std::int32_t sum =
      wrap32(std::int64_t{on_grid(a, t.s.a_zero, t.a)} + on_grid(b, t.s.b_zero, t.b));
  return clamp_code(std::int64_t{rescale_once(sum, t.y)} + t.s.y_zero, t.s.low, t.s.high);
}

BinaryState add_prepare(const BinaryScales& s) {
  return tflite_add.prepare(s);
}
Rescale conv_prepare(double x, double w, double y) {
  return tflite_conv.prepare(x, w, y);
}
Rescale dense_prepare(double x, double w, double y) {
  return tflite_matmul.prepare(x, w, y);
}
Rescale state_prepare(double x, double w, double y) {
  return tflite_state.prepare(x, w, y);
}
std::int32_t twice(std::int32_t acc, const Rescale& r) {
  return rescale_twice(acc, r);
}

// N92: x in Q4.27 where it lies inside, the function in Q0.31, y by N52.
struct Q4Input {
  Rescale scale;
  std::int32_t radius;
};
Q4Input q4_input(double x_scale) {
  Q4Input in{fixed_multiplier(x_scale * (1 << 27)), 0};
  const double most =
      15.0 * static_cast<double>(std::int64_t{1} << 27) / std::ldexp(1.0, in.scale.shift);
  in.radius = static_cast<std::int32_t>(std::floor(most));
  return in;
}

// N92: 1 / (1 + e) and (1 - e^2) / (1 + e^2), e = exp(-|x|), reflected; exp(-2|x|) is the raw
// number read with one more integer bit.
std::int32_t sigmoid_q4(std::int32_t x) {
  if (x == 0) return 1 << 30;
  const std::int32_t inverse = inverse_of_one_plus(exp_of_negative(x > 0 ? -x : x, 4));
  return x > 0 ? inverse : std::numeric_limits<std::int32_t>::max() - inverse;
}
std::int32_t tanh_q4(std::int32_t x) {
  if (x == 0) return 0;
  const std::int32_t t = quotient_of_one_minus(exp_of_negative(x > 0 ? -x : x, 5));
  return x > 0 ? t : -t;
}

void fill(const TableScales& s, std::span<std::int32_t> table, std::int32_t (*f)(std::int32_t),
          int bits, std::int32_t offset) {
  const Q4Input in = q4_input(s.x_scale);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = s.x_low + static_cast<std::int32_t>(i) - s.x_zero;
    table[i] = x >= in.radius ? s.high : s.low;
    if (x <= -in.radius || x >= in.radius) continue;
    const std::int32_t y = divide_by_power(f(rescale_twice(x, in.scale)), 31 - bits);
    table[i] = clamp_code(std::int64_t{y} + offset, s.low, s.high);
  }
}
void sigmoid(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() > 256) return tflite_sigmoid.fill(s, table);
  fill(s, table, sigmoid_q4, 8, s.low);
}
void tanh(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() > 256) return tflite_tanh.fill(s, table);
  fill(s, table, tanh_q4, 7, 0);
}

// N94: no change of scale: the bounds are codes of x's own.
void bounded_relu(const TableScales& s, std::span<std::int32_t> table) {
  if (s.alpha != 0 || s.beta != 6) return tflite_bounded_relu.fill(s, table);
  const std::int32_t six = clamp_code(
      std::int64_t{s.x_zero} + nearest_away(6.0f / static_cast<float>(s.x_scale)), s.low, s.high);
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = std::min(std::max(s.x_low + static_cast<std::int32_t>(i), s.x_zero), six);
}

// N95: as N66, multipliers formed in double.
void leaky_relu(const TableScales& s, std::span<std::int32_t> table) {
  const double slope = s.x_scale * static_cast<double>(static_cast<float>(s.alpha)) / s.y_scale;
  const Rescale above = fixed_multiplier(s.x_scale / s.y_scale),
                below = fixed_multiplier(std::abs(slope));
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = s.x_low + static_cast<std::int32_t>(i) - s.x_zero,
                       y = rescale_twice(x, x >= 0 ? above : below);
    table[i] = clamp_code(std::int64_t{s.y_zero} + (x < 0 && slope < 0 ? -y : y), s.low, s.high);
  }
}

// N95
void absolute(const TableScales& s, std::span<std::int32_t> table) {
  const Rescale r = fixed_multiplier(s.x_scale / s.y_scale);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = std::abs(s.x_low + static_cast<std::int32_t>(i) - s.x_zero);
    table[i] = clamp_code(std::int64_t{s.x_scale == s.y_scale ? x : rescale_twice(x, r)} + s.y_zero,
                          s.low, s.high);
  }
}

}  // namespace

const TablePolicy tflm_abs = {"tflm-abs", absolute};
const TablePolicy tflm_bounded_relu = {"tflm-bounded-relu", bounded_relu};
const TablePolicy tflm_leaky_relu = {"tflm-leaky-relu", leaky_relu};
const RequantPolicy cmsis_nn_dense = {"cmsis-nn-dense", dense_prepare, twice, rescale_wide_int};
const RequantPolicy cmsis_nn_dense_by_channel = {"cmsis-nn-dense-by-channel", conv_prepare, twice,
                                                 rescale_wide_int};
const BinaryPolicy cmsis_nn_mul = {"cmsis-nn-mul", mul_prepare, tflite_mul.apply};
const TablePolicy tflm_sigmoid = {"tflm-sigmoid", sigmoid};
const TablePolicy tflm_tanh = {"tflm-tanh", tanh};

const RequantPolicy cmsis_nn_conv_once = {"cmsis-nn-conv-once", conv_prepare, once,
                                          rescale_wide_int};
const RequantPolicy cmsis_nn_dense_once = {"cmsis-nn-dense-once", dense_prepare, once,
                                           rescale_wide_int};
const RequantPolicy cmsis_nn_dense_by_channel_once = {"cmsis-nn-dense-by-channel-once",
                                                      conv_prepare, once, rescale_wide_int};
const BinaryPolicy cmsis_nn_add_once = {"cmsis-nn-add-once", add_prepare, add_once};
const BinaryPolicy cmsis_nn_mul_once = {"cmsis-nn-mul-once", mul_prepare, mul_once};
const RequantPolicy cmsis_nn_state_once = {"cmsis-nn-state-once", state_prepare, once};

}  // namespace lockstep
