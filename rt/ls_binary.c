/* Operators on two operands. */
#include <math.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

/* Fixed point. One function for each combination, so that the loops stay small. */
typedef int32_t (*combine_fixed)(const ls_binary_fixed* p, int32_t a, int32_t b);

static inline int32_t on_grid(int32_t distance, int32_t left, int32_t multiplier, int32_t shift) {
  return ls_rescale(ls_shift_left(distance, left), multiplier, shift);
}
static inline int32_t settle(const ls_binary_fixed* p, int32_t grid) {
  const int32_t scaled = ls_rescale(grid, p->y_multiplier, p->y_shift);
  return ls_clamp(scaled, p->low - p->y_zero, p->high - p->y_zero) + p->y_zero;
}
static int32_t add_fixed(const ls_binary_fixed* p, int32_t a, int32_t b) {
  return settle(p, on_grid(a, p->left, p->a_multiplier, p->a_shift) +
                       on_grid(b, p->left, p->b_multiplier, p->b_shift));
}
static int32_t sub_fixed(const ls_binary_fixed* p, int32_t a, int32_t b) {
  return settle(p, on_grid(a, p->left, p->a_multiplier, p->a_shift) -
                       on_grid(b, p->left, p->b_multiplier, p->b_shift));
}
static int32_t mul_fixed(const ls_binary_fixed* p, int32_t a, int32_t b) {
  return settle(p, a * b);
}
static int32_t squared_difference_fixed(const ls_binary_fixed* p, int32_t a, int32_t b) {
  const int32_t d = on_grid(a, p->left, p->a_multiplier, p->a_shift) -
                    on_grid(b, p->left, p->b_multiplier, p->b_shift);
  return settle(p, (int32_t)(uint32_t)((uint64_t)((int64_t)d * d) & 0xffffffffu));
}

enum { ADD, SUBTRACT, MULTIPLY, SQUARE_DIFFERENCE };

#if LS_HELIUM
/* Rows are long enough, and each operand is either spread along them or lies in them element by
 * element. */
static int by_vectors(const ls_spread* s) {
  return s->extent[3] >= 4 && (uint32_t)s->a_stride[3] <= 1 && (uint32_t)s->b_stride[3] <= 1;
}

/* Four elements of a row as the codes that they are less 128 where uint8. */
static inline int32x4_t four_of(const int8_t* x, int32_t l, int32_t stride, uint8_t flip,
                                mve_pred16_t on) {
  if (stride == 0) return vdupq_n_s32(ls_flipped(*x, flip));
  if (flip == 0) return vldrbq_z_s32(x + l, on);
  return vsubq_n_s32(vreinterpretq_s32_u32(vldrbq_z_u32((const uint8_t*)x + l, on)), 128);
}

/* Multipliers below 1. */
static int vectors_round_so(const ls_binary_fixed* p) {
  return p->a_shift <= 0 && p->b_shift <= 0 && p->y_shift <= 0;
}

static inline int32x4_t rescaled(int32x4_t v, int32_t multiplier, int32_t shift) {
  const int32x4_t down = vdupq_n_s32(shift);
  v = vqrdmulhq_n_s32(v, multiplier);
  return vrshlq_s32(vqaddq_s32(v, vshrq_n_s32(vandq_s32(v, down), 31)), down);
}

static inline int32x4_t grid4(int32x4_t v, int32_t left, int32_t multiplier, int32_t shift) {
  return rescaled(vmulq_n_s32(v, (int32_t)1 << left), multiplier, shift);
}

