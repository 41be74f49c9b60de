/* Functions of float32 as onnxruntime computes them: in float32, every step rounded. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

/* 2^m (1 + r + r^2 P(r)). */
static float vector_exp(float x) {
  const float v = 88.723f < x ? 88.723f : x;
  const float m = floorf(v * 1.44269504088896341f + 0.5f);
  float r, square, even, odd, y;
  if (x < -104.0f) return 0.0f;
  r = m * -0.693359375f + v;
  r = m * 2.12194440e-4f + r;
  square = r * r;
  even = square * 1.37449637986719608306884765625e-3f + 4.166965186595916748046875e-2f;
  odd = square * 8.36894474923610687255859375e-3f + 0.16666518151760101318359375f;
  even = square * even + 0.49999988079071044921875f;
  y = ldexpf(square * (r * odd + even) + (r + 1.0f), (int)m);
  return y < x ? x : y;
}

/* x = 2^e (1 + f); the logarithm of 1 + f is a quotient. */
static float vector_log(float x) {
  int exponent = 0;
  float f, p, q;
  if (!(x >= 0.0f) || isinf(x)) return logf(x);
  if (x <= 0.0f) return -INFINITY;
  f = frexpf(x < 1.17549435e-38f ? 1.17549435e-38f : x, &exponent);
  if (f < 0.707106781186547524f) {
    f = (f - 1.0f) + f;
    --exponent;
  } else {
    f = f - 1.0f;
  }
  p = f * 0.18256296349849254f + 1.0000000190281063f;
  p = f * (f * p + 1.0000000190281136f);
  q = f * 0.049616247954120038f + 0.59923249590823520f;
  q = f * (f * q + 1.4999999999999927f) + 1.0f;
  return (float)exponent * 0.693147180559945309f + p / q;
}

static float horner(float x, const float* c, int32_t count) {
  float p = c[0];
  int32_t i;
  for (i = 1; i < count; ++i) p = fmaf(p, x, c[i]);
  return p;
}

/* A polynomial in x below 0.921875, 1 - exp(polynomial) above. */
static float erf_of(float x) {
  static const float small[] = {-5.99104969e-4f, 4.99339588e-3f,  -2.67667342e-2f,
                                1.12818025e-1f,  -3.76124859e-1f, 1.28379151e-1f};
  static const float big[] = {1.72948930e-5f, -3.83208680e-4f, 3.88393435e-3f, -2.42545605e-2f,
                              1.06777847e-1f, 6.34846687e-1f,  1.28717512e-1f};
  static const float power[] = {
      1.38319808e-3f, 8.37550033e-3f, 4.16689515e-2f, 1.66664466e-1f, 4.99999851e-1f, 1.0f, 1.0f};
  const float magnitude = fabsf(x), a = 3.925f < magnitude ? 3.925f : magnitude;
  float y;
  if (a > 0.921875f) {
    const float least = -88.3762626647949f, s = -fmaf(horner(a, big, 7), a, a),
                t = s < least ? least : s;
    const float shifted = fmaf(1.44269504088896341f, t, 12582912.0f), m = shifted - 12582912.0f;
    const float r = fmaf(m, -1.42860677e-6f, fmaf(m, -6.93145752e-1f, t));
    y = 1.0f - ldexpf(horner(r, power, 7), (int)m);
  } else {
    y = fmaf(horner(a * a, small, 6), a, a);
  }
  return copysignf(y, x);
}

static float hard(float x, float alpha, float beta) {
  const float v = x * alpha + beta, low = v < 0.0f ? 0.0f : v;
  return 1.0f < low ? 1.0f : low;
}

static float softplus_of(float x, int32_t vector) {
  const float t = vector ? vector_exp(-fabsf(x)) : expf(-fabsf(x)), u = t + 1.0f;
  const float l = vector ? vector_log(u) : logf(u);
  float y = t;
  if (!vector)
    y = log1pf(t);
  else if (!(u <= 1.0f && u >= 1.0f) && !(u <= l && u >= l))
    y = t * (l / (u - 1.0f));
  return x > 0.0f ? x + y : y;
}

static float value_of(int32_t what, float x, float a, float b, int32_t vector) {
  float e;
  switch (what) {
    case LS_SINGLE_LOG:
      return vector ? vector_log(x) : logf(x);
    case LS_SINGLE_ERF:
      return erf_of(x);
    case LS_SINGLE_GELU:
      return (0.5f * x) * (erf_of(x * 0.707106781186547524f) + 1.0f);
    case LS_SINGLE_GELU_TANH:
      return (0.5f * x) *
             (ls_rational_tanh(x * (0.035677408136300125f * x * x + 0.7978845608028654f)) + 1.0f);
    case LS_SINGLE_ELU:
      e = vector ? vector_exp(x) : expf(x);
      return x >= 0.0f ? x : a * (e - 1.0f);
    case LS_SINGLE_SELU:
      e = vector ? vector_exp(x) : expf(x);
      return x > 0.0f ? b * x : (b * a) * (e - 1.0f);
    case LS_SINGLE_CELU:
      e = vector ? vector_exp(x / a) : expf(x / a);
      return fmaxf(x, 0.0f) + fminf(a * (e - 1.0f), 0.0f);
    case LS_SINGLE_SOFTPLUS:
      return softplus_of(x, vector);
    case LS_SINGLE_MISH:
      return x * ls_rational_tanh(softplus_of(x, vector));
    case LS_SINGLE_SOFTSIGN:
      return x * (1.0f / (1.0f + fabsf(x)));
    case LS_SINGLE_HARD_SIGMOID:
      return hard(x, a, b);
    default:
      return x * hard(x, 1.0f / 6.0f, 0.5f);
  }
}

void ls_single_f32(int32_t what, float a, float b, const float* x, float* y, size_t count) {
  const size_t whole = count / 4 * 4;
  size_t i;
  for (i = 0; i < count; ++i) y[i] = value_of(what, x[i], a, b, i < whole);
}
