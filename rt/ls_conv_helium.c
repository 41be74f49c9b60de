/*
 * Convolution with Helium: three output positions by two channels at a time. Windows are laid out
 * as rows in `scratch` first, but for 1x1 windows, which are read where they are. A row is read in
 * whole vectors: what lies behind its end meets weights of zero.
 */
#include <string.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>

void ls_conv_gather(const ls_conv* p, const int8_t* x, int32_t g, int32_t oh, int32_t ow,
                    int8_t* row);

/* Three rows of `vectors` times 16 codes, and the pairs of channels from `acc` to `end`; the sums
   of the second and third row go LS_RUN and 2 LS_RUN behind those of the first. The assembly below
   knows this layout. */
typedef struct {
  const int8_t* row[3];
  int32_t vectors;
  const int8_t* weights;
  const int32_t* bias;
  int32_t *acc, *end;
} block;

/* Six sums at a time: twelve instructions for 96 products. */
void ls_conv_products(const block* b);
__attribute__((naked, noinline, used)) void ls_conv_products(const block* b
                                                             __attribute__((unused))) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "mov r12, r0\n"
      "ldrd r1, r9, [r12, #16]\n" /* weights, bias */
      "ldr r11, [r12, #24]\n"     /* sums */
      "1:\n"
      "ldrd r3, r5, [r12]\n"
      "ldrd r7, lr, [r12, #8]\n" /* the third row, vectors */
      "ldrd r0, r2, [r9], #8\n"
      "mov r4, r0\n"
      "mov r6, r2\n"
      "mov r8, r0\n"
      "mov r10, r2\n"
      "dls lr, lr\n"
      "2:\n"
      "vldrb.8 q0, [r1], #16\n"
      "vldrb.8 q2, [r3], #16\n"
      "vmladava.s8 r0, q2, q0\n"
      "vldrb.8 q1, [r1], #16\n"
      "vmladava.s8 r2, q2, q1\n"
      "vldrb.8 q3, [r5], #16\n"
      "vmladava.s8 r4, q3, q0\n"
      "vmladava.s8 r6, q3, q1\n"
      "vldrb.8 q2, [r7], #16\n"
      "vmladava.s8 r8, q2, q0\n"
      "vmladava.s8 r10, q2, q1\n"
      "le lr, 2b\n"
      "strd r0, r2, [r11], #8\n"
      "ldr r0, [r12, #28]\n"
      "strd r4, r6, [r11, #248]\n" /* 4 LS_RUN - 8 */
      "cmp r11, r0\n"
      "strd r8, r10, [r11, #504]\n" /* 8 LS_RUN - 8 */
      "bne 1b\n"
      "pop {r4-r11, pc}\n");
}

static int32_t sum_of(const int8_t* row, int32_t depth) {
  int32_t sum = 0;
  for (; depth > 0; depth -= 16, row += 16)
    sum = vaddvaq_s8(sum, vldrbq_z_s8(row, vctp8q((uint32_t)depth)));
  return sum;
}

/* Channels first: finished on the side, then scattered. */
static void scatter(const ls_conv* p, const int32_t* acc, int32_t count, int32_t channel,
                    int32_t position, uint8_t* y) {
  const int32_t positions = p->window.out_h * p->window.out_w;
  int32_t run[LS_RUN], i;
  p->finish(&p->q, acc, count, channel, 1, run, 0);
  for (i = 0; i < count; ++i)
    memcpy(y + ((channel + i) * positions + position) * p->y_bytes,
           (const uint8_t*)run + i * p->y_bytes, p->y_bytes);
}

/* `count` (at most three) positions of group g from `position` on, whose windows stand at b->row.
 */
