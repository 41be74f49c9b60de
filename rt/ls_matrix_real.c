/* Products of float32 matrices in the orders of several runtimes. */
#include <math.h>

#include "ls_eights.h"
#include "ls_layer.h"

typedef struct {
  const float *a, *b;
  int32_t a_step, b_step, k;
} row_and_column;

static float plain(const row_and_column* r) {
  float sum = 0.0f;
  int32_t k;
  for (k = 0; k < r->k; ++k) {
    const float product = r->a[k * r->a_step] * r->b[k * r->b_step];
    sum = sum + product;
  }
  return sum;
}

/* Fused, in pieces of `block` that start from zero. */
static float in_pieces(const row_and_column* r, int32_t block, const float* start) {
  float y = start == NULL ? 0.0f : *start;
  int32_t first, k, add = start != NULL;
  for (first = 0; first < r->k; first += block) {
    float sum = 0.0f;
    for (k = first; k < r->k && k < first + block; ++k)
      sum = fmaf(r->a[k * r->a_step], r->b[k * r->b_step], sum);
    y = add ? sum + y : sum;
    add = 1;
  }
  return y;
}

static float from_start(const row_and_column* r, const float* start) {
  float y = start == NULL ? 0.0f : *start;
  int32_t k;
  for (k = 0; k < r->k; ++k) y = fmaf(r->a[k * r->a_step], r->b[k * r->b_step], y);
  return y;
}

/* Products rounded, four at a time before they meet what is there, then two, then one. */
static float in_fours(const row_and_column* r, const float* start) {
  float y = start == NULL ? 0.0f : *start;
  int32_t k = 0, i;
  while (k < r->k) {
    const int32_t step = r->k - k >= 4 ? 4 : r->k - k >= 2 ? 2 : 1;
    float t = r->a[k * r->a_step] * r->b[k * r->b_step];
    for (i = 1; i < step; ++i) {
      const float product = r->a[(k + i) * r->a_step] * r->b[(k + i) * r->b_step];
      t = t + product;
    }
    y = t + y;
    k += step;
  }
  return y;
}

void ls_matrix_f32(const ls_matrix_real* p, const float* a, const float* b, const float* bias,
                   float* y) {
  int32_t t, i, j;
  for (t = 0; t < p->count; ++t)
    for (i = 0; i < p->m; ++i)
      for (j = 0; j < p->n; ++j) {
        const float* term = bias == NULL ? NULL : bias + i * p->bias_row + j * p->bias_col;
        const float* start = p->factors ? NULL : term;
        row_and_column r;
        float v;
        r.a = a + t * p->a_step + i * p->a_row;
        r.b = b + t * p->b_step + j * p->b_col;
        r.a_step = p->a_col;
        r.b_step = p->b_row;
        r.k = p->k;
        switch (p->order) {
          case LS_MATRIX_PIECES:
            v = in_pieces(&r, p->block, start);
            break;
          case LS_MATRIX_FROM_BIAS:
            v = from_start(&r, start);
            break;
          case LS_MATRIX_FOURS:
            v = in_fours(&r, start);
            break;
          case LS_MATRIX_EIGHTS:
            v = ls_in_eights(r.a, r.a_step, r.b, r.b_step, r.k, p->across ? i : j,
                             p->across ? p->m : p->n) +
                (start == NULL ? 0.0f : *start);
            break;
          default:
            v = plain(&r);
            if (p->alpha < 1.0f || p->alpha > 1.0f) v = v * p->alpha;
            if (start != NULL) {
              const float scaled = *start * p->beta;
              v = v + scaled;
            }
        }
        if (p->factors) v = fmaf(v, p->alpha, p->beta * (term == NULL ? 0.0f : *term));
        *y++ = v < p->low ? p->low : p->high < v ? p->high : v;
      }
}
