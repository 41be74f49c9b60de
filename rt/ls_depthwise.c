/* Depthwise convolution in portable C. */
#include <string.h>

#include "ls_fixed.h"

void ls_depthwise_portable(const ls_depthwise* p, const int8_t* x, int8_t* y);

/* Sums of output channels first .. first + count - 1 at one position. */
static void sums(const ls_depthwise* p, const int8_t* x, int32_t oh, int32_t ow, int32_t first,
                 int32_t count, int32_t* acc) {
  const ls_window* w = &p->window;
  const int32_t times = w->out_c / w->in_c, plane = w->in_h * w->in_w;
  int32_t i, j, o;
  for (o = 0; o < count; ++o) acc[o] = p->bias[first + o];
  for (i = 0; i < w->kernel_h; ++i)
    for (j = 0; j < w->kernel_w; ++j) {
      const int32_t h = oh * w->stride_h - w->top + i * w->dilation_h;
      const int32_t v = ow * w->stride_w - w->left + j * w->dilation_w;
      const int32_t inside = h >= 0 && h < w->in_h && v >= 0 && v < w->in_w;
      const int32_t tap = i * w->kernel_w + j, taps = w->kernel_h * w->kernel_w;
      for (o = 0; o < count; ++o) {
        const int32_t c = (first + o) / times;
        const int32_t at =
            w->channels_last ? (h * w->in_w + v) * w->in_c + c : c * plane + h * w->in_w + v;
        const int32_t code = inside ? ls_flipped(x[at], p->flip) : p->pad;
        const int32_t zero = p->w_zeros == NULL ? p->w_zero : p->w_zeros[first + o];
        acc[o] +=
            code * (p->weights[((first + o) / 16 * taps + tap) * 16 + (first + o) % 16] - zero);
      }
    }
}

void ls_depthwise_portable(const ls_depthwise* p, const int8_t* x, int8_t* y) {
  const ls_window* w = &p->window;
  const int32_t positions = w->out_h * w->out_w;
  int32_t acc[LS_RUN];
  int8_t codes[LS_RUN];
  int32_t n, position, first, i;
  for (n = 0; n < w->batch; ++n) {
    for (position = 0; position < positions; ++position)
      for (first = 0; first < w->out_c; first += LS_RUN) {
        const int32_t count = w->out_c - first < LS_RUN ? w->out_c - first : LS_RUN;
        sums(p, x, position / w->out_w, position % w->out_w, first, count, acc);
        if (w->channels_last) {
          p->finish(&p->q, acc, count, first, 1, y + position * w->out_c + first, 0);
          continue;
        }
        p->finish(&p->q, acc, count, first, 1, codes, 0);
        for (i = 0; i < count; ++i) y[(first + i) * positions + position] = codes[i];
      }
    x += w->in_h * w->in_w * w->in_c;
    y += positions * w->out_c;
  }
}

#if !LS_HELIUM
void ls_depthwise_8(const ls_depthwise* p, const void* x, void* y, int8_t* scratch) {
  (void)scratch;
  ls_depthwise_portable(p, (const int8_t*)x, (int8_t*)y);
}
#endif