static void convolve(const ls_conv* p, block* b, int32_t g, int32_t position, int32_t count,
                     uint8_t* y) {
  const int32_t filters = p->window.out_c / p->group, out_c = p->window.out_c, y_bytes = p->y_bytes;
  const int8_t* w = p->weights + g * ((filters + 1) / 2) * b->vectors * 32;
  int32_t acc[3 * LS_RUN];
  int32_t o, i, n;
  for (o = 0; o < filters; o += LS_RUN) {
    const int32_t run = filters - o < LS_RUN ? filters - o : LS_RUN, channel = g * filters + o;
    b->weights = w + o * b->vectors * 16;
    b->bias = p->bias + channel;
    b->acc = acc;
    b->end = acc + (run + 1) / 2 * 2;
    ls_conv_products(b);
    if (p->w_zero != 0)
      for (n = 0; n < count; ++n) {
        const int32_t centre = p->w_zero * sum_of(b->row[n], p->depth);
        for (i = 0; i < run; ++i) acc[n * LS_RUN + i] -= centre;
      }
    if (p->w_zeros != NULL)
      for (n = 0; n < count; ++n) {
        const int32_t sum = sum_of(b->row[n], p->depth);
        for (i = 0; i < run; ++i) acc[n * LS_RUN + i] -= p->w_zeros[channel + i] * sum;
      }
    if (p->window.channels_last)
      p->finish(&p->q, acc, run, channel, count, y + (position * out_c + channel) * y_bytes,
                out_c * y_bytes);
    else
      for (n = 0; n < count; ++n) scatter(p, acc + n * LS_RUN, run, channel, position + n, y);
  }
}

/* 16 bytes at a time; may write up to 15 bytes behind the end. */
static inline void copy_over(int8_t* to, const int8_t* from, int32_t bytes) {
  for (; bytes > 0; bytes -= 16, to += 16, from += 16) vstrbq_s8(to, vldrbq_s8(from));
}
static inline void fill_over(int8_t* to, int8_t code, int32_t bytes) {
  const int8x16_t v = vdupq_n_s8(code);
  for (; bytes > 0; bytes -= 16, to += 16) vstrbq_s8(to, v);
}

/* The window whose first tap is (h, v) as a row: neighbouring columns are copied together. Pieces
   are written in order, so that what is written behind one is written over by the next; behind the
   last is room in the scratch. */
static void gather(const ls_window* w, int8_t pad, const int8_t* x, int32_t h, int32_t v,
                   int8_t* row) {
  const int32_t in_w = w->in_w, in_h = w->in_h, c = w->in_c, kernel_w = w->kernel_w,
                down = w->dilation_h;
  const int32_t piece = kernel_w * c, pitch = down * in_w * c;
  int32_t before, after, i = w->kernel_h;
  const int8_t* from = x + (h * in_w + v) * c;
  if (h >= 0 && v >= 0 && h + (i - 1) * down < in_h && v + kernel_w <= in_w) {
    if (piece <= 16)
      for (; i > 0; --i, row += piece, from += pitch) vstrbq_s8(row, vldrbq_s8(from));
    else
      for (; i > 0; --i, row += piece, from += pitch) copy_over(row, from, piece);
    return;
  }
  before = v < 0 ? -v : 0;
  after = v + kernel_w > in_w ? v + kernel_w - in_w : 0;
  /* A window beyond the edge is all padding. */
  if (before > kernel_w) before = kernel_w;
  if (after > kernel_w) after = kernel_w;
  for (; i > 0; --i, h += down, row += piece, from += pitch) {
    if (h < 0 || h >= in_h) {
      fill_over(row, pad, piece);
      continue;
    }
    if (before > 0) fill_over(row, pad, before * c);
    copy_over(row + before * c, from + before * c, (kernel_w - before - after) * c);
    if (after > 0) fill_over(row + (kernel_w - after) * c, pad, after * c);
  }
}

/* The same of any codes, dilation and group: tap by tap, whole rows of a window together where
 * these lie so. */
