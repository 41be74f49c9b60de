/* The way between reals and 8-bit codes of one scale. */
#include <math.h>

#include "ls_fixed.h"

static void quantize_even(const float* x, int8_t* y, size_t count, float scale, int32_t zero,
                          int32_t low, int32_t high) {
  const float least = (float)(low - zero), most = (float)(high - zero);
  size_t i;
  for (i = 0; i < count; ++i) {
    const float v = x[i] / scale;
    const float known = v == v ? v : least; /* not a number becomes the least code */
    y[i] = ls_byte(ls_nearest_even(ls_clamp_real(known, least, most)) + zero);
  }
}

static void quantize_away(const float* x, int8_t* y, size_t count, float scale, int32_t zero,
                          int32_t low, int32_t high) {
  size_t i;
  for (i = 0; i < count; ++i) {
    const float v = roundf(x[i] / scale);
    /* What int32 cannot hold becomes the least int32, as x86 converts. */
    const int32_t n = v >= -2147483648.0f && v < 2147483648.0f ? (int32_t)v : INT32_MIN;
    y[i] = ls_byte(ls_clamp((int32_t)((uint32_t)n + (uint32_t)zero), low, high));
  }
}

#if LS_HELIUM_FLOAT
#include <arm_mve.h>

/* Quotients by such a scale come out as a division rounds them: nothing on the way to a code other
   than zero's is subnormal, which Helium takes for zero. */
static int divides_exactly(float scale) {
  return scale >= 0x1p-60f && scale <= 0x1p60f;
}

/* x / scale: x times the inverse is near it, and each correction by the exact remainder, both steps
   fused, brings it nearer; after two it is the nearest float. */
static inline float32x4_t quotient(float32x4_t x, float scale, float inverse) {
  float32x4_t q = vmulq_n_f32(x, inverse);
  q = vfmaq_n_f32(q, vfmsq_f32(x, q, vdupq_n_f32(scale)), inverse);
  return vfmaq_n_f32(q, vfmsq_f32(x, q, vdupq_n_f32(scale)), inverse);
}
/* Between the reals of the least and the greatest code; not a number becomes the least. */
static inline float32x4_t held(float32x4_t x, float least, float most) {
  return vminnmq_f32(vmaxnmq_f32(x, vdupq_n_f32(least)), vdupq_n_f32(most));
}

static void quantize_even_by_fours(const float* x, int8_t* y, size_t count, float scale,
                                   int32_t zero, int32_t low, int32_t high) {
  const float least = (float)(low - zero) * scale, most = (float)(high - zero) * scale,
              inverse = 1.0f / scale;
  size_t i;
  for (i = 0; i < count; i += 4) {
    const mve_pred16_t on = vctp32q((uint32_t)(count - i));
    const float32x4_t v = held(vldrwq_z_f32(x + i, on), least, most);
    vstrbq_p_s32(y + i, vaddq_n_s32(vcvtnq_s32_f32(quotient(v, scale, inverse)), zero), on);
  }
}

static void quantize_away_by_fours(const float* x, int8_t* y, size_t count, float scale,
                                   int32_t zero, int32_t low, int32_t high) {
  const float least = (float)(low - zero) * scale, most = (float)(high - zero) * scale,
              inverse = 1.0f / scale;
  /* The least int32 plus the zero point wraps where that is negative. */
  const int32x4_t beyond = vdupq_n_s32(zero < 0 ? high : low);
  const float bound = 2147483648.0f * scale;
  size_t i;
  for (i = 0; i < count; i += 4) {
    const mve_pred16_t on = vctp32q((uint32_t)(count - i));
    const float32x4_t v = vldrwq_z_f32(x + i, on);
    const mve_pred16_t fits = vcmpltq_m_n_f32(v, bound, vcmpgtq_n_f32(v, -bound));
    const int32x4_t code =
        vaddq_n_s32(vcvtaq_s32_f32(quotient(held(v, least, most), scale, inverse)), zero);
    vstrbq_p_s32(y + i, vpselq_s32(code, beyond, fits), on);
  }
}
#endif

typedef void (*quantizer)(const float* x, int8_t* y, size_t count, float scale, int32_t zero,
                          int32_t low, int32_t high);
#if LS_HELIUM_FLOAT
static quantizer faster(float scale, quantizer by_fours, quantizer one_by_one) {
  return divides_exactly(scale) ? by_fours : one_by_one;
}
#else
#define faster(SCALE, BY_FOURS, ONE_BY_ONE) (ONE_BY_ONE)
#endif

void ls_quantize_even_8(const float* x, void* y, size_t count, float scale, int32_t zero,
                        int32_t low, int32_t high) {
  const quantizer quantize = faster(scale, quantize_even_by_fours, quantize_even);
  quantize(x, (int8_t*)y, count, scale, zero, low, high);
}
void ls_quantize_away_8(const float* x, void* y, size_t count, float scale, int32_t zero,
                        int32_t low, int32_t high) {
  const quantizer quantize = faster(scale, quantize_away_by_fours, quantize_away);
  quantize(x, (int8_t*)y, count, scale, zero, low, high);
}

/* From the back where y begins in x's place, so that nothing is written over before it is read;
 * else from the front. */
#if LS_HELIUM_FLOAT
static inline void dequantize_four(const int8_t* x, float* y, size_t i, size_t count, float scale,
                                   int32_t zero, int is_unsigned) {
  const mve_pred16_t on = vctp32q((uint32_t)(count - i));
  const int32x4_t code = is_unsigned
                             ? vreinterpretq_s32_u32(vldrbq_z_u32((const uint8_t*)x + i, on))
                             : vldrbq_z_s32(x + i, on);
  vstrwq_p_f32(y + i, vmulq_n_f32(vcvtq_f32_s32(vsubq_n_s32(code, zero)), scale), on);
}
static inline __attribute__((always_inline)) void dequantize(const int8_t* x, float* y,
                                                             size_t count, float scale,
                                                             int32_t zero, int is_unsigned) {
  size_t i;
  if ((const void*)x == (const void*)y)
    for (i = (count + 3) / 4 * 4; i > 0; i -= 4)
      dequantize_four(x, y, i - 4, count, scale, zero, is_unsigned);
  else
    for (i = 0; i < count; i += 4) dequantize_four(x, y, i, count, scale, zero, is_unsigned);
}
#endif

static inline float real_of(int8_t stored, float scale, int32_t zero, uint8_t is_unsigned) {
  return scale * (float)(ls_code(stored, is_unsigned) - zero);
}
static void dequantize_8(const int8_t* x, float* y, size_t count, float scale, int32_t zero,
                         uint8_t is_unsigned) {
  size_t i;
#if LS_HELIUM_FLOAT
  if (scale >= 0x1p-126f) { /* no product is subnormal */
    if (is_unsigned)
      dequantize(x, y, count, scale, zero, 1);
    else
      dequantize(x, y, count, scale, zero, 0);
    return;
  }
#endif
  if ((const void*)x == (const void*)y)
    for (i = count; i-- > 0;) y[i] = real_of(x[i], scale, zero, is_unsigned);
  else
    for (i = 0; i < count; ++i) y[i] = real_of(x[i], scale, zero, is_unsigned);
}
void ls_dequantize_s8(const int8_t* x, float* y, size_t count, float scale, int32_t zero) {
  dequantize_8(x, y, count, scale, zero, 0);
}
void ls_dequantize_u8(const uint8_t* x, float* y, size_t count, float scale, int32_t zero) {
  dequantize_8((const int8_t*)(const void*)x, y, count, scale, zero, 1);
}
