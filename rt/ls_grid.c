/* Between reals and codes by several scales, or by scales that are computed. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

static int32_t code_of(const ls_grid* p, float x, float scale, int32_t zero) {
  float v = p->how == LS_INVERSE ? x * (1.0f / scale) : x / scale;
  if (p->how == LS_AWAY) {
    v = roundf(v);
    return ls_clamp(
        (int32_t)((uint32_t)(v >= -2147483648.0f && v < 2147483648.0f ? (int32_t)v : INT32_MIN) +
                  (uint32_t)zero),
        p->low, p->high);
  }
  if (v != v) return p->how == LS_INVERSE ? ls_clamp(p->low + zero, p->low, p->high) : p->low;
  /* Bounds are integers: what lies between them is rounded alike before and after. */
  v = ls_clamp_real(v, (float)(p->low - zero), (float)(p->high - zero));
  return (int32_t)ls_round_even((double)v, 0.0, 0.0) + zero;
}

static int32_t code_of_rest(const ls_grid* p, float x, float scale, int32_t zero) {
  const double v = round((double)x / (double)scale);
  if (v != v) return p->low;
  return ls_clamp((int32_t)(v < -16777216.0  ? -16777216.0
                            : v > 16777216.0 ? 16777216.0
                                             : v) +
                      zero,
                  p->low, p->high);
}

void ls_quantize_any(const ls_grid* p, const float* x, void* y, size_t count) {
  int32_t i;
  for (i = 0; i < (int32_t)count; ++i) {
    const int32_t at = i / p->inner % p->extent;
    const int is_rest = i >= (int32_t)count - p->rest;
    ls_put(y, i, p->type, (is_rest ? code_of_rest : code_of)(p, x[i], p->scale[at], p->zero[at]));
  }
}

void ls_dequantize_any(const ls_grid* p, const void* x, float* y, size_t count) {
  int32_t i;
  for (i = 0; i < (int32_t)count; ++i) {
    const int32_t at = i / p->inner % p->extent;
    const int32_t distance = (int32_t)((uint32_t)ls_get(x, i, p->type) - (uint32_t)p->zero[at]);
    y[i] = p->how == LS_AWAY ? (float)((double)p->scale[at] * (double)distance)
                             : (float)distance * p->scale[at];
  }
}

void ls_quantize_dynamic(const float* x, uint8_t* y, float* scale, uint8_t* zero, size_t count) {
  float low = 0.0f, high = 0.0f, step, from;
  int32_t middle;
  size_t i;
  for (i = 0; i < count; ++i) {
    if (x[i] < low) low = x[i];
    if (x[i] > high) high = x[i];
  }
  step = high > low ? (high - low) / 255.0f : 1.0f;
  from = 0.0f - low / step;
  middle = ls_nearest_even(ls_clamp_real(from, 0.0f, 255.0f));
  for (i = 0; i < count; ++i) {
    const float v = x[i] / step, known = v == v ? v : (float)(0 - middle);
    y[i] = (uint8_t)(ls_nearest_even(
                         ls_clamp_real(known, (float)(0 - middle), (float)(255 - middle))) +
                     middle);
  }
  if (scale != NULL) *scale = step;
  if (zero != NULL) *zero = (uint8_t)middle;
}

void ls_matmul_integer(const ls_matmul_any_p* p, const void* a, const void* b, const void* a_zero,
                       int32_t a_zeros, const void* b_zero, int32_t b_zeros, int32_t* y) {
  int32_t t, i, j, k;
  for (t = 0; t < p->count; ++t)
    for (i = 0; i < p->m; ++i)
      for (j = 0; j < p->n; ++j) {
        const int32_t za = a_zero == NULL ? 0 : ls_get(a_zero, a_zeros > 1 ? i : 0, p->a_type);
        const int32_t zb = b_zero == NULL ? 0 : ls_get(b_zero, b_zeros > 1 ? j : 0, p->b_type);
        int32_t sum = 0;
        for (k = 0; k < p->k; ++k)
          sum += (ls_get(a, t * p->a_step + i * p->a_row + k * p->a_col, p->a_type) - za) *
                 (ls_get(b, t * p->b_step + k * p->b_row + j * p->b_col, p->b_type) - zb);
        *y++ = sum;
      }
}

/* One output element: corners with multiplied weights (the last axis changing fastest), or sums of
 * sums. */
