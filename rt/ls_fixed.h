/* Rounding on integers. A shift of a negative number to the right keeps its sign, as every compiler
   for the supported machines does. */
#ifndef LS_FIXED_H
#define LS_FIXED_H

#include "ls_rt.h"

static inline int32_t ls_clamp(int32_t v, int32_t low, int32_t high) {
  return v < low ? low : v > high ? high : v;
}

/* The low byte, as int8 and uint8 codes alike are stored. */
static inline int8_t ls_byte(int32_t code) {
  return (int8_t)(uint8_t)((uint32_t)code & 0xffu);
}

static inline int8_t ls_flipped(int8_t code, uint8_t flip) {
  return (int8_t)(uint8_t)((unsigned)(uint8_t)code ^ flip);
}

/* A stored byte as the code it is. */
static inline int32_t ls_code(int8_t stored, uint8_t is_unsigned) {
  return is_unsigned ? (int32_t)(uint8_t)stored : (int32_t)stored;
}

/* floor(a b / 2^31 + 1/2), saturated. */
static inline int32_t ls_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^e, nearest, ties away from zero; 0 <= e <= 31. */
static inline int32_t ls_divide_by_power(int32_t x, int32_t e) {
  const int64_t mask = ((int64_t)1 << e) - 1;
  const int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (int32_t)(((int64_t)x >> e) + (((int64_t)x & mask) > threshold ? 1 : 0));
}

static inline int32_t ls_shift_left(int32_t x, int32_t e) {
  return (int32_t)(uint32_t)((uint64_t)(uint32_t)x << e);
}

/* x times multiplier * 2^shift / 2^31, rounded twice; the shift to the left wraps. */
static inline int32_t ls_rescale(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t wide = shift > 0 ? ls_shift_left(x, shift) : x;
  return ls_divide_by_power(ls_high_mul(wide, multiplier), shift > 0 ? 0 : -shift);
}

/* Nearest integer, ties to even, of |v| < 2^22. */
static inline int32_t ls_nearest_even(float v) {
  const float magic = 12582912.0f; /* 3 * 2^22: the unit of its last place is 1 */
  const float shifted = v + magic;
  return (int32_t)(shifted - magic);
}

static inline float ls_clamp_real(float v, float low, float high) {
  return v < low ? low : v > high ? high : v;
}

/* code = clamp(zero + nearest_even(acc * factor)), clamped before rounding: bounds are integers. */
static inline int32_t ls_requant_float(int32_t acc, float factor, float low, float high,
                                       int32_t zero) {
  return ls_nearest_even(ls_clamp_real((float)acc * factor, low, high)) + zero;
}

#endif
