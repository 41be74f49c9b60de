/* Functions, softmax and sums of float32 in the steps of XNNPACK with fused multiply-add. */
#include <math.h>
#include <string.h>

#include "ls_number.h"

static float horner(float x, const float* c, int32_t n) {
  float p = c[0];
  int32_t i;
  for (i = 1; i < n; ++i) p = fmaf(p, x, c[i]);
  return p;
}

static float of_bits(uint32_t bits) {
  float y;
  memcpy(&y, &bits, sizeof y);
  return y;
}
static uint32_t bits_of(float x) {
  uint32_t y;
  memcpy(&y, &x, sizeof y);
  return y;
}

/* 2^(i/32) */
static const float powers[32] = {
    0x1.000000p+0f, 0x1.059B0Ep+0f, 0x1.0B5586p+0f, 0x1.11301Ep+0f, 0x1.172B84p+0f, 0x1.1D4874p+0f,
    0x1.2387A6p+0f, 0x1.29E9E0p+0f, 0x1.306FE0p+0f, 0x1.371A74p+0f, 0x1.3DEA64p+0f, 0x1.44E086p+0f,
    0x1.4BFDAEp+0f, 0x1.5342B6p+0f, 0x1.5AB07Ep+0f, 0x1.6247ECp+0f, 0x1.6A09E6p+0f, 0x1.71F75Ep+0f,
    0x1.7A1148p+0f, 0x1.82589Ap+0f, 0x1.8ACE54p+0f, 0x1.93737Cp+0f, 0x1.9C4918p+0f, 0x1.A5503Cp+0f,
    0x1.AE89FAp+0f, 0x1.B7F770p+0f, 0x1.C199BEp+0f, 0x1.CB720Ep+0f, 0x1.D5818Ep+0f, 0x1.DFC974p+0f,
    0x1.EA4AFAp+0f, 0x1.F50766p+0f};

static float sigmoid(float x) {
  const float bias = 0x1.8p18f, z = -fabsf(x);
  float n = fmaf(z, 0x1.715476p0f, bias), t, p, e, y;
  const float power = powers[bits_of(n) & 31u];
  n = n - bias;
  t = fmaf(n, -0x1.62E430p-1f, z);
  t = fmaf(n, 0x1.05C61p-29f, t);
  p = fmaf(t, 0.5f, 0x1.0000F6p0f);
  t = t * power;
  p = fmaf(t, p, power);
  e = ldexpf(p, (int)floorf(n > -300.0f ? n : -300.0f));
  y = e / (e + 1.0f);
  return signbit(x) ? y : 1.0f - y;
}

static float tangent(float x) {
  static const float odd[] = {1.4248920266e-08f, 2.1235626264e-05f, 3.5330520477e-03f,
                              1.3412411511e-01f, 1.0f};
  static const float even[] = {8.1365948290e-07f, 3.3472978976e-04f, 2.6018999517e-02f,
                               4.6745735407e-01f, 1.0f};
  const float most = 7.9807181358e+00f, v = x < -most ? -most : most < x ? most : x, square = v * v;
  const float top = v * horner(square, odd, 5);
  return top / horner(square, even, 5);
}

/* 2^round(z) times a quotient of polynomials for what is left. */
static float exponential(float x) {
  static const float above[] = {5.5380910635e-03f, 7.2068706155e-02f, 4.1594290733e-01f, 1.0f};
  static const float below[] = {2.3986088112e-02f, -2.7720427513e-01f, 1.0f};
  float z = x * 1.44269504089f, whole, rest, power;
  z = z < -127.0f ? -127.0f : 128.0f < z ? 128.0f : z;
  whole = 12582912.0f + z;
  whole = whole - 12582912.0f;
  rest = z - whole;
  power = of_bits(bits_of(whole + 8388735.0f) << 23);
  return power * (horner(rest, above, 4) / horner(rest, below, 3));
}

/* alpha (e^x - 1) below zero. */
static float elu(float x, float alpha) {
  static const float c[] = {0x1.6B7338p-10f, 0x1.12278Ep-7f, 0x1.555716p-5f, 0x1.5554B0p-3f,
                            0x1.FFFFFEp-2f};
  const float bias = 0x1.8000FEp23f, z = -0x1.154246p+4f < x ? x : -0x1.154246p+4f;
  const float n = fmaf(z, 0x1.715476p0f, bias), s = of_bits(bits_of(n) << 23),
              t = fmaf(n - bias, -0x1.62E430p-1f, z);
  const float p = horner(t, c, 5) * t, ts = t * s;
  return x < 0.0f ? fmaf(fmaf(p, ts, ts), alpha, fmaf(s, alpha, -alpha)) : x;
}

