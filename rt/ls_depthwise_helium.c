/* Depthwise convolution with Helium: 16 channels at a time, taps in pairs. */
#include <string.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>

void ls_depthwise_portable(const ls_depthwise *p, const int8_t *x, int8_t *y);

/*
 * Sums of 16 channels over `taps` inputs: tap[k] + first and the weights `step` bytes apart. The products of
 * two neighbouring taps are added in 16 bits, which they never leave (|w| <= 127), then widened. Even and odd
 * channels go apart, and join when they are stored.
 */
static inline void sums16(const int8_t *const *tap, int32_t taps, int32_t first, const int8_t *w, int32_t step,
                          const int32_t *bias, mve_pred16_t on, int32_t *acc) {
  const int32x4x4_t start = vld4q_s32(bias);
  int32x4_t s0 = start.val[0], s1 = start.val[1], s2 = start.val[2], s3 = start.val[3];
  for (; taps > 1; taps -= 2, tap += 2, w += 2 * step) {
    int8x16_t x = vldrbq_z_s8(tap[0] + first, on), v = vldrbq_z_s8(w, on);
    int16x8_t even = vmullbq_int_s8(x, v), odd = vmulltq_int_s8(x, v);
    x = vldrbq_z_s8(tap[1] + first, on), v = vldrbq_z_s8(w + step, on);
    even = vaddq_s16(even, vmullbq_int_s8(x, v));
    odd = vaddq_s16(odd, vmulltq_int_s8(x, v));
    s0 = vaddq_s32(s0, vmovlbq_s16(even));
    s1 = vaddq_s32(s1, vmovlbq_s16(odd));
    s2 = vaddq_s32(s2, vmovltq_s16(even));
    s3 = vaddq_s32(s3, vmovltq_s16(odd));
  }
  if (taps > 0) {
    const int8x16_t x = vldrbq_z_s8(tap[0] + first, on), v = vldrbq_z_s8(w, on);
    const int16x8_t even = vmullbq_int_s8(x, v), odd = vmulltq_int_s8(x, v);
    s0 = vaddq_s32(s0, vmovlbq_s16(even));
    s1 = vaddq_s32(s1, vmovlbq_s16(odd));
    s2 = vaddq_s32(s2, vmovltq_s16(even));
    s3 = vaddq_s32(s3, vmovltq_s16(odd));
  }
  {
    const int32x4x4_t sums = {{s0, s1, s2, s3}};
    vst4q_s32(acc, sums);
  }
}

#define MOST_TAPS 64

void ls_depthwise_8(const ls_depthwise *p, const void *x, void *y, int8_t *scratch) {
  const ls_window *w = &p->window;
  const int32_t taps = w->kernel_h * w->kernel_w;
  const int8_t *in = (const int8_t *)x;
  int8_t *out = (int8_t *)y;
  const int8_t *tap[MOST_TAPS];
  int32_t acc[LS_RUN], n, oh, ow, i, j, c;
  if (!w->channels_last || p->flip != 0 || !p->pairs || w->in_c != w->out_c || taps > MOST_TAPS) {
    ls_depthwise_portable(p, in, out);
    return;
  }
  memset(scratch, p->pad, (size_t)w->in_c); /* what taps outside the input read */
  for (n = 0; n < w->batch; ++n, in += w->in_h * w->in_w * w->in_c)
    for (oh = 0; oh < w->out_h; ++oh)
      for (ow = 0; ow < w->out_w; ++ow, out += w->out_c) {
        const int8_t **t = tap;
        for (i = 0; i < w->kernel_h; ++i) {
          const int32_t h = oh * w->stride_h - w->top + i * w->dilation_h;
          int32_t v = ow * w->stride_w - w->left;
          for (j = 0; j < w->kernel_w; ++j, v += w->dilation_w)
            *t++ = h < 0 || h >= w->in_h || v < 0 || v >= w->in_w ? scratch : in + (h * w->in_w + v) * w->in_c;
        }
        for (c = 0; c < w->out_c; c += LS_RUN) {
          const int32_t run = w->out_c - c < LS_RUN ? w->out_c - c : LS_RUN;
          for (i = 0; i < run; i += 16)
            sums16(tap, taps, c + i, p->weights + c + i, w->out_c, p->bias + c + i, vctp8q((uint32_t)(run - i)), acc + i);
          p->finish(&p->q, acc, run, c, out + c);
        }
      }
}
#endif

typedef int ls_depthwise_helium_is_not_empty;
