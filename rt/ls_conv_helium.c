/* Convolution with Helium: three output positions by two channels at a time. */
#include <string.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>

void ls_conv_gather(const ls_conv *p, const int8_t *x, int32_t g, int32_t oh, int32_t ow, int8_t *row);

/*
 * Three rows of `segments` pieces of `length` codes (a multiple of 16 where there are several), pieces
 * `pitch` bytes apart, with packed weights of two channels: sums[0..1] of the first row, [2..3] of the
 * second, [4..5] of the third. The last 16 codes of a piece are cut by `tail`.
 */
static inline const int8_t *dot3x2(const int8_t *a, const int8_t *b, const int8_t *c, const int8_t *w,
                                   int32_t segments, int32_t length, int32_t pitch, const int32_t *bias,
                                   int32_t *first, int32_t *second, int32_t *third) {
  int32_t a0 = bias[0], a1 = bias[1], b0 = bias[0], b1 = bias[1], c0 = bias[0], c1 = bias[1];
  const int32_t full = length / 16, rest = length & 15;
  do {
    const int8_t *pa = a, *pb = b, *pc = c;
    int32_t k;
    for (k = full; k > 0; --k) {
      const int8x16_t u = vldrbq_s8(w), v = vldrbq_s8(w + 16);
      const int8x16_t xa = vldrbq_s8(pa), xb = vldrbq_s8(pb), xc = vldrbq_s8(pc);
      a0 = vmladavaq_s8(a0, xa, u);
      a1 = vmladavaq_s8(a1, xa, v);
      b0 = vmladavaq_s8(b0, xb, u);
      b1 = vmladavaq_s8(b1, xb, v);
      c0 = vmladavaq_s8(c0, xc, u);
      c1 = vmladavaq_s8(c1, xc, v);
      w += 32, pa += 16, pb += 16, pc += 16;
    }
    if (rest > 0) {
      const mve_pred16_t on = vctp8q((uint32_t)rest);
      const int8x16_t u = vldrbq_s8(w), v = vldrbq_s8(w + 16);
      const int8x16_t xa = vldrbq_z_s8(pa, on), xb = vldrbq_z_s8(pb, on), xc = vldrbq_z_s8(pc, on);
      a0 = vmladavaq_s8(a0, xa, u);
      a1 = vmladavaq_s8(a1, xa, v);
      b0 = vmladavaq_s8(b0, xb, u);
      b1 = vmladavaq_s8(b1, xb, v);
      c0 = vmladavaq_s8(c0, xc, u);
      c1 = vmladavaq_s8(c1, xc, v);
      w += 32;
    }
    a += pitch, b += pitch, c += pitch;
  } while (--segments > 0);
  first[0] = a0, first[1] = a1;
  second[0] = b0, second[1] = b1;
  third[0] = c0, third[1] = c1;
  return w;
}

static int32_t sum_of(const int8_t *row, int32_t depth) {
  int32_t sum = 0;
  for (; depth > 0; depth -= 16, row += 16) sum = vaddvaq_s8(sum, vldrbq_z_s8(row, vctp8q((uint32_t)depth)));
  return sum;
}

/* Where up to three windows stand: three starts, and how their pieces follow one another. */
typedef struct {
  const int8_t *row[3];
  int32_t segments, length, pitch;
} windows;

static void put(const ls_conv *p, const int32_t *acc, int32_t count, int32_t channel, int32_t position,
                uint8_t *y) {
  const ls_window *w = &p->window;
  const int32_t positions = w->out_h * w->out_w;
  int32_t run[LS_RUN], i;
  if (w->channels_last) {
    p->finish(&p->q, acc, count, channel, y + (position * w->out_c + channel) * p->y_bytes);
    return;
  }
  p->finish(&p->q, acc, count, channel, run);
  for (i = 0; i < count; ++i)
    memcpy(y + ((channel + i) * positions + position) * p->y_bytes, (const uint8_t *)run + i * p->y_bytes, p->y_bytes);
}

