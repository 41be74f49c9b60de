/* Codes of any type: other scales, two operands. */
#include <math.h>

#include "ls_any.h"
#include "ls_fixed_more.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

/* Nearest integer, ties to even, of what may lie far beyond every code. */
static int32_t nearest_code(float v) {
  return ls_nearest_even(ls_clamp_real(v, -2097152.0f, 2097152.0f));
}

/* As ls_rescale, the second rounding ties up. */
static int32_t rescale_half_up(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t down = shift < 0 ? -shift : 0;
  const int64_t half = down > 0 ? (int64_t)1 << (down - 1) : 0;
  return (int32_t)((ls_high_mul(shift > 0 ? ls_shift_left(x, shift) : x, multiplier) + half) >>
                   down);
}

int32_t ls_scaled(const ls_scaler* s, int64_t sum, int32_t channel) {
  const int32_t at = s->by ? channel : 0, narrow = ls_wrapped(sum);
  int64_t code;
  double n;
  switch (s->steps) {
    case LS_TWICE:
      code = channel < s->half_up ? rescale_half_up(narrow, s->q.multiplier[at], s->q.shift[at])
                                  : ls_rescale(narrow, s->q.multiplier[at], s->q.shift[at]);
      break;
    case LS_ONCE:
      code = ls_rescale_once(narrow, s->q.multiplier[at], s->q.shift[at]);
      break;
    case LS_REAL32:
      code = nearest_code((float)narrow * s->q.factor[at]);
      break;
    case LS_REAL64:
      n = round((s->wide ? (double)sum : (double)narrow) * s->q.real[at]);
      code = n >= -2147483648.0 && n <= 2147483647.0 ? (int32_t)n : INT32_MIN;
      break;
    default:
      code = ls_rescale_wide(sum, s->q.multiplier[at], s->q.shift[at]);
  }
  return ls_clamp_wide(code + s->q.zero, s->q.low, s->q.high);
}

void ls_requantize_any(const ls_change* p, const void* x, void* y, size_t count) {
  int32_t i;
  for (i = 0; i < (int32_t)count; ++i) {
    const int32_t scaled = ls_rescale(ls_get(x, i, p->x_type) - p->x_zero, p->multiplier, p->shift);
    ls_put(y, i, p->y_type, ls_clamp(ls_wrapped((int64_t)scaled + p->y_zero), p->low, p->high));
  }
}

static int32_t finished(const ls_binary_any_p* p, int32_t v) {
  const int32_t scaled = p->once ? ls_rescale_once(v, p->y_multiplier, p->y_shift)
                                 : ls_rescale(v, p->y_multiplier, p->y_shift);
  return ls_clamp_wide((int64_t)scaled + p->y_zero, p->low, p->high);
}

static int32_t on_grid(const ls_binary_any_p* p, int32_t v, int32_t multiplier, int32_t shift) {
  const int32_t wide = ls_wrapped((int64_t)v * ((int64_t)1 << p->left));
  return p->once ? ls_rescale_once(wide, multiplier, shift) : ls_rescale(wide, multiplier, shift);
}

static int32_t sum_on_grid(const ls_binary_any_p* p, int32_t a, int32_t b) {
  const int64_t left = on_grid(p, a, p->a_multiplier, p->a_shift),
                right = on_grid(p, b, p->b_multiplier, p->b_shift);
  return ls_wrapped(p->minus ? left - right : left + right);
}

static int32_t shifted(int32_t v, int32_t by) {
  if (by >= 0) return ls_wrapped((int64_t)v * ((int64_t)1 << by));
  return v >> (by < -31 ? 31 : -by);
}

static int32_t low_16(int32_t v) {
  return (int32_t)(int16_t)(uint16_t)((uint32_t)v & 0xffffu);
}

static int32_t on_vector_grid(const ls_binary_any_p* p, int32_t v, int32_t multiplier,
                              int32_t shift) {
  if (p->vectors == LS_VECTORS_ONCE) return ls_high_mul(shifted(v, p->left + shift), multiplier);
  return shifted(ls_high_mul(shifted(v, p->left), multiplier), shift);
}

