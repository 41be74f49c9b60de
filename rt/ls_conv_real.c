/* Convolution of float32 channels first, in onnxruntime's orders, each step rounded as it does it.
 */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"
#include "ls_volume.h"

/* What step k along channel, then window, of output o reads. */
static float input_at(const ls_conv_real* p, const float* x, int32_t k, ls_spot o) {
  const ls_window* g = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t flat = g->kernel_h * g->kernel_w, window = z.kernel * flat, t = k % window;
  const int32_t d = ls_source_depth(&z, o, t / flat, 0),
                h = ls_source_row(g, o, t % flat / g->kernel_w, 0);
  const int32_t v = ls_source_column(g, o, t % g->kernel_w, 0);
  return d < 0 || h < 0 || v < 0 ? 0.0f : x[((k / window * z.in + d) * g->in_h + h) * g->in_w + v];
}
static int32_t depth_of(const ls_conv_real* p) {
  const ls_window* g = &p->window;
  return g->in_c / p->group * ls_depth_of(p->depth).kernel * g->kernel_h * g->kernel_w;
}

/* One output element: channels in blocks, fused over window and channel within one; blocks added in
 * order. */
static float convolved(const ls_conv_real* p, const float* x, const float* w, ls_spot o) {
  const int32_t channels = p->window.in_c / p->group, window = depth_of(p) / channels;
  float y = 0.0f;
  int32_t first, t, c;
  for (first = 0; first < channels; first += p->block) {
    const int32_t end = first + p->block < channels ? first + p->block : channels;
    float sum = 0.0f;
    for (t = 0; t < window; ++t)
      for (c = first; c < end; ++c)
        sum = fmaf(w[c * window + t], input_at(p, x, c * window + t, o), sum);
    y = first == 0 ? sum : sum + y;
  }
  return y;
}

/* Fused along channel, then window, in pieces of `block` that each start from zero. */
static float in_pieces(const ls_conv_real* p, const float* x, const float* w, ls_spot o) {
  const int32_t depth = depth_of(p);
  float y = 0.0f;
  int32_t start, k;
  for (start = 0; start < depth; start += p->block) {
    const int32_t end = start + p->block < depth ? start + p->block : depth;
    float sum = 0.0f;
    for (k = start; k < end; ++k) sum = fmaf(w[k], input_at(p, x, k, o), sum);
    y = start == 0 ? sum : sum + y;
  }
  return y;
}

/* One filter of a group: products rounded, four at a time before they meet the sum, then two, then
   one; the depth (channel, then window) is cut into pieces of `block`. */
static float in_fours(const ls_conv_real* p, const float* x, const float* w, ls_spot o) {
  const int32_t depth = depth_of(p);
  float y = 0.0f;
  int32_t start, k;
  for (start = 0; start < depth; start += p->block) {
    const int32_t end = start + p->block < depth ? start + p->block : depth;
    for (k = start; k < end;) {
      const int32_t step = end - k >= 4 ? 4 : end - k >= 2 ? 2 : 1;
      float t = w[k] * input_at(p, x, k, o);
      int32_t i;
      for (i = 1; i < step; ++i) {
        const float next = w[k + i] * input_at(p, x, k + i, o);
        t = t + next;
      }
      y = t + y;
      k += step;
    }
  }
  return y;
}

/* Eight interleaved sums of rounded products, joined as the one of `count` results that is number
 * `n`. */