/* `count` (at most three) neighbouring positions of group g. */
static void convolve(const ls_conv *p, const windows *at, int32_t g, int32_t position, int32_t count, uint8_t *y) {
  const int32_t filters = p->window.out_c / p->group, chunks = (p->depth + 15) / 16;
  const int8_t *w = p->weights + g * ((filters + 1) / 2) * chunks * 32;
  const int32_t *bias = p->bias + g * filters;
  int32_t acc[3][LS_RUN];
  int32_t o, i, n;
  for (o = 0; o < filters; o += LS_RUN) {
    const int32_t run = filters - o < LS_RUN ? filters - o : LS_RUN;
    for (i = 0; i < run; i += 2)
      w = dot3x2(at->row[0], at->row[1], at->row[2], w, at->segments, at->length, at->pitch, bias + o + i,
                 &acc[0][i], &acc[1][i], &acc[2][i]);
    for (n = 0; n < count; ++n) {
      if (p->w_zero != 0) {
        const int32_t centre = p->w_zero * sum_of(at->row[n], p->depth);
        for (i = 0; i < run; ++i) acc[n][i] -= centre;
      }
      put(p, acc[n], run, g * filters + o, position + n, y);
    }
  }
}

/* Windows of positions ow .. ow + count - 1 that lie wholly inside the input are read where they are. */
static int inside(const ls_window *w, int32_t oh, int32_t ow, int32_t count) {
  const int32_t h = oh * w->stride_h - w->top, v = ow * w->stride_w - w->left;
  return h >= 0 && v >= 0 && h + w->kernel_h <= w->in_h && v + (count - 1) * w->stride_w + w->kernel_w <= w->in_w;
}

static void convolve_row(const ls_conv *p, const int8_t *x, int32_t oh, uint8_t *y, int8_t *scratch) {
  const ls_window *w = &p->window;
  const int32_t padded = (p->depth + 15) / 16 * 16, piece = w->kernel_w * w->in_c;
  /* In place: one piece, or pieces of whole vectors, one behind the other in the weights as in the input. */
  const int direct = w->channels_last && p->flip == 0 && p->group == 1 && p->w_zero == 0 && w->dilation_h == 1 &&
                     w->dilation_w == 1 && (w->kernel_h == 1 || piece % 16 == 0);
  int32_t ow, n, g;
  for (ow = 0; ow < w->out_w; ow += 3) {
    const int32_t count = w->out_w - ow < 3 ? w->out_w - ow : 3;
    windows at;
    if (direct && inside(w, oh, ow, count)) {
      at.segments = w->kernel_h, at.length = piece, at.pitch = w->in_w * w->in_c;
      for (n = 0; n < 3; ++n) {
        const int32_t k = n < count ? n : count - 1;
        at.row[n] = x + ((oh * w->stride_h - w->top) * w->in_w + (ow + k) * w->stride_w - w->left) * w->in_c;
      }
      convolve(p, &at, 0, oh * w->out_w + ow, count, y);
      continue;
    }
    at.segments = 1, at.length = p->depth, at.pitch = 0;
    for (g = 0; g < p->group; ++g) {
      for (n = 0; n < 3; ++n) {
        const int32_t k = n < count ? n : count - 1;
        at.row[n] = scratch + k * padded;
        if (n < count) ls_conv_gather(p, x, g, oh, ow + n, scratch + n * padded);
      }
      convolve(p, &at, g, oh * w->out_w + ow, count, y);
    }
  }
}

void ls_conv_8(const ls_conv *p, const void *x, void *y, int8_t *scratch) {
  const ls_window *w = &p->window;
  const int8_t *in = (const int8_t *)x;
  uint8_t *out = (uint8_t *)y;
  ls_conv row;
  const ls_conv *q = p;
  int32_t n, oh;
  /* 1x1 without stride and padding: all positions are one row. */
  if (w->channels_last && w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 && w->top == 0 &&
      w->left == 0 && w->out_h == w->in_h && w->out_w == w->in_w) {
    row = *p;
    row.window.in_w *= row.window.in_h, row.window.out_w *= row.window.out_h;
    row.window.in_h = row.window.out_h = 1;
    q = &row;
  }
  for (n = 0; n < w->batch; ++n) {
    for (oh = 0; oh < q->window.out_h; ++oh) convolve_row(q, in, oh, out, scratch);
    in += w->in_h * w->in_w * w->in_c;
    out += w->out_h * w->out_w * w->out_c * p->y_bytes;
  }
}
#endif

typedef int ls_conv_helium_is_not_empty;
