/* Pooling and reduction over axes. */
#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

typedef struct {
  int32_t h_begin, h_end, w_begin, w_end; /* taps inside the input */
  int32_t h, w;                           /* input position of tap (0, 0) */
} clipped;

static int32_t first_tap(int32_t at, int32_t dilation) {
  return at < 0 ? (-at + dilation - 1) / dilation : 0;
}
static int32_t last_tap(int32_t at, int32_t dilation, int32_t extent, int32_t kernel) {
  const int32_t fit = at >= extent ? 0 : (extent - 1 - at) / dilation + 1;
  return fit < kernel ? fit : kernel;
}
static clipped clip(const ls_window* w, int32_t oh, int32_t ow) {
  clipped c;
  c.h = oh * w->stride_h - w->top;
  c.w = ow * w->stride_w - w->left;
  c.h_begin = first_tap(c.h, w->dilation_h);
  c.h_end = last_tap(c.h, w->dilation_h, w->in_h, w->kernel_h);
  c.w_begin = first_tap(c.w, w->dilation_w);
  c.w_end = last_tap(c.w, w->dilation_w, w->in_w, w->kernel_w);
  return c;
}
static int32_t in_step(const ls_window* w) {
  return w->channels_last ? w->in_c : 1;
}
static int32_t channel_step(const ls_window* w) {
  return w->channels_last ? 1 : w->in_h * w->in_w;
}

static int32_t out_index(const ls_window* w, int32_t c, int32_t oh, int32_t ow) {
  const int32_t position = oh * w->out_w + ow;
  return w->channels_last ? position * w->in_c + c : c * w->out_h * w->out_w + position;
}

static int32_t greatest(const ls_pool* p, const clipped* t, const int8_t* x) {
  const ls_window* w = &p->window;
  int32_t best = INT32_MIN, i, j;
  for (i = t->h_begin; i < t->h_end; ++i)
    for (j = t->w_begin; j < t->w_end; ++j) {
      const int32_t at = (t->h + i * w->dilation_h) * w->in_w + t->w + j * w->dilation_w;
      const int32_t code = ls_code(x[at * in_step(w)], p->is_unsigned);
      if (code > best) best = code;
    }
  return best;
}

/* sum / n, ties away from zero. */
static int32_t mean_of(int32_t sum, int32_t n) {
  return n == 0 ? 0 : sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n;
}
static int32_t taps_of(const clipped* t) {
  return t->h_end > t->h_begin && t->w_end > t->w_begin
             ? (t->h_end - t->h_begin) * (t->w_end - t->w_begin)
             : 0;
}
static int32_t average(const ls_pool* p, const clipped* t, const int8_t* x) {
  const ls_window* w = &p->window;
  int32_t sum = 0, i, j;
  for (i = t->h_begin; i < t->h_end; ++i)
    for (j = t->w_begin; j < t->w_end; ++j) {
      const int32_t at = (t->h + i * w->dilation_h) * w->in_w + t->w + j * w->dilation_w;
      sum += ls_code(x[at * in_step(w)], p->is_unsigned);
    }
  return mean_of(sum, taps_of(t));
}

static void pool_portable(const ls_pool* p, const int8_t* x, int8_t* y,
                          int32_t (*of)(const ls_pool*, const clipped*, const int8_t*)) {
  const ls_window* w = &p->window;
  int32_t n, oh, ow, c;
  for (n = 0; n < w->batch; ++n) {
    for (oh = 0; oh < w->out_h; ++oh)
      for (ow = 0; ow < w->out_w; ++ow) {
        const clipped t = clip(w, oh, ow);
        for (c = 0; c < w->in_c; ++c)
          y[out_index(w, c, oh, ow)] =
              ls_byte(ls_clamp(of(p, &t, x + c * channel_step(w)), p->low, p->high));
      }
    x += w->in_h * w->in_w * w->in_c;
    y += w->out_h * w->out_w * w->in_c;
  }
}