/* The sum as vectors take it; 8-bit results pass through 16 bits. */
static int32_t sum_in_vectors(const ls_binary_any_p* p, int32_t a, int32_t b) {
  const int64_t sum = (int64_t)on_vector_grid(p, a, p->a_multiplier, p->a_shift) +
                      on_vector_grid(p, b, p->b_multiplier, p->b_shift);
  const int32_t y = ls_rescale(ls_wrapped(sum), p->y_multiplier, p->y_shift);
  if (p->y_type == LS_S16) return ls_clamp_wide((int64_t)y + p->y_zero, p->low, p->high);
  return ls_clamp(low_16(low_16(y) + p->y_zero), p->low, p->high);
}

static int32_t quotient(const ls_binary_any_p* p, int32_t top, int32_t bottom) {
  int32_t headroom, magnitude, power, inverse, q;
  if (bottom < 0) top = -top, bottom = -bottom;
  inverse = ls_reciprocal(bottom, 31, &power);
  magnitude = top < 0 ? ~top : top;
  headroom = magnitude == 0 ? 31 : ls_zeros_before((uint32_t)magnitude) - 1;
  q = ls_high_mul(ls_wrapped((int64_t)top * ((int64_t)1 << headroom)), inverse);
  q = ls_divide_by_power(ls_high_mul(q, p->y_multiplier), -(p->y_shift - power - headroom));
  return ls_clamp_wide((int64_t)q + p->y_zero, p->low, p->high);
}

static int32_t combined(const ls_binary_any_p* p, int32_t a, int32_t b) {
  int64_t sum;
  switch (p->steps) {
    case LS_ADD:
      return finished(p, sum_on_grid(p, a, b));
    case LS_SQUARE:
      a = sum_on_grid(p, a, b);
      return finished(p, ls_wrapped((int64_t)a * a));
    case LS_MUL:
      return finished(p, a * b);
    case LS_PRELU:
      if (a < 0) return finished(p, a * b);
      return ls_clamp_wide((int64_t)ls_rescale(a, p->a_multiplier, p->a_shift) + p->y_zero, p->low,
                           p->high);
    case LS_DIV:
      return quotient(p, a, b);
    case LS_MUL_LATE:
      return ls_clamp(nearest_code((float)(a * b) * p->factor) + p->y_zero, p->low, p->high);
    default:
      sum = (int64_t)a * p->a_multiplier + (int64_t)(p->minus ? -b : b) * p->b_multiplier;
      sum = (sum + ((int64_t)1 << (p->y_shift - 1))) >> p->y_shift;
      return ls_clamp_wide(sum + p->y_zero, p->low, p->high);
  }
}

#if LS_HELIUM
static inline int32x4_t rescaled(int32x4_t v, int32_t multiplier, int32_t shift) {
  const int32x4_t down = vdupq_n_s32(shift);
  v = vqrdmulhq_n_s32(v, multiplier);
  return vrshlq_s32(vqaddq_s32(v, vshrq_n_s32(vandq_s32(v, down), 31)), down);
}
/* Four elements of a row from l on, or one that is spread along it. */
static inline int32x4_t four_of(const void* x, int32_t first, int32_t stride, int32_t l,
                                uint8_t type, mve_pred16_t on) {
  const int32_t at = first + l;
  if (stride == 0) return vdupq_n_s32(ls_get(x, first, type));
  if (type == LS_S16) return vldrhq_z_s32((const int16_t*)x + at, on);
  if (type == LS_S8) return vldrbq_z_s32((const int8_t*)x + at, on);
  return vreinterpretq_s32_u32(vldrbq_z_u32((const uint8_t*)x + at, on));
}
static int is_byte_or_word(uint8_t type) {
  return type == LS_S8 || type == LS_U8 || type == LS_S16;
}

