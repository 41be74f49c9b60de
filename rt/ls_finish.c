/* Accumulators to codes. */
#include <math.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

#define PARAMETERS                                                                                \
  const ls_requant *q, const int32_t *acc, int32_t count, int32_t channel, int32_t rows, void *y, \
      int32_t step

/* Fixed point, one element at a time; multiplier and shift move by `by` from channel to channel. */
static void fixed_portable(const ls_requant* q, const int32_t* acc, int32_t count, int32_t rows,
                           int8_t* y, int32_t step, const int32_t* multiplier, const int32_t* shift,
                           int32_t by) {
  int32_t i;
  for (; rows > 0; --rows, acc += LS_RUN, y += step)
    for (i = 0; i < count; ++i) {
      const int32_t scaled = ls_rescale(acc[i], multiplier[i * by], shift[i * by]);
      y[i] = ls_byte(ls_clamp(scaled, q->low - q->zero, q->high - q->zero) + q->zero);
    }
}

void ls_finish_fixed_left(PARAMETERS) {
  fixed_portable(q, acc, count, rows, (int8_t*)y, step, q->multiplier + channel, q->shift + channel,
                 1);
}

void ls_finish_fixed_once(PARAMETERS) {
  const int32_t *multiplier = q->multiplier + channel, *shift = q->shift + channel;
  int8_t* out = (int8_t*)y;
  int32_t i;
  for (; rows > 0; --rows, acc += LS_RUN, out += step)
    for (i = 0; i < count; ++i) {
      const int32_t down = 31 - shift[i];
      const int64_t scaled = ((int64_t)acc[i] * multiplier[i] + ((int64_t)1 << (down - 1))) >> down;
      out[i] = ls_byte(ls_clamp((int32_t)(uint32_t)((uint64_t)scaled & 0xffffffffu),
                                q->low - q->zero, q->high - q->zero) +
                       q->zero);
    }
}

#if LS_HELIUM

typedef struct {
  int32x4_t low, high;
  int32_t zero;
} bounds;

static inline bounds bounds_of(const ls_requant* q) {
  bounds b;
  b.low = vdupq_n_s32(q->low - q->zero);
  b.high = vdupq_n_s32(q->high - q->zero);
  b.zero = q->zero;
  return b;
}

/* Rounded twice. Second step: x / 2^-shift, ties away from zero, shift <= 0; the hardware's tie
   goes up, so negative numbers first lose one. */
static inline int32x4_t fixed4(int32x4_t v, int32x4_t multiplier, int32x4_t shift, bounds b) {
  v = vqrdmulhq_s32(v, multiplier);
  v = vqaddq_s32(v, vshrq_n_s32(vandq_s32(v, shift), 31));
  v = vrshlq_s32(v, shift);
  return vaddq_n_s32(vminq_s32(vmaxq_s32(v, b.low), b.high), b.zero);
}

void ls_finish_fixed(PARAMETERS) {
  const int32_t *multiplier = q->multiplier + channel, *shift = q->shift + channel;
  const bounds b = bounds_of(q);
  int8_t* out = (int8_t*)y;
  int32_t i, r;
  for (i = count / 4; i > 0; --i) {
    const int32x4_t m = vldrwq_s32(multiplier), s = vldrwq_s32(shift);
    vstrbq_s32(out, fixed4(vldrwq_s32(acc), m, s, b));
    if (rows > 1) vstrbq_s32(out + step, fixed4(vldrwq_s32(acc + LS_RUN), m, s, b));
    if (rows > 2) vstrbq_s32(out + 2 * step, fixed4(vldrwq_s32(acc + 2 * LS_RUN), m, s, b));
    acc += 4, multiplier += 4, shift += 4, out += 4;
  }
  if (count % 4 != 0) {
    const mve_pred16_t p = vctp32q((uint32_t)(count % 4));
    const int32x4_t m = vldrwq_z_s32(multiplier, p), s = vldrwq_z_s32(shift, p);
    for (r = 0; r < rows; ++r)
      vstrbq_p_s32(out + r * step, fixed4(vldrwq_z_s32(acc + r * LS_RUN, p), m, s, b), p);
  }
}

