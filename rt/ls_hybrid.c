/* Layers of float32 activations under 8-bit weights: the activations of one image or row become
 * codes on the way. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_layer.h"
#include "ls_volume.h"

typedef struct {
  float scale;
  int32_t zero;
} coding;

static int8_t code_of(float v, int32_t least) {
  return (int8_t)(v < (float)least ? least : v > 127.0f ? 127 : (int32_t)v);
}

/* The greatest magnitude becomes 127, ties away from zero. */
static coding code_symmetric(const float* x, int8_t* codes, int32_t count, float low, float high) {
  const float range = fabsf(low) < fabsf(high) ? fabsf(high) : fabsf(low);
  coding c = {1.0f, 0};
  float inverse = 0.0f;
  int32_t i;
  if (range > 0.0f) c.scale = range / 127.0f, inverse = 127.0f / range;
  for (i = 0; i < count; ++i) codes[i] = code_of(roundf(x[i] * inverse), -127);
  return c;
}

/* [low, high] with zero inside becomes [-128, 127]: by doubles, ties away from zero. */
static coding code_asymmetric(const float* x, int8_t* codes, int32_t count, float low, float high) {
  const double least = low < 0.0f ? (double)low : 0.0, most = high > 0.0f ? (double)high : 0.0;
  coding c = {1.0f, 0};
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
static coding code_dynamic(const float* x, int8_t* codes, int32_t count, float low, float high) {
  const float least = low < 0.0f ? low : 0.0f, most = high > 0.0f ? high : 0.0f;
  const float factor = least < most ? 255.0f / (most - least) : 1.0f, from_least = least * factor,
              from_most = most * factor;
  const float nudged = (-128.0f + from_least) + (127.0f + from_most) > 0.0f ? -128.0f - from_least
                                                                            : 127.0f - from_most;
  coding c;
  int32_t i;
  c.zero = ls_nearest_even(ls_clamp_real(nudged, -128.0f, 127.0f));
  c.scale = 1.0f / factor;
  for (i = 0; i < count; ++i)
    codes[i] = (int8_t)ls_clamp(ls_nearest_even(x[i] * factor) + c.zero, -128, 127);
  return c;
}

static coding code(const ls_hybrid* p, const float* x, int8_t* codes, int32_t count) {
  float low = x[0], high = x[0];
  int32_t i;
  for (i = 1; i < count; ++i) {
    if (x[i] < low) low = x[i];
    if (high < x[i]) high = x[i];
  }
  if (p->coding == LS_SYMMETRIC) return code_symmetric(x, codes, count, low, high);
  return p->coding == LS_ASYMMETRIC ? code_asymmetric(x, codes, count, low, high)
                                    : code_dynamic(x, codes, count, low, high);
}

static int32_t window_sum(const ls_hybrid* p, const int8_t* x, int32_t zero, int32_t o,
                          ls_spot at) {
  const ls_window* w = &p->window;
  const int32_t channels = w->in_c / p->group, first = o / (w->out_c / p->group) * channels;
  const int8_t* weights = p->weights + o * w->kernel_h * w->kernel_w * channels;
  int32_t sum = 0, i, j, c;
  for (i = 0; i < w->kernel_h; ++i)
    for (j = 0; j < w->kernel_w; ++j, weights += channels) {
      const int32_t h = ls_source_row(w, at, i, 0), v = ls_source_column(w, at, j, 0);
      const int8_t* from;
      if (h < 0 || v < 0) continue;
      from = x + (h * w->in_w + v) * w->in_c + first;
      for (c = 0; c < channels; ++c) sum += (from[c] - zero) * weights[c];
    }
  return sum;
}

static float real_of(const ls_hybrid* p, float sum, float x_scale, float w_scale, float bias,
                     int32_t o) {
  float y;
  switch (p->steps) {
    case LS_HYBRID_FUSED:
      y = sum * x_scale;
      return fmaf(y, w_scale, bias);
    case LS_HYBRID_JOINED:
      y = w_scale * x_scale;
      y = sum * y;
      break;
    case LS_HYBRID_WEIGHTS:
      y = sum * w_scale;
      y = y * x_scale;
      break;
    default:
      y = sum * (o < p->fours ? w_scale : x_scale);
      y = y * (o < p->fours ? x_scale : w_scale);
  }
  return y + bias;
}

void ls_hybrid_f32(const ls_hybrid* p, const float* x, float* y, int8_t* scratch) {
  const ls_window* w = &p->window;
  const int32_t count = w->in_h * w->in_w * w->in_c, positions = w->out_h * w->out_w;
  int32_t n, position, o;
  for (n = 0; n < w->batch; ++n, x += count) {
    const coding c = code(p, x, scratch, count);
    for (position = 0; position < positions; ++position)
      for (o = 0; o < w->out_c; ++o) {
        const int32_t sum = window_sum(p, scratch, c.zero, o, ls_spot_of(w, position));
        const float v = real_of(p, (float)sum, c.scale, p->scales[p->by ? o : 0],
                                p->bias == NULL ? 0.0f : p->bias[o], o);
        *y++ = v < p->low ? p->low : p->high < v ? p->high : v;
      }
  }
}
