/* Functions of one float32, computed in double and rounded once. */
#include <math.h>

#include "ls_number.h"

void ls_map_f32(ls_function f, double a, double b, const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = (float)f((double)x[i], a, b);
}

void ls_hold_f32(float low, float high, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = y[i] < low ? low : high < y[i] ? high : y[i];
}

#define FUNCTION(name, value)                 \
  double name(double x, double a, double b) { \
    (void)a;                                  \
    (void)b;                                  \
    return value;                             \
  }

static double held(double x, double low, double high) {
  return x < low ? low : high < x ? high : x;
}

/* An integer, ties to even. */
static double even(double x) {
  const double down = floor(x), rest = x - down;
  if (rest < 0.5) return copysign(down, x);
  if (rest > 0.5) return copysign(down + 1.0, x);
  return copysign(2.0 * floor((down + 1.0) / 2.0), x);
}

static double softplus(double x) {
  return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double single_sigmoid(float x) {
  if (x > 16.619047164916992188f) return 1.0;
  return (double)(x < -9.0f ? expf(x) : 1.0f / (1.0f + expf(-x)));
}

FUNCTION(ls_absolute, fabs(x))
FUNCTION(ls_ceil, ceil(x))
FUNCTION(ls_celu, (0.0 < x ? x : 0.0) + (a * expm1(x / a) < 0.0 ? a * expm1(x / a) : 0.0))
FUNCTION(ls_cos, cos(x))
FUNCTION(ls_elu, x >= 0.0 ? x : a * expm1(x))
FUNCTION(ls_erf, erf(x))
FUNCTION(ls_exp, exp(x))
FUNCTION(ls_floor, floor(x))
FUNCTION(ls_gelu, x / 2.0 * (1.0 + erf(x / a)))                                /* a: sqrt(2) */
FUNCTION(ls_gelu_tanh, x / 2.0 * (1.0 + tanh(a * (x + 0.044715 * x * x * x)))) /* a: sqrt(2 / pi) */
FUNCTION(ls_hard_sigmoid, held(a* x + b, 0.0, 1.0))
FUNCTION(ls_hard_swish, x* held(x / 6.0 + 0.5, 0.0, 1.0))
FUNCTION(ls_held, (x < a ? a : x) > b ? b : (x < a ? a : x))
FUNCTION(ls_leaky, x >= 0.0 ? x : a * x)
FUNCTION(ls_log, log(x))
FUNCTION(ls_mish, x* tanh(x > 30.0 ? x : log1p(exp(x))))
FUNCTION(ls_reciprocal_of, 1.0 / x)
FUNCTION(ls_round_even, even(x))
FUNCTION(ls_rsqrt, (double)(1.0f / sqrtf((float)x)))
FUNCTION(ls_selu, b*(x > 0.0 ? x : a * expm1(x)))
FUNCTION(ls_sigmoid, 1.0 / (1.0 + exp(-x)))
FUNCTION(ls_sigmoid_single, single_sigmoid((float)x))
FUNCTION(ls_sign, (double)((x > 0.0) - (x < 0.0)))
FUNCTION(ls_sin, sin(x))
FUNCTION(ls_softplus, softplus(x))
FUNCTION(ls_softsign, x / (1.0 + fabs(x)))
FUNCTION(ls_sqrt, sqrt(x))
FUNCTION(ls_tanh, tanh(x))
FUNCTION(ls_thresholded, x > a ? x : 0.0)
