#include "num/neural_art.h"

#include <algorithm>
#include <cmath>

#include "num/npu_fixed.h"
#include "num/npu_rules.h"
#include "num/ort_codes.h"

namespace lockstep {
namespace {

// ceil(log2(x)) of x > 0, exactly.
int log2_above(double x) {
  int e = 0;
  return std::frexp(x, &e) == 0.5 ? e - 1 : e;
}

// uint8 codes are held as int8: code - 128. Ties away from zero fall by the sign of those.
std::int32_t signed_offset(std::int32_t high) {
  return high > 127 ? 128 : 0;
}

std::int64_t nearest_up(double x) {
  return static_cast<std::int64_t>(std::floor(x + 0.5));
}

// x * 2^n in [2^14, 2^15); n for x > 0.
int lift_to_15_bits(double x) {
  int e = 0;
  std::frexp(x, &e);
  return nearest_up(std::ldexp(x, 15 - e)) > 32767 ? 14 - e : 15 - e;
}

double product_scale(const ProductProblem& p, std::size_t k) {
  const auto w = static_cast<float>(p.w_scale[p.w_scale.size() == 1 ? 0 : k]);
  return static_cast<double>(static_cast<float>(p.x_scale) * w);
}

// Kernels of at most 3 rows and 6 columns (12 when columns are skipped), and channels as the units
// take them.
std::vector<ProductPiece> pieces_of(const ProductProblem& p) {
  const std::int64_t wide = p.column_stride >= 2 ? 12 : 6;
  const bool point = p.rows * p.columns == 1 && p.groups == 1;
  if (point && p.channels > 128 && p.channels % 8 != 0) return {};  // seen to fall to the CPU
  const std::int64_t deep = point ? npu_channels_in_a_pass(p.kernels, p.pixels) : p.channels;
  std::vector<ProductPiece> pieces;
  for (std::int64_t r = 0; r < p.rows; r += 3)
    for (std::int64_t c = 0; c < p.columns; c += wide)
      for (std::int64_t d = 0; d < p.channels; d += deep)
        pieces.push_back({r, std::min<std::int64_t>(3, p.rows - r), c,
                          std::min(wide, p.columns - c), d, std::min(deep, p.channels - d)});
  return pieces;
}

int sum_shift_of(const ProductProblem& p) {
  const std::int64_t one = p.rows * p.columns * p.channels;
  std::int64_t largest = 0;
  for (std::int64_t k = 0; k < p.kernels; ++k) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < one; ++i) sum += p.weights[static_cast<std::size_t>(k * one + i)];
    largest = std::max(largest, sum < 0 ? -sum : sum);
  }
  return npu_conv_shift(static_cast<double>(largest));
}

// Bits behind the point of the 16-bit intermediate: it holds the output's range and every bias.
int fraction_bits_of(const ProductProblem& p) {
  int bits = 14 - log2_above(static_cast<double>(p.y_high - p.y_low) * p.y_scale);
  double bias = 0;
  for (std::size_t k = 0; k < p.bias.size(); ++k)
    bias = std::max(bias, std::abs(p.bias[k] * product_scale(p, k)));
  if (bias > 0) bits = std::min(bits, 15 - log2_above(bias));
  return bits;
}

ProductPlan prepare(const ProductProblem& p) {
  ProductPlan plan;
  plan.pieces = pieces_of(p);
  plan.sum_shift = sum_shift_of(p);
  double largest = 0;
  for (std::int64_t k = 0; k < p.kernels; ++k)
    largest = std::max(largest, product_scale(p, static_cast<std::size_t>(k)));
  const int lift = lift_to_15_bits(largest);
  plan.fraction_bits = std::min(fraction_bits_of(p), lift - plan.sum_shift);
  plan.product_shift = std::min(lift - plan.sum_shift - plan.fraction_bits, 62);
  const int out = lift_to_15_bits(1 / p.y_scale);
  plan.common = static_cast<std::int32_t>(nearest_up(std::ldexp(1 / p.y_scale, out)));
  plan.final_shift = std::clamp(out + plan.fraction_bits, 0, 46);
  plan.offset = signed_offset(p.y_high);
  const int y_zero = p.y_zero - plan.offset;
  const bool streamed =
      p.kernels > 512;  // more rows than the coefficient memory: a bias of 16 bits
  for (std::int64_t i = 0; i < p.kernels; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const double scale = product_scale(p, k),
                 bias = p.bias.empty() ? 0 : static_cast<double>(p.bias[k]) * scale;
    plan.multiplier.push_back(static_cast<std::int32_t>(nearest_up(std::ldexp(scale, lift))));
    const double exact = std::trunc(std::ldexp(bias / p.y_scale + y_zero, plan.final_shift));
    const double narrow = std::ldexp(static_cast<double>(y_zero), plan.final_shift) +
                          static_cast<double>(plan.common) *
                              static_cast<double>(nearest_up(std::ldexp(bias, plan.fraction_bits)));
    constexpr double most = 1LL << 61;
    plan.constant.push_back(
        static_cast<std::int64_t>(std::clamp(streamed ? narrow : exact, -most, most)));
  }
  return plan;
}

