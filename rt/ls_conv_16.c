/*
 * Convolutions of 16-bit codes around zero with 8-bit weights around zero, channels last, in sums
 * of 64 bits. With Helium eight products at a time; what is read behind the end of a row meets
 * weights of zero.
 */
#include <string.h>

#include "ls_any.h"
#include "ls_fixed.h"
#include "ls_volume.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

/* Four sums of `vectors` times eight products, weights [vector][4][8]. */
static inline void four_sums(const int16_t* x, const int8_t* w, int32_t vectors, int64_t* sums) {
  int64_t a = 0, b = 0, c = 0, d = 0;
  for (; vectors > 0; --vectors, x += 8, w += 32) {
#if LS_HELIUM
    const int16x8_t v = vldrhq_s16(x);
    a = vmlaldavaq_s16(a, v, vldrbq_s16(w));
    b = vmlaldavaq_s16(b, v, vldrbq_s16(w + 8));
    c = vmlaldavaq_s16(c, v, vldrbq_s16(w + 16));
    d = vmlaldavaq_s16(d, v, vldrbq_s16(w + 24));
#else
    int32_t i;
    for (i = 0; i < 8; ++i) {
      a += x[i] * w[i];
      b += x[i] * w[8 + i];
      c += x[i] * w[16 + i];
      d += x[i] * w[24 + i];
    }
#endif
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

/* The window of output o and the channels from `first` on as a row; padding is zero. */
static void gather(const ls_conv_16_p* p, const int16_t* x, ls_spot o, int32_t first,
                   int16_t* row) {
  const ls_window* w = &p->window;
  const int32_t channels = w->in_c / p->group;
  int32_t i, j;
  for (i = 0; i < w->kernel_h; ++i)
    for (j = 0; j < w->kernel_w; ++j, row += channels) {
      const int32_t h = ls_source_row(w, o, i, 0), v = ls_source_column(w, o, j, 0);
      if (h < 0 || v < 0)
        memset(row, 0, (size_t)channels * sizeof *row);
      else
        memcpy(row, x + (h * w->in_w + v) * w->in_c + first, (size_t)channels * sizeof *row);
    }
}

/* Whether a window is one element of the input, the whole of it in one group. */
static int reads_in_place(const ls_conv_16_p* p) {
  const ls_window* w = &p->window;
  const int32_t last_h = (w->out_h - 1) * w->stride_h, last_w = (w->out_w - 1) * w->stride_w;
  return p->group == 1 && w->kernel_h == 1 && w->kernel_w == 1 && w->top == 0 && w->left == 0 &&
         last_h < w->in_h && last_w < w->in_w && w->in_c % 8 == 0;
}

void ls_conv_16(const ls_conv_16_p* p, const int16_t* x, int16_t* y, int16_t* scratch) {
  const ls_window* w = &p->window;
  const int32_t channels = w->in_c / p->group, filters = w->out_c / p->group,
                depth = w->kernel_h * w->kernel_w * channels;
  const int32_t vectors = (depth + 7) / 8, positions = w->out_h * w->out_w,
                in_place = reads_in_place(p);
  int32_t n, position, g, o, i;
  if (!in_place) memset(scratch, 0, (size_t)vectors * 8 * sizeof *scratch);
  for (n = 0; n < w->batch; ++n, x += w->in_h * w->in_w * w->in_c)
    for (position = 0; position < positions; ++position)
      for (g = 0; g < p->group; ++g) {
        const ls_spot at = ls_spot_of(w, position);
        const int8_t* weights = p->weights + g * ((filters + 3) / 4) * vectors * 32;
        const int16_t* row = x + (at.h * w->stride_h * w->in_w + at.w * w->stride_w) * w->in_c;
        if (!in_place) {
          gather(p, x, at, g * channels, scratch);
          row = scratch;
        }
        for (o = 0; o < filters; o += 4, weights += vectors * 32) {
          const int32_t count = filters - o < 4 ? filters - o : 4;
          int64_t sums[4];
          four_sums(row, weights, vectors, sums);
          for (i = 0; i < count; ++i, ++y) {
            const int32_t channel = g * filters + o + i;
            *y = (int16_t)ls_scaled(&p->scale, sums[i] + (p->bias == NULL ? 0 : p->bias[channel]),
                                    channel);
          }
        }
      }
}

/* Eight channels of one window, whose products fit in 32 bits; weights [tap][8]. */
static void eight_channels(const ls_conv_16_p* p, const int16_t* x, const int8_t* weights,
                           ls_spot o, int32_t count, int32_t* sums) {
  const ls_window* w = &p->window;
  int32_t i, j;
#if LS_HELIUM
  int32x4x2_t all = {{vdupq_n_s32(0), vdupq_n_s32(0)}};
  const mve_pred16_t on = vctp16q((uint32_t)count);
#else
  int32_t c;
  for (c = 0; c < 8; ++c) sums[c] = 0;
#endif
  for (i = 0; i < w->kernel_h; ++i) {
    const int32_t h = ls_source_row(w, o, i, 0);
    for (j = 0; j < w->kernel_w; ++j, weights += 8) {
      const int32_t v = h < 0 ? -1 : ls_source_column(w, o, j, 0);
      const int16_t* at;
      if (v < 0) continue;
      at = x + (h * w->in_w + v) * w->in_c;
#if LS_HELIUM
      {
        const int16x8_t codes = vldrhq_z_s16(at, on), factors = vldrbq_s16(weights);
        all.val[0] = vaddq_s32(all.val[0], vmullbq_int_s16(codes, factors));
        all.val[1] = vaddq_s32(all.val[1], vmulltq_int_s16(codes, factors));
      }
#else
      for (c = 0; c < count; ++c) sums[c] += at[c] * weights[c];
#endif
    }
  }
#if LS_HELIUM
  vst2q_s32(sums, all);
#endif
}

void ls_depthwise_16(const ls_conv_16_p* p, const int16_t* x, int16_t* y) {
  const ls_window* w = &p->window;
  const int32_t taps = w->kernel_h * w->kernel_w, positions = w->out_h * w->out_w;
  int32_t n, position, c, i;
  for (n = 0; n < w->batch; ++n, x += w->in_h * w->in_w * w->in_c)
    for (position = 0; position < positions; ++position)
      for (c = 0; c < w->out_c; c += 8) {
        const int32_t count = w->out_c - c < 8 ? w->out_c - c : 8;
        int32_t sums[8];
        eight_channels(p, x + c, p->weights + c * taps, ls_spot_of(w, position), count, sums);
        for (i = 0; i < count; ++i)
          *y++ = (int16_t)ls_scaled(
              &p->scale, (int64_t)sums[i] + (p->bias == NULL ? 0 : p->bias[c + i]), c + i);
      }
}
