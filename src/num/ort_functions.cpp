// Elementary functions of float tensors in onnxruntime's steps (N47, N48).
#include "num/ort_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "num/ort_float.h"
#include "num/ort_reduce.h"
#include "num/ort_rows.h"

namespace lockstep {
namespace {

// N47, one element: 2^m (1 + r + r^2 P(r)), every product and sum rounded.
float vector_exp(float x) {
  if (x < -104.0f) return 0;
  const float v = std::min(x, 88.723f);
  const float m = std::floor(v * 1.44269504088896341f + 0.5f);
  float r = m * -0.693359375f + v;
  r = m * 2.12194440e-4f + r;
  const float square = r * r;
  float even = square * 1.37449637986719608306884765625e-3f + 4.166965186595916748046875e-2f;
  const float odd = square * 8.36894474923610687255859375e-3f + 0.16666518151760101318359375f;
  even = square * even + 0.49999988079071044921875f;
  const float y = square * (r * odd + even) + (r + 1.0f);
  return std::max(std::ldexp(y, static_cast<int>(m)), x);
}

// N47, one element: x = 2^e (1 + f), f in [sqrt(1/2) - 1, sqrt(2) - 1); the logarithm of 1 + f is a
// quotient.
float vector_log(float x) {
  if (!(x >= 0) || std::isinf(x)) return std::log(x);
  if (x == 0) return -HUGE_VALF;
  int exponent = 0;
  float f = std::frexp(std::max(x, 1.17549435e-38f), &exponent);
  if (f < 0.707106781186547524f)
    f = (f - 1.0f) + f, --exponent;
  else
    f = f - 1.0f;
  float p = f * 0.18256296349849254f + 1.0000000190281063f;
  p = f * (f * p + 1.0000000190281136f);
  float q = f * 0.049616247954120038f + 0.59923249590823520f;
  q = f * (f * q + 1.4999999999999927f) + 1.0f;
  return static_cast<float>(exponent) * 0.693147180559945309f + p / q;
}

using Span = std::span<const float>;

template <float (*vector)(float), float (*scalar)(float)>
void by_fours(Span x, std::span<float> y) {
  const std::size_t whole = x.size() / 4 * 4;
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = i < whole ? vector(x[i]) : scalar(x[i]);
}
float c_exp(float x) {
  return std::exp(x);
}
float c_log(float x) {
  return std::log(x);
}

// y = after(x, e^before(x)), the exponential by fours.
template <class Before, class After>
void through_exp(Span x, std::span<float> y, Before before, After after) {
  std::vector<float> e(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) e[i] = before(x[i]);
  ort_eigen_exp(e, e);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = after(x[i], e[i]);
}

template <class F>
void each(Span x, std::span<float> y, F f) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(x[i]);
}

template <float (*f)(float)>
void by_c_library(Span x, std::span<float> y, float, float) {
  each(x, y, [](float v) { return f(v); });
}

void elu(Span x, std::span<float> y, float alpha, float) {
  through_exp(
      x, y, [](float v) { return v; },
      [&](float v, float e) { return v >= 0 ? v : alpha * (e - 1.0f); });
}
void selu(Span x, std::span<float> y, float alpha, float gamma) {
  through_exp(
      x, y, [](float v) { return v; },
      [&](float v, float e) { return v > 0 ? gamma * v : (gamma * alpha) * (e - 1.0f); });
}
void celu(Span x, std::span<float> y, float alpha, float) {
  through_exp(
      x, y, [&](float v) { return v / alpha; },
      [&](float v, float e) { return std::max(v, 0.0f) + std::min(alpha * (e - 1.0f), 0.0f); });
}

// max(x, 0) + ln(1 + t), t = e^-|x|; the logarithm of 1 + t corrected for what 1 + t rounds off.
void softplus(Span x, std::span<float> y, float, float) {
  std::vector<float> t(x.size()), u(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) t[i] = -std::abs(x[i]);
  ort_eigen_exp(t, t);
  for (std::size_t i = 0; i < x.size(); ++i) u[i] = t[i] + 1.0f;
  std::vector<float> l(x.size());
  ort_eigen_log(u, l);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float log1p = i >= x.size() / 4 * 4          ? std::log1p(t[i])
                        : u[i] == 1.0f || u[i] == l[i] ? t[i]
                                                       : t[i] * (l[i] / (u[i] - 1.0f));
    y[i] = x[i] > 0 ? x[i] + log1p : log1p;
  }
}
void mish(Span x, std::span<float> y, float, float) {
  std::vector<float> s(x.size());
  softplus(x, s, 0, 0);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * ort_tanh(s[i]);
}

float hard_sigmoid_of(float x, float alpha, float beta) {
  return std::min(std::max(x * alpha + beta, 0.0f), 1.0f);
}

// Rows of num/ort_lanes.h: N38, N48.
template <OrtRow which>
void by_row(Span x, std::span<float> y, float, float) {
  ort_row(which, x.data(), y.data(), static_cast<std::int64_t>(x.size()));
}

}  // namespace

void ort_eigen_exp(Span x, std::span<float> y) {
  by_fours<vector_exp, c_exp>(x, y);
}
void ort_eigen_log(Span x, std::span<float> y) {
  by_fours<vector_log, c_log>(x, y);
}

const RealFunctions ort_functions{
    .exp = by_row<OrtRow::exp>,
    .log = [](Span x, std::span<float> y, float, float) { ort_eigen_log(x, y); },
    .erf = by_row<OrtRow::erf>,
    .gelu = by_row<OrtRow::gelu>,
    .gelu_tanh = by_row<OrtRow::gelu_tanh>,
    .quick_gelu = [](Span x, std::span<float> y, float alpha,
                     float) { each(x, y, [&](float v) { return v * ort_sigmoid(v * alpha); }); },
    .elu = elu,
    .selu = selu,
    .celu = celu,
    .softplus = softplus,
    .softsign =
        [](Span x, std::span<float> y, float, float) {
          each(x, y, [](float v) { return v * (1.0f / (1.0f + std::abs(v))); });
        },
    .mish = mish,
    .hard_sigmoid =
        [](Span x, std::span<float> y, float alpha, float beta) {
          each(x, y, [&](float v) { return hard_sigmoid_of(v, alpha, beta); });
        },
    .hard_swish =
        [](Span x, std::span<float> y, float, float) {
          each(x, y, [](float v) { return v * hard_sigmoid_of(v, 1.0f / 6.0f, 0.5f); });
        },
    .sin = ort_sin,
    .cos = ort_cos,
    .tan = by_c_library<std::tan>,
    .asin = ort_asin,
    .acos = ort_acos,
    .atan = ort_atan,
    .sinh = by_c_library<std::sinh>,
    .cosh = by_c_library<std::cosh>,
    .asinh = by_c_library<std::asinh>,
    .acosh = by_c_library<std::acosh>,
    .atanh = by_c_library<std::atanh>,
    .power =
        [](float base, float exponent) {
          return exponent == 2.0f   ? base * base
                 : exponent == 3.0f ? base * base * base
                                    : std::pow(base, exponent);
        },
    .gru_reset = ort_gru_reset,
    .gru_output = ort_gru_output,
    .rnn_output = ort_rnn_output,
    .reduce = ort_reduce,
    .normalize_row = ort_normalize_row,
    .normalize_plane = ort_normalize_plane,
    .product_of_codes = ort_product_of_codes,
    .log_softmax = ort_log_softmax,
};

}  // namespace lockstep
