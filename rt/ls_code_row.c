/* float32 as 8-bit codes of its own range, for products with weights in codes. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_layer.h"

static int8_t code_of(float v, int32_t least) {
  return (int8_t)(v < (float)least ? least : v > 127.0f ? 127 : (int32_t)v);
}

/* The greatest magnitude becomes 127, ties away from zero. */
static ls_coding code_symmetric(const float* x, int8_t* codes, int32_t count, float low,
                                float high) {
  const float range = fabsf(low) < fabsf(high) ? fabsf(high) : fabsf(low);
  ls_coding c = {1.0f, 0};
  float inverse = 0.0f;
  int32_t i;
  if (range > 0.0f) c.scale = range / 127.0f, inverse = 127.0f / range;
  for (i = 0; i < count; ++i) codes[i] = code_of(roundf(x[i] * inverse), -127);
  return c;
}

/* [low, high] with zero inside becomes [-128, 127]: by doubles, ties away from zero. */
static ls_coding code_asymmetric(const float* x, int8_t* codes, int32_t count, float low,
                                 float high) {
  const double least = low < 0.0f ? (double)low : 0.0, most = high > 0.0f ? (double)high : 0.0;
  ls_coding c = {1.0f, 0};
  float inverse = 0.0f;
  int32_t i;
  if (least < most) {
    const double step = (most - least) / 255.0, from_least = -128.0 - least / step,
                 from_most = 127.0 - most / step;
    const double nudged =
        128.0 + fabs(least / step) < 127.0 + fabs(most / step) ? from_least : from_most;
    c.zero = nudged <= -128.0 ? -128 : nudged >= 127.0 ? 127 : (int32_t)round(nudged);
    c.scale = (float)step;
    inverse = 1.0f / c.scale;
  }
  for (i = 0; i < count; ++i) {
    const float product = x[i] * inverse;
    codes[i] = code_of(roundf((float)c.zero + product), -128);
  }
  return c;
}

/* The same in float32, ties to even. */
static ls_coding code_dynamic(const float* x, int8_t* codes, int32_t count, float low, float high) {
  const float least = low < 0.0f ? low : 0.0f, most = high > 0.0f ? high : 0.0f;
  const float factor = least < most ? 255.0f / (most - least) : 1.0f, from_least = least * factor,
              from_most = most * factor;
  const float nudged = (-128.0f + from_least) + (127.0f + from_most) > 0.0f ? -128.0f - from_least
                                                                            : 127.0f - from_most;
  ls_coding c;
  int32_t i;
  c.zero = ls_nearest_even(ls_clamp_real(nudged, -128.0f, 127.0f));
  c.scale = 1.0f / factor;
  for (i = 0; i < count; ++i)
    codes[i] = (int8_t)ls_clamp(ls_nearest_even(x[i] * factor) + c.zero, -128, 127);
  return c;
}

ls_coding ls_code_row(uint8_t kind, const float* x, int8_t* codes, int32_t count) {
  float low = x[0], high = x[0];
  int32_t i;
  for (i = 1; i < count; ++i) {
    if (x[i] < low) low = x[i];
    if (high < x[i]) high = x[i];
  }
  if (kind == LS_SYMMETRIC) return code_symmetric(x, codes, count, low, high);
  return kind == LS_ASYMMETRIC ? code_asymmetric(x, codes, count, low, high)
                               : code_dynamic(x, codes, count, low, high);
}
