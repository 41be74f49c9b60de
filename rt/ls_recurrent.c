/* Recurrent layers on float32: a sum over x, one over the state, the bias; each in order. */
#include <math.h>

#include "ls_eights.h"
#include "ls_layer.h"
#include "ls_tanh.h"

/* The rows of weights that one vector meets together. */
typedef struct {
  const float* w;
  int32_t rows, count; /* rows of so many weights */
  int32_t block;
} weights;

static weights weights_of(const float* w, int32_t rows, int32_t count, int32_t block) {
  weights all;
  all.w = w, all.rows = rows, all.count = count, all.block = block;
  return all;
}

/* start + sum of w[row][k] * x[k], as `block` says; without `adds` the start is not added. */
static float row_sum(const weights* all, int32_t row, float start, const float* x, int adds) {
  const float* w = all->w + row * all->count;
  const int32_t block = all->block > 0 ? all->block : all->count;
  float sum = start;
  int32_t from, k;
  if (all->block == LS_BY_EIGHTS)
    return ls_in_eights(x, 1, w, 1, all->count, row, all->rows) + (adds ? start : 0.0f);
  for (from = 0; from < all->count; from += block) {
    const int32_t end = from + block < all->count ? from + block : all->count;
    float part = 0.0f;
    for (k = from; k < end; ++k) {
      if (all->block > 0) {
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

static float sigmoid_of(const ls_recurrent* p, float v) {
  if (p->rational) return ls_rational_sigmoid(v);
  if (p->cut && v > 16.619047164916992188f) return 1.0f;
  return p->cut && v < -9.0f ? expf(v) : 1.0f / (1.0f + expf(-v));
}
static float tanh_of(const ls_recurrent* p, float v) {
  return p->rational ? ls_rational_tanh(v) : ls_tanhf(v);
}

/* Of sample b in direction d: the time of a step, where that time's x starts, and which rows of
   `hidden` in y and in the states are its. */
static int32_t time_of(const ls_recurrent* p, int32_t d, int32_t step) {
  return p->reverse || d == 1 ? p->steps - 1 - step : step;
}
static int32_t x_at(const ls_recurrent* p, int32_t b, int32_t t) {
  return (p->batch_first ? b * p->steps + t : t * p->batch + b) * p->in;
}
static int32_t row_of(const ls_recurrent* p, int32_t d, int32_t b, int32_t t) {
  return p->batch_first ? (b * p->steps + t) * p->directions + d
                        : (t * p->directions + d) * p->batch + b;
}
static int32_t state_of(const ls_recurrent* p, int32_t d, int32_t b) {
  return p->batch_first ? b * p->directions + d : d * p->batch + b;
}

/* One direction of one sample; states are read and left in h and c. */
static void run(const ls_recurrent* p, int32_t d, int32_t b, const float* x, const float* w,
                const float* r, const float* bias, float* y, float* sums, float* h, float* c) {
  const int32_t hidden = p->hidden, rows = 4 * hidden;
  const weights by_x = weights_of(w, rows, p->in, p->x_block),
                by_h = weights_of(r, rows, hidden, p->h_block);
  int32_t step, g, k;
  for (step = 0; step < p->steps; ++step) {
    const int32_t t = time_of(p, d, step);
    const float* in = x + x_at(p, b, t);
    for (g = 0; g < rows; ++g) {
      const float from_x = row_sum(&by_x, g, 0.0f, in, 0);
      sums[g] = row_sum(&by_h, g, from_x, h, 1);
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
      const int32_t row = row_of(p, d, b, t);
      for (k = 0; k < hidden; ++k) y[row * hidden + k] = h[k];
    }
  }
}

void ls_lstm_f32(const ls_recurrent* p, const float* x, const float* w, const float* r,
                 const float* bias, const float* h, const float* c, float* y, float* y_h,
                 float* y_c, float* scratch) {
  const int32_t rows = 4 * p->hidden;
  int32_t d, b, k;
  for (d = 0; d < p->directions; ++d)
    for (b = 0; b < p->batch; ++b) {
      const int32_t state = state_of(p, d, b) * p->hidden;
      float *sums = scratch, *hidden = scratch + rows, *cell = hidden + p->hidden;
      for (k = 0; k < p->hidden; ++k) {
        hidden[k] = h == NULL ? 0.0f : h[state + k];
        cell[k] = c == NULL ? 0.0f : c[state + k];
      }
      run(p, d, b, x, w + d * rows * p->in, r + d * rows * p->hidden,
          bias == NULL ? NULL : bias + d * 2 * rows, y, sums, hidden, cell);
      for (k = 0; k < p->hidden; ++k) {
        if (y_h != NULL) y_h[state + k] = hidden[k];
        if (y_c != NULL) y_c[state + k] = cell[k];
      }
    }
}

/* tanh as a quotient with every step rounded: onnxruntime's gates of a GRU. */
static float quotient(float x) {
  static const float top[] = {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f,
                              5.12229709037114e-08f,  1.48572235717979e-05f, 6.37261928875436e-04f,
                              4.89352455891786e-03f};
  static const float bottom[] = {1.19825839466702e-06f, 1.18534705686654e-04f,
                                 2.26843463243900e-03f, 4.89352518554385e-03f};
  const float square = x * x;
  float p = top[0], q = bottom[0];
  int i;
  for (i = 1; i < 7; ++i) p = p * square, p = p + top[i];
  for (i = 1; i < 4; ++i) q = q * square, q = q + bottom[i];
  p = x * p;
  return p / q;
}
static float held(float v, float bound) {
  return v < -bound ? -bound : v > bound ? bound : v;
}
static float reset_of(const ls_recurrent* p, float v) {
  return p->quotients ? 0.5f * (1.0f + quotient(0.5f * held(v, 20.0f))) : sigmoid_of(p, v);
}
static float output_of(const ls_recurrent* p, float v) {
  return p->quotients ? quotient(held(v, 10.0f)) : tanh_of(p, v);
}

/* A gate's sum and its two biases. */
static float gate_sum(const ls_recurrent* p, const float* sums, const float* bias, int32_t row) {
  float both;
  if (bias == NULL) return sums[row];
  both = bias[row] + bias[3 * p->hidden + row];
  return sums[row] + both;
}

/* The output gate's sums with what the reset gate leaves of the state. */
static void add_reset_state(const ls_recurrent* p, const float* r, const float* bias,
                            const float* reset, const float* h, float* state, float* last) {
  const int32_t hidden = p->hidden;
  const weights by_h = weights_of(r + 2 * hidden * hidden, hidden, hidden, p->h_block);
  int32_t k;
  if (!p->reset_after)
    for (k = 0; k < hidden; ++k) state[k] = h[k] * reset[k];
  for (k = 0; k < hidden; ++k) {
    if (p->reset_after) {
      const float whole =
          row_sum(&by_h, k, bias == NULL ? 0.0f : bias[5 * hidden + k], h, bias != NULL);
      const float left = whole * reset[k];
      last[k] = last[k] + left;
    } else {
      last[k] = row_sum(&by_h, k, last[k], state, 1);
    }
  }
}

/* One step of one sample: z, r, then the output gate. sums: 3 hidden; h is read and written. */
static void gru_step(const ls_recurrent* p, const float* in, const float* w, const float* r,
                     const float* bias, float* sums, float* h) {
  const int32_t hidden = p->hidden, two = 2 * hidden;
  const weights by_x = weights_of(w, 3 * hidden, p->in, p->x_block),
                by_h = weights_of(r, two, hidden, p->h_block);
  float *last = sums + two, *reset = sums + 3 * hidden, *state = reset + hidden;
  int32_t g, k;
  for (g = 0; g < 3 * hidden; ++g) {
    sums[g] = row_sum(&by_x, g, 0.0f, in, 0);
    if (g < two) sums[g] = row_sum(&by_h, g, sums[g], h, 1);
  }
  for (k = 0; k < hidden; ++k) reset[k] = reset_of(p, gate_sum(p, sums, bias, hidden + k));
  add_reset_state(p, r, bias, reset, h, state, last);
  for (k = 0; k < hidden; ++k) {
    const float sum = bias == NULL     ? last[k]
                      : p->reset_after ? last[k] + bias[two + k]
                                       : gate_sum(p, sums, bias, two + k);
    const float update = sigmoid_of(p, gate_sum(p, sums, bias, k));
    const float fresh = (1.0f - update) * output_of(p, sum), kept = update * h[k];
    h[k] = fresh + kept;
  }
}

void ls_gru_f32(const ls_recurrent* p, const float* x, const float* w, const float* r,
                const float* bias, const float* h, float* y, float* y_h, float* scratch) {
  const int32_t hidden = p->hidden, rows = 3 * hidden;
  float* now = scratch + 5 * hidden;
  int32_t d, b, k, step;
  for (d = 0; d < p->directions; ++d)
    for (b = 0; b < p->batch; ++b) {
      const int32_t state = state_of(p, d, b) * hidden;
      for (k = 0; k < hidden; ++k) now[k] = h == NULL ? 0.0f : h[state + k];
      for (step = 0; step < p->steps; ++step) {
        const int32_t t = time_of(p, d, step), row = row_of(p, d, b, t);
        gru_step(p, x + x_at(p, b, t), w + d * rows * p->in, r + d * rows * hidden,
                 bias == NULL ? NULL : bias + d * 2 * rows, scratch, now);
        for (k = 0; y != NULL && k < hidden; ++k) y[row * hidden + k] = now[k];
      }
      for (k = 0; y_h != NULL && k < hidden; ++k) y_h[state + k] = now[k];
    }
}

/* tanh by an exponential: onnxruntime's of an RNN. */
static float shaped(const ls_recurrent* p, float v) {
  float e;
  if (!p->quotients) return tanh_of(p, v);
  v = 2.0f * v;
  e = expf(v >= 0.0f ? -v : v);
  return 2.0f * (v >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e)) - 1.0f;
}

/* One step of one sample. is_first: there is no state yet. */
static void rnn_step(const ls_recurrent* p, const weights* by_x, const weights* by_h,
                     const float* in, const float* bias, int is_first, float* sums, float* h) {
  const int32_t hidden = p->hidden;
  int32_t k;
  for (k = 0; k < hidden; ++k) {
    const float start = bias == NULL ? 0.0f : bias[k] + bias[hidden + k];
    const float from_x = row_sum(by_x, k, start, in, 1);
    const float from_h = is_first ? 0.0f : row_sum(by_h, k, 0.0f, h, 0);
    sums[k] = from_h + from_x;
  }
  for (k = 0; k < hidden; ++k) h[k] = shaped(p, sums[k]);
}

void ls_rnn_f32(const ls_recurrent* p, const float* x, const float* w, const float* r,
                const float* bias, const float* h, float* y, float* y_h, float* scratch) {
  const int32_t hidden = p->hidden;
  float* now = scratch + hidden;
  int32_t d, b, k, step;
  for (d = 0; d < p->directions; ++d) {
    const weights by_x = weights_of(w + d * hidden * p->in, hidden, p->in, p->x_block),
                  by_h = weights_of(r + d * hidden * hidden, hidden, hidden, p->h_block);
    for (b = 0; b < p->batch; ++b) {
      const int32_t state = state_of(p, d, b) * hidden;
      for (k = 0; k < hidden; ++k) now[k] = h == NULL ? 0.0f : h[state + k];
      for (step = 0; step < p->steps; ++step) {
        const int32_t t = time_of(p, d, step), row = row_of(p, d, b, t);
        rnn_step(p, &by_x, &by_h, x + x_at(p, b, t), bias == NULL ? NULL : bias + d * 2 * hidden,
                 step == 0 && h == NULL, scratch, now);
        for (k = 0; y != NULL && k < hidden; ++k) y[row * hidden + k] = now[k];
      }
      for (k = 0; y_h != NULL && k < hidden; ++k) y_h[state + k] = now[k];
    }
  }
}