static void gather_taps(const ls_conv* p, const int8_t* x, int32_t g, int32_t h, int32_t v,
                        int8_t* row) {
  const ls_window* w = &p->window;
  const int together = w->dilation_w == 1 && p->group == 1 && v >= 0 && v + w->kernel_w <= w->in_w;
  const int32_t columns = together ? 1 : w->kernel_w,
                count = w->in_c / p->group * (together ? w->kernel_w : 1);
  const int8x16_t flip = vdupq_n_s8((int8_t)p->flip);
  int32_t i, j, k;
  x += g * (w->in_c / p->group);
  for (i = 0; i < w->kernel_h; ++i, h += w->dilation_h)
    for (j = 0; j < columns; ++j, row += count) {
      const int32_t at = v + j * w->dilation_w;
      const int8_t* const from = x + (h * w->in_w + at) * w->in_c;
      if (h < 0 || h >= w->in_h || at < 0 || at >= w->in_w)
        fill_over(row, p->pad, count);
      else
        for (k = 0; k < count; k += 16) vstrbq_s8(row + k, veorq_s8(vldrbq_s8(from + k), flip));
    }
}

/* Whatever layout, codes, dilation and groups. */
static void convolve_slowly(const ls_conv* p, const int8_t* in, uint8_t* out, int8_t* scratch) {
  const ls_window* w = &p->window;
  const int32_t positions = w->out_h * w->out_w, vectors = (p->depth + 15) / 16;
  int32_t g, position, i;
  block b;
  b.vectors = vectors;
  for (g = 0; g < p->group; ++g)
    for (position = 0; position < positions; position += 3) {
      const int32_t count = positions - position < 3 ? positions - position : 3;
      for (i = 0; i < 3; ++i) {
        const int32_t oh = (position + i) / w->out_w, ow = (position + i) % w->out_w;
        int8_t* const row = scratch + i * vectors * 16;
        b.row[i] = i < count ? row : scratch;
        if (i < count && w->channels_last)
          gather_taps(p, in, g, oh * w->stride_h - w->top, ow * w->stride_w - w->left, row);
        else if (i < count)
          ls_conv_gather(p, in, g, oh, ow, row);
      }
      convolve(p, &b, g, position, count, out);
    }
}

static void convolve_pieces(const ls_conv* p, const int8_t* in, uint8_t* out, int8_t* scratch) {
  const ls_window w = p->window;
  const int32_t positions = w.out_h * w.out_w, padded = (p->depth + 15) / 16 * 16, c = w.in_c;
  const int pointwise = w.kernel_h == 1 && w.kernel_w == 1 && w.top == 0 && w.left == 0 &&
                        (w.out_h - 1) * w.stride_h < w.in_h && (w.out_w - 1) * w.stride_w < w.in_w;
  int32_t position, i, h = -w.top, v = -w.left, ow = 0;
  block b;
  b.vectors = padded / 16;
  for (position = 0; position < positions; position += 3) {
    const int32_t count = positions - position < 3 ? positions - position : 3;
    for (i = 0; i < count; ++i) {
      if (pointwise) {
        b.row[i] = in + (h * w.in_w + v) * c;
      } else {
        b.row[i] = scratch + i * padded;
        gather(&w, p->pad, in, h, v, scratch + i * padded);
      }
      v += w.stride_w;
      if (++ow == w.out_w) ow = 0, v = -w.left, h += w.stride_h;
    }
    for (; i < 3; ++i) b.row[i] = b.row[0];
    convolve(p, &b, 0, position, count, out);
  }
}

void ls_conv_8(const ls_conv* p, const void* x, void* y, int8_t* scratch) {
  const ls_window* w = &p->window;
  const int plain = w->channels_last && p->flip == 0 && p->group == 1 && w->dilation_w == 1;
  const int8_t* in = (const int8_t*)x;
  uint8_t* out = (uint8_t*)y;
  int32_t n;
  for (n = 0; n < w->batch; ++n) {
    if (plain)
      convolve_pieces(p, in, out, scratch);
    else
      convolve_slowly(p, in, out, scratch);
    in += w->in_h * w->in_w * w->in_c;
    out += w->out_h * w->out_w * w->out_c * p->y_bytes;
  }
}
#endif

typedef int ls_conv_helium_is_not_empty;
