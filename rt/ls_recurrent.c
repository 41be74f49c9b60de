/* Recurrent layers on float32: a sum over x, one over the state, the bias; each in order. */
#include <math.h>

#include "ls_number.h"

/* start + sum of w[k] * x[k]; fused in blocks of 256 that are added in order, or each step rounded. */
static float row_sum(const ls_recurrent *p, float start, const float *w, const float *x, int32_t count, int adds) {
  const int32_t block = p->fused ? 256 : count;
  float sum = start;
  int32_t from, k;
  for (from = 0; from < count; from += block) {
    const int32_t end = from + block < count ? from + block : count;
    float part = 0.0f;
    for (k = from; k < end; ++k) {
      if (p->fused) {
        part = fmaf(w[k], x[k], part);
      } else {
        const float product = w[k] * x[k];
        part = part + product;
      }
    }
    sum = adds || from > 0 ? part + sum : part;
  }
  return sum;
}

static float sigmoid_of(const ls_recurrent *p, float v) { return p->rational ? ls_rational_sigmoid(v) : 1.0f / (1.0f + expf(-v)); }
static float tanh_of(const ls_recurrent *p, float v) { return p->rational ? ls_rational_tanh(v) : tanhf(v); }

/* One direction of one sample; states are read and left in h and c. */
static void run(const ls_recurrent *p, int32_t d, int32_t b, const float *x, const float *w, const float *r, const float *bias,
                float *y, float *sums, float *h, float *c) {
  const int32_t hidden = p->hidden, rows = 4 * hidden;
  int32_t step, g, k;
  for (step = 0; step < p->steps; ++step) {
    const int32_t t = p->reverse || d == 1 ? p->steps - 1 - step : step;
    const float *in = x + (p->batch_first ? b * p->steps + t : t * p->batch + b) * p->in;
    for (g = 0; g < rows; ++g) {
      const float from_x = row_sum(p, 0.0f, w + g * p->in, in, p->in, 0);
      sums[g] = row_sum(p, from_x, r + g * hidden, h, hidden, 1);
      if (bias != NULL) {
        const float both = bias[g] + bias[rows + g];
        sums[g] = sums[g] + both;
      }
    }
    for (k = 0; k < hidden; ++k) {
      const float kept = sigmoid_of(p, sums[2 * hidden + k]) * c[k];
      const float fresh = sigmoid_of(p, sums[k]) * tanh_of(p, sums[3 * hidden + k]);
      c[k] = kept + fresh;
      h[k] = sigmoid_of(p, sums[hidden + k]) * tanh_of(p, c[k]);
    }
    if (y != NULL) {
      const int32_t row = p->batch_first ? (b * p->steps + t) * p->directions + d : (t * p->directions + d) * p->batch + b;
      for (k = 0; k < hidden; ++k) y[row * hidden + k] = h[k];
    }
  }
}

void ls_lstm_f32(const ls_recurrent *p, const float *x, const float *w, const float *r, const float *bias, const float *h,
                 const float *c, float *y, float *y_h, float *y_c, float *scratch) {
  const int32_t rows = 4 * p->hidden;
  int32_t d, b, k;
  for (d = 0; d < p->directions; ++d)
    for (b = 0; b < p->batch; ++b) {
      const int32_t state = (p->batch_first ? b * p->directions + d : d * p->batch + b) * p->hidden;
      float *sums = scratch, *hidden = scratch + rows, *cell = hidden + p->hidden;
      for (k = 0; k < p->hidden; ++k) {
        hidden[k] = h == NULL ? 0.0f : h[state + k];
        cell[k] = c == NULL ? 0.0f : c[state + k];
      }
      run(p, d, b, x, w + d * rows * p->in, r + d * rows * p->hidden, bias == NULL ? NULL : bias + d * 2 * rows, y, sums,
          hidden, cell);
      for (k = 0; k < p->hidden; ++k) {
        if (y_h != NULL) y_h[state + k] = hidden[k];
        if (y_c != NULL) y_c[state + k] = cell[k];
      }
    }
}
