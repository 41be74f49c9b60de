/* Operators on float32, each step rounded as the reference does it. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

#if LS_HELIUM_FLOAT
#include <arm_mve.h>
#endif

typedef float (*combine)(float a, float b);

static float sum_of(float a, float b) {
  return a + b;
}
static float difference_of(float a, float b) {
  return a - b;
}
static float product_of(float a, float b) {
  return a * b;
}
static float quotient_of(float a, float b) {
  return a / b;
}
static float squared(float a, float b) {
  const float d = a - b;
  return d * d;
}
static float leaky(float x, float slope) {
  return x >= 0.0f ? x : x * slope;
}

static void spread(const ls_binary_real* p, const float* a, const float* b, float* y, combine f) {
  const ls_spread* s = &p->spread;
  int32_t i, j, k, l;
  for (i = 0; i < s->extent[0]; ++i)
    for (j = 0; j < s->extent[1]; ++j)
      for (k = 0; k < s->extent[2]; ++k) {
        const float* ra = a + i * s->a_stride[0] + j * s->a_stride[1] + k * s->a_stride[2];
        const float* rb = b + i * s->b_stride[0] + j * s->b_stride[1] + k * s->b_stride[2];
        for (l = 0; l < s->extent[3]; ++l)
          *y++ = ls_clamp_real(f(ra[l * s->a_stride[3]], rb[l * s->b_stride[3]]), p->low, p->high);
      }
}

#if LS_HELIUM_FLOAT
/* Four neighbours, or one number four times. */
static inline float32x4_t operand(const float* x, int32_t at, int32_t stride, mve_pred16_t on) {
  return stride == 0 ? vdupq_n_f32(*x) : vldrwq_z_f32(x + at, on);
}
/* x / by as a division rounds it: two fused corrections by the exact remainder. */
static inline float32x4_t quotient(float32x4_t x, float32x4_t by, float32x4_t inverse) {
  float32x4_t q = vmulq_f32(x, inverse);
  q = vfmaq_f32(q, vfmsq_f32(x, q, by), inverse);
  return vfmaq_f32(q, vfmsq_f32(x, q, by), inverse);
}
enum { SUM, DIFFERENCE, PRODUCT, QUOTIENT };
/* Rows whose elements are neighbours or one number; a quotient's divisor is one number throughout.
 */
static inline __attribute__((always_inline)) int by_fours(const ls_binary_real* p, const float* a,
                                                          const float* b, float* y,
                                                          const int what) {
  const ls_spread* s = &p->spread;
  const int32_t a_step = s->a_stride[3], b_step = s->b_stride[3], count = s->extent[3];
  const float32x4_t inverse = vdupq_n_f32(what == QUOTIENT ? 1.0f / *b : 0.0f);
  int32_t i, j, k, l;
  if (!p->vectors || a_step > 1 || b_step > 1 || (what == QUOTIENT && b_step != 0)) return 0;
  for (i = 0; i < s->extent[0]; ++i)
    for (j = 0; j < s->extent[1]; ++j)
      for (k = 0; k < s->extent[2]; ++k, y += count) {
        const float* ra = a + i * s->a_stride[0] + j * s->a_stride[1] + k * s->a_stride[2];
        const float* rb = b + i * s->b_stride[0] + j * s->b_stride[1] + k * s->b_stride[2];
        for (l = 0; l < count; l += 4) {
          const mve_pred16_t on = vctp32q((uint32_t)(count - l));
          const float32x4_t u = operand(ra, l, a_step, on), v = operand(rb, l, b_step, on);
          vstrwq_p_f32(y + l,
                       what == SUM          ? vaddq_f32(u, v)
                       : what == DIFFERENCE ? vsubq_f32(u, v)
                       : what == PRODUCT    ? vmulq_f32(u, v)
                                            : quotient(u, v, inverse),
                       on);
        }
      }
  return 1;
}
#define BY_FOURS(what) \
  if (by_fours(p, a, b, y, what)) return
#else
#define BY_FOURS(what) (void)0
#endif

void ls_add_f32(const ls_binary_real* p, const float* a, const float* b, float* y) {
  BY_FOURS(SUM);
  spread(p, a, b, y, sum_of);
}
void ls_sub_f32(const ls_binary_real* p, const float* a, const float* b, float* y) {
  BY_FOURS(DIFFERENCE);
  spread(p, a, b, y, difference_of);
}
void ls_mul_f32(const ls_binary_real* p, const float* a, const float* b, float* y) {
  BY_FOURS(PRODUCT);
  spread(p, a, b, y, product_of);
}
void ls_div_f32(const ls_binary_real* p, const float* a, const float* b, float* y) {
  BY_FOURS(QUOTIENT);
  spread(p, a, b, y, quotient_of);
}
void ls_prelu_f32(const ls_binary_real* p, const float* a, const float* b, float* y) {
  spread(p, a, b, y, leaky);
}

void ls_squared_difference_f32(const ls_binary_real* p, const float* a, const float* b, float* y) {
  spread(p, a, b, y, squared);
}

void ls_neg_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = -x[i];
}
void ls_relu_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