std::int64_t add_piece(std::int64_t run, std::int64_t sum, const ProductPlan& plan) {
  const std::int64_t total = run * (std::int64_t{1} << plan.sum_shift) + sum;
  return npu_saturate(npu_shift(total, plan.sum_shift, NpuTie::away), 2);
}

std::int32_t leave(std::int64_t run, std::size_t kernel, const ProductPlan& plan) {
  const std::int64_t real =
      npu_saturate(npu_shift(run * plan.multiplier[kernel], plan.product_shift, NpuTie::away), 2);
  return static_cast<std::int32_t>(npu_shift(real * plan.common + plan.constant[kernel],
                                             plan.final_shift, NpuTie::away)) +
         plan.offset;
}

Rescale prepare_once(double x_scale, double w_scale, double y_scale) {
  Rescale r;
  r.real = x_scale * w_scale / y_scale;
  return r;
}
std::int32_t apply_once(std::int32_t acc, const Rescale& r) {
  const double v = std::clamp(acc * r.real, -1e9, 1e9);
  return static_cast<std::int32_t>(v < 0 ? -std::floor(0.5 - v) : std::floor(v + 0.5));
}

BinaryState state_of(const BinaryScales& s, const NpuAddConstants& k) {
  BinaryState state{s, {}, {}, {}, k.shift};
  state.a.multiplier = static_cast<std::int32_t>(k.a), state.a.shift = k.a_shift;
  state.b.multiplier = static_cast<std::int32_t>(k.b), state.b.shift = k.b_shift;
  state.y.multiplier = static_cast<std::int32_t>(k.c), state.y.shift = k.c_shift;
  return state;
}
BinaryState prepare_add(const BinaryScales& s) {
  const std::int32_t off = signed_offset(s.high);
  return state_of(s, npu_add_constants(s.a_scale, s.a_zero - off, s.b_scale, s.b_zero - off,
                                       s.y_scale, s.y_zero - off));
}
BinaryState prepare_sub(const BinaryScales& s) {
  const std::int32_t off = signed_offset(s.high);
  NpuAddConstants k = npu_add_constants(s.a_scale, s.a_zero - off, s.b_scale, off - s.b_zero,
                                        s.y_scale, s.y_zero - off);
  k.b = -k.b;
  return state_of(s, k);
}
std::int32_t apply_add(std::int32_t a, std::int32_t b, const BinaryState& k) {
  const std::int32_t off = signed_offset(k.s.high);
  const std::int64_t x =
      npu_shift(std::int64_t{a - off} * k.a.multiplier, k.a.shift, NpuTie::floor);
  const std::int64_t y =
      npu_shift(std::int64_t{b - off} * k.b.multiplier, k.b.shift, NpuTie::floor);
  const std::int64_t sum = x + y + k.y.multiplier * (std::int64_t{1} << k.y.shift);
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(
      npu_shift(sum, k.left_shift, NpuTie::away) + off, k.s.low, k.s.high));
}