void ls_fused_exp_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = exponential(x[i]);
}
void ls_fused_elu_f32(float alpha, const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = elu(x[i], alpha);
}
void ls_fused_sigmoid_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = sigmoid(x[i]);
}
void ls_fused_tanh_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = tangent(x[i]);
}
void ls_fused_hard_swish_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) {
    const float part = fmaf(x[i], 0x1.555556p-3f, 0.5f);
    y[i] = (part < 0.0f ? 0.0f : 1.0f < part ? 1.0f : part) * x[i];
  }
}

/* e^x, x <= 0. */
static float falling(float x) {
  static const float c[] = {0x1.0F9F9Cp-7f, 0x1.573A1Ap-5f, 0x1.555A80p-3f, 0x1.FFFDC6p-2f,
                            0x1.FFFFF6p-1f};
  const float bias = 0x1.8000FEp23f, n = fmaf(x, 0x1.715476p0f, bias),
              s = of_bits(bits_of(n) << 23), whole = n - bias;
  float t = fmaf(whole, -0x1.62E400p-1f, x), p;
  if (x < -0x1.5D589Ep6f) return 0.0f;
  t = fmaf(whole, -0x1.7F7D1Cp-20f, t);
  p = horner(t, c, 5);
  t = t * s;
  return fmaf(t, p, s);
}

/* Elements `step` apart in sixteen lanes, even and odd sixteens apart while `group` of them are
 * there. */
static float sum_of(const float* x, int32_t count, int32_t step, int32_t group) {
  float even[16] = {0.0f}, odd[16] = {0.0f};
  int32_t i = 0, k, half;
  for (; i + group <= count; i += group)
    for (k = 0; k < group; ++k) {
      float* lane = k % 32 < 16 ? even : odd;
      lane[k % 16] = lane[k % 16] + x[(i + k) * step];
    }
  if (group == 32 && i + 16 <= count)
    for (k = 0; k < 16; ++k, ++i) even[k] = even[k] + x[i * step];
  for (k = 0; k < 16; ++k) even[k] = even[k] + odd[k];
  for (k = 0; i < count; ++i, ++k) even[k % 16] = even[k % 16] + x[i * step];
  for (half = 8; half > 0; half /= 2)
    for (k = 0; k < half; ++k) even[k] = even[k] + even[k + half];
  return even[0];
}

void ls_fused_softmax_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    float best = x[first], share;
    for (i = 1; i < count; ++i)
      if (best < x[first + i * inner]) best = x[first + i * inner];
    for (i = 0; i < count; ++i) y[first + i * inner] = falling(x[first + i * inner] - best);
    share = 1.0f / sum_of(y + first, count, inner, 64);
    for (i = 0; i < count; ++i) y[first + i * inner] = y[first + i * inner] * share;
  }
}

void ls_fused_sums_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner,
                       uint8_t lanes, float factor) {
  int32_t o, i, k;
  for (o = 0; o < outer; ++o, x += count * inner)
    for (i = 0; i < inner; ++i) {
      float sum = 0.0f;
      if (lanes)
        sum = sum_of(x, count, 1, 32);
      else
        for (k = 0; k < count; ++k) sum = sum + x[k * inner + i];
      *y++ = sum * factor;
    }
}

/* The place of the i-th of the first `count` extents, innermost last. */
static int32_t place_of(const int32_t* extent, const int32_t* stride, int32_t count, int32_t i) {
  int32_t at = 0, d;
  for (d = count - 1; d >= 0; --d) {
    at += i % extent[d] * stride[d];
    i /= extent[d];
  }
  return at;
}

void ls_fused_sums_apart_f32(const ls_axes* axes, const float* x, float* y, uint8_t lanes,
                             float factor) {
  const int32_t *kept = axes->kept, *reduced = axes->reduced;
  const int32_t outputs = kept[0] * kept[1] * kept[2] * kept[3],
                rows = reduced[0] * reduced[1] * reduced[2];
  int32_t i, r, k;
  for (i = 0; i < outputs; ++i) {
    const float* from = x + place_of(kept, axes->kept_stride, 4, i);
    float all = 0.0f;
    for (r = 0; r < rows; ++r) {
      const float* row = from + place_of(reduced, axes->reduced_stride, 3, r);
      float sum = 0.0f;
      if (lanes) sum = sum_of(row, reduced[3], 1, 32);
      for (k = 0; !lanes && k < reduced[3]; ++k) sum = sum + row[k * axes->reduced_stride[3]];
      if (lanes)
        all = fmaf(sum, factor, all);
      else
        sum = sum * factor, all = all + sum;
    }
    y[i] = all;
  }
}
