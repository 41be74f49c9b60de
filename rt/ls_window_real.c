/* Windows over float32: convolution in other orders than onnxruntime's forward one, and averages.
 */
#include <math.h>

#include "ls_fixed.h"
#include "ls_layer.h"
#include "ls_volume.h"

/* One tap's channels, `step` apart in x, onto `sum`. */
static float tap_sum(const ls_conv_plain* p, float sum, const float* x, int32_t step,
                     const float* w, int32_t channels) {
  int32_t c = 0, start, i;
  float y = 0.0f;
  if (p->order == LS_PLAIN) {
    y = p->by_tap ? 0.0f : sum;
    for (; c < channels; ++c) {
      const float product = x[c * step] * w[c];
      y = y + product;
    }
    return p->by_tap ? sum + y : y;
  }
  if (p->order == LS_FUSED_PIECES) {
    for (start = 0; start < channels; start += p->block) {
      float piece = 0.0f;
      for (c = start; c < channels && c < start + p->block; ++c)
        piece = fmaf(w[c], x[c * step], piece);
      y = start == 0 ? piece : piece + y;
    }
    return sum + y;
  }
  while (c < channels) {
    const int32_t count = channels - c >= 4 ? 4 : channels - c >= 2 ? 2 : 1;
    float t = w[c] * x[c * step];
    for (i = 1; i < count; ++i) {
      const float product = w[c + i] * x[(c + i) * step];
      t = t + product;
    }
    y = t + y;
    c += count;
  }
  return sum + y;
}

static float window_sum(const ls_conv_plain* p, const ls_depth* z, const float* x, int32_t o,
                        ls_spot at) {
  const ls_window* w = &p->window;
  const int32_t channels = w->in_c / p->group, first = o / (w->out_c / p->group) * channels;
  const int32_t extent = z->in * w->in_h * w->in_w;
  const float* weights = p->weights + o * z->kernel * w->kernel_h * w->kernel_w * channels;
  float sum = 0.0f;
  int32_t k, i, j;
  for (k = 0; k < z->kernel; ++k) {
    const int32_t d = ls_source_depth(z, at, k, p->transposed);
    for (i = 0; i < w->kernel_h; ++i) {
      const int32_t h = ls_source_row(w, at, i, p->transposed);
      for (j = 0; j < w->kernel_w; ++j, weights += channels) {
        const int32_t v = d < 0 || h < 0 ? -1 : ls_source_column(w, at, j, p->transposed);
        if (v >= 0)
          sum = tap_sum(p, sum, x + ls_place(w, extent, first, (d * w->in_h + h) * w->in_w + v),
                        w->channels_last ? 1 : extent, weights, channels);
      }
    }
  }
  return sum;
}

/* Of two axes. */
static float from_bias(const ls_conv_plain* p, const float* x, int32_t o, ls_spot at) {
  const ls_window* w = &p->window;
  const int32_t channels = w->in_c / p->group, filters = w->out_c / p->group,
                taps = w->kernel_h * w->kernel_w;
  const int32_t first = o / filters * channels, plane = w->in_h * w->in_w;
  float sum = p->bias == NULL ? 0.0f : p->bias[o];
  int32_t t, c;
  for (t = 0; t < taps; ++t) {
    const int32_t columns = p->order == LS_FROM_BIAS_COLUMNS;
    const int32_t i = columns ? t % w->kernel_h : t / w->kernel_w,
                  j = columns ? t / w->kernel_h : t % w->kernel_w;
    const int32_t h = ls_source_row(w, at, i, p->transposed);
    const int32_t v = ls_source_column(w, at, j, p->transposed);
    const int32_t step = w->channels_last ? 1 : plane;
    const float* weights = p->weights + (o * taps + i * w->kernel_w + j) * channels;
    const float* from;
    if (h < 0 || v < 0) continue;
    from = x + ls_place(w, plane, first, h * w->in_w + v);
    for (c = 0; c < channels; ++c) sum = fmaf(from[c * step], weights[c], sum);
  }
  return sum;
}

void ls_conv_plain_f32(const ls_conv_plain* p, const float* x, float* y) {
  const ls_window* w = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t positions = z.out * w->out_h * w->out_w;
  const int begins = p->order == LS_FROM_BIAS || p->order == LS_FROM_BIAS_COLUMNS;
  int32_t n, o, position;
  for (n = 0; n < w->batch; ++n, x += z.in * w->in_h * w->in_w * w->in_c, y += positions * w->out_c)
    for (position = 0; position < positions; ++position)
      for (o = 0; o < w->out_c; ++o) {
        const ls_spot at = ls_spot_of(w, position);
        float sum = begins ? from_bias(p, x, o, at) : window_sum(p, &z, x, o, at);
        if (p->bias != NULL && !begins) sum = sum + p->bias[o];
        y[w->channels_last ? position * w->out_c + o : o * positions + position] =
            sum < p->low    ? p->low
            : p->high < sum ? p->high
                            : sum;
      }
}

/* Taps of one axis that lie inside the input, or, where `padded` is its extent, inside the padded
 * input. */
static int32_t taps_inside(int32_t o, int32_t kernel, int32_t stride, int32_t dilation,
                           int32_t before, int32_t extent, int32_t padded) {
  int32_t k, count = 0;
  for (k = 0; k < kernel; ++k)
    if (padded > 0 ? o * stride + k * dilation < padded
                   : ls_source_of(o, k, stride, dilation, before, extent, 0) >= 0)
      ++count;
  return count;
}
static int32_t divisor(const ls_average_real* p, const ls_depth* z, ls_spot o) {
  const ls_window* w = &p->window;
  return taps_inside(o.d, z->kernel, z->stride, z->dilation, z->front, z->in, p->padded_d) *
         taps_inside(o.h, w->kernel_h, w->stride_h, w->dilation_h, w->top, w->in_h, p->padded_h) *
         taps_inside(o.w, w->kernel_w, w->stride_w, w->dilation_w, w->left, w->in_w, p->padded_w);
}

