#include "num/xnnpack.h"

#include <algorithm>
#include <cmath>

#include "num/mean_form.h"
#include "num/ort_codes.h"
#include "num/real.h"
#include "num/tflite_fixed.h"
#include "num/tflite_policies.h"
#include "num/tflite_resize.h"

namespace lockstep {
namespace {

constexpr float beyond_codes = 1 << 24;  // beyond every code, inside int32

std::int32_t even(float real) {
  return static_cast<std::int32_t>(half_even(std::clamp(real, -beyond_codes, beyond_codes)));
}
float as_float(double v) {
  return static_cast<float>(v);
}

// N80: factor = x_scale * w_scale / y_scale in float32; half to even.
std::int32_t apply_requant(std::int32_t acc, const Rescale& r) {
  return even(static_cast<float>(acc) * r.factor);
}
Rescale prepare_requant(double x, double w, double y) {
  Rescale r;
  r.factor = as_float(x) * as_float(w) / as_float(y);
  return r;
}

// N81: both factors as integers of one power of two, the larger of 21 bits; half up. Ratios that
// the delegate refuses, and 16 bits, are TFLite's N59 (left_shift not 0), in vectors N110.
bool is_addable(float ratio) {
  return ratio >= 1.f / 1024 && ratio < 256;
}

BinaryState prepare_add(const BinaryScales& s) {
  const float a = as_float(s.a_scale) / as_float(s.y_scale),
              b = as_float(s.b_scale) / as_float(s.y_scale);
  if (s.bits > 8 || !is_addable(a) || !is_addable(b)) return tflite_add.prepare(s);
  const int shift = 20 - std::ilogb(std::max(a, b));
  BinaryState state{s, {}, {}, {}, 0};
  state.a.multiplier = even(std::ldexp(a, shift));
  state.b.multiplier = even(std::ldexp(b, shift));
  state.y.shift = shift;
  return state;
}
std::int32_t sum_of(std::int32_t a, std::int32_t b, const BinaryState& t) {
  const std::int64_t acc =
      std::int64_t{a - t.s.a_zero} * t.a.multiplier + std::int64_t{b - t.s.b_zero} * t.b.multiplier;
  const std::int64_t half = std::int64_t{1} << (t.y.shift - 1);
  return clamp_code(((acc + half) >> t.y.shift) + t.s.y_zero, t.s.low, t.s.high);
}
std::int32_t apply_add(std::int32_t a, std::int32_t b, const BinaryState& t) {
  return t.left_shift != 0 ? tflite_add.apply(a, b, t) : sum_of(a, b, t);
}
std::int32_t apply_sub(std::int32_t a, std::int32_t b, const BinaryState& t) {
  if (t.left_shift != 0) return tflite_sub.apply(a, b, t);
  BinaryState minus = t;
  minus.b.multiplier = -t.b.multiplier;
  return sum_of(a, b, minus);
}

// N82: factor = a_scale * b_scale / y_scale in float32, half to even; factor 0 marks TFLite's N60.
BinaryState prepare_mul(const BinaryScales& s) {
  BinaryState state = tflite_mul.prepare(s);
  const float factor = as_float(s.a_scale) * as_float(s.b_scale) / as_float(s.y_scale);
  if (s.bits <= 8 && factor >= 1.f / 65536 && factor < 256) state.y.factor = factor;
  return state;
}
std::int32_t apply_mul(std::int32_t a, std::int32_t b, const BinaryState& t) {
  if (t.y.factor == 0) return tflite_mul.apply(a, b, t);
  const auto product = static_cast<float>((a - t.s.a_zero) * (b - t.s.b_zero));
  return clamp_code(std::int64_t{even(product * t.y.factor)} + t.s.y_zero, t.s.low, t.s.high);
}

// N83: real times the reciprocal step, half to even, for codes of 8 bits.
std::int32_t quantize(float real, float scale, std::int32_t zero, std::int32_t low,
                      std::int32_t high) {
  const float v = real * (1.0f / scale);
  return clamp_code(std::int64_t{v == v ? even(v) : low} + zero, low, high);
}
float dequantize(std::int32_t code, float scale, std::int32_t zero) {
  return static_cast<float>(code - zero) * scale;
}

// N83: a factor in 1/256, half up.
std::int32_t by_256ths(std::int32_t distance, std::int32_t multiplier, std::int32_t zero,
                       std::int32_t low, std::int32_t high) {
  return clamp_code(((std::int64_t{distance} * multiplier + 128) >> 8) + zero, low, high);
}
std::int32_t in_256ths(float factor) {
  return even(256.0f * factor);
}

std::int32_t requantize(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale,
                        std::int32_t y_zero, std::int32_t low, std::int32_t high) {
  const float factor = as_float(x_scale) / as_float(y_scale);
  if (high - low > 255 || factor < 1.f / 256 || factor > 128)
    return tflite_quantize.requantize(code, x_scale, x_zero, y_scale, y_zero, low, high);
  return by_256ths(code - x_zero, in_256ths(factor), y_zero, low, high);
}

// N83: as N65, but the second rounding is half up.
std::int32_t requantize_run(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale,
                            std::int32_t y_zero, std::int32_t low, std::int32_t high) {
  const Rescale r = fixed_multiplier(x_scale / y_scale);
  const int down = r.shift < 0 ? -r.shift : 0;
  const std::int32_t wide =
      r.shift > 0 ? wrap32(std::int64_t{code - x_zero} << r.shift) : code - x_zero;
  const std::int64_t half = down > 0 ? std::int64_t{1} << (down - 1) : 0;
  return clamp_code(((high_mul(wide, r.multiplier) + half) >> down) + y_zero, low, high);
}

std::int32_t tflite_rest(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale,
                         std::int32_t y_zero, std::int32_t low, std::int32_t high) {
  return tflite_quantize.requantize(code, x_scale, x_zero, y_scale, y_zero, low, high);
}

// N84: N83 with a factor for codes above and one for codes below zero.
void leaky_relu(const TableScales& s, std::span<std::int32_t> table) {
  const float above = as_float(s.x_scale) / as_float(s.y_scale), below = above * as_float(s.alpha);
  const bool taken = table.size() <= 256 && std::isnormal(as_float(s.alpha)) &&
                     above >= 1.f / 256 && above <= 128 && below >= -127.99609375f &&
                     below <= 128 && std::abs(below) >= 1.f / 256;
  if (!taken) return tflite_leaky_relu.fill(s, table);
  const std::int32_t up = in_256ths(above), down = in_256ths(below);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::int32_t x = s.x_low + static_cast<std::int32_t>(i) - s.x_zero;
    table[i] = by_256ths(x, x >= 0 ? up : down, s.y_zero, s.low, s.high);
  }
}

// N85: the zero point is added before rounding, half to even.
template <class F>
void fill_table(const TableScales& s, std::span<std::int32_t> table, F&& f) {
  const float x_scale = as_float(s.x_scale), inverse = 1.0f / as_float(s.y_scale);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const float real =
        static_cast<float>(s.x_low + static_cast<std::int32_t>(i) - s.x_zero) * x_scale;
    table[i] = clamp_code(even(f(real) * inverse + static_cast<float>(s.y_zero)), s.low, s.high);
  }
}
float sigmoid_of(float x) {
  if (x > 100) return 1;
  if (x < -100) return 0;
  const double e = std::exp(static_cast<double>(x));
  return as_float(e / (1.0 + e));
}
void sigmoid(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() > 256) return tflite_sigmoid.fill(s, table);
  fill_table(s, table, sigmoid_of);
}
void tanh(const TableScales& s, std::span<std::int32_t> table) {
  if (table.size() > 256) return tflite_tanh.fill(s, table);
  fill_table(s, table, [](float x) { return std::tanh(x); });
}

