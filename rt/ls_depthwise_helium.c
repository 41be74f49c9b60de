/*
 * Depthwise convolution with Helium: 16 channels at a time, taps in pairs where these fit. Inputs
 * are read in whole vectors; what lies behind the last channel is computed and not used.
 */
#include <string.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>

void ls_depthwise_portable(const ls_depthwise* p, const int8_t* x, int8_t* y);

#define MOST_TAPS 64

/* 16 channels: inputs at tap[0] + first, tap[1] + first, ...; weights 16 a tap. The assembly below
   knows this layout. */
typedef struct {
  const int8_t* const* tap;
  int32_t pairs, single, first;
  const int8_t* weights;
  const int32_t* bias;
  int32_t* acc;
} block;

/*
 * The products of two taps are added in 16 bits, which they never leave (`pairs`), then widened.
 * Even and odd channels go apart, and join when they are stored: q4..q7 hold channels 0 4 8 12, 1 5
 * 9 13, and so on. Of uint8 codes each load is followed by FLIP, which takes 128 off them.
 */
#define SUMS(FLIP)                                   \
  __asm__ volatile(                                  \
      "push {r4-r7, lr}\n"                           \
      "vpush {d8-d15}\n"                             \
      "ldrd r1, r2, [r0]\n"      /* taps, pairs */   \
      "ldrd r3, r4, [r0, #8]\n"  /* single, first */ \
      "ldrd r5, r6, [r0, #16]\n" /* weights, bias */ \
      "ldr r12, [r0, #24]\n"     /* sums */          \
      "mov r0, #128\n"                               \
      "vld40.32 {q4, q5, q6, q7}, [r6]\n"            \
      "vld41.32 {q4, q5, q6, q7}, [r6]\n"            \
      "vld42.32 {q4, q5, q6, q7}, [r6]\n"            \
      "vld43.32 {q4, q5, q6, q7}, [r6]\n"            \
      "wls lr, r2, 2f\n"                             \
      "1:\n"                                         \
      "ldrd r6, r7, [r1], #8\n"                      \
      "vldrb.8 q1, [r5], #16\n"                      \
      "add r6, r4\n"                                 \
      "vldrb.8 q0, [r6]\n" FLIP                      \
      "add r7, r4\n"                                 \
      "vmullb.s8 q2, q0, q1\n"                       \
      "vmullt.s8 q3, q0, q1\n"                       \
      "vldrb.8 q1, [r5], #16\n"                      \
      "vldrb.8 q0, [r7]\n" FLIP                      \
      "vmullb.s8 q0, q0, q1\n"                       \
      "vadd.i16 q2, q2, q0\n"                        \
      "vldrb.8 q0, [r7]\n" FLIP                      \
      "vmullt.s8 q0, q0, q1\n"                       \
      "vmovlb.s16 q1, q2\n"                          \
      "vadd.i16 q3, q3, q0\n"                        \
      "vmovlt.s16 q2, q2\n"                          \
      "vadd.i32 q4, q4, q1\n"                        \
      "vmovlb.s16 q0, q3\n"                          \
      "vadd.i32 q6, q6, q2\n"                        \
      "vmovlt.s16 q3, q3\n"                          \
      "vadd.i32 q5, q5, q0\n"                        \
      "vadd.i32 q7, q7, q3\n"                        \
      "le lr, 1b\n"                                  \
      "2:\n"                                         \
      "cbz r3, 3f\n"                                 \
      "ldr r6, [r1]\n"                               \
      "vldrb.8 q1, [r5]\n"                           \
      "add r6, r4\n"                                 \
      "vldrb.8 q0, [r6]\n" FLIP                      \
      "vmullb.s8 q2, q0, q1\n"                       \
      "vmullt.s8 q3, q0, q1\n"                       \
      "vmovlb.s16 q1, q2\n"                          \
      "vmovlt.s16 q2, q2\n"                          \
      "vadd.i32 q4, q4, q1\n"                        \
      "vmovlb.s16 q0, q3\n"                          \
      "vadd.i32 q6, q6, q2\n"                        \
      "vmovlt.s16 q3, q3\n"                          \
      "vadd.i32 q5, q5, q0\n"                        \
      "vadd.i32 q7, q7, q3\n"                        \
      "3:\n"                                         \
      "vst40.32 {q4, q5, q6, q7}, [r12]\n"           \
      "vst41.32 {q4, q5, q6, q7}, [r12]\n"           \
      "vst42.32 {q4, q5, q6, q7}, [r12]\n"           \
      "vst43.32 {q4, q5, q6, q7}, [r12]\n"           \
      "vpop {d8-d15}\n"                              \
      "pop {r4-r7, pc}\n")

void ls_depthwise_sums(const block* b);
void ls_depthwise_sums_flipped(const block* b);
__attribute__((naked, noinline, used)) void ls_depthwise_sums(const block* b
                                                              __attribute__((unused))) {
  SUMS();
}
__attribute__((naked, noinline, used)) void ls_depthwise_sums_flipped(const block* b
                                                                      __attribute__((unused))) {
  SUMS("vadd.i8 q0, q0, r0\n");
}

/* Eight channels from b->first on, of any codes: less their zero point weights have nine bits, and
   a product of a code and such a weight still fits in 16. */
