#include "num/xnnpack_float.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace lockstep {
namespace {

template <std::size_t n>
float horner(float x, const float (&c)[n]) {
  float p = c[0];
  for (std::size_t i = 1; i < n; ++i) p = std::fma(p, x, c[i]);
  return p;
}

// 2^(i/32).
constexpr float thirty_seconds[32] = {
    0x1.000000p+0f, 0x1.059B0Ep+0f, 0x1.0B5586p+0f, 0x1.11301Ep+0f, 0x1.172B84p+0f, 0x1.1D4874p+0f,
    0x1.2387A6p+0f, 0x1.29E9E0p+0f, 0x1.306FE0p+0f, 0x1.371A74p+0f, 0x1.3DEA64p+0f, 0x1.44E086p+0f,
    0x1.4BFDAEp+0f, 0x1.5342B6p+0f, 0x1.5AB07Ep+0f, 0x1.6247ECp+0f, 0x1.6A09E6p+0f, 0x1.71F75Ep+0f,
    0x1.7A1148p+0f, 0x1.82589Ap+0f, 0x1.8ACE54p+0f, 0x1.93737Cp+0f, 0x1.9C4918p+0f, 0x1.A5503Cp+0f,
    0x1.AE89FAp+0f, 0x1.B7F770p+0f, 0x1.C199BEp+0f, 0x1.CB720Ep+0f, 0x1.D5818Ep+0f, 0x1.DFC974p+0f,
    0x1.EA4AFAp+0f, 0x1.F50766p+0f};

// N108: e^-|x| = 2^(n + i/32) e^t, e^t by a parabola; e / (e + 1), and 1 minus that for x above
// zero.
float sigmoid(float x) {
  constexpr float bias = 0x1.8p18f;
  const float z = -std::fabs(x);
  float n = std::fma(z, 0x1.715476p0f, bias);
  const float power = thirty_seconds[std::bit_cast<std::uint32_t>(n) & 31];
  n -= bias;
  const float t = std::fma(n, 0x1.05C61p-29f, std::fma(n, -0x1.62E430p-1f, z));
  const float p = std::fma(t * power, std::fma(t, 0.5f, 0x1.0000F6p0f), power);
  const float e = std::ldexp(p, static_cast<int>(std::floor(n > -300.0f ? n : -300.0f)));
  const float y = e / (e + 1.0f);
  return std::signbit(x) ? y : 1.0f - y;
}

// N108: an odd polynomial over an even one.
float tanh(float x) {
  constexpr float odd[] = {1.4248920266e-08f, 2.1235626264e-05f, 3.5330520477e-03f,
                           1.3412411511e-01f, 1.0f};
  constexpr float even[] = {8.1365948290e-07f, 3.3472978976e-04f, 2.6018999517e-02f,
                            4.6745735407e-01f, 1.0f};
  const float v = std::clamp(x, -7.9807181358e+00f, 7.9807181358e+00f), square = v * v;
  return v * horner(square, odd) / horner(square, even);
}

float hard_swish(float x) {
  return std::min(std::max(std::fma(x, 0x1.555556p-3f, 0.5f), 0.0f), 1.0f) * x;
}

// N108: alpha (e^x - 1) below zero.
float elu(float x, float alpha) {
  if (!(x < 0)) return x;
  constexpr float bias = 0x1.8000FEp23f, c[] = {0x1.6B7338p-10f, 0x1.12278Ep-7f, 0x1.555716p-5f,
                                                0x1.5554B0p-3f, 0x1.FFFFFEp-2f};
  const float z = std::max(-0x1.154246p+4f, x);
  const float n = std::fma(z, 0x1.715476p0f, bias);
  const float s = std::bit_cast<float>(std::bit_cast<std::uint32_t>(n) << 23);
  const float t = std::fma(n - bias, -0x1.62E430p-1f, z);
  const float p = horner(t, c) * t, ts = t * s;
  return std::fma(std::fma(p, ts, ts), alpha, std::fma(s, alpha, -alpha));
}

// N108: 2^round(z) times a quotient of polynomials for what is left.
float exponential(float x) {
  constexpr float above[] = {5.5380910635e-03f, 7.2068706155e-02f, 4.1594290733e-01f, 1.0f},
                  below[] = {2.3986088112e-02f, -2.7720427513e-01f, 1.0f};
  const float z = std::min(std::max(x * 1.44269504089f, -127.0f), 128.0f);
  const float whole = (12582912.0f + z) - 12582912.0f, rest = z - whole;
  const float power = std::bit_cast<float>(std::bit_cast<std::uint32_t>(whole + 8388735.0f) << 23);
  return power * (horner(rest, above) / horner(rest, below));
}

// N108: as far as rows of a softmax need it, x <= 0.
float falling_exponential(float x) {
  constexpr float bias = 0x1.8000FEp23f, c[] = {0x1.0F9F9Cp-7f, 0x1.573A1Ap-5f, 0x1.555A80p-3f,
                                                0x1.FFFDC6p-2f, 0x1.FFFFF6p-1f};
  if (x < -0x1.5D589Ep6f) return 0;
  const float n = std::fma(x, 0x1.715476p0f, bias);
  const float s = std::bit_cast<float>(std::bit_cast<std::uint32_t>(n) << 23), whole = n - bias;
  const float t = std::fma(whole, -0x1.7F7D1Cp-20f, std::fma(whole, -0x1.62E400p-1f, x));
  return std::fma(t * s, horner(t, c), s);
}

using Lanes = std::array<float, 16>;

void add(Lanes& to, const float* x, std::size_t count = 16) {
  for (std::size_t i = 0; i < count; ++i) to[i] += x[i];
}
// Halves are added until one is left.
float joined(Lanes v) {
  for (std::size_t half = 8; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) v[i] += v[i + half];
  return v[0];
}

// N109: sixteen sums side by side, of even and of odd sixteens; `group` elements are taken
// together.
float sum_of(std::span<const float> x, std::size_t group) {
  Lanes even{}, odd{};
  std::size_t i = 0;
  for (; i + group <= x.size(); i += group)
    for (std::size_t k = 0; k < group; k += 16) add(k % 32 == 0 ? even : odd, x.data() + i + k);
  if (group == 32)  // sums over axes take one more sixteen before both are joined
    for (; i + 16 <= x.size(); i += 16) add(even, x.data() + i);
  for (std::size_t k = 0; k < 16; ++k) even[k] += odd[k];
  for (; i < x.size(); i += 16) add(even, x.data() + i, std::min<std::size_t>(16, x.size() - i));
  return joined(even);
}

template <float (*f)(float)>
void each(std::span<const float> x, std::span<float> y, float, float) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(x[i]);
}
void each_elu(std::span<const float> x, std::span<float> y, float alpha, float) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = elu(x[i], alpha);
}