static float straight(const ls_window* w, const ls_depth* z, const float* x, int32_t c, ls_spot o) {
  const int32_t extent = z->in * w->in_h * w->in_w;
  float sum = 0.0f;
  int32_t k, i, j;
  for (k = 0; k < z->kernel; ++k)
    for (i = 0; i < w->kernel_h; ++i)
      for (j = 0; j < w->kernel_w; ++j) {
        const int32_t d = ls_source_depth(z, o, k, 0), h = ls_source_row(w, o, i, 0),
                      v = ls_source_column(w, o, j, 0);
        if (d >= 0 && h >= 0 && v >= 0)
          sum = sum + x[ls_place(w, extent, c, (d * w->in_h + h) * w->in_w + v)];
      }
  return sum;
}

/* Columns first; those in the padding add zero. */
static float by_columns(const ls_window* w, const ls_depth* z, const float* x, int32_t c,
                        ls_spot o) {
  const int32_t extent = z->in * w->in_h * w->in_w;
  float sum = 0.0f;
  int32_t k, i, j;
  for (j = 0; j < w->kernel_w; ++j) {
    const int32_t v = ls_source_column(w, o, j, 0);
    float column = 0.0f;
    int32_t any = 0;
    for (k = 0; v >= 0 && k < z->kernel; ++k)
      for (i = 0; i < w->kernel_h; ++i) {
        const int32_t d = ls_source_depth(z, o, k, 0), h = ls_source_row(w, o, i, 0);
        float next;
        if (d < 0 || h < 0) continue;
        next = x[ls_place(w, extent, c, (d * w->in_h + h) * w->in_w + v)];
        column = any ? column + next : next;
        any = 1;
      }
    sum = j == 0 ? column : sum + column;
  }
  return sum;
}

/* Of two axes. */
static float by_nines(const ls_window* w, const float* x, int32_t c, ls_spot o) {
  float sum = 0.0f, v[9];
  int32_t i, j, k = 0;
  for (j = 0; j < w->kernel_w; ++j)
    for (i = 0; i < w->kernel_h; ++i) {
      const int32_t h = ls_source_row(w, o, i, 0), at = ls_source_column(w, o, j, 0);
      v[k++] = h >= 0 && at >= 0 ? x[ls_place(w, w->in_h * w->in_w, c, h * w->in_w + at)] : 0.0f;
      if (i + 1 == w->kernel_h && j + 1 == w->kernel_w)
        while (k < 9) v[k++] = 0.0f;
      if (k < 9) continue;
      sum = sum + (((v[2] + v[3]) + (v[4] + v[5])) + (((v[0] + v[1]) + v[8]) + (v[6] + v[7])));
      k = 0;
    }
  return sum;
}

void ls_average_pool_f32(const ls_average_real* p, const float* x, float* y) {
  const ls_window* w = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t positions = z.out * w->out_h * w->out_w;
  int32_t n, c, position;
  for (n = 0; n < w->batch; ++n, x += z.in * w->in_h * w->in_w * w->in_c, y += positions * w->in_c)
    for (position = 0; position < positions; ++position)
      for (c = 0; c < w->in_c; ++c) {
        const ls_spot o = ls_spot_of(w, position);
        const int32_t taps = divisor(p, &z, o);
        const float sum = p->columns == 2 ? by_nines(w, x, c, o)
                          : p->columns    ? by_columns(w, &z, x, c, o)
                                          : straight(w, &z, x, c, o);
        const float mean = taps == 0         ? 0.0f
                           : p->columns == 2 ? sum * (1.0f / (float)taps)
                                             : sum / (float)taps;
        y[w->channels_last ? position * w->in_c + c : c * positions + position] =
            taps == 0        ? p->empty
            : mean < p->low  ? p->low
            : p->high < mean ? p->high
                             : mean;
      }
}

static float greatest(const ls_max_volume* p, const ls_depth* z, const float* x, int32_t c,
                      ls_spot o) {
  const ls_window* w = &p->window;
  const int32_t extent = z->in * w->in_h * w->in_w;
  float best = p->low;
  int32_t first = 1, k, i, j;
  for (k = 0; k < z->kernel; ++k)
    for (i = 0; i < w->kernel_h; ++i)
      for (j = 0; j < w->kernel_w; ++j) {
        const int32_t d = ls_source_depth(z, o, k, 0), h = ls_source_row(w, o, i, 0),
                      v = ls_source_column(w, o, j, 0);
        float next;
        if (d < 0 || h < 0 || v < 0) continue;
        next = x[ls_place(w, extent, c, (d * w->in_h + h) * w->in_w + v)];
        if (first || next > best) best = next, first = 0;
      }
  return ls_clamp_real(best, p->low, p->high);
}

void ls_max_volume_f32(const ls_max_volume* p, const float* x, float* y) {
  const ls_window* w = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t positions = z.out * w->out_h * w->out_w;
  int32_t n, c, position;
  for (n = 0; n < w->batch; ++n, x += z.in * w->in_h * w->in_w * w->in_c, y += positions * w->in_c)
    for (position = 0; position < positions; ++position)
      for (c = 0; c < w->in_c; ++c)
        y[w->channels_last ? position * w->in_c + c : c * positions + position] =
            greatest(p, &z, x, c, ls_spot_of(w, position));
}
