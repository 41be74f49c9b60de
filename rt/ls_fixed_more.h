/* Fixed-point functions: exponential, logarithm, reciprocal, inverse root. Q0.31 is a fraction of
 * 2^31. */
#ifndef LS_FIXED_MORE_H
#define LS_FIXED_MORE_H

#include "ls_fixed.h"

static inline int32_t ls_wrapped(int64_t v) {
  return (int32_t)(uint32_t)((uint64_t)v & 0xffffffffu);
}
static inline int32_t ls_clamp_wide(int64_t v, int32_t low, int32_t high) {
  return v < low ? low : v > high ? high : (int32_t)v;
}
static inline int32_t ls_saturated(int64_t v) {
  return ls_clamp_wide(v, INT32_MIN, INT32_MAX);
}
static inline int32_t ls_saturating_shift(int32_t x, int32_t e) {
  return ls_saturated((int64_t)x * ((int64_t)1 << e));
}

static inline int32_t ls_zeros_before(uint32_t x) {
  int32_t n = 0;
  if (x == 0) return 32;
  while ((x & 0x80000000u) == 0) x <<= 1, ++n;
  return n;
}

/* x m 2^shift / 2^31 rounded once, ties up. */
static inline int32_t ls_rescale_once(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t down = 31 - shift;
  return ls_wrapped(((int64_t)x * multiplier + ((int64_t)1 << (down - 1))) >> down);
}

/* The same of 64 bits, by the multiplier cut to 16 bits. */
static inline int32_t ls_rescale_wide(int64_t x, int32_t multiplier, int32_t shift) {
  const int64_t m = multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
  const int32_t down = 15 - shift;
  return ls_wrapped((x * m + ((int64_t)1 << (down - 1))) >> down);
}

/* (a + b) / 2, ties away from zero. */
static inline int32_t ls_half_sum(int32_t a, int32_t b) {
  const int64_t sum = (int64_t)a + b;
  return (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/* 1 / (1 + x), x in [0, 1] of Q0.31: three Newton steps. */
static inline int32_t ls_inverse_of_one_plus(int32_t x) {
  const int32_t half = ls_half_sum(x, INT32_MAX);
  int32_t y = 1515870810 + ls_high_mul(half, -1010580540), i; /* 48/17 - 32/17 x in Q2.29 */
  for (i = 0; i < 3; ++i) {
    const int32_t rest = ((int32_t)1 << 29) - ls_high_mul(half, y);
    y = ls_wrapped((int64_t)y + ls_saturating_shift(ls_high_mul(y, rest), 2));
  }
  return ls_saturating_shift(y, 1);
}

/* The mantissa of 1 / x in Q0.31; *power: what it must be shifted down by beside `bits`. */
static inline int32_t ls_reciprocal(int32_t x, int32_t bits, int32_t* power) {
  const int32_t headroom = ls_zeros_before((uint32_t)x);
  *power = bits - headroom;
  return ls_inverse_of_one_plus(
      (int32_t)((headroom >= 32 ? 0u : (uint32_t)x << headroom) - 0x80000000u));
}

#endif
