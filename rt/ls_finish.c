/* Accumulators to codes. */
#include <math.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

void ls_finish_fixed_left(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel,
                          void *y) {
  int8_t *out = (int8_t *)y;
  int32_t i;
  for (i = 0; i < count; ++i) {
    const int32_t scaled = ls_rescale(acc[i], q->multiplier[channel + i], q->shift[channel + i]);
    out[i] = ls_byte(ls_clamp(scaled, q->low - q->zero, q->high - q->zero) + q->zero);
  }
}

#if LS_HELIUM

/* x / 2^-shift, ties away from zero, shift <= 0: the hardware's tie goes up, so negative numbers
   first lose one. */
static inline int32x4_t divide_by_power(int32x4_t x, int32x4_t shift) {
  const int32x4_t fix = vshrq_n_s32(vandq_s32(x, shift), 31);
  return vrshlq_s32(vqaddq_s32(x, fix), shift);
}

void ls_finish_fixed(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel, void *y) {
  const int32_t *multiplier = q->multiplier + channel, *shift = q->shift + channel;
  const int32x4_t low = vdupq_n_s32(q->low - q->zero), high = vdupq_n_s32(q->high - q->zero);
  const int32_t zero = q->zero;
  int8_t *out = (int8_t *)y;
  for (; count > 0; count -= 4) {
    const mve_pred16_t p = vctp32q((uint32_t)count);
    int32x4_t v = vqrdmulhq_s32(vldrwq_z_s32(acc, p), vldrwq_z_s32(multiplier, p));
    v = divide_by_power(v, vldrwq_z_s32(shift, p));
    v = vaddq_n_s32(vminq_s32(vmaxq_s32(v, low), high), zero);
    vstrbq_p_s32(out, v, p);
    acc += 4, multiplier += 4, shift += 4, out += 4;
  }
}

void ls_finish_fixed_one(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel,
                         void *y) {
  const int32x4_t low = vdupq_n_s32(q->low - q->zero), high = vdupq_n_s32(q->high - q->zero);
  const int32_t left = q->shift[0] > 0 ? q->shift[0] : 0;
  const int32x4_t shift = vdupq_n_s32(q->shift[0] > 0 ? 0 : q->shift[0]);
  const int32_t multiplier = q->multiplier[0], zero = q->zero;
  int8_t *out = (int8_t *)y;
  (void)channel;
  for (; count > 0; count -= 4) {
    const mve_pred16_t p = vctp32q((uint32_t)count);
    int32x4_t v = vshlq_r_s32(vldrwq_z_s32(acc, p), left);
    v = divide_by_power(vqrdmulhq_n_s32(v, multiplier), shift);
    v = vaddq_n_s32(vminq_s32(vmaxq_s32(v, low), high), zero);
    vstrbq_p_s32(out, v, p);
    acc += 4, out += 4;
  }
}

#else

void ls_finish_fixed(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel, void *y) {
  ls_finish_fixed_left(q, acc, count, channel, y);
}

void ls_finish_fixed_one(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel,
                         void *y) {
  int8_t *out = (int8_t *)y;
  int32_t i;
  (void)channel;
  for (i = 0; i < count; ++i) {
    const int32_t scaled = ls_rescale(acc[i], q->multiplier[0], q->shift[0]);
    out[i] = ls_byte(ls_clamp(scaled, q->low - q->zero, q->high - q->zero) + q->zero);
  }
}

#endif

#if LS_HELIUM_FLOAT

static void finish_float(const ls_requant *q, const int32_t *acc, int32_t count, const float *factor,
                         int32_t step, void *y) {
  const float32x4_t low = vdupq_n_f32((float)(q->low - q->zero)), high = vdupq_n_f32((float)(q->high - q->zero));
  const int32_t zero = q->zero;
  int8_t *out = (int8_t *)y;
  float32x4_t f = vdupq_n_f32(factor[0]);
  for (; count > 0; count -= 4) {
    const mve_pred16_t p = vctp32q((uint32_t)count);
    float32x4_t v = vcvtq_f32_s32(vldrwq_z_s32(acc, p));
    if (step) f = vldrwq_z_f32(factor, p);
    v = vminnmq_f32(vmaxnmq_f32(vmulq_f32(v, f), low), high);
    vstrbq_p_s32(out, vaddq_n_s32(vcvtnq_s32_f32(v), zero), p);
    acc += 4, factor += step, out += 4;
  }
}
void ls_finish_float(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel, void *y) {
  finish_float(q, acc, count, q->factor + channel, 4, y);
}
void ls_finish_float_one(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel,
                         void *y) {
  (void)channel;
  finish_float(q, acc, count, q->factor, 0, y);
}

#else

static void finish_float(const ls_requant *q, const int32_t *acc, int32_t count, const float *factor,
                         int32_t step, void *y) {
  const float low = (float)(q->low - q->zero), high = (float)(q->high - q->zero);
  int8_t *out = (int8_t *)y;
  int32_t i;
  for (i = 0; i < count; ++i)
    out[i] = ls_byte(ls_requant_float(acc[i], factor[i * step], low, high, q->zero));
}
void ls_finish_float(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel, void *y) {
  finish_float(q, acc, count, q->factor + channel, 1, y);
}
void ls_finish_float_one(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel,
                         void *y) {
  (void)channel;
  finish_float(q, acc, count, q->factor, 0, y);
}

#endif

/* Ties away from zero; what int32 cannot hold becomes the least int32, as x86 converts. */
static int32_t nearest_away(double v) {
  const double n = round(v);
  return n >= -2147483648.0 && n <= 2147483647.0 ? (int32_t)n : INT32_MIN;
}

static void finish_double(const ls_requant *q, const int32_t *acc, int32_t count, const double *real,
                          int32_t step, void *y) {
  int8_t *out = (int8_t *)y;
  int32_t i;
  for (i = 0; i < count; ++i) {
    const int64_t code = (int64_t)nearest_away(acc[i] * real[i * step]) + q->zero;
    out[i] = ls_byte(code < q->low ? q->low : code > q->high ? q->high : (int32_t)code);
  }
}
void ls_finish_double(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel, void *y) {
  finish_double(q, acc, count, q->real + channel, 1, y);
}
void ls_finish_double_one(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel,
                          void *y) {
  (void)channel;
  finish_double(q, acc, count, q->real, 0, y);
}

void ls_finish_real(const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel, void *y) {
  float *out = (float *)y;
  int32_t i;
  for (i = 0; i < count; ++i) out[i] = (float)acc[i] * q->factor[channel + i];
}
