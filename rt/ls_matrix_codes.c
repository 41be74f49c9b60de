/* Products of float32 by weights in codes of 4 or 8 bits, each block of a row under a scale of its
 * own. */
#include <math.h>

#include "ls_eights.h"
#include "ls_layer.h"

static int32_t code_at(const uint8_t* codes, int32_t i, int32_t bits) {
  if (bits == 8) return codes[i];
  return i % 2 == 0 ? codes[i / 2] & 15 : codes[i / 2] >> 4;
}

/* The weights of one column of y. */
static void column_of(const ls_matrix_codes* p, int32_t n, const uint8_t* codes, const float* scale,
                      const uint8_t* zeros, float* w) {
  const int32_t blocks = (p->k + p->block - 1) / p->block;
  int32_t k;
  for (k = 0; k < p->k; ++k) {
    const int32_t b = k / p->block;
    const int32_t zero = zeros == NULL
                             ? 1 << (p->bits - 1)
                             : code_at(zeros + n * ((blocks * p->bits + 7) / 8), b, p->bits);
    w[k] =
        (float)(code_at(codes, n * blocks * p->block + k, p->bits) - zero) * scale[n * blocks + b];
  }
}

static float in_double(const ls_matrix_codes* p, const float* x, const float* w, float start) {
  double sum = (double)start;
  int32_t k;
  for (k = 0; k < p->k; ++k) {
    const double product = (double)x[k] * (double)w[k];
    sum = sum + product;
  }
  return (float)sum;
}

/* Sixteen interleaved fused sums: columns in fours are joined by quarters of four, the last ones by
 * halves. */
static float in_sixteens(const ls_matrix_codes* p, const float* x, const float* w, int32_t n) {
  float s[16] = {0.0f};
  int32_t i;
  for (i = 0; i < p->k; ++i) s[i % 16] = fmaf(w[i], x[i], s[i % 16]);
  if (n < p->n / 4 * 4) {
    for (i = 0; i < 16; i += 4) s[i] = ((s[i] + s[i + 1]) + s[i + 2]) + s[i + 3];
    return (s[0] + s[8]) + (s[4] + s[12]);
  }
  for (i = 0; i < 8; ++i) s[i] = s[i] + s[i + 8];
  for (i = 0; i < 4; ++i) s[i] = s[i] + s[i + 4];
  return (s[0] + s[2]) + (s[1] + s[3]);
}

static float in_pieces(const ls_matrix_codes* p, const float* x, const float* w,
                       const float* start) {
  float y = start == NULL ? 0.0f : *start;
  int32_t first, k;
  for (first = 0; first < p->k; first += p->piece) {
    float sum = 0.0f;
    for (k = first; k < p->k && k < first + p->piece; ++k) sum = fmaf(x[k], w[k], sum);
    y = start != NULL || first > 0 ? sum + y : sum;
  }
  return y;
}

void ls_matrix_codes_f32(const ls_matrix_codes* p, const float* x, const uint8_t* codes,
                         const float* scale, const uint8_t* zeros, const float* bias, float* y,
                         float* scratch) {
  int32_t n, m;
  for (n = 0; n < p->n; ++n) {
    const float* term = bias == NULL ? NULL : bias + n;
    column_of(p, n, codes, scale, zeros, scratch);
    for (m = 0; m < p->m; ++m) {
      const float* row = x + m * p->k;
      float v;
      switch (p->order) {
        case LS_CODES_SIXTEENS:
          v = in_sixteens(p, row, scratch, n);
          break;
        case LS_CODES_EIGHTS:
          v = ls_in_eights(row, 1, scratch, 1, p->k, n, p->n);
          break;
        case LS_CODES_PIECES:
          v = in_pieces(p, row, scratch, p->from_bias ? term : NULL);
          break;
        default:
          v = in_double(p, row, scratch, term == NULL ? 0.0f : *term);
      }
      y[m * p->n + n] = term == NULL || p->from_bias ? v : v + *term;
    }
  }
}