static void fixed_row(const ls_binary_fixed* p, const int8_t* a, const int8_t* b, int8_t* y,
                      int what) {
  const int32x4_t low = vdupq_n_s32(p->low - p->y_zero), high = vdupq_n_s32(p->high - p->y_zero);
  const int32_t count = p->spread.extent[3];
  int32_t l;
  for (l = 0; l < count; l += 4) {
    const mve_pred16_t on = vctp32q((uint32_t)(count - l));
    int32x4_t u = vsubq_n_s32(four_of(a, l, p->spread.a_stride[3], p->a_flip, on), p->a_zero);
    int32x4_t v = vsubq_n_s32(four_of(b, l, p->spread.b_stride[3], p->b_flip, on), p->b_zero);
    if (what != MULTIPLY) {
      u = grid4(u, p->left, p->a_multiplier, p->a_shift);
      v = grid4(v, p->left, p->b_multiplier, p->b_shift);
    }
    u = what == ADD ? vaddq_s32(u, v) : what == MULTIPLY ? vmulq_s32(u, v) : vsubq_s32(u, v);
    if (what == SQUARE_DIFFERENCE) u = vmulq_s32(u, u);
    u = rescaled(u, p->y_multiplier, p->y_shift);
    vstrbq_p_s32(y + l, vaddq_n_s32(vminq_s32(vmaxq_s32(u, low), high), p->y_zero), on);
  }
}
#else
static int by_vectors(const ls_spread* s) {
  return (void)s, 0;
}
static int vectors_round_so(const ls_binary_fixed* p) {
  return (void)p, 0;
}
static void fixed_row(const ls_binary_fixed* p, const int8_t* a, const int8_t* b, int8_t* y,
                      int what) {
  (void)p, (void)a, (void)b, (void)y, (void)what;
}
#endif

static void spread_fixed(const ls_binary_fixed* p, const int8_t* a, const int8_t* b, int8_t* y,
                         combine_fixed combine, int what) {
  const ls_spread* s = &p->spread;
  const int vectors = by_vectors(s) && vectors_round_so(p);
  int32_t i, j, k, l;
  for (i = 0; i < s->extent[0]; ++i)
    for (j = 0; j < s->extent[1]; ++j)
      for (k = 0; k < s->extent[2]; ++k) {
        const int8_t* ra = a + i * s->a_stride[0] + j * s->a_stride[1] + k * s->a_stride[2];
        const int8_t* rb = b + i * s->b_stride[0] + j * s->b_stride[1] + k * s->b_stride[2];
        if (vectors) {
          fixed_row(p, ra, rb, y, what);
          y += s->extent[3];
          continue;
        }
        for (l = 0; l < s->extent[3]; ++l)
          *y++ = ls_byte(combine(p, ls_flipped(ra[l * s->a_stride[3]], p->a_flip) - p->a_zero,
                                 ls_flipped(rb[l * s->b_stride[3]], p->b_flip) - p->b_zero));
      }
}

#if LS_HELIUM
static inline int32x4_t sum4(const ls_binary_fixed* p, int32x4_t a, int32x4_t b, int32x4_t low,
                             int32x4_t high) {
  const int32x4_t unit = vdupq_n_s32((int32_t)1 << p->left);
  const int32_t a_start = -p->a_zero * ((int32_t)1 << p->left),
                b_start = -p->b_zero * ((int32_t)1 << p->left);
  a = vmlasq_n_s32(a, unit, a_start); /* (a - zero) * 2^left */
  b = vmlasq_n_s32(b, unit, b_start);
  a = p->a_shift == 0 ? vqrdmulhq_n_s32(a, p->a_multiplier)
                      : rescaled(a, p->a_multiplier, p->a_shift);
  b = p->b_shift == 0 ? vqrdmulhq_n_s32(b, p->b_multiplier)
                      : rescaled(b, p->b_multiplier, p->b_shift);
  a = rescaled(vaddq_s32(a, b), p->y_multiplier, p->y_shift);
  return vaddq_n_s32(vminq_s32(vmaxq_s32(a, low), high), p->y_zero);
}

