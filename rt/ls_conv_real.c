/* Convolution of float32 channels first, in onnxruntime's orders, each step rounded as it does it. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

/* One output element: channels in blocks, fused over window and channel within one; blocks added in order. */
static float convolved(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow) {
  const ls_window *g = &p->window;
  const int32_t channels = g->in_c / p->group, window = g->kernel_h * g->kernel_w;
  float y = 0.0f;
  int32_t first, i, j, c;
  for (first = 0; first < channels; first += p->block) {
    const int32_t end = first + p->block < channels ? first + p->block : channels;
    float sum = 0.0f;
    for (i = 0; i < g->kernel_h; ++i)
      for (j = 0; j < g->kernel_w; ++j) {
        const int32_t h = oh * g->stride_h - g->top + i * g->dilation_h, v = ow * g->stride_w - g->left + j * g->dilation_w;
        const int32_t inside = h >= 0 && h < g->in_h && v >= 0 && v < g->in_w;
        for (c = first; c < end; ++c)
          sum = fmaf(w[c * window + i * g->kernel_w + j], inside ? x[(c * g->in_h + h) * g->in_w + v] : 0.0f, sum);
      }
    y = first == 0 ? sum : sum + y;
  }
  return y;
}

static float input_at(const ls_window *g, const float *x, int32_t k, int32_t oh, int32_t ow) {
  const int32_t window = g->kernel_h * g->kernel_w, t = k % window;
  const int32_t h = oh * g->stride_h - g->top + t / g->kernel_w * g->dilation_h;
  const int32_t v = ow * g->stride_w - g->left + t % g->kernel_w * g->dilation_w;
  const int32_t inside = h >= 0 && h < g->in_h && v >= 0 && v < g->in_w;
  return inside ? x[(k / window * g->in_h + h) * g->in_w + v] : 0.0f;
}

/* Fused along channel, then window, in pieces of `block` that each start from zero. */
static float in_pieces(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow) {
  const ls_window *g = &p->window;
  const int32_t depth = g->in_c / p->group * g->kernel_h * g->kernel_w;
  float y = 0.0f;
  int32_t start, k;
  for (start = 0; start < depth; start += p->block) {
    const int32_t end = start + p->block < depth ? start + p->block : depth;
    float sum = 0.0f;
    for (k = start; k < end; ++k) sum = fmaf(w[k], input_at(g, x, k, oh, ow), sum);
    y = start == 0 ? sum : sum + y;
  }
  return y;
}

/* One filter of a group: products rounded, four at a time before they meet the sum, then two, then one; the depth
   (channel, then window) is cut into pieces of `block`. */
static float in_fours(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow) {
  const ls_window *g = &p->window;
  const int32_t depth = g->in_c / p->group * g->kernel_h * g->kernel_w;
  float y = 0.0f;
  int32_t start, k;
  for (start = 0; start < depth; start += p->block) {
    const int32_t end = start + p->block < depth ? start + p->block : depth;
    for (k = start; k < end;) {
      const int32_t step = end - k >= 4 ? 4 : end - k >= 2 ? 2 : 1;
      float t = w[k] * input_at(g, x, k, oh, ow);
      int32_t i;
      for (i = 1; i < step; ++i) {
        const float next = w[k + i] * input_at(g, x, k + i, oh, ow);
        t = t + next;
      }
      y = t + y;
      k += step;
    }
  }
  return y;
}