#if LS_HELIUM
/* 16 channels at a time. The codes of one sign are the others' with the highest bit turned. */
static void max_position(const ls_pool* p, const clipped* t, const int8_t* x, int8_t* y) {
  const ls_window* w = &p->window;
  const int32_t turn = p->is_unsigned ? 128 : 0;
  const int8x16_t flip = vdupq_n_s8((int8_t)(uint8_t)turn);
  int32_t c, i, j;
  for (c = 0; c < w->in_c; c += 16) {
    const mve_pred16_t on = vctp8q((uint32_t)(w->in_c - c));
    int8x16_t best = vdupq_n_s8((int8_t)(p->low - turn));
    for (i = t->h_begin; i < t->h_end; ++i) {
      const int8_t* at =
          x + ((t->h + i * w->dilation_h) * w->in_w + t->w + t->w_begin * w->dilation_w) * w->in_c +
          c;
      for (j = t->w_begin; j < t->w_end; ++j, at += w->dilation_w * w->in_c)
        best = vmaxq_s8(best, veorq_s8(vldrbq_z_s8(at, on), flip));
    }
    vstrbq_p_s8(y + c, veorq_s8(vminq_s8(best, vdupq_n_s8((int8_t)(p->high - turn))), flip), on);
  }
}
/* 4 channels at a time, widened to 32 bits. */
static void average_position(const ls_pool* p, const clipped* t, const int8_t* x, int8_t* y) {
  const ls_window* w = &p->window;
  const int32_t taps = taps_of(t);
  int32_t c, i, j, k;
  for (c = 0; c < w->in_c; c += 8) {
    const mve_pred16_t on = vctp16q((uint32_t)(w->in_c - c));
    int32_t sums[8];
    int32x4_t even = vdupq_n_s32(0), odd = vdupq_n_s32(0);
    for (i = t->h_begin; i < t->h_end; ++i) {
      const int8_t* at =
          x + ((t->h + i * w->dilation_h) * w->in_w + t->w + t->w_begin * w->dilation_w) * w->in_c +
          c;
      for (j = t->w_begin; j < t->w_end; ++j, at += w->dilation_w * w->in_c) {
        const int16x8_t v = p->is_unsigned
                                ? vreinterpretq_s16_u16(vldrbq_z_u16((const uint8_t*)at, on))
                                : vldrbq_z_s16(at, on);
        even = vaddq_s32(even, vmovlbq_s16(v));
        odd = vaddq_s32(odd, vmovltq_s16(v));
      }
    }
    for (k = 0; k < 4; ++k) sums[2 * k] = even[k], sums[2 * k + 1] = odd[k];
    for (k = 0; k < 8 && c + k < w->in_c; ++k)
      y[c + k] = ls_byte(ls_clamp(mean_of(sums[k], taps), p->low, p->high));
  }
}
static int pool_helium(const ls_pool* p, const int8_t* x, int8_t* y,
                       void (*position)(const ls_pool*, const clipped*, const int8_t*, int8_t*)) {
  const ls_window* w = &p->window;
  int32_t n, oh, ow;
  if (!w->channels_last) return 0;
  for (n = 0; n < w->batch; ++n, x += w->in_h * w->in_w * w->in_c)
    for (oh = 0; oh < w->out_h; ++oh)
      for (ow = 0; ow < w->out_w; ++ow, y += w->in_c) {
        const clipped t = clip(w, oh, ow);
        position(p, &t, x, y);
      }
  return 1;
}
#endif

void ls_max_pool_8(const ls_pool* p, const void* x, void* y) {
#if LS_HELIUM
  if (pool_helium(p, (const int8_t*)x, (int8_t*)y, max_position)) return;
#endif
  pool_portable(p, (const int8_t*)x, (int8_t*)y, greatest);
}
void ls_average_pool_8(const ls_pool* p, const void* x, void* y) {
#if LS_HELIUM
  if (pool_helium(p, (const int8_t*)x, (int8_t*)y, average_position)) return;
#endif
  pool_portable(p, (const int8_t*)x, (int8_t*)y, average);
}

void ls_max_pool_f32(const ls_pool_real* p, const float* x, float* y) {
  const ls_window* w = &p->window;
  int32_t n, oh, ow, c, i, j;
  for (n = 0; n < w->batch; ++n) {
    for (oh = 0; oh < w->out_h; ++oh)
      for (ow = 0; ow < w->out_w; ++ow) {
        const clipped t = clip(w, oh, ow);
        for (c = 0; c < w->in_c; ++c) {
          float best = p->low;
          int32_t first = 1;
          for (i = t.h_begin; i < t.h_end; ++i)
            for (j = t.w_begin; j < t.w_end; ++j) {
              const int32_t at = (t.h + i * w->dilation_h) * w->in_w + t.w + j * w->dilation_w;
              const float v = x[at * in_step(w) + c * channel_step(w)];
              if (first || v > best) best = v, first = 0;
            }
          y[out_index(w, c, oh, ow)] = ls_clamp_real(best, p->low, p->high);
        }
      }
    x += w->in_h * w->in_w * w->in_c;
    y += w->out_h * w->out_w * w->in_c;
  }
}