/* Sums of operands that are neither spread nor uint8, with multipliers below 1. */
static void add_run(const ls_binary_fixed* p, const int8_t* a, const int8_t* b, int8_t* y,
                    int32_t count) {
  const ls_binary_fixed q = *p;
  const int32x4_t low = vdupq_n_s32(p->low - p->y_zero), high = vdupq_n_s32(p->high - p->y_zero);
  int32_t fours = count / 4;
  for (; fours > 0; --fours, a += 4, b += 4, y += 4)
    vstrbq_s32(y, sum4(&q, vldrbq_s32(a), vldrbq_s32(b), low, high));
  if (count % 4 != 0) {
    const mve_pred16_t on = vctp32q((uint32_t)(count % 4));
    vstrbq_p_s32(y, sum4(&q, vldrbq_z_s32(a, on), vldrbq_z_s32(b, on), low, high), on);
  }
}
#endif

void ls_add_fixed_8(const ls_binary_fixed* p, const void* a, const void* b, void* y) {
#if LS_HELIUM
  const ls_spread* s = &p->spread;
  if (s->extent[0] == 1 && s->extent[1] == 1 && s->extent[2] == 1 && s->a_stride[3] == 1 &&
      s->b_stride[3] == 1 && p->a_flip == 0 && p->b_flip == 0 && p->a_shift <= 0 &&
      p->b_shift <= 0 && p->y_shift <= 0) {
    add_run(p, (const int8_t*)a, (const int8_t*)b, (int8_t*)y, s->extent[3]);
    return;
  }
#endif
  spread_fixed(p, (const int8_t*)a, (const int8_t*)b, (int8_t*)y, add_fixed, ADD);
}
void ls_sub_fixed_8(const ls_binary_fixed* p, const void* a, const void* b, void* y) {
  spread_fixed(p, (const int8_t*)a, (const int8_t*)b, (int8_t*)y, sub_fixed, SUBTRACT);
}
void ls_mul_fixed_8(const ls_binary_fixed* p, const void* a, const void* b, void* y) {
  spread_fixed(p, (const int8_t*)a, (const int8_t*)b, (int8_t*)y, mul_fixed, MULTIPLY);
}
void ls_squared_difference_fixed_8(const ls_binary_fixed* p, const void* a, const void* b,
                                   void* y) {
  spread_fixed(p, (const int8_t*)a, (const int8_t*)b, (int8_t*)y, squared_difference_fixed,
               SQUARE_DIFFERENCE);
}

/* float32. */
typedef int32_t (*combine_float)(const ls_binary_float* p, int32_t a, int32_t b);

static int32_t saturated(const ls_binary_float* p, float v) {
  const float far = 1048576.0f; /* beyond every code */
  return ls_clamp(ls_nearest_even(ls_clamp_real(v, -far, far)), p->low, p->high);
}
static int32_t add_float(const ls_binary_float* p, int32_t a, int32_t b) {
  const float fa = (float)a, fb = (float)b;
  return saturated(p, p->a_first ? fmaf(fb, p->b_factor, fmaf(fa, p->a_factor, p->constant))
                                 : fmaf(fa, p->a_factor, fmaf(fb, p->b_factor, p->constant)));
}
static int32_t mul_float(const ls_binary_float* p, int32_t a, int32_t b) {
  const float product = (float)((a - p->a_zero) * (b - p->b_zero)) * p->a_factor;
  return saturated(p, product + p->constant);
}

#if LS_HELIUM_FLOAT
/* Neither is so small that a step could end below the least normal number, which vectors take for
 * zero. */
static int vectors_hold(const ls_binary_float* p) {
  const float least = 9.094947e-13f; /* 2^-40 */
  const float a = fabsf(p->a_factor), b = fabsf(p->b_factor), c = fabsf(p->constant);
  return a >= least && isfinite(a) && (b >= least || !(b > 0.0f)) && isfinite(b) &&
         (c >= least || !(c > 0.0f)) && isfinite(c);
}