void ls_finish_fixed_one(PARAMETERS) {
  const bounds b = bounds_of(q);
  const int32x4_t m = vdupq_n_s32(q->multiplier[0]), s = vdupq_n_s32(q->shift[0]);
  int8_t* out = (int8_t*)y;
  if (q->shift[0] > 0) {
    fixed_portable(q, acc, count, rows, out, step, q->multiplier, q->shift, 0);
    return;
  }
  (void)channel;
  for (; rows > 0; --rows, acc += LS_RUN, out += step) {
    int32_t i;
    for (i = 0; i < count; i += 4) {
      const mve_pred16_t p = vctp32q((uint32_t)(count - i));
      vstrbq_p_s32(out + i, fixed4(vldrwq_z_s32(acc + i, p), m, s, b), p);
    }
  }
}

#else

void ls_finish_fixed(PARAMETERS) {
  ls_finish_fixed_left(q, acc, count, channel, rows, y, step);
}

void ls_finish_fixed_one(PARAMETERS) {
  (void)channel;
  fixed_portable(q, acc, count, rows, (int8_t*)y, step, q->multiplier, q->shift, 0);
}

#endif

#if LS_HELIUM_FLOAT

static inline int32x4_t float4(int32x4_t acc, float32x4_t factor, float32x4_t low, float32x4_t high,
                               int32_t zero) {
  const float32x4_t v = vmulq_f32(vcvtq_f32_s32(acc), factor);
  return vaddq_n_s32(vcvtnq_s32_f32(vminnmq_f32(vmaxnmq_f32(v, low), high)), zero);
}

static void finish_float(const ls_requant* q, const int32_t* acc, int32_t count, int32_t rows,
                         int8_t* y, int32_t step, const float* factor, int32_t by) {
  const float32x4_t low = vdupq_n_f32((float)(q->low - q->zero)),
                    high = vdupq_n_f32((float)(q->high - q->zero));
  const int32_t zero = q->zero;
  float32x4_t f = vdupq_n_f32(factor[0]);
  int32_t i, r;
  for (i = 0; i < count; i += 4) {
    const mve_pred16_t p = vctp32q((uint32_t)(count - i));
    if (by) f = vldrwq_z_f32(factor + i, p);
    for (r = 0; r < rows; ++r)
      vstrbq_p_s32(y + r * step + i,
                   float4(vldrwq_z_s32(acc + r * LS_RUN + i, p), f, low, high, zero), p);
  }
}

#else

static void finish_float(const ls_requant* q, const int32_t* acc, int32_t count, int32_t rows,
                         int8_t* y, int32_t step, const float* factor, int32_t by) {
  const float low = (float)(q->low - q->zero), high = (float)(q->high - q->zero);
  int32_t i;
  for (; rows > 0; --rows, acc += LS_RUN, y += step)
    for (i = 0; i < count; ++i)
      y[i] = ls_byte(ls_requant_float(acc[i], factor[i * by], low, high, q->zero));
}

#endif

void ls_finish_float(PARAMETERS) {
  finish_float(q, acc, count, rows, (int8_t*)y, step, q->factor + channel, 1);
}
void ls_finish_float_one(PARAMETERS) {
  (void)channel;
  finish_float(q, acc, count, rows, (int8_t*)y, step, q->factor, 0);
}

/* Ties away from zero; what int32 cannot hold becomes the least int32, as x86 converts. */
static int32_t nearest_away(double v) {
  const double n = round(v);
  return n >= -2147483648.0 && n <= 2147483647.0 ? (int32_t)n : INT32_MIN;
}

static void finish_double(const ls_requant* q, const int32_t* acc, int32_t count, int32_t rows,
                          int8_t* y, int32_t step, const double* real, int32_t by) {
  int32_t i;
  for (; rows > 0; --rows, acc += LS_RUN, y += step)
    for (i = 0; i < count; ++i) {
      const int32_t scaled = nearest_away(acc[i] * real[i * by]);
      y[i] = ls_byte(ls_clamp(scaled, q->low - q->zero, q->high - q->zero) + q->zero);
    }
}
void ls_finish_double(PARAMETERS) {
  finish_double(q, acc, count, rows, (int8_t*)y, step, q->real + channel, 1);
}
void ls_finish_double_one(PARAMETERS) {
  (void)channel;
  finish_double(q, acc, count, rows, (int8_t*)y, step, q->real, 0);
}

void ls_finish_real(PARAMETERS) {
  uint8_t* out = (uint8_t*)y;
  int32_t i;
  for (; rows > 0; --rows, acc += LS_RUN, out += step)
    for (i = 0; i < count; ++i) ((float*)(void*)out)[i] = (float)acc[i] * q->factor[channel + i];
}