// In the unit's own steps where the constants fit it (npu_rules.h); a ratio of 2^8 and more does
// not.
BinaryState prepare_mul(const BinaryScales& s) {
  const std::int32_t off = signed_offset(s.high);
  const NpuMulConstants k = npu_mul_constants(s.a_scale * s.b_scale / s.y_scale, s.a_zero - off,
                                              s.b_zero - off, s.y_zero - off);
  BinaryState state{s, {}, {}, {}, k.shift};
  state.a.multiplier = static_cast<std::int32_t>(k.m), state.a.shift = 7;
  state.b.multiplier = static_cast<std::int32_t>(k.b_factor), state.b.shift = k.b_shift;
  state.y.multiplier = static_cast<std::int32_t>(k.c), state.y.shift = k.c_shift;
  return state;
}
std::int32_t apply_mul(std::int32_t a, std::int32_t b, const BinaryState& k) {
  const std::int32_t off = signed_offset(k.s.high);
  const std::int64_t centred = std::int64_t{a - off} * (b - k.s.b_zero);  // 16 bits hold it
  const std::int64_t x = npu_shift(centred * k.a.multiplier, k.a.shift, NpuTie::floor);
  const std::int64_t y =
      npu_shift(std::int64_t{b - off} * k.b.multiplier, k.b.shift, NpuTie::floor);
  const std::int64_t sum = x + y + k.y.multiplier * (std::int64_t{1} << k.y.shift);
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(
      npu_shift(sum, k.left_shift, NpuTie::away) + off, k.s.low, k.s.high));
}

std::int32_t quantize(float real, float scale, std::int32_t zero, std::int32_t low,
                      std::int32_t high) {
  return ort_quantize.quantize(real, scale, zero, low, high);
}
float dequantize(std::int32_t code, float scale, std::int32_t zero) {
  return ort_quantize.dequantize(code, scale, zero);
}

// (A * x >> drop) + C, C = trunc((y_zero - x_zero * ratio) * 2^shift); `drop` fraction bits of x
std::int64_t rescaled(std::int64_t x, int drop, double ratio, std::int32_t x_zero,
                      std::int32_t y_zero) {
  const NpuRatio r = npu_ratio(ratio);
  const auto c =
      static_cast<std::int64_t>(std::trunc(std::ldexp(y_zero - x_zero * ratio, r.shift)));
  return npu_shift(npu_shift(r.a * x, drop, NpuTie::floor) + c, r.shift, NpuTie::away);
}
std::int32_t requantize(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale,
                        std::int32_t y_zero, std::int32_t low, std::int32_t high) {
  if (x_scale == y_scale && x_zero == y_zero) return std::clamp(code, low, high);
  const std::int32_t off = signed_offset(high);
  const std::int64_t y =
      rescaled(code - off, 0, x_scale / y_scale, x_zero - off, y_zero - off) + off;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(y, low, high));
}

// The mean with 8 bits behind the point, in 16 bits; then rescaled.
std::int32_t average(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  const int lift = lift_to_15_bits(1.0 / n);
  const std::int64_t reciprocal = nearest_up(std::ldexp(1.0 / n, lift));
  const std::int32_t off = signed_offset(s.high);
  const std::int64_t total = sum - std::int64_t{off} * n;
  const std::int64_t mean = npu_saturate(npu_shift(total * reciprocal, lift - 8, NpuTie::away), 2);
  const std::int64_t code =
      rescaled(mean, 8, s.x_scale / s.y_scale, s.x_zero - off, s.y_zero - off) + off;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(code, s.low, s.high));
}

}  // namespace

NpuRatio npu_ratio(double ratio) {
  const int lift = std::min(lift_to_15_bits(ratio), 47);
  return {nearest_up(std::ldexp(ratio, lift)), lift};
}

std::int64_t npu_channels_in_a_pass(std::int64_t kernels, std::int64_t pixels) {
  if (kernels > 512 || pixels == 1) return 128;
  return kernels % 8 != 0 ? 64 : 256;
}

const ProductPolicy neural_art_product{"neural-art product", prepare, add_piece, leave};
const RequantPolicy neural_art_requant{"neural-art requant", prepare_once, apply_once};
const BinaryPolicy neural_art_add{"neural-art add", prepare_add, apply_add};
const BinaryPolicy neural_art_sub{"neural-art sub", prepare_sub, apply_add};
const BinaryPolicy neural_art_mul{"neural-art mul", prepare_mul, apply_mul};
const QuantizePolicy neural_art_quantize{"neural-art quantize", quantize, dequantize, requantize};
const AveragePolicy neural_art_average{"neural-art average", average};

}  // namespace lockstep