// N86: what the zero points amount to is one float32 number, added before rounding.
MeanForm form_of(std::int32_t n, float share, const AverageScales& s) {
  const float factor = as_float(s.x_scale) / as_float(s.y_scale) * share;
  return {factor, static_cast<float>(s.y_zero) - static_cast<float>(n * s.x_zero) * factor};
}
std::int32_t total(std::int32_t sum, std::int32_t n, float share, const AverageScales& s) {
  const MeanForm form = form_of(n, share, s);
  return clamp_code(even(static_cast<float>(sum) * form.factor + form.zero), s.low, s.high);
}
std::int32_t mean_of(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  if (s.high - s.low > 255) return tflite_mean.apply(sum, n, s);
  return total(sum, n, 1.0f / static_cast<float>(n), s);
}
// Of 16-bit codes LiteRT's own: N86 rounded half away before the zero point is added.
std::int32_t litert_sum(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  const float factor = as_float(s.x_scale) / as_float(s.y_scale);
  const float offset = static_cast<float>(-s.x_zero) * factor * static_cast<float>(n);
  const float real = static_cast<float>(sum) * factor + offset;
  return clamp_code(std::int64_t{nearest_away(real)} + s.y_zero, s.low, s.high);
}
std::int32_t sum_over(std::int32_t sum, std::int32_t n, const AverageScales& s) {
  if (s.high - s.low > 255) return litert_sum(sum, n, s);
  return total(sum, n, 1.0f, s);
}