// Runs of axes that are all reduced, or all kept.
struct Run {
  std::int64_t extent = 1, x_step = 0, y_step = 0;
  bool reduced = false;
};
std::vector<Run> runs_of(std::span<const std::int64_t> shape,
                         std::span<const std::uint8_t> reduced) {
  std::vector<Run> runs;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (runs.empty() || runs.back().reduced != (reduced[d] != 0))
      runs.push_back({1, 0, 0, reduced[d] != 0});
    runs.back().extent *= shape[d];
  }
  std::int64_t x = 1, y = 1;
  for (auto r = runs.rbegin(); r != runs.rend(); ++r) {
    r->x_step = x, x *= r->extent;
    if (!r->reduced) r->y_step = y, y *= r->extent;
  }
  return runs;
}

// visit(x, y) for every element of the outer runs.
template <class Visit>
void each_place(std::span<const Run> outer, Visit&& visit, std::int64_t x = 0, std::int64_t y = 0) {
  if (outer.empty()) return visit(x, y);
  for (std::int64_t i = 0; i < outer[0].extent; ++i)
    each_place(outer.subspan(1), visit, x + i * outer[0].x_step, y + i * outer[0].y_step);
}

}  // namespace

const RealFunctions xnnpack_functions = {.exp = each<exponential>,
                                         .elu = each_elu,
                                         .hard_swish = each<hard_swish>,
                                         .sigmoid = each<sigmoid>,
                                         .tanh = each<tanh>};

float fused_from(float start, const float* a, std::int64_t a_step, const float* b,
                 std::int64_t b_step, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) start = std::fma(a[i * a_step], b[i * b_step], start);
  return start;
}

float fused_hybrid(float sum, float x_scale, float w_scale, float bias) {
  return std::fma(sum * x_scale, w_scale, bias);
}

void xnnpack_float_softmax(std::span<const float> x, std::span<float> y) {
  if (x.empty()) return;
  const float greatest = std::ranges::max(x);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = falling_exponential(x[i] - greatest);
  const float share = 1.0f / sum_of(y, 64);
  for (float& v : y) v *= share;
}

void xnnpack_float_reduce(std::span<const float> x, std::span<const std::int64_t> shape,
                          std::span<const std::uint8_t> reduced, float factor, std::span<float> y) {
  std::ranges::fill(y, 0.0f);
  const std::vector<Run> runs = runs_of(shape, reduced);
  if (x.empty() || runs.empty())
    return std::ranges::copy(x.first(std::min(x.size(), y.size())), y.begin()), void();
  const std::span<const Run> all(runs);
  const Run& last = runs.back();
  if (last.reduced)
    return each_place(all.first(all.size() - 1), [&](std::int64_t from, std::int64_t to) {
      float& sum = y[static_cast<std::size_t>(to)];
      const auto row =
          x.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(last.extent));
      sum = std::fma(sum_of(row, 32), factor, sum);
    });
  const Run inner = runs.size() > 1 ? runs[runs.size() - 2] : Run{1, 0, 0, true};
  each_place(all.first(all.size() - std::min<std::size_t>(2, all.size())),
             [&](std::int64_t from, std::int64_t to) {
               for (std::int64_t c = 0; c < last.extent; ++c) {
                 float sum = 0;
                 for (std::int64_t i = 0; i < inner.extent; ++i)
                   sum += x[static_cast<std::size_t>(from + i * inner.x_step + c)];
                 y[static_cast<std::size_t>(to + c)] += sum * factor;
               }
             });
}

float xnnpack_float_nine(const float (&v)[9]) {
  return ((v[2] + v[3]) + (v[4] + v[5])) + (((v[0] + v[1]) + v[8]) + (v[6] + v[7]));
}

float xnnpack_float_bilinear(const float (&v)[4], float down, float across) {
  const float top = v[0] + (v[2] - v[0]) * across, bottom = v[1] + (v[3] - v[1]) * across;
  return top + (bottom - top) * down;
}

}  // namespace lockstep
