/* Convolution in portable C: the window of one output position is laid out as a row, then every
   channel is a dot product with it. */
#include <string.h>

#include "ls_fixed.h"

/* Copies the window of output (oh, ow) of group g to `row`: window row, window column, channel. */
void ls_conv_gather(const ls_conv* p, const int8_t* x, int32_t g, int32_t oh, int32_t ow,
                    int8_t* row);

void ls_conv_gather(const ls_conv* p, const int8_t* x, int32_t g, int32_t oh, int32_t ow,
                    int8_t* row) {
  const ls_window* w = &p->window;
  const int32_t channels = w->in_c / p->group, first = g * channels;
  const int32_t plane = w->in_h * w->in_w;
  int32_t i, j, c;
  for (i = 0; i < w->kernel_h; ++i) {
    const int32_t h = oh * w->stride_h - w->top + i * w->dilation_h;
    for (j = 0; j < w->kernel_w; ++j, row += channels) {
      const int32_t v = ow * w->stride_w - w->left + j * w->dilation_w;
      const int32_t at = h * w->in_w + v;
      if (h < 0 || h >= w->in_h || v < 0 || v >= w->in_w)
        memset(row, p->pad, (size_t)channels);
      else if (w->channels_last && p->flip == 0)
        memcpy(row, x + at * w->in_c + first, (size_t)channels);
      else if (w->channels_last)
        for (c = 0; c < channels; ++c) row[c] = ls_flipped(x[at * w->in_c + first + c], p->flip);
      else
        for (c = 0; c < channels; ++c) row[c] = ls_flipped(x[(first + c) * plane + at], p->flip);
    }
  }
}

#if !LS_HELIUM
static int32_t dot(const int8_t* row, const int8_t* w, int32_t depth) {
  int32_t sum = 0, k, i;
  for (k = 0; k + 16 <= depth; k += 16, w += 32)
    for (i = 0; i < 16; ++i) sum += row[k + i] * w[i];
  for (i = 0; k + i < depth; ++i) sum += row[k + i] * w[i];
  return sum;
}

/* Finishes `count` channels and puts them where the layout wants them. */
static void put(const ls_conv* p, const int32_t* acc, int32_t count, int32_t channel,
                int32_t position, void* y) {
  const ls_window* w = &p->window;
  const int32_t positions = w->out_h * w->out_w;
  uint8_t* out = (uint8_t*)y;
  int32_t run[LS_RUN];
  int32_t i;
  if (w->channels_last) {
    p->finish(&p->q, acc, count, channel, 1, out + (position * w->out_c + channel) * p->y_bytes, 0);
    return;
  }
  p->finish(&p->q, acc, count, channel, 1, run, 0);
  for (i = 0; i < count; ++i)
    memcpy(out + ((channel + i) * positions + position) * p->y_bytes,
           (const uint8_t*)run + i * p->y_bytes, p->y_bytes);
}

static void convolve_position(const ls_conv* p, const int8_t* row, int32_t g, int32_t position,
                              void* y) {
  const int32_t filters = p->window.out_c / p->group, chunks = (p->depth + 15) / 16;
  const int8_t* weights = p->weights + g * ((filters + 1) / 2) * chunks * 32;
  int32_t acc[LS_RUN];
  int32_t o, i, sum = 0;
  if (p->w_zero != 0 || p->w_zeros != NULL)
    for (i = 0; i < p->depth; ++i) sum += row[i];
  for (o = 0; o < filters; o += LS_RUN) {
    const int32_t count = filters - o < LS_RUN ? filters - o : LS_RUN;
    for (i = 0; i < count; ++i)
      acc[i] =
          (int32_t)((uint32_t)p->bias[g * filters + o + i] +
                    (uint32_t)dot(row, weights + ((o + i) / 2 * chunks * 2 + (o + i) % 2) * 16,
                                  p->depth) -
                    (uint32_t)((p->w_zeros == NULL ? p->w_zero : p->w_zeros[g * filters + o + i]) *
                               sum));
    put(p, acc, count, g * filters + o, position, y);
  }
}

void ls_conv_8(const ls_conv* p, const void* x, void* y, int8_t* scratch) {
  const ls_window* w = &p->window;
  const int8_t* in = (const int8_t*)x;
  uint8_t* out = (uint8_t*)y;
  int32_t n, g, oh, ow;
  for (n = 0; n < w->batch; ++n) {
    for (oh = 0; oh < w->out_h; ++oh)
      for (ow = 0; ow < w->out_w; ++ow)
        for (g = 0; g < p->group; ++g) {
          ls_conv_gather(p, in, g, oh, ow, scratch);
          convolve_position(p, scratch, g, oh * w->out_w + ow, out);
        }
    in += w->in_h * w->in_w * w->in_c;
    out += w->out_h * w->out_w * w->out_c * p->y_bytes;
  }
}
#endif
