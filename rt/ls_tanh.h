/*
 * The hyperbolic tangent of float32 to the bit as glibc has computed it up to 2.36, whose answers
 * runtimes on a PC give: C libraries for boards differ from it in the last bit. On a PC it is the
 * library's own.
 */
#ifndef LS_TANH_H
#define LS_TANH_H

#include <math.h>
#include <stdint.h>

#if defined(__GLIBC__) && !defined(LS_OWN_TANH)
static inline float ls_tanhf(float x) {
  return tanhf(x);
}
#else

/* e^x - 1 for -2 < x < 44: with x = k ln 2 + r, |r| <= ln 2 / 2, and c what r lost by rounding,
   e^r - 1 = r - (r e - r^2 / 2) with e a quotient of polynomials, then times 2^k. */
static inline float ls_expm1f(float x) {
  const float magnitude = fabsf(x), sign = x < 0.0f ? -1.0f : 1.0f;
  float r = x, c = 0.0f, half, square, p, t, e;
  int32_t k = 0;
  if (magnitude < 0x1p-25f) return x;
  if (magnitude > 0x1.62e43p-2f) { /* ln 2 / 2 */
    float high, low;
    if (magnitude < 0x1.0a2b24p+0f) { /* 3 ln 2 / 2 */
      k = x < 0.0f ? -1 : 1;
      high = x - sign * 0x1.62e3p-1f;
      low = sign * 0x1.2fefa2p-17f;
    } else {
      const float scaled = 0x1.715476p+0f * x;
      k = (int32_t)(scaled + sign * 0.5f);
      high = x - (float)k * 0x1.62e3p-1f;
      low = (float)k * 0x1.2fefa2p-17f;
    }
    r = high - low;
    c = (high - r) - low;
  }
  half = 0.5f * r;
  square = r * half;
  p = 0x1.0cfca8p-18f + square * -0x1.afdb76p-23f;
  p = 0x1.a01a02p-10f + square * (-0x1.4ce19ap-14f + square * p);
  p = 1.0f + square * (-0x1.111112p-5f + square * p);
  t = 3.0f - p * half;
  e = square * ((p - t) / (6.0f - r * t));
  if (k == 0) return r - (r * e - square);
  e = (r * (e - c) - c) - square;
  if (k == -1) return 0.5f * (r - e) - 0.5f;
  if (k == 1) return r < -0.25f ? -2.0f * (e - (r + 0.5f)) : 1.0f + 2.0f * (r - e);
  if (k <= -2 || k > 56) return ldexpf(1.0f - (e - r), (int)k) - 1.0f;
  if (k < 23) return ldexpf((1.0f - ldexpf(1.0f, (int)-k)) - (e - r), (int)k);
  return ldexpf((r - (e + ldexpf(1.0f, (int)-k))) + 1.0f, (int)k);
}

static inline float ls_tanhf(float x) {
  const float magnitude = fabsf(x);
  float t, y;
  if (x != x) return x;
  if (magnitude < 0x1p-55f) return x * (1.0f + x);
  if (magnitude >= 22.0f)
    y = 1.0f;
  else if (magnitude >= 1.0f)
    y = 1.0f - 2.0f / (ls_expm1f(2.0f * magnitude) + 2.0f);
  else
    t = ls_expm1f(-2.0f * magnitude), y = -t / (t + 2.0f);
  return x < 0.0f ? -y : y;
}
#endif

#endif
