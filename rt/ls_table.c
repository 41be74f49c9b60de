/* Functions of one code, and softmax of codes. */
#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

void ls_table_8(const uint8_t* table, const void* x, void* y, size_t count) {
  const uint8_t* in = (const uint8_t*)x;
  uint8_t* out = (uint8_t*)y;
  size_t i;
#if LS_HELIUM
  for (i = 0; i < count; i += 16) {
    const mve_pred16_t on = vctp8q((uint32_t)(count - i));
    vstrbq_p_u8(out + i, vldrbq_gather_offset_z_u8(table, vldrbq_z_u8(in + i, on), on), on);
  }
#else
  for (i = 0; i < count; ++i) out[i] = table[in[i]];
#endif
}

/* x saturated after a shift to the left by e. */
static int32_t saturating_shift(int32_t x, int32_t e) {
  const int64_t wide = (int64_t)x * ((int64_t)1 << e);
  return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* 1 / (1 + x), x in [0, 1] of Q0.31: three Newton steps. */
static int32_t inverse_of_one_plus(int32_t x) {
  const int64_t sum = (int64_t)x + INT32_MAX;
  const int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
  int32_t y = 1515870810 + ls_high_mul(half, -1010580540); /* 48/17 - 32/17 x in Q2.29 */
  int32_t i;
  for (i = 0; i < 3; ++i) {
    const int32_t rest = ((int32_t)1 << 29) - ls_high_mul(half, y);
    y = (int32_t)((uint32_t)y + (uint32_t)saturating_shift(ls_high_mul(y, rest), 2));
  }
  return saturating_shift(y, 1);
}

static int32_t leading_zeros(uint32_t x) {
  int32_t n = 0;
  if (x == 0) return 32;
  while ((x & 0x80000000u) == 0) x <<= 1, ++n;
  return n;
}

#if LS_HELIUM
/* Exponentials (Q0.31, none negative) of four neighbours; those that do not count are zero. */
static inline int32x4_t four_exponentials(const ls_softmax* p, const int8_t* x, int32_t best,
                                          mve_pred16_t on) {
  const int32x4_t codes = p->is_unsigned
                              ? vreinterpretq_s32_u32(vldrbq_z_u32((const uint8_t*)x, on))
                              : vldrbq_z_s32(x, on);
  const uint32x4_t distance = vreinterpretq_u32_s32(vaddq_n_s32(vnegq_s32(codes), best));
  const mve_pred16_t counts = vcmphiq_m_u32(vdupq_n_u32((uint32_t)p->live), distance, on);
  return vldrwq_gather_shifted_offset_z_s32(p->exponential, distance, counts);
}

/* A row whose codes are neighbours; as softmax_row_fixed. */
static void softmax_neighbours(const ls_softmax* p, const int8_t* x, void* y) {
  const int32_t least = p->is_unsigned ? 0 : -128;
  int32_t best = least, sum = 0, i, headroom, inverse;
  int32x4_t down;
  for (i = 0; i < p->count; i += 16) {
    const mve_pred16_t on = vctp8q((uint32_t)(p->count - i));
    best = p->is_unsigned
               ? (int32_t)vmaxvq_p_u8((uint8_t)best, vldrbq_z_u8((const uint8_t*)x + i, on), on)
               : (int32_t)vmaxvq_p_s8((int8_t)best, vldrbq_z_s8(x + i, on), on);
  }
  for (i = 0; i < p->count; i += 4)
    sum = vaddvaq_s32(
        sum,
        vrshrq_n_s32(four_exponentials(p, x + i, best, vctp32q((uint32_t)(p->count - i))), 12));
  headroom = leading_zeros((uint32_t)sum);
  inverse = inverse_of_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
  down = vdupq_n_s32(headroom - 12 - (p->y_bytes == 2 ? 15 : 23));
  for (i = 0; i < p->count; i += 4) {
    const mve_pred16_t on = vctp32q((uint32_t)(p->count - i));
    int32x4_t code =
        vrshlq_s32(vqrdmulhq_n_s32(four_exponentials(p, x + i, best, on), inverse), down);
    code =
        vminq_s32(vmaxq_s32(vaddq_n_s32(code, p->low), vdupq_n_s32(p->low)), vdupq_n_s32(p->high));
    if (p->y_bytes == 2)
      vstrhq_p_s32((int16_t*)y + i, code, on);
    else
      vstrbq_p_s32((int8_t*)y + i, code, on);
  }
}
#endif

static void softmax_row_fixed(const ls_softmax* p, const int8_t* x, void* y) {
  int32_t best = INT32_MIN, sum = 0, i, headroom, inverse;
  for (i = 0; i < p->count; ++i) {
    const int32_t code = ls_code(x[i * p->inner], p->is_unsigned);
    if (code > best) best = code;
  }
  for (i = 0; i < p->count; ++i) {
    const int32_t d = best - ls_code(x[i * p->inner], p->is_unsigned);
    if (d < p->live) sum += ls_divide_by_power(p->exponential[d], 12); /* Q12.19 */
  }
  headroom = leading_zeros((uint32_t)sum);
  inverse = inverse_of_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
  for (i = 0; i < p->count; ++i) {
    const int32_t d = best - ls_code(x[i * p->inner], p->is_unsigned);
    int32_t code = p->low;
    if (d < p->live) {
      const int32_t down = p->y_bytes == 2 ? 15 : 23;
      const int32_t share =
          ls_divide_by_power(ls_high_mul(inverse, p->exponential[d]), 12 - headroom + down);
      code = ls_clamp(share + p->low, p->low, p->high);
    }
    if (p->y_bytes == 2)
      ((int16_t*)y)[i * p->inner] = (int16_t)code;
    else
      ((int8_t*)y)[i * p->inner] = ls_byte(code);
  }
}

static void softmax_row_float(const ls_softmax* p, const int8_t* x, void* row) {
  int8_t* y = (int8_t*)row;
  const float far = 1048576.0f; /* beyond every code */
  int32_t best = INT32_MIN, i;
  float sum = 0.0f;
  for (i = 0; i < p->count; ++i) {
    const int32_t code = ls_code(x[i * p->inner], p->is_unsigned);
    if (code > best) best = code;
  }
  for (i = 0; i < p->count; ++i)
    sum = sum + p->exponential_real[best - ls_code(x[i * p->inner], p->is_unsigned)];
  for (i = 0; i < p->count; ++i) {
    const float term = p->exponential_real[best - ls_code(x[i * p->inner], p->is_unsigned)];
    const float scaled = term * p->y_factor;
    const float share = scaled / sum;
    const int32_t code = share >= 2147483648.0f
                             ? p->beyond
                             : ls_nearest_even(ls_clamp_real(share, -far, far)) + p->zero;
    y[i * p->inner] = ls_byte(ls_clamp(code, p->low, p->high));
  }
}

static void each_row(const ls_softmax* p, const void* x, void* y, int32_t y_bytes,
                     void (*row)(const ls_softmax*, const int8_t*, void*)) {
  int32_t o, i;
  for (o = 0; o < p->outer; ++o)
    for (i = 0; i < p->inner; ++i) {
      const int32_t at = o * p->count * p->inner + i;
      row(p, (const int8_t*)x + at, (int8_t*)y + at * y_bytes);
    }
}
void ls_softmax_fixed_8(const ls_softmax* p, const void* x, void* y) {
#if LS_HELIUM
  if (p->inner == 1) {
    each_row(p, x, y, p->y_bytes, softmax_neighbours);
    return;
  }
#endif
  each_row(p, x, y, p->y_bytes, softmax_row_fixed);
}
void ls_softmax_float_8(const ls_softmax* p, const void* x, void* y) {
  each_row(p, x, y, 1, softmax_row_float);
}
