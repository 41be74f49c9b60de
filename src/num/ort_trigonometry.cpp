// Trigonometric functions of float tensors in onnxruntime's steps: vectors of four without fused
// steps, the C library for what remains (N100).
#include <cmath>
#include <cstdint>

#include "num/ort_functions.h"

namespace lockstep {
namespace {

using Span = std::span<const float>;

template <class Vector, class Scalar>
void by_fours(Span x, std::span<float> y, Vector vector, Scalar scalar) {
  const std::size_t whole = x.size() / 4 * 4;
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = i < whole ? vector(x[i]) : scalar(x[i]);
}

// |x| = r + quadrant * pi/2, r within pi/4 of zero.
struct Reduced {
  float r;
  std::uint32_t quadrant;
};

// pi/2 in four parts; from `huge` on the remainder of the real number.
Reduced reduced(float x, float huge) {
  if (x >= huge && std::isfinite(x)) {
    const double s = std::sin(static_cast<double>(x)), c = std::cos(static_cast<double>(x));
    const bool across = std::abs(s) > std::abs(c);
    const std::uint32_t quadrant = across ? (s > 0 ? 1 : 3) : (c > 0 ? 0 : 2);
    const double turned_sine = across ? (s > 0 ? -c : c) : (c > 0 ? s : -s);
    return {static_cast<float>(std::asin(turned_sine)), quadrant};
  }
  constexpr float magic = 12582912.0f;  // adding and subtracting it rounds to an integer
  const float n = x * 0.636619746685028076171875f + magic - magic;
  float r = n * -1.5703125f + x;
  r = n * -0.000483989715576171875f + r;
  r = n * 1.62865035235881805419921875e-07f + r;
  r = n * 5.5644315544167710640977020375430583953857421875e-11f + r;
  return {r, std::isfinite(n) ? static_cast<std::uint32_t>(n) : 0};
}

float near_cosine(float square) {
  float p =
      square * 2.4372266125283204019069671630859375e-05f + -0.00138865201734006404876708984375f;
  p = p * square + 0.041666619479656219482421875f;
  p = p * square + -0.5f;
  return p * square + 1.0f;
}
float near_sine(float r, float square) {
  float p = square * -0.0001959234114083702898469196984621f + 0.00833268736556168517f;
  p = p * square + -0.16666662039822983f;
  return p * square * r + r;
}

float sine_of(float x) {
  const Reduced a = reduced(std::abs(x), 25966.0f);
  const float square = a.r * a.r,
              y = a.quadrant % 2 == 0 ? near_sine(a.r, square) : near_cosine(square);
  return (a.quadrant / 2 % 2 == 1) != std::signbit(x) ? -y : y;
}
float cosine_of(float x) {
  const Reduced a = reduced(std::abs(x), 18838.0f);
  const float square = a.r * a.r,
              y = a.quadrant % 2 == 0 ? near_cosine(square) : near_sine(a.r, square);
  return (a.quadrant + 1) / 2 % 2 == 1 ? -y : y;
}

// acos |x| / sqrt(1 - |x|) as a polynomial, even and odd terms apart.
float arc_cosine_of(float x) {
  const float a = std::abs(x), square = x * x;
  float even = 2.36423197202384471893310546875e-3f * square + 2.717843465507030487060546875e-2f;
  float odd = -1.1368644423782825469970703125e-2f * square + -4.8969544470310211181640625e-2f;
  even = even * square + 8.8804088532924652099609375e-2f;
  odd = odd * square + -0.214591205120086669921875f;
  even = even * square + 1.57079637050628662109375f;
  const float y = std::sqrt(1.0f - a) * (odd * a + even);
  return std::signbit(x) ? 3.14159274101257324f - y : y;
}

// asin x / x below 1/2 as a polynomial in x^2; above by pi/2 - 2 asin sqrt((1 - |x|) / 2).
float arc_sine_of(float x) {
  const float a = std::abs(x);
  if (!(a <= 1.0f)) return std::nanf("");
  const bool large = a > 0.5f;
  const float v = large ? std::sqrt(0.5f - 0.5f * a) : a, square = v * v;
  float p = 5.08838854730129241943359375e-2f * square + 3.95139865577220916748046875e-2f;
  p = p * square + 7.550220191478729248046875e-2f;
  p = p * square + 0.16664917767047882080078125f;
  p = p * square + 1.00000011920928955078125f;
  p = p * v;
  return std::copysign(large ? 1.57079637050628662f - 2.0f * p : p, x);
}

// atan x = x P(x^2) / Q(x^2) up to 1; above by pi/2 - atan(1/x).
float arc_tangent_of(float x) {
  const float a = std::abs(x);
  const bool large = a > 1.0f;
  const float v = large ? 1.0f / a : a, square = v * v;
  float p = 1.12026982009410858154296875e-01f * square + 7.296695709228515625e-01f;
  p = p * square + 8.109951019287109375e-01f;
  float q = 1.00917108356952667236328125e-02f * square + 2.8318560123443603515625e-01f;
  q = q * square + 1.0f;
  q = q * square + 8.109951019287109375e-01f;
  const float y = v * (p / q);
  return std::copysign(large ? 1.57079637050628662f - y : y, x);
}

}  // namespace

void ort_sin(Span x, std::span<float> y, float, float) {
  by_fours(x, y, sine_of, [](float v) { return std::sin(v); });
}
void ort_cos(Span x, std::span<float> y, float, float) {
  by_fours(x, y, cosine_of, [](float v) { return std::cos(v); });
}
void ort_asin(Span x, std::span<float> y, float, float) {
  by_fours(x, y, arc_sine_of, [](float v) { return std::asin(v); });
}
void ort_acos(Span x, std::span<float> y, float, float) {
  by_fours(x, y, arc_cosine_of, [](float v) { return std::acos(v); });
}
void ort_atan(Span x, std::span<float> y, float, float) {
  by_fours(x, y, arc_tangent_of, [](float v) { return std::atan(v); });
}

}  // namespace lockstep