static void float_row(const ls_binary_float* p, const int8_t* a, const int8_t* b, int8_t* y,
                      int what) {
  const int32_t count = p->spread.extent[3];
  const int32_t a_more = p->a_offset + (p->a_flip ? 128 : 0),
                b_more = p->b_offset + (p->b_flip ? 128 : 0);
  const int32x4_t low = vdupq_n_s32(p->low), high = vdupq_n_s32(p->high);
  const float32x4_t far = vdupq_n_f32(1048576.0f); /* beyond every code */
  int32_t l;
  for (l = 0; l < count; l += 4) {
    const mve_pred16_t on = vctp32q((uint32_t)(count - l));
    const int32x4_t u = vaddq_n_s32(four_of(a, l, p->spread.a_stride[3], p->a_flip, on), a_more);
    const int32x4_t v = vaddq_n_s32(four_of(b, l, p->spread.b_stride[3], p->b_flip, on), b_more);
    float32x4_t sum = vdupq_n_f32(p->constant);
    if (what == MULTIPLY) {
      const int32x4_t product = vmulq_s32(vsubq_n_s32(u, p->a_zero), vsubq_n_s32(v, p->b_zero));
      sum = vaddq_f32(vmulq_n_f32(vcvtq_f32_s32(product), p->a_factor), sum);
    } else if (p->a_first) {
      sum = vfmaq_n_f32(vfmaq_n_f32(sum, vcvtq_f32_s32(u), p->a_factor), vcvtq_f32_s32(v),
                        p->b_factor);
    } else {
      sum = vfmaq_n_f32(vfmaq_n_f32(sum, vcvtq_f32_s32(v), p->b_factor), vcvtq_f32_s32(u),
                        p->a_factor);
    }
    sum = vminnmq_f32(vmaxnmq_f32(sum, vnegq_f32(far)), far);
    vstrbq_p_s32(
        y + l, vsubq_n_s32(vminq_s32(vmaxq_s32(vcvtnq_s32_f32(sum), low), high), p->y_offset), on);
  }
}
#else
static int vectors_hold(const ls_binary_float* p) {
  return (void)p, 0;
}
static void float_row(const ls_binary_float* p, const int8_t* a, const int8_t* b, int8_t* y,
                      int what) {
  (void)p, (void)a, (void)b, (void)y, (void)what;
}
#endif

static void spread_float(const ls_binary_float* p, const int8_t* a, const int8_t* b, int8_t* y,
                         combine_float combine, int what) {
  const ls_spread* s = &p->spread;
  const int vectors = by_vectors(s) && vectors_hold(p);
  int32_t i, j, k, l;
  for (i = 0; i < s->extent[0]; ++i)
    for (j = 0; j < s->extent[1]; ++j)
      for (k = 0; k < s->extent[2]; ++k) {
        const int8_t* ra = a + i * s->a_stride[0] + j * s->a_stride[1] + k * s->a_stride[2];
        const int8_t* rb = b + i * s->b_stride[0] + j * s->b_stride[1] + k * s->b_stride[2];
        if (vectors) {
          float_row(p, ra, rb, y, what);
          y += s->extent[3];
          continue;
        }
        for (l = 0; l < s->extent[3]; ++l)
          *y++ = ls_byte(combine(p, ls_code(ra[l * s->a_stride[3]], p->a_flip) + p->a_offset,
                                 ls_code(rb[l * s->b_stride[3]], p->b_flip) + p->b_offset) -
                         p->y_offset);
      }
}

void ls_add_float_8(const ls_binary_float* p, const void* a, const void* b, void* y) {
  spread_float(p, (const int8_t*)a, (const int8_t*)b, (int8_t*)y, add_float, ADD);
}
void ls_mul_float_8(const ls_binary_float* p, const void* a, const void* b, void* y) {
  spread_float(p, (const int8_t*)a, (const int8_t*)b, (int8_t*)y, mul_float, MULTIPLY);
}