#if LS_HELIUM_FLOAT
/* Channels last. */
static void affine_by_fours(const float* factor, const float* term, int32_t outer, int32_t channels,
                            const float* x, float* y) {
  int32_t o, c;
  for (o = 0; o < outer; ++o, x += channels, y += channels)
    for (c = 0; c < channels; c += 4) {
      const mve_pred16_t on = vctp32q((uint32_t)(channels - c));
      const float32x4_t scaled = vmulq_f32(vldrwq_z_f32(x + c, on), vldrwq_z_f32(factor + c, on));
      vstrwq_p_f32(y + c, vaddq_f32(scaled, vldrwq_z_f32(term + c, on)), on);
    }
}
#endif

void ls_affine_f32(const float* factor, const float* term, int32_t outer, int32_t channels,
                   int32_t inner, uint8_t vectors, const float* x, float* y) {
  int32_t o, c, i;
#if LS_HELIUM_FLOAT
  if (vectors && inner == 1) {
    affine_by_fours(factor, term, outer, channels, x, y);
    return;
  }
#endif
  (void)vectors;
  for (o = 0; o < outer; ++o)
    for (c = 0; c < channels; ++c)
      for (i = 0; i < inner; ++i) {
        const float scaled = *x++ * factor[c];
        *y++ = scaled + term[c];
      }
}

static float horner(float x, const float* c, int32_t count) {
  float p = c[0];
  int32_t i;
  for (i = 1; i < count; ++i) p = fmaf(p, x, c[i]);
  return p;
}

/* An odd polynomial over an even one, of x between -18 and 18. */
float ls_rational_sigmoid(float x) {
  static const float odd[] = {4.37031012579801e-11f, 1.15627324459942e-07f, 6.08574864600143e-05f,
                              8.51377133304701e-03f, 2.48287947061529e-01f};
  static const float even[] = {6.10247389755681e-13f, 5.76102136993427e-09f, 6.29106785017040e-06f,
                               1.70198817374094e-03f, 1.16817656904453e-01f, 9.93151921023180e-01f};
  const float v = ls_clamp_real(x, -18.0f, 18.0f), square = v * v;
  const float top = v * horner(square, odd, 5);
  const float quotient = top / horner(square, even, 6);
  const float y = quotient + 0.5f;
  return y < 0.0f ? 0.0f : y;
}
float ls_rational_tanh(float x) {
  static const float odd[] = {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f,
                              5.12229709037114e-08f,  1.48572235717979e-05f, 6.37261928875436e-04f,
                              4.89352455891786e-03f};
  static const float even[] = {1.19825839466702e-06f, 1.18534705686654e-04f, 2.26843463243900e-03f,
                               4.89352518554385e-03f};
  const float v = ls_clamp_real(x, -9.0f, 9.0f), square = v * v;
  const float top = v * horner(square, odd, 7);
  return top / horner(square, even, 4);
}
void ls_sigmoid_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = ls_rational_sigmoid(x[i]);
}
void ls_tanh_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = ls_rational_tanh(x[i]);
}

/* 2^m exp(r), r = x - m ln 2 in two fused steps, a polynomial of degree six. */
static float exp_of(float x) {
  static const float poly[] = {
      0x1.694000p-10f, 0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.555450p-3f, 0x1.fffff6p-2f, 1.0f, 1.0f};
  const float magic = 12582912.0f; /* adding and subtracting it rounds to an integer */
  const float v = x < -103.9720840454f ? -103.9720840454f : x;
  const float shifted = fmaf(v, 1.44269504088896341f, magic);
  const float m = shifted - magic;
  const float r = fmaf(m, -1.42860677e-6f, fmaf(m, -6.93145752e-1f, v));
  return ldexpf(horner(r, poly, 7), (int)ls_clamp_real(m, -400.0f, 400.0f));
}

void ls_exp_f32(const float* x, float* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = exp_of(x[i]);
}

static float greatest_of(const float* x, int32_t count, int32_t step) {
  float best = x[0];
  int32_t i;
  for (i = 1; i < count; ++i)
    if (x[i * step] > best) best = x[i * step];
  return best;
}

/* The sum of exp(x - best) in 16 lanes; the exponentials go to y, where there is one. */
static float exponentials(const float* x, float best, float* y, int32_t count, int32_t step) {
  float lane[16] = {0}, half[8];
  int32_t i, l;
  for (i = 0; i < count; ++i) {
    const float e = exp_of(x[i * step] + -best);
    if (y != NULL) y[i * step] = e;
    lane[i % 16] = lane[i % 16] + e;
  }
  for (l = 0; l < 8; ++l) half[l] = lane[l + 8] + lane[l];
  return ((half[0] + half[1]) + (half[2] + half[3])) + ((half[4] + half[5]) + (half[6] + half[7]));
}

void ls_softmax_rows_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    const float factor = 1.0f / exponentials(x + first, greatest_of(x + first, count, inner),
                                             y + first, count, inner);
    for (i = 0; i < count; ++i) y[first + i * inner] = y[first + i * inner] * factor;
  }
}

void ls_log_softmax_rows_f32(const float* x, float* y, int32_t outer, int32_t count,
                             int32_t inner) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    const float best = greatest_of(x + first, count, inner);
    const float logarithm = logf(exponentials(x + first, best, NULL, count, inner));
    for (i = 0; i < count; ++i) y[first + i * inner] = (x[first + i * inner] - best) - logarithm;
  }
}
