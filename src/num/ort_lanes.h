#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

// onnxruntime's functions of one float without branches or calls (N37, N38, N48, N103): one by one,
// and inlined into loops over rows for each ISA. A fused step is written as one.
namespace lockstep::ort_lanes {

[[gnu::always_inline]] inline float clamped(float x, float low, float high) {
  return x < low ? low : x > high ? high : x;
}

// yes ? a : b, both computed.
[[gnu::always_inline]] inline float chosen(bool yes, float a, float b) {
  const auto mask = yes ? ~std::uint32_t{0} : std::uint32_t{0};
  return __builtin_bit_cast(float, (__builtin_bit_cast(std::uint32_t, a) & mask) |
                                       (__builtin_bit_cast(std::uint32_t, b) & ~mask));
}

template <std::size_t n>
[[gnu::always_inline]] inline float horner(float x, const float (&c)[n]) {
  float p = c[0];
#pragma GCC unroll 16
  for (std::size_t i = 1; i < n; ++i) p = __builtin_fmaf(p, x, c[i]);
  return p;
}

[[gnu::always_inline]] inline float power(std::int32_t e) {
  return __builtin_bit_cast(float, (e + 127) << 23);
}
// v * 2^m, rounded once, for v of a size near 1 and |m| up to 400.
[[gnu::always_inline]] inline float raised(float v, float m) {
  const auto whole = static_cast<std::int32_t>(m);
  const std::int32_t first = std::min(std::max(whole, -100), 100),
                     rest = std::min(std::max(whole - first, -126), 127);
  return v * power(first) * power(rest);
}

// N37: x clamped to +-18, an odd polynomial over an even one, both by fused Horner steps.
[[gnu::always_inline]] inline float sigmoid(float x) {
  constexpr float odd[] = {4.37031012579801e-11f, 1.15627324459942e-07f, 6.08574864600143e-05f,
                           8.51377133304701e-03f, 2.48287947061529e-01f};
  constexpr float even[] = {6.10247389755681e-13f, 5.76102136993427e-09f, 6.29106785017040e-06f,
                            1.70198817374094e-03f, 1.16817656904453e-01f, 9.93151921023180e-01f};
  const float v = clamped(x, -18.0f, 18.0f), square = v * v;
  const float y = v * horner(square, odd) / horner(square, even) + 0.5f;
  return y < 0.0f ? 0.0f : y;
}

[[gnu::always_inline]] inline float tanh(float x) {
  constexpr float odd[] = {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f,
                           5.12229709037114e-08f,  1.48572235717979e-05f, 6.37261928875436e-04f,
                           4.89352455891786e-03f};
  constexpr float even[] = {1.19825839466702e-06f, 1.18534705686654e-04f, 2.26843463243900e-03f,
                            4.89352518554385e-03f};
  const float v = clamped(x, -9.0f, 9.0f), square = v * v;
  return v * horner(square, odd) / horner(square, even);
}

// m, the nearest integer to x / ln 2, and r = x - m ln 2 in two fused steps.
struct Reduced {
  float m, r;
};
[[gnu::always_inline]] inline Reduced reduced(float x) {
  constexpr float magic = 12582912.0f;  // adding and subtracting it rounds to an integer
  const float m = __builtin_fmaf(x, 1.44269504088896341f, magic) - magic;
  return {m, __builtin_fmaf(m, -1.42860677e-6f, __builtin_fmaf(m, -6.93145752e-1f, x))};
}

// N38: 2^m * exp(r), a polynomial of degree six.
[[gnu::always_inline]] inline float exp(float x) {
  constexpr float poly[] = {
      0x1.694000p-10f, 0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.555450p-3f, 0x1.fffff6p-2f, 1.0f, 1.0f};
  const Reduced v = reduced(x < -103.9720840454f ? -103.9720840454f : x);
  return raised(horner(v.r, poly), clamped(v.m, -400.0f, 400.0f));
}

// N48: a polynomial in x below 0.921875 and 1 - exp(polynomial) above.
[[gnu::always_inline]] inline float erf(float x) {
  constexpr float small[] = {-5.99104969e-4f, 4.99339588e-3f,  -2.67667342e-2f,
                             1.12818025e-1f,  -3.76124859e-1f, 1.28379151e-1f};
  constexpr float big[] = {1.72948930e-5f, -3.83208680e-4f, 3.88393435e-3f, -2.42545605e-2f,
                           1.06777847e-1f, 6.34846687e-1f,  1.28717512e-1f};
  constexpr float series[] = {
      1.38319808e-3f, 8.37550033e-3f, 4.16689515e-2f, 1.66664466e-1f, 4.99999851e-1f, 1.0f, 1.0f};
  const float size = __builtin_fabsf(x), a = 3.925f < size ? 3.925f : size;
  const float below = -__builtin_fmaf(horner(a, big), a, a), bottom = -88.3762626647949f;
  const Reduced t = reduced(below < bottom ? bottom : below);
  const float far = 1.0f - raised(horner(t.r, series), t.m),
              near = __builtin_fmaf(horner(a * a, small), a, a);
  return __builtin_copysignf(chosen(a > 0.921875f, far, near), x);
}

[[gnu::always_inline]] inline float gelu(float v) {
  return (0.5f * v) * (erf(v * 0.707106781186547524f) + 1.0f);
}
[[gnu::always_inline]] inline float gelu_tanh(float v) {
  return (0.5f * v) * (tanh(v * (0.035677408136300125f * v * v + 0.7978845608028654f)) + 1.0f);
}

// N103: N37's quotient for tanh with every step rounded.
[[gnu::always_inline]] inline float quotient(float x) {
  const float square = x * x;
  float p = square * -2.76076847742355e-16f + 2.00018790482477e-13f;
  p = square * p + -8.60467152213735e-11f;
  p = square * p + 5.12229709037114e-08f;
  p = square * p + 1.48572235717979e-05f;
  p = square * p + 6.37261928875436e-04f;
  p = square * p + 4.89352455891786e-03f;
  float q = square * 1.19825839466702e-06f + 1.18534705686654e-04f;
  q = square * q + 2.26843463243900e-03f;
  q = square * q + 4.89352518554385e-03f;
  return x * p / q;
}
[[gnu::always_inline]] inline float gru_reset(float x) {
  return 0.5f * (1.0f + quotient(0.5f * clamped(x, -20.0f, 20.0f)));
}
[[gnu::always_inline]] inline float gru_output(float x) {
  return quotient(clamped(x, -10.0f, 10.0f));
}

}  // namespace lockstep::ort_lanes