/* Sums, products and squared differences under multipliers below 1, rounded twice. */
static int by_vectors(const ls_binary_any_p* p) {
  const ls_spread* s = &p->spread;
  return (p->steps == LS_ADD || p->steps == LS_MUL || p->steps == LS_SQUARE) && !p->once &&
         !p->vectors && p->a_shift <= 0 && p->b_shift <= 0 && p->y_shift <= 0 &&
         s->extent[3] >= 4 && (uint32_t)s->a_stride[3] <= 1 && (uint32_t)s->b_stride[3] <= 1 &&
         is_byte_or_word(p->a_type) && is_byte_or_word(p->b_type) && is_byte_or_word(p->y_type);
}

static void row_of(const ls_binary_any_p* p, const void* a, int32_t ra, const void* b, int32_t rb,
                   void* y, int32_t at) {
  const int32_t count = p->spread.extent[3];
  const int32x4_t low = vdupq_n_s32(p->low - p->y_zero), high = vdupq_n_s32(p->high - p->y_zero);
  int32_t l;
  for (l = 0; l < count; l += 4) {
    const mve_pred16_t on = vctp32q((uint32_t)(count - l));
    int32x4_t u = vsubq_n_s32(four_of(a, ra, p->spread.a_stride[3], l, p->a_type, on), p->a_zero);
    int32x4_t v = vsubq_n_s32(four_of(b, rb, p->spread.b_stride[3], l, p->b_type, on), p->b_zero);
    if (p->steps != LS_MUL) {
      u = rescaled(vshlq_s32(u, vdupq_n_s32(p->left)), p->a_multiplier, p->a_shift);
      v = rescaled(vshlq_s32(v, vdupq_n_s32(p->left)), p->b_multiplier, p->b_shift);
      u = p->minus ? vsubq_s32(u, v) : vaddq_s32(u, v);
    }
    if (p->steps != LS_ADD) u = vmulq_s32(u, p->steps == LS_MUL ? v : u);
    u = vaddq_n_s32(vminq_s32(vmaxq_s32(rescaled(u, p->y_multiplier, p->y_shift), low), high),
                    p->y_zero);
    if (p->y_type == LS_S16)
      vstrhq_p_s32((int16_t*)y + at + l, u, on);
    else
      vstrbq_p_s32((int8_t*)y + at + l, u, on);
  }
}
#else
static int by_vectors(const ls_binary_any_p* p) {
  return (void)p, 0;
}
static void row_of(const ls_binary_any_p* p, const void* a, int32_t ra, const void* b, int32_t rb,
                   void* y, int32_t at) {
  (void)p, (void)a, (void)ra, (void)b, (void)rb, (void)y, (void)at;
}
#endif

void ls_binary_any(const ls_binary_any_p* p, const void* a, const void* b, void* y) {
  const ls_spread* s = &p->spread;
  const int vectors = by_vectors(p);
  int32_t i, j, k, l, at = 0;
  for (i = 0; i < s->extent[0]; ++i)
    for (j = 0; j < s->extent[1]; ++j)
      for (k = 0; k < s->extent[2]; ++k) {
        const int32_t ra = i * s->a_stride[0] + j * s->a_stride[1] + k * s->a_stride[2];
        const int32_t rb = i * s->b_stride[0] + j * s->b_stride[1] + k * s->b_stride[2];
        if (vectors) {
          row_of(p, a, ra, b, rb, y, at);
          at += s->extent[3];
          continue;
        }
        for (l = 0; l < s->extent[3]; ++l, ++at) {
          const int32_t left = ls_get(a, ra + l * s->a_stride[3], p->a_type) - p->a_zero;
          const int32_t right = ls_get(b, rb + l * s->b_stride[3], p->b_type) - p->b_zero;
          const int in_vector = p->vectors && at % p->row < p->whole;
          ls_put(y, at, p->y_type,
                 in_vector ? sum_in_vectors(p, left, right) : combined(p, left, right));
        }
      }
}