// N87: places in float32, shares in 1/2048 half to even, one rounding half up.
std::vector<ResizePoint> resize_points(const ResizeAxis& a) {
  const std::int64_t less = a.align_corners && a.out != 1 ? 1 : 0;
  const float step = static_cast<float>(a.in - less) / static_cast<float>(a.out - less);
  const float most = static_cast<float>(a.in - 1),
              offset = a.half_pixel ? 0.5f * step - 0.5f : 0.0f;
  std::vector<ResizePoint> points;
  for (std::int64_t o = 0; o < a.out; ++o) {
    const float at = std::min(std::max(static_cast<float>(o) * step + offset, 0.0f), most);
    const auto lower = static_cast<std::int64_t>(at);
    const float share = at - static_cast<float>(lower);
    points.push_back({lower, std::min(lower + 1, a.in - 1), share, even(share * 2048.0f)});
  }
  return points;
}
std::int32_t resize_mix(const std::int32_t (&v)[4], const ResizePoint& y, const ResizePoint& x) {
  const std::int32_t top = v[0] * 2048 + (v[2] - v[0]) * x.fine,
                     bottom = v[1] * 2048 + (v[3] - v[1]) * x.fine;
  const std::int64_t sum = std::int64_t{top} * 2048 + std::int64_t{bottom - top} * y.fine;
  return static_cast<std::int32_t>((sum + (1 << 21)) >> 22);
}

// N88: [min, max] with zero inside becomes [-128, 127], all in float32; always with a zero point.
void dynamic_codes(std::span<const float> x, std::span<std::int8_t> codes, float& scale,
                   std::int32_t& zero) {
  const auto [low, high] = std::ranges::minmax(x);
  const float least = std::min(0.f, low), most = std::max(0.f, high);
  const float factor = least == most ? 1.f : 255.f / (most - least);
  const float from_least = least * factor, from_most = most * factor;
  const float nudged =
      (-128.f + from_least) + (127.f + from_most) > 0 ? -128.f - from_least : 127.f - from_most;
  zero = even(std::clamp(nudged, -128.f, 127.f));
  scale = 1.f / factor;
  for (std::size_t i = 0; i < x.size(); ++i)
    codes[i] =
        static_cast<std::int8_t>(clamp_code(std::int64_t{even(x[i] * factor)} + zero, -128, 127));
}
void no_symmetric_codes(std::span<const float> x, std::span<std::int8_t> codes, float& scale) {
  tflite_hybrid.symmetric(x, codes, scale);
}

