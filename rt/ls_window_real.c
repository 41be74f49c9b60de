/* Windows over float32: convolution in other orders than onnxruntime's forward one, and averages. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

static int32_t source_of(int32_t o, int32_t k, int32_t stride, int32_t dilation, int32_t before, int32_t extent,
                         uint8_t transposed) {
  int32_t at = o * stride - before + k * dilation;
  if (transposed) {
    at = o + before - k * dilation;
    if (at < 0 || at % stride != 0) return -1;
    at /= stride;
  }
  return at >= 0 && at < extent ? at : -1;
}

/* One tap's channels, `step` apart in x, onto `sum`. */
static float tap_sum(const ls_conv_plain *p, float sum, const float *x, int32_t step, const float *w, int32_t channels) {
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
      for (c = start; c < channels && c < start + p->block; ++c) piece = fmaf(w[c], x[c * step], piece);
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

static float window_sum(const ls_conv_plain *p, const float *x, int32_t o, int32_t oh, int32_t ow) {
  const ls_window *w = &p->window;
  const int32_t channels = w->in_c / p->group, filters = w->out_c / p->group, taps = w->kernel_h * w->kernel_w;
  const int32_t first = o / filters * channels, plane = w->in_h * w->in_w;
  float sum = 0.0f;
  int32_t i, j;
  for (i = 0; i < w->kernel_h; ++i) {
    const int32_t h = source_of(oh, i, w->stride_h, w->dilation_h, w->top, w->in_h, p->transposed);
    if (h < 0) continue;
    for (j = 0; j < w->kernel_w; ++j) {
      const int32_t v = source_of(ow, j, w->stride_w, w->dilation_w, w->left, w->in_w, p->transposed);
      const int32_t at = h * w->in_w + v;
      if (v < 0) continue;
      sum = tap_sum(p, sum, x + (w->channels_last ? at * w->in_c + first : first * plane + at), w->channels_last ? 1 : plane,
                    p->weights + (o * taps + i * w->kernel_w + j) * channels, channels);
    }
  }
  return sum;
}

static float from_bias(const ls_conv_plain *p, const float *x, int32_t o, int32_t oh, int32_t ow) {
  const ls_window *w = &p->window;
  const int32_t channels = w->in_c / p->group, filters = w->out_c / p->group, taps = w->kernel_h * w->kernel_w;
  const int32_t first = o / filters * channels, plane = w->in_h * w->in_w;
  float sum = p->bias == NULL ? 0.0f : p->bias[o];
  int32_t t, c;
  for (t = 0; t < taps; ++t) {
    const int32_t columns = p->order == LS_FROM_BIAS_COLUMNS;
    const int32_t i = columns ? t % w->kernel_h : t / w->kernel_w, j = columns ? t / w->kernel_h : t % w->kernel_w;
    const int32_t h = source_of(oh, i, w->stride_h, w->dilation_h, w->top, w->in_h, p->transposed);
    const int32_t v = source_of(ow, j, w->stride_w, w->dilation_w, w->left, w->in_w, p->transposed);
    const int32_t at = h * w->in_w + v, step = w->channels_last ? 1 : plane;
    const float *weights = p->weights + (o * taps + i * w->kernel_w + j) * channels;
    const float *from;
    if (h < 0 || v < 0) continue;
    from = x + (w->channels_last ? at * w->in_c + first : first * plane + at);
    for (c = 0; c < channels; ++c) sum = fmaf(from[c * step], weights[c], sum);
  }
  return sum;
}

void ls_conv_plain_f32(const ls_conv_plain *p, const float *x, float *y) {
  const ls_window *w = &p->window;
  const int32_t positions = w->out_h * w->out_w;
  int32_t n, o, position;
  for (n = 0; n < w->batch; ++n, x += w->in_h * w->in_w * w->in_c, y += positions * w->out_c)
    for (position = 0; position < positions; ++position)
      for (o = 0; o < w->out_c; ++o) {
        const int32_t begins = p->order == LS_FROM_BIAS || p->order == LS_FROM_BIAS_COLUMNS;
        float sum = begins ? from_bias(p, x, o, position / w->out_w, position % w->out_w)
                           : window_sum(p, x, o, position / w->out_w, position % w->out_w);
        if (p->bias != NULL && !begins) sum = sum + p->bias[o];
        y[w->channels_last ? position * w->out_c + o : o * positions + position] =
            sum < p->low ? p->low : p->high < sum ? p->high : sum;
      }
}

/* Taps from `begin` to `end` of one axis, cut to the input or to the padded input. */
static int32_t taps_inside(int32_t o, int32_t kernel, int32_t stride, int32_t dilation, int32_t before, int32_t extent,
                           int32_t padded) {
  int32_t k, count = 0;
  for (k = 0; k < kernel; ++k)
    if (padded > 0 ? o * stride + k * dilation < padded : source_of(o, k, stride, dilation, before, extent, 0) >= 0) ++count;
  return count;
}

static float element(const ls_window *w, const float *x, int32_t c, int32_t h, int32_t v) {
  return w->channels_last ? x[(h * w->in_w + v) * w->in_c + c] : x[(c * w->in_h + h) * w->in_w + v];
}

static float straight(const ls_window *w, const float *x, int32_t c, int32_t oh, int32_t ow) {
  float sum = 0.0f;
  int32_t i, j;
  for (i = 0; i < w->kernel_h; ++i)
    for (j = 0; j < w->kernel_w; ++j) {
      const int32_t h = source_of(oh, i, w->stride_h, w->dilation_h, w->top, w->in_h, 0);
      const int32_t v = source_of(ow, j, w->stride_w, w->dilation_w, w->left, w->in_w, 0);
      if (h >= 0 && v >= 0) sum = sum + element(w, x, c, h, v);
    }
  return sum;
}

/* Columns first; those in the padding add zero. */
static float by_columns(const ls_window *w, const float *x, int32_t c, int32_t oh, int32_t ow) {
  float sum = 0.0f;
  int32_t i, j;
  for (j = 0; j < w->kernel_w; ++j) {
    const int32_t v = source_of(ow, j, w->stride_w, 1, w->left, w->in_w, 0);
    float column = 0.0f;
    int32_t any = 0;
    for (i = 0; v >= 0 && i < w->kernel_h; ++i) {
      const int32_t h = source_of(oh, i, w->stride_h, 1, w->top, w->in_h, 0);
      if (h < 0) continue;
      column = any ? column + element(w, x, c, h, v) : element(w, x, c, h, v);
      any = 1;
    }
    sum = j == 0 ? column : sum + column;
  }
  return sum;
}

static float by_nines(const ls_window *w, const float *x, int32_t c, int32_t oh, int32_t ow) {
  float sum = 0.0f, v[9];
  int32_t i, j, k = 0;
  for (j = 0; j < w->kernel_w; ++j)
    for (i = 0; i < w->kernel_h; ++i) {
      const int32_t h = source_of(oh, i, w->stride_h, w->dilation_h, w->top, w->in_h, 0);
      const int32_t at = source_of(ow, j, w->stride_w, w->dilation_w, w->left, w->in_w, 0);
      v[k++] = h >= 0 && at >= 0 ? element(w, x, c, h, at) : 0.0f;
      if (i + 1 == w->kernel_h && j + 1 == w->kernel_w)
        while (k < 9) v[k++] = 0.0f;
      if (k < 9) continue;
      sum = sum + (((v[2] + v[3]) + (v[4] + v[5])) + (((v[0] + v[1]) + v[8]) + (v[6] + v[7])));
      k = 0;
    }
  return sum;
}

void ls_average_pool_f32(const ls_average_real *p, const float *x, float *y) {
  const ls_window *w = &p->window;
  const int32_t positions = w->out_h * w->out_w;
  int32_t n, c, position;
  for (n = 0; n < w->batch; ++n, x += w->in_h * w->in_w * w->in_c, y += positions * w->in_c)
    for (position = 0; position < positions; ++position)
      for (c = 0; c < w->in_c; ++c) {
        const int32_t oh = position / w->out_w, ow = position % w->out_w;
        const int32_t taps = taps_inside(oh, w->kernel_h, w->stride_h, w->dilation_h, w->top, w->in_h, p->padded_h) *
                             taps_inside(ow, w->kernel_w, w->stride_w, w->dilation_w, w->left, w->in_w, p->padded_w);
        const float sum = p->columns == 2 ? by_nines(w, x, c, oh, ow)
                          : p->columns    ? by_columns(w, x, c, oh, ow)
                                          : straight(w, x, c, oh, ow);
        const float mean = taps == 0 ? 0.0f : p->columns == 2 ? sum * (1.0f / (float)taps) : sum / (float)taps;
        y[w->channels_last ? position * w->in_c + c : c * positions + position] =
            taps == 0 ? 0.0f : mean < p->low ? p->low : p->high < mean ? p->high : mean;
      }
}