void ls_average_pool_float_8(const ls_average_float* p, const void* x, void* y) {
  const ls_window* w = &p->window;
  const float far = 1048576.0f; /* beyond every code */
  const int8_t* in = (const int8_t*)x;
  int8_t* out = (int8_t*)y;
  int32_t n, oh, ow, c, i, j;
  for (n = 0; n < w->batch; ++n) {
    for (oh = 0; oh < w->out_h; ++oh)
      for (ow = 0; ow < w->out_w; ++ow) {
        const clipped t = clip(w, oh, ow);
        const int32_t taps = p->include_pad ? w->kernel_h * w->kernel_w : taps_of(&t);
        for (c = 0; c < w->in_c; ++c) {
          float sum = 0.0f, v;
          for (i = t.h_begin; i < t.h_end; ++i)
            for (j = t.w_begin; j < t.w_end; ++j) {
              const int32_t at = (t.h + i * w->dilation_h) * w->in_w + t.w + j * w->dilation_w;
              const int32_t code =
                  ls_code(in[at * in_step(w) + c * channel_step(w)], p->is_unsigned);
              const float real = p->x_scale * (float)(code - p->x_zero);
              sum = sum + real;
            }
          v = sum / (float)taps;
          v = v / p->y_scale;
          v = v + p->y_zero;
          out[out_index(w, c, oh, ow)] =
              ls_byte(ls_clamp(ls_nearest_even(ls_clamp_real(v, -far, far)), p->low, p->high) -
                      p->y_offset);
        }
      }
    in += w->in_h * w->in_w * w->in_c;
    out += w->out_h * w->out_w * w->in_c;
  }
}

#if LS_HELIUM
/* One sum: the codes lie together. */
static void sum_row(const ls_reduce* p, const int8_t* x, int32_t* acc) {
  int32_t r;
  for (r = 0; r < p->reduced; r += 16) {
    const mve_pred16_t on = vctp8q((uint32_t)(p->reduced - r));
    const int8x16_t codes = vldrbq_z_s8(x + r, on);
    acc[0] = p->is_unsigned ? (int32_t)vaddvaq_u8((uint32_t)acc[0], vreinterpretq_u8_s8(codes))
                            : vaddvaq_s8(acc[0], codes);
  }
}

/* Eight neighbours at a time in 16 bits, which 128 codes do not leave, then in 32. */
static void sum_columns(const ls_reduce* p, const int8_t* x, int32_t count, int32_t* acc) {
  int32_t k, first, r;
  for (k = 0; k < count; k += 8) {
    const mve_pred16_t on = vctp16q((uint32_t)(count - k));
    int32x4x2_t sums;
    sums.val[0] = vdupq_n_s32(p->start), sums.val[1] = sums.val[0];
    for (first = 0; first < p->reduced; first += 128) {
      const int32_t end = p->reduced - first < 128 ? p->reduced : first + 128;
      const int8_t* at = x + first * p->inner + k;
      int16x8_t part = vdupq_n_s16(0);
      for (r = first; r < end; ++r, at += p->inner)
        part = vaddq_s16(part, p->is_unsigned
                                   ? vreinterpretq_s16_u16(vldrbq_z_u16((const uint8_t*)at, on))
                                   : vldrbq_z_s16(at, on));
      sums.val[0] = vaddq_s32(sums.val[0], vmovlbq_s16(part));
      sums.val[1] = vaddq_s32(sums.val[1], vmovltq_s16(part));
    }
    vst2q_s32(acc + k, sums);
  }
}

static void sum_codes(const ls_reduce* p, const int8_t* x, int32_t count, int32_t* acc) {
  acc[0] = p->start;
  if (p->inner == 1)
    sum_row(p, x, acc);
  else
    sum_columns(p, x, count, acc);
}
#else
static void sum_codes(const ls_reduce* p, const int8_t* x, int32_t count, int32_t* acc) {
  int32_t r, k;
  for (k = 0; k < count; ++k) acc[k] = p->start;
  for (r = 0; r < p->reduced; ++r)
    for (k = 0; k < count; ++k) acc[k] += ls_code(x[r * p->inner + k], p->is_unsigned);
}
#endif

void ls_reduce_sum_8(const ls_reduce* p, const void* x, void* y) {
  const int8_t* in = (const int8_t*)x;
  int8_t* out = (int8_t*)y;
  int32_t acc[LS_RUN];
  int32_t o, i;
  for (o = 0; o < p->outer; ++o, in += p->reduced * p->inner)
    for (i = 0; i < p->inner; i += LS_RUN) {
      const int32_t count = p->inner - i < LS_RUN ? p->inner - i : LS_RUN;
      sum_codes(p, in + i, count, acc);
      p->finish(&p->q, acc, count, 0, 1, out, 0);
      out += count;
    }
}

void ls_reduce_max_8(const ls_reduce* p, const void* x, void* y) {
  const int8_t* in = (const int8_t*)x;
  int8_t* out = (int8_t*)y;
  int32_t o, i, r;
  for (o = 0; o < p->outer; ++o, in += p->reduced * p->inner)
    for (i = 0; i < p->inner; ++i) {
      int32_t best = INT32_MIN;
      for (r = 0; r < p->reduced; ++r) {
        const int32_t code = ls_code(in[r * p->inner + i], p->is_unsigned);
        if (code > best) best = code;
      }
      *out++ = ls_byte(best);
    }
}
