/* Windows over codes of any type: convolution, also transposed, and pooling. */
#include "ls_any.h"
#include "ls_fixed.h"

/* The element of an input axis that tap k meets at output o; -1: none. */
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

static int32_t place(const ls_window *w, int32_t c, int32_t h, int32_t v) {
  return w->channels_last ? (h * w->in_w + v) * w->in_c + c : (c * w->in_h + h) * w->in_w + v;
}

static int64_t products(const ls_conv_any_p *p, const void *x, int32_t at, int32_t step, const int8_t *w, int32_t w_zero,
                        int32_t channels) {
  int64_t sum = 0;
  int32_t c;
  if (p->x_type == LS_S8 && w_zero == 0) {
    const int8_t *in = (const int8_t *)x + at;
    int32_t narrow = 0;
    for (c = 0; c < channels; ++c) narrow += (in[c * step] - p->x_zero) * w[c];
    return narrow;
  }
  for (c = 0; c < channels; ++c)
    sum += (int64_t)(ls_get(x, at + c * step, p->x_type) - p->x_zero) * (w[c] - w_zero);
  return sum;
}

void ls_conv_any(const ls_conv_any_p *p, const void *x, void *y) {
  const ls_window *w = &p->window;
  const int32_t channels = w->in_c / p->group, filters = w->out_c / p->group, taps = w->kernel_h * w->kernel_w;
  const int32_t positions = w->out_h * w->out_w, step = w->channels_last ? 1 : w->in_h * w->in_w;
  int32_t n, o, position, i, j;
  for (n = 0; n < w->batch; ++n)
    for (position = 0; position < positions; ++position)
      for (o = 0; o < w->out_c; ++o) {
        const int32_t first = n * w->in_h * w->in_w * w->in_c;
        const int32_t w_zero = p->w_zeros == NULL ? p->w_zero : p->w_zeros[o];
        int64_t sum = p->bias == NULL ? 0 : p->bias[o];
        for (i = 0; i < w->kernel_h; ++i) {
          const int32_t h = source_of(position / w->out_w, i, w->stride_h, w->dilation_h, w->top, w->in_h, p->transposed);
          if (h < 0) continue;
          for (j = 0; j < w->kernel_w; ++j) {
            const int32_t v = source_of(position % w->out_w, j, w->stride_w, w->dilation_w, w->left, w->in_w, p->transposed);
            if (v >= 0)
              sum += products(p, x, first + place(w, o / filters * channels, h, v), step,
                              p->weights + (o * taps + i * w->kernel_w + j) * channels, w_zero, channels);
          }
        }
        ls_put(y, n * positions * w->out_c + (w->channels_last ? position * w->out_c + o : o * positions + position),
               p->scale.type, ls_scaled(&p->scale, sum, o));
      }
}

void ls_conv_integer(const ls_conv_integer_p *p, const void *x, const void *w, const void *x_zero, int32_t x_zeros,
                     const void *w_zero, int32_t w_zeros, int32_t *y) {
  const ls_window *g = &p->window;
  const int32_t channels = g->in_c / p->group, filters = g->out_c / p->group, taps = g->kernel_h * g->kernel_w;
  const int32_t zx = x_zeros > 0 ? ls_get(x_zero, 0, p->x_type) : 0;
  int32_t n, o, position, i, j, c;
  for (n = 0; n < g->batch; ++n)
    for (o = 0; o < g->out_c; ++o)
      for (position = 0; position < g->out_h * g->out_w; ++position) {
        const int32_t zw = w_zeros > 0 ? ls_get(w_zero, w_zeros > 1 ? o : 0, p->w_type) : 0;
        int32_t sum = 0;
        for (i = 0; i < g->kernel_h; ++i)
          for (j = 0; j < g->kernel_w; ++j) {
            const int32_t h = source_of(position / g->out_w, i, g->stride_h, g->dilation_h, g->top, g->in_h, 0);
            const int32_t v = source_of(position % g->out_w, j, g->stride_w, g->dilation_w, g->left, g->in_w, 0);
            if (h < 0 || v < 0) continue;
            for (c = 0; c < channels; ++c)
              sum += (ls_get(x, n * g->in_c * g->in_h * g->in_w + place(g, o / filters * channels + c, h, v), p->x_type) - zx) *
                     (ls_get(w, (o * channels + c) * taps + i * g->kernel_w + j, p->w_type) - zw);
          }
        *y++ = sum;
      }
}

/* Visits every window; `average`: of what lies inside. */
static void pool(const ls_pool_any_p *p, const void *x, void *y, int32_t average) {
  const ls_window *w = &p->window;
  const int32_t positions = w->out_h * w->out_w;
  int32_t n, c, position, i, j;
  for (n = 0; n < w->batch; ++n)
    for (position = 0; position < positions; ++position)
      for (c = 0; c < w->in_c; ++c) {
        int32_t best = INT32_MIN, sum = 0, count = 0;
        for (i = 0; i < w->kernel_h; ++i)
          for (j = 0; j < w->kernel_w; ++j) {
            const int32_t h = source_of(position / w->out_w, i, w->stride_h, w->dilation_h, w->top, w->in_h, 0);
            const int32_t v = source_of(position % w->out_w, j, w->stride_w, w->dilation_w, w->left, w->in_w, 0);
            int32_t code;
            if (h < 0 || v < 0) continue;
            code = ls_get(x, n * w->in_h * w->in_w * w->in_c + place(w, c, h, v), p->type);
            if (code > best) best = code;
            sum += code;
            ++count;
          }
        if (average && count > 0) best = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
        ls_put(y, n * positions * w->in_c + (w->channels_last ? position * w->in_c + c : c * positions + position), p->type,
               ls_clamp(best, p->low, p->high));
      }
}
void ls_max_pool_any(const ls_pool_any_p *p, const void *x, void *y) { pool(p, x, y, 0); }
void ls_average_pool_any(const ls_pool_any_p *p, const void *x, void *y) { pool(p, x, y, 1); }
