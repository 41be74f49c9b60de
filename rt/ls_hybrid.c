/* Layers of float32 activations under 8-bit weights: the activations of one image or row become
 * codes on the way. */
#include <math.h>

#include "ls_layer.h"
#include "ls_volume.h"

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
    const ls_coding c = ls_code_row(p->coding, x, scratch, count);
    for (position = 0; position < positions; ++position)
      for (o = 0; o < w->out_c; ++o) {
        const int32_t sum = window_sum(p, scratch, c.zero, o, ls_spot_of(w, position));
        const float v = real_of(p, (float)sum, c.scale, p->scales[p->by ? o : 0],
                                p->bias == NULL ? 0.0f : p->bias[o], o);
        *y++ = v < p->low ? p->low : p->high < v ? p->high : v;
      }
  }
}