// N89: e^(x_scale * beta * distance) in float32, summed in the order of the row.
float litert_term(std::int32_t distance, float step) {
  return std::exp(step * static_cast<float>(distance));
}

void litert_softmax_row(std::span<const std::int32_t> x, std::span<std::int32_t> y,
                        const SoftmaxScales& s) {
  const std::int32_t greatest = std::ranges::max(x);
  const float step = -as_float(s.x_scale) * as_float(s.beta);
  float sum = 0;
  for (const std::int32_t code : x) sum += litert_term(greatest - code, step);
  const float inverse = 1.0f / (sum * as_float(s.y_scale));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float share = litert_term(greatest - x[i], step) * inverse;
    const std::int32_t code =
        s.low == 0 ? static_cast<std::int32_t>(share + 0.5f) : nearest_away(share) + s.y_zero;
    y[i] = clamp_code(code, s.low, s.high);
  }
}

void litert_log_softmax_row(std::span<const std::int32_t> x, std::span<std::int32_t> y,
                            const SoftmaxScales& s) {
  const std::int32_t greatest = std::ranges::max(x);
  const float x_scale = as_float(s.x_scale), y_scale = as_float(s.y_scale),
              ratio = x_scale / y_scale;
  float sum = 0;
  for (const std::int32_t code : x) sum += litert_term(greatest - code, -x_scale);
  const float offset = (x_scale * static_cast<float>(greatest) + std::log(sum)) / y_scale;
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] = clamp_code(std::int64_t{even(ratio * static_cast<float>(x[i]) - offset)} + s.y_zero,
                      s.low, s.high);
}

}  // namespace

// Terms are held times 2^64: sums of them round where the sums of the terms do, and none is
// denormal, which processors add slowly.
std::vector<float> litert_softmax_terms(const SoftmaxScales& s) {
  std::vector<float> terms;
  for (std::int32_t distance = 0; distance < 256; ++distance)
    terms.push_back(litert_term(distance, -as_float(s.x_scale) * as_float(s.beta)) * 0x1p64f);
  return terms;
}

const SoftmaxPolicy litert_softmax = {"litert-softmax", litert_softmax_row};
const SoftmaxPolicy litert_log_softmax = {"litert-log-softmax", litert_log_softmax_row};
std::optional<MeanForm> mean_form(const AveragePolicy& policy, std::int32_t n,
                                  const AverageScales& s) {
  if (s.high - s.low > 255) return {};
  if (policy.apply == mean_of) return form_of(n, 1.0f / static_cast<float>(n), s);
  if (policy.apply == sum_over) return form_of(n, 1.0f, s);
  return {};
}

const RequantPolicy xnnpack_requant = {"xnnpack-requant", prepare_requant, apply_requant};
const BinaryPolicy xnnpack_add = {"xnnpack-add", prepare_add, apply_add};
const BinaryPolicy xnnpack_sub = {"xnnpack-sub", prepare_add, apply_sub};
const BinaryPolicy xnnpack_mul = {"xnnpack-mul", prepare_mul, apply_mul};
const QuantizePolicy xnnpack_quantize = {"xnnpack-quantize", quantize, dequantize, requantize};
const QuantizePolicy litert_requantize_runs = {"litert-requantize-runs", quantize, dequantize,
                                               requantize_run, tflite_rest};
const TablePolicy xnnpack_leaky_relu = {"xnnpack-leaky-relu", leaky_relu};
const TablePolicy xnnpack_sigmoid = {"xnnpack-sigmoid", sigmoid};
const TablePolicy xnnpack_tanh = {"xnnpack-tanh", tanh};
const AveragePolicy xnnpack_mean = {"xnnpack-mean", mean_of};
const AveragePolicy xnnpack_sum = {"xnnpack-sum", sum_over};
const ResizePolicy xnnpack_bilinear = {"xnnpack-bilinear", resize_points, resize_mix};
const HybridPolicy xnnpack_hybrid = {"xnnpack-hybrid", no_symmetric_codes, dynamic_codes, true};

}  // namespace lockstep