static float in_eights(const ls_conv_real* p, const float* x, const float* w, ls_spot o, int32_t n,
                       int32_t count) {
  const int32_t depth = depth_of(p), fours = count / 4 * 4;
  float s[8] = {0.0f};
  int32_t k;
  for (k = 0; k < depth; ++k) {
    const float product = w[k] * input_at(p, x, k, o);
    s[k % 8] = s[k % 8] + product;
  }
  if (n < fours) return (((s[0] + s[1]) + s[2]) + s[3]) + (((s[4] + s[5]) + s[6]) + s[7]);
  if (count - fours >= 2 && n < fours + 2)
    return ((s[2] + s[0]) + (s[6] + s[4])) + ((s[3] + s[1]) + (s[7] + s[5]));
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* Four positions of a row whose every tap lies inside along it, `x` at the first one's column 0: as
 * in_pieces. */
static void four_in_pieces(const ls_conv_real* p, const float* x, const float* w, int32_t oh,
                           float* y) {
  const ls_window* g = &p->window;
  const int32_t channels = g->in_c / p->group, step = g->stride_w;
  float a = 0.0f, b = 0.0f, d = 0.0f, e = 0.0f;
  int32_t c, i, j, left = p->block, first = 1;
  for (c = 0; c < channels; ++c, x += g->in_h * g->in_w)
    for (i = 0; i < g->kernel_h; ++i) {
      const int32_t h = oh * g->stride_h - g->top + i * g->dilation_h,
                    inside = h >= 0 && h < g->in_h;
      const float* at = x + (inside ? h * g->in_w : 0);
      for (j = 0; j < g->kernel_w; ++j, ++w, at += g->dilation_w) {
        if (left-- == 0) { /* the next piece */
          y[0] = first ? a : a + y[0], y[1] = first ? b : b + y[1], y[2] = first ? d : d + y[2],
          y[3] = first ? e : e + y[3];
          a = b = d = e = 0.0f;
          left = p->block - 1, first = 0;
        }
        a = fmaf(*w, inside ? at[0] : 0.0f, a);
        b = fmaf(*w, inside ? at[step] : 0.0f, b);
        d = fmaf(*w, inside ? at[2 * step] : 0.0f, d);
        e = fmaf(*w, inside ? at[3 * step] : 0.0f, e);
      }
    }
  y[0] = first ? a : a + y[0], y[1] = first ? b : b + y[1], y[2] = first ? d : d + y[2],
  y[3] = first ? e : e + y[3];
}

/* One row of outputs in pieces: four at a time where no window leaves the row. */
static void row_in_pieces(const ls_conv_real* p, const float* x, const float* w, ls_spot o,
                          float* y) {
  const ls_window* g = &p->window;
  const int32_t span = (g->kernel_w - 1) * g->dilation_w + 1;
  int32_t ow = 0;
  while (ow < g->out_w) {
    const int32_t v = ow * g->stride_w - g->left;
    if (p->depth.kernel == 0 && ow + 4 <= g->out_w && v >= 0 &&
        v + 3 * g->stride_w + span <= g->in_w) {
      four_in_pieces(p, x + v, w, o.h, y + ow);
      ow += 4;
    } else {
      o.w = ow;
      y[ow] = in_pieces(p, x, w, o);
      ++ow;
    }
  }
}

#if LS_HELIUM_FLOAT
/* 0: not a sum that vectors compute alike. */
int ls_conv_real_vectors(const ls_conv_real* p, const float* x, float* y);
#endif

/* One row of outputs of channel c. */
static void row_of(const ls_conv_real* p, const float* x, int32_t c, ls_spot o, float* y) {
  const ls_window* g = &p->window;
  const int32_t filters = g->out_c / p->group,
                places = ls_depth_of(p->depth).out * g->out_h * g->out_w;
  const int32_t first = (o.d * g->out_h + o.h) * g->out_w;
  const float* w = p->weights + c * depth_of(p);
  if (p->order == LS_PIECES) {
    row_in_pieces(p, x, w, o, y);
    return;
  }
  for (o.w = 0; o.w < g->out_w; ++o.w)
    y[o.w] = p->order == LS_CHANNEL_BLOCKS ? convolved(p, x, w, o)
             : p->order == LS_FOURS        ? in_fours(p, x, w, o)
             : p->order == LS_EIGHTS       ? in_eights(p, x, w, o, first + o.w, places)
                                           : in_eights(p, x, w, o, c % filters, filters);
}

void ls_conv_f32(const ls_conv_real* p, const float* x, float* y) {
  const ls_window* g = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t channels = g->in_c / p->group, filters = g->out_c / p->group,
                plane = z.in * g->in_h * g->in_w;
  int32_t n, c, row, i;
#if LS_HELIUM_FLOAT
  if (ls_conv_real_vectors(p, x, y)) return;
#endif
  for (n = 0; n < g->batch; ++n, x += g->in_c * plane)
    for (c = 0; c < g->out_c; ++c)
      for (row = 0; row < z.out * g->out_h; ++row, y += g->out_w) {
        row_of(p, x + c / filters * channels * plane, c, ls_spot_of(g, row * g->out_w), y);
        for (i = 0; p->bias != NULL && i < g->out_w; ++i) y[i] = y[i] + p->bias[c];
      }
}