/* Eight interleaved sums of rounded products, joined as the one of `count` results that is number `n`. */
static float in_eights(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow, int32_t n, int32_t count) {
  const ls_window *g = &p->window;
  const int32_t depth = g->in_c / p->group * g->kernel_h * g->kernel_w, fours = count / 4 * 4;
  float s[8] = {0.0f};
  int32_t k;
  for (k = 0; k < depth; ++k) {
    const float product = w[k] * input_at(g, x, k, oh, ow);
    s[k % 8] = s[k % 8] + product;
  }
  if (n < fours) return (((s[0] + s[1]) + s[2]) + s[3]) + (((s[4] + s[5]) + s[6]) + s[7]);
  if (count - fours >= 2 && n < fours + 2) return ((s[2] + s[0]) + (s[6] + s[4])) + ((s[3] + s[1]) + (s[7] + s[5]));
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* Four positions of a row whose every tap lies inside along it, `x` at the first one's column 0: as in_pieces. */
static void four_in_pieces(const ls_conv_real *p, const float *x, const float *w, int32_t oh, float *y) {
  const ls_window *g = &p->window;
  const int32_t channels = g->in_c / p->group, step = g->stride_w;
  float a = 0.0f, b = 0.0f, d = 0.0f, e = 0.0f;
  int32_t c, i, j, left = p->block, first = 1;
  for (c = 0; c < channels; ++c, x += g->in_h * g->in_w)
    for (i = 0; i < g->kernel_h; ++i) {
      const int32_t h = oh * g->stride_h - g->top + i * g->dilation_h, inside = h >= 0 && h < g->in_h;
      const float *at = x + (inside ? h * g->in_w : 0);
      for (j = 0; j < g->kernel_w; ++j, ++w, at += g->dilation_w) {
        if (left-- == 0) { /* the next piece */
          y[0] = first ? a : a + y[0], y[1] = first ? b : b + y[1], y[2] = first ? d : d + y[2], y[3] = first ? e : e + y[3];
          a = b = d = e = 0.0f;
          left = p->block - 1, first = 0;
        }
        a = fmaf(*w, inside ? at[0] : 0.0f, a);
        b = fmaf(*w, inside ? at[step] : 0.0f, b);
        d = fmaf(*w, inside ? at[2 * step] : 0.0f, d);
        e = fmaf(*w, inside ? at[3 * step] : 0.0f, e);
      }
    }
  y[0] = first ? a : a + y[0], y[1] = first ? b : b + y[1], y[2] = first ? d : d + y[2], y[3] = first ? e : e + y[3];
}

/* One row of outputs in pieces: four at a time where no window leaves the row. */
static void row_in_pieces(const ls_conv_real *p, const float *x, const float *w, int32_t oh, float *y) {
  const ls_window *g = &p->window;
  const int32_t span = (g->kernel_w - 1) * g->dilation_w + 1;
  int32_t ow = 0;
  while (ow < g->out_w) {
    const int32_t v = ow * g->stride_w - g->left;
    if (ow + 4 <= g->out_w && v >= 0 && v + 3 * g->stride_w + span <= g->in_w) {
      four_in_pieces(p, x + v, w, oh, y + ow);
      ow += 4;
    } else {
      y[ow] = in_pieces(p, x, w, oh, ow);
      ++ow;
    }
  }
}

#if LS_HELIUM_FLOAT
/* 0: not a sum that vectors compute alike. */
int ls_conv_real_vectors(const ls_conv_real *p, const float *x, float *y);
#endif

void ls_conv_f32(const ls_conv_real *p, const float *x, float *y) {
  const ls_window *g = &p->window;
  const int32_t channels = g->in_c / p->group, filters = g->out_c / p->group;
  const int32_t plane = g->in_h * g->in_w, depth = channels * g->kernel_h * g->kernel_w, places = g->out_h * g->out_w;
  int32_t n, o, oh, ow;
#if LS_HELIUM_FLOAT
  if (ls_conv_real_vectors(p, x, y)) return;
#endif
  for (n = 0; n < g->batch; ++n, x += g->in_c * plane)
    for (o = 0; o < g->out_c; ++o)
      for (oh = 0; oh < g->out_h; ++oh, y += g->out_w) {
        const float *in = x + o / filters * channels * plane, *w = p->weights + o * depth;
        if (p->order == LS_PIECES)
          row_in_pieces(p, in, w, oh, y);
        else
          for (ow = 0; ow < g->out_w; ++ow)
            y[ow] = p->order == LS_CHANNEL_BLOCKS ? convolved(p, in, w, oh, ow)
                    : p->order == LS_FOURS        ? in_fours(p, in, w, oh, ow)
                    : p->order == LS_EIGHTS       ? in_eights(p, in, w, oh, ow, oh * g->out_w + ow, places)
                                                  : in_eights(p, in, w, oh, ow, o % filters, filters);
        for (ow = 0; p->bias != NULL && ow < g->out_w; ++ow) y[ow] = y[ow] + p->bias[o];
      }
}
