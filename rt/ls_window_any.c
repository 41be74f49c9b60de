/* Windows over codes of any type: convolution, also transposed, and pooling. */
#include "ls_any.h"
#include "ls_fixed.h"
#include "ls_volume.h"

static int64_t products(const ls_conv_any_p* p, const void* x, int32_t at, int32_t step,
                        const int8_t* w, int32_t w_zero, int32_t channels) {
  int64_t sum = 0;
  int32_t c;
  if (p->x_type == LS_S8 && w_zero == 0) {
    const int8_t* in = (const int8_t*)x + at;
    int32_t narrow = 0;
    for (c = 0; c < channels; ++c) narrow += (in[c * step] - p->x_zero) * w[c];
    return narrow;
  }
  for (c = 0; c < channels; ++c)
    sum += (int64_t)(ls_get(x, at + c * step, p->x_type) - p->x_zero) * (w[c] - w_zero);
  return sum;
}

static int64_t window_sum(const ls_conv_any_p* p, const ls_depth* z, const void* x, int32_t first,
                          int32_t o, ls_spot at) {
  const ls_window* w = &p->window;
  const int32_t channels = w->in_c / p->group, from = o / (w->out_c / p->group) * channels;
  const int32_t extent = z->in * w->in_h * w->in_w, step = w->channels_last ? 1 : extent;
  const int32_t w_zero = p->w_zeros == NULL ? p->w_zero : p->w_zeros[o];
  const int8_t* weights = p->weights + o * z->kernel * w->kernel_h * w->kernel_w * channels;
  int64_t sum = 0;
  int32_t k, i, j;
  for (k = 0; k < z->kernel; ++k) {
    const int32_t d = ls_source_depth(z, at, k, p->transposed);
    for (i = 0; i < w->kernel_h; ++i) {
      const int32_t h = ls_source_row(w, at, i, p->transposed);
      for (j = 0; j < w->kernel_w; ++j, weights += channels) {
        const int32_t v = d < 0 || h < 0 ? -1 : ls_source_column(w, at, j, p->transposed);
        if (v < 0) continue;
        sum += products(p, x, first + ls_place(w, extent, from, (d * w->in_h + h) * w->in_w + v),
                        step, weights, w_zero, channels);
      }
    }
  }
  return sum;
}

void ls_conv_any(const ls_conv_any_p* p, const void* x, void* y) {
  const ls_window* w = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t positions = z.out * w->out_h * w->out_w;
  int32_t n, o, position;
  for (n = 0; n < w->batch; ++n)
    for (position = 0; position < positions; ++position) {
      const ls_spot at = ls_spot_of(w, position);
      for (o = 0; o < w->out_c; ++o) {
        const int64_t bias = p->bias == NULL ? 0 : p->bias[o];
        const int64_t sum =
            bias + window_sum(p, &z, x, n * z.in * w->in_h * w->in_w * w->in_c, o, at);
        ls_put(y,
               n * positions * w->out_c +
                   (w->channels_last ? position * w->out_c + o : o * positions + position),
               p->scale.type, ls_scaled(&p->scale, sum, o));
      }
    }
}

void ls_conv_integer(const ls_conv_integer_p* p, const void* x, const void* w, const void* x_zero,
                     int32_t x_zeros, const void* w_zero, int32_t w_zeros, int32_t* y) {
  const ls_window* g = &p->window;
  const int32_t channels = g->in_c / p->group, filters = g->out_c / p->group,
                taps = g->kernel_h * g->kernel_w;
  const int32_t zx = x_zeros > 0 ? ls_get(x_zero, 0, p->x_type) : 0;
  int32_t n, o, position, i, j, c;
  for (n = 0; n < g->batch; ++n)
    for (o = 0; o < g->out_c; ++o)
      for (position = 0; position < g->out_h * g->out_w; ++position) {
        const ls_spot at = ls_spot_of(g, position);
        const int32_t zw = w_zeros > 0 ? ls_get(w_zero, w_zeros > 1 ? o : 0, p->w_type) : 0;
        int32_t sum = 0;
        for (i = 0; i < g->kernel_h; ++i)
          for (j = 0; j < g->kernel_w; ++j) {
            const int32_t h = ls_source_row(g, at, i, 0);
            const int32_t v = ls_source_column(g, at, j, 0);
            if (h < 0 || v < 0) continue;
            for (c = 0; c < channels; ++c)
              sum += (ls_get(x,
                             n * g->in_c * g->in_h * g->in_w + ls_place(g, g->in_h * g->in_w,
                                                                        o / filters * channels + c,
                                                                        h * g->in_w + v),
                             p->x_type) -
                      zx) *
                     (ls_get(w, (o * channels + c) * taps + i * g->kernel_w + j, p->w_type) - zw);
          }
        *y++ = sum;
      }
}

/* What the taps of one window hold. */
typedef struct {
  int32_t greatest, sum, count;
} seen;
static seen look(const ls_pool_any_p* p, const ls_depth* z, const void* x, int32_t first, int32_t c,
                 ls_spot o) {
  const ls_window* w = &p->window;
  const int32_t extent = z->in * w->in_h * w->in_w;
  seen s = {INT32_MIN, 0, 0};
  int32_t k, i, j;
  for (k = 0; k < z->kernel; ++k)
    for (i = 0; i < w->kernel_h; ++i)
      for (j = 0; j < w->kernel_w; ++j) {
        const int32_t d = ls_source_depth(z, o, k, 0), h = ls_source_row(w, o, i, 0),
                      v = ls_source_column(w, o, j, 0);
        int32_t code;
        if (d < 0 || h < 0 || v < 0) continue;
        code = ls_get(x, first + ls_place(w, extent, c, (d * w->in_h + h) * w->in_w + v), p->type);
        if (code > s.greatest) s.greatest = code;
        s.sum += code;
        ++s.count;
      }
  return s;
}

static void pool(const ls_pool_any_p* p, const void* x, void* y, int32_t average) {
  const ls_window* w = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t positions = z.out * w->out_h * w->out_w;
  int32_t n, c, position;
  for (n = 0; n < w->batch; ++n)
    for (position = 0; position < positions; ++position)
      for (c = 0; c < w->in_c; ++c) {
        const seen s =
            look(p, &z, x, n * z.in * w->in_h * w->in_w * w->in_c, c, ls_spot_of(w, position));
        const int32_t mean =
            s.count == 0 ? p->empty
                         : (s.sum > 0 ? s.sum + s.count / 2 : s.sum - s.count / 2) / s.count;
        ls_put(y,
               n * positions * w->in_c +
                   (w->channels_last ? position * w->in_c + c : c * positions + position),
               p->type, ls_clamp(average ? mean : s.greatest, p->low, p->high));
      }
}
void ls_max_pool_any(const ls_pool_any_p* p, const void* x, void* y) {
  pool(p, x, y, 0);
}
void ls_average_pool_any(const ls_pool_any_p* p, const void* x, void* y) {
  pool(p, x, y, 1);
}
