/* Products of two computed matrices of codes. */
#include "ls_fixed.h"

static int32_t element(int8_t code, uint8_t flip, int32_t zero) {
  return ls_flipped(code, flip) - zero;
}

#if LS_HELIUM
#include <arm_mve.h>

/* Four codes of b as they are stored, widened; those that are not `on` are zero. */
static inline int32x4_t four_of(const int8_t* b, uint8_t flip, mve_pred16_t on) {
  return flip == 0 ? vldrbq_z_s32(b, on)
                   : vreinterpretq_s32_u32(vldrbq_z_u32((const uint8_t*)b, on));
}

/* Sums of one row of a with `count` (at most 16) neighbouring columns of b; what b's zero point
 * adds is the same for all. */
static inline __attribute__((always_inline)) void columns(const ls_matmul* p, const int8_t* a,
                                                          const int8_t* b, int32_t count,
                                                          uint8_t b_flip, int32_t* acc) {
  const int32_t zero = b_flip == 0 ? p->b_zero : p->b_zero + 128, vectors = (count + 3) / 4;
  const mve_pred16_t all = vctp32q(4), last = vctp32q((uint32_t)(count - (vectors - 1) * 4));
  int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
  int32_t sum = 0, k;
  if (count == 16) {
    for (k = 0; k < p->k; ++k, a += p->a_col, b += p->b_row) {
      const int32_t v = element(*a, p->a_flip, p->a_zero);
      sum += v;
      if (b_flip == 0) {
        s0 = vmlaq_n_s32(s0, vldrbq_s32(b), v), s1 = vmlaq_n_s32(s1, vldrbq_s32(b + 4), v);
        s2 = vmlaq_n_s32(s2, vldrbq_s32(b + 8), v), s3 = vmlaq_n_s32(s3, vldrbq_s32(b + 12), v);
      } else {
        s0 = vmlaq_n_s32(s0, four_of(b, b_flip, all), v),
        s1 = vmlaq_n_s32(s1, four_of(b + 4, b_flip, all), v);
        s2 = vmlaq_n_s32(s2, four_of(b + 8, b_flip, all), v),
        s3 = vmlaq_n_s32(s3, four_of(b + 12, b_flip, all), v);
      }
    }
  } else {
    for (k = 0; k < p->k; ++k, a += p->a_col, b += p->b_row) {
      const int32_t v = element(*a, p->a_flip, p->a_zero);
      sum += v;
      s0 = vmlaq_n_s32(s0, four_of(b, b_flip, vectors == 1 ? last : all), v);
      if (vectors > 1) s1 = vmlaq_n_s32(s1, four_of(b + 4, b_flip, vectors == 2 ? last : all), v);
      if (vectors > 2) s2 = vmlaq_n_s32(s2, four_of(b + 8, b_flip, vectors == 3 ? last : all), v);
      if (vectors > 3) s3 = vmlaq_n_s32(s3, four_of(b + 12, b_flip, last), v);
    }
  }
  sum *= -zero;
  vstrwq_s32(acc, vaddq_n_s32(s0, sum)), vstrwq_s32(acc + 4, vaddq_n_s32(s1, sum));
  vstrwq_s32(acc + 8, vaddq_n_s32(s2, sum)), vstrwq_s32(acc + 12, vaddq_n_s32(s3, sum));
}

/* Columns of b that lie like rows of a: their sums with one row. (a - A)(b - B) = ab - A b - B a +
 * A B. */
static void lying_columns(const ls_matmul* p, const int8_t* a, const int8_t* b, int32_t count,
                          int32_t* acc) {
  const int8x16_t none = vdupq_n_s8(0), a_flip = vdupq_n_s8((int8_t)p->a_flip),
                  b_flip = vdupq_n_s8((int8_t)p->b_flip);
  int32_t c, k;
  for (c = 0; c < count; ++c, b += p->b_col) {
    int32_t both = 0, of_a = 0, of_b = 0;
    for (k = 0; k < p->k; k += 16) {
      const mve_pred16_t on = vctp8q((uint32_t)(p->k - k));
      const int8x16_t u = veorq_m_s8(none, vldrbq_z_s8(a + k, on), a_flip, on);
      const int8x16_t v = veorq_m_s8(none, vldrbq_z_s8(b + k, on), b_flip, on);
      both = vmladavaq_s8(both, u, v), of_a = vaddvaq_s8(of_a, u), of_b = vaddvaq_s8(of_b, v);
    }
    acc[c] = both - p->a_zero * of_b - p->b_zero * of_a + p->k * p->a_zero * p->b_zero;
  }
}

/* Whether vectors have computed the sums. */
static int by_vectors(const ls_matmul* p, const int8_t* a, const int8_t* b, int32_t count,
                      int32_t* acc) {
  int32_t c;
  if (p->b_row == 1 && p->a_col == 1 && p->b_col != 1) {
    lying_columns(p, a, b, count, acc);
    return 1;
  }
  if (p->b_col != 1) return 0;
  for (c = 0; c < count; c += 16) {
    if (p->b_flip == 0)
      columns(p, a, b + c, count - c < 16 ? count - c : 16, 0, acc + c);
    else
      columns(p, a, b + c, count - c < 16 ? count - c : 16, 0x80, acc + c);
  }
  return 1;
}
#else
static int by_vectors(const ls_matmul* p, const int8_t* a, const int8_t* b, int32_t count,
                      int32_t* acc) {
  (void)p, (void)a, (void)b, (void)count, (void)acc;
  return 0;
}
#endif

void ls_matmul_8(const ls_matmul* p, const void* a, const void* b, void* y) {
  const int8_t *left = (const int8_t*)a, *right = (const int8_t*)b;
  uint8_t* out = (uint8_t*)y;
  int32_t acc[LS_RUN];
  int32_t t, i, j, k, c;
  for (t = 0; t < p->count; ++t, left += p->a_step, right += p->b_step)
    for (i = 0; i < p->m; ++i)
      for (j = 0; j < p->n; j += LS_RUN) {
        const int32_t count = p->n - j < LS_RUN ? p->n - j : LS_RUN;
        const int8_t *const row = left + i * p->a_row, *const column = right + j * p->b_col;
        if (!by_vectors(p, row, column, count, acc))
          for (c = 0; c < count; ++c) {
            int32_t sum = 0;
            for (k = 0; k < p->k; ++k)
              sum += element(row[k * p->a_col], p->a_flip, p->a_zero) *
                     element(column[k * p->b_row + c * p->b_col], p->b_flip, p->b_zero);
            acc[c] = sum;
          }
        p->finish(&p->q, acc, count, j, 1, out, 0);
        out += count * p->y_bytes;
      }
}