static float corner_sum(const ls_resize_any_p* p, const void* x, const int32_t* place,
                        const int32_t* stride) {
  int32_t corners = 1, corner, d;
  float sum = 0.0f;
  for (d = 0; d < 4; ++d) corners *= p->taps[d].first[place[d] + 1] - p->taps[d].first[place[d]];
  for (corner = 0; corner < corners; ++corner) {
    int32_t rest = corner, at = 0;
    float weight = 1.0f, term;
    for (d = 3; d >= 0; --d) {
      const int32_t first = p->taps[d].first[place[d]],
                    count = p->taps[d].first[place[d] + 1] - first;
      weight = weight * p->taps[d].weight[first + rest % count];
      at += p->taps[d].index[first + rest % count] * stride[d];
      rest /= count;
    }
    term = weight * (p->type == LS_F32 ? ((const float*)x)[at] : (float)ls_get(x, at, p->type));
    sum = corner == 0 ? term : sum + term;
  }
  return sum;
}

static float axis_sum(const ls_resize_any_p* p, const void* x, const int32_t* place,
                      const int32_t* stride, int32_t at, int32_t d,
                      float (*inner)(const ls_resize_any_p*, const void*, const int32_t*,
                                     const int32_t*, int32_t)) {
  const int32_t first = p->taps[d].first[place[d]], end = p->taps[d].first[place[d] + 1];
  float sum = 0.0f;
  int32_t t;
  if (end - first == 1) return inner(p, x, place, stride, at + p->taps[d].index[first] * stride[d]);
  for (t = first; t < end; ++t) {
    const float term =
        p->taps[d].weight[t] * inner(p, x, place, stride, at + p->taps[d].index[t] * stride[d]);
    sum = sum + term;
  }
  return sum;
}
#define PARAMETERS \
  const ls_resize_any_p *p, const void *x, const int32_t *place, const int32_t *stride, int32_t at
static float one(PARAMETERS) {
  (void)place;
  (void)stride;
  return p->type == LS_F32 ? ((const float*)x)[at] : (float)ls_get(x, at, p->type);
}
static float axis_3(PARAMETERS) {
  return axis_sum(p, x, place, stride, at, 3, one);
}
static float axis_2(PARAMETERS) {
  return axis_sum(p, x, place, stride, at, 2, axis_3);
}
static float axis_1(PARAMETERS) {
  return axis_sum(p, x, place, stride, at, 1, axis_2);
}
static float axis_0(PARAMETERS) {
  return axis_sum(p, x, place, stride, at, 0, axis_1);
}

/* Rows and columns with shares in 1/1024, cut toward zero. */
static int32_t fine(const ls_resize_any_p* p, const void* x, const int32_t* place,
                    const int32_t* stride) {
  const int32_t r = p->taps[2].first[place[2]], r_last = p->taps[2].first[place[2] + 1] - 1;
  const int32_t c = p->taps[3].first[place[3]], c_last = p->taps[3].first[place[3] + 1] - 1;
  const int32_t row = r == r_last ? 0 : p->taps[2].fine[r_last],
                column = c == c_last ? 0 : p->taps[3].fine[c_last];
  const int32_t at = p->taps[0].index[p->taps[0].first[place[0]]] * stride[0] +
                     p->taps[1].index[p->taps[1].first[place[1]]] * stride[1];
  const int32_t *rows = p->taps[2].index, *columns = p->taps[3].index;
  return ((1024 - row) * (1024 - column) *
              ls_get(x, at + rows[r] * stride[2] + columns[c], p->type) +
          (1024 - row) * column * ls_get(x, at + rows[r] * stride[2] + columns[c_last], p->type) +
          row * (1024 - column) * ls_get(x, at + rows[r_last] * stride[2] + columns[c], p->type) +
          row * column * ls_get(x, at + rows[r_last] * stride[2] + columns[c_last], p->type)) /
         (1 << 20);
}

void ls_resize_any(const ls_resize_any_p* p, const void* x, void* y) {
  const int32_t stride[4] = {p->in[1] * p->in[2] * p->in[3], p->in[2] * p->in[3], p->in[3], 1};
  int32_t place[4], i, d, at = 0, count = p->out[0] * p->out[1] * p->out[2] * p->out[3];
  for (i = 0; i < count; ++i, ++at) {
    int32_t rest = i, inside = 1;
    float v;
    for (d = 3; d >= 0; --d) {
      place[d] = rest % p->out[d];
      rest /= p->out[d];
      if (p->taps[d].first[place[d]] == p->taps[d].first[place[d] + 1]) inside = 0;
    }
    if (inside && p->taps[3].fine != NULL) {
      ls_put(y, i, p->type, fine(p, x, place, stride));
      continue;
    }
    v = !inside      ? (float)p->outside
        : p->corners ? corner_sum(p, x, place, stride)
                     : axis_0(p, x, place, stride, 0);
    if (p->type == LS_F32)
      ((float*)y)[i] = v;
    else
      ls_put(y, i, p->type, (int32_t)v);
  }
}