static inline __attribute__((always_inline)) void eight_sums(const block* b, int32_t taps,
                                                             int32_t w_zero, const int flipped) {
  const int16x8_t centre = vdupq_n_s16((int16_t)w_zero);
  const int8_t* weights = b->weights;
  int32x4x2_t sums = vld2q_s32(b->bias);
  int32_t i;
  for (i = 0; i < taps; ++i, weights += 16) {
    const int8_t* const at = b->tap[i] + b->first;
    const int16x8_t code =
        flipped ? vsubq_n_s16(vreinterpretq_s16_u16(vldrbq_u16((const uint8_t*)at)), 128)
                : vldrbq_s16(at);
    const int16x8_t product = vmulq_s16(code, vsubq_s16(vldrbq_s16(weights), centre));
    sums.val[0] = vaddq_s32(sums.val[0], vmovlbq_s16(product));
    sums.val[1] = vaddq_s32(sums.val[1], vmovltq_s16(product));
  }
  vst2q_s32(b->acc, sums);
}

/* Sixteen channels, of which `count` are used. */
static __attribute__((noinline)) void sums_of(const ls_depthwise* p, block b, int32_t taps,
                                              int32_t count) {
  for (; count > 0; count -= 8, b.first += 8, b.weights += 8, b.bias += 8, b.acc += 8) {
    if (p->flip == 0)
      eight_sums(&b, taps, p->w_zero, 0);
    else
      eight_sums(&b, taps, p->w_zero, 1);
  }
}

/* Where the taps of the window whose first tap is (h, v) read: the input, or `outside`. */
static void place_taps(const ls_window* w, const int8_t* in, const int8_t* outside, int32_t h,
                       int32_t v, const int8_t** tap) {
  const int32_t in_h = w->in_h, in_w = w->in_w, c = w->in_c, across = w->dilation_w,
                down = w->dilation_h;
  const int32_t kernel_w = w->kernel_w;
  int32_t i, j;
  for (i = w->kernel_h; i > 0; --i, h += down) {
    const int8_t* at = in + (h * in_w + v) * c;
    const int32_t row_inside = h >= 0 && h < in_h;
    int32_t k = v;
    for (j = kernel_w; j > 0; --j, k += across, at += across * c)
      *tap++ = row_inside && k >= 0 && k < in_w ? at : outside;
  }
}

/* Codes and weights of any kind, or products that fit in pairs, by weights without a zero point,
 * with int8 or uint8 codes. */
enum { ANY, PLAIN, FLIPPED };
static inline __attribute__((always_inline)) void depthwise(const ls_depthwise* p, const void* x,
                                                            void* y, int8_t* scratch,
                                                            const int kind) {
  const ls_window w = p->window;
  const int32_t taps = w.kernel_h * w.kernel_w, span = (w.kernel_w - 1) * w.dilation_w,
                step = w.stride_w * w.in_c;
  const int8_t* in = (const int8_t*)x;
  int8_t* out = (int8_t*)y;
  const int8_t* tap[MOST_TAPS];
  int32_t acc[LS_RUN], n, oh, ow, i, c;
  block b;
  memset(scratch, p->pad ^ p->flip, (size_t)w.in_c); /* what taps outside the input read */
  b.tap = tap;
  b.pairs = taps / 2;
  b.single = taps & 1;
  for (n = 0; n < w.batch; ++n, in += w.in_h * w.in_w * w.in_c)
    for (oh = 0; oh < w.out_h; ++oh) {
      int32_t v = -w.left;
      for (ow = 0; ow < w.out_w; ++ow, v += w.stride_w, out += w.out_c) {
        if (ow > 0 && v - w.stride_w >= 0 && v + span < w.in_w)
          for (i = 0; i < taps; ++i) tap[i] += tap[i] == scratch ? 0 : step;
        else
          place_taps(&w, in, scratch, oh * w.stride_h - w.top, v, tap);
        for (c = 0; c < w.out_c; c += LS_RUN) {
          const int32_t run = w.out_c - c < LS_RUN ? w.out_c - c : LS_RUN;
          b.weights = p->weights + c * taps;
          for (i = 0; i < run; i += 16) {
            b.first = c + i;
            b.bias = p->bias + c + i;
            b.acc = acc + i;
            if (kind == PLAIN)
              ls_depthwise_sums(&b);
            else if (kind == FLIPPED)
              ls_depthwise_sums_flipped(&b);
            else
              sums_of(p, b, taps, run - i < 16 ? run - i : 16);
            b.weights += taps * 16;
          }
          p->finish(&p->q, acc, run, c, 1, out + c, 0);
        }
      }
    }
}

static __attribute__((noinline)) void depthwise_any(const ls_depthwise* p, const void* x, void* y,
                                                    int8_t* scratch) {
  depthwise(p, x, y, scratch, ANY);
}
static __attribute__((noinline)) void depthwise_flipped(const ls_depthwise* p, const void* x,
                                                        void* y, int8_t* scratch) {
  depthwise(p, x, y, scratch, FLIPPED);
}

void ls_depthwise_8(const ls_depthwise* p, const void* x, void* y, int8_t* scratch) {
  const ls_window* w = &p->window;
  if (!w->channels_last || w->in_c != w->out_c || w->kernel_h * w->kernel_w > MOST_TAPS ||
      p->w_zeros != NULL)
    ls_depthwise_portable(p, (const int8_t*)x, (int8_t*)y);
  else if (!p->pairs || p->w_zero != 0)
    depthwise_any(p, x, y, scratch);
  else if (p->flip == 0)
    depthwise(p, x, y, scratch, PLAIN);
  else
    depthwise_flipped(p, x, y, scratch);
}
#endif

typedef int ls_depthwise_helium_is_not_empty;
