/* LSTM and RNN layers as TFLite has them, step by step, on float32: weights are float32 too, or
 * 8-bit codes under which every vector becomes codes on the way. */
#include <math.h>
#include <string.h>

#include "ls_layer.h"
#include "ls_tanh.h"

/* A vector as the weights want it. */
typedef struct {
  const float* reals;
  const int8_t* codes;
  ls_coding coding;
  int32_t count;
} row;

static row row_of(uint8_t is_coded, uint8_t coding, const float* x, int32_t count, int8_t* codes) {
  row r = {x, codes, {1.0f, 0}, count};
  if (is_coded) r.coding = ls_code_row(coding, x, codes, count);
  return r;
}

/* Row k of the weights by a vector, each sum in order. */
static float product(const ls_lstm_weights* w, int32_t k, const row* x) {
  float sum = 0.0f;
  int32_t codes = 0, i;
  if (w->codes != NULL) {
    const int8_t* from = w->codes + k * x->count;
    const float step = x->coding.scale * w->scale;
    for (i = 0; i < x->count; ++i) codes += (x->codes[i] - x->coding.zero) * from[i];
    return (float)codes * step;
  }
  for (i = 0; i < x->count; ++i) {
    const float term = w->reals[k * x->count + i] * x->reals[i];
    sum = sum + term;
  }
  return sum;
}

/* Bias, then W x, R h and the peephole. */
static float gate(const ls_lstm_real* p, int32_t g, int32_t k, const row* x, const row* h,
                  const float* cell) {
  float v = p->bias[g][k];
  v = v + product(&p->w[g], k, x);
  v = v + product(&p->r[g], k, h);
  if (p->peephole[g] != NULL) {
    const float more = cell[k] * p->peephole[g][k];
    v = v + more;
  }
  return v;
}

static float opened(const ls_lstm_real* p, float v) {
  if (p->cut && v > 16.619047164916992188f) return 1.0f;
  return p->cut && v < -9.0f ? expf(v) : 1.0f / (1.0f + expf(-v));
}
static float clipped(float v, float bound) {
  return bound > 0.0f ? (v < -bound ? -bound : v > bound ? bound : v) : v;
}
static float activated(uint8_t is_tanh, float low, float high, float v) {
  return is_tanh ? ls_tanhf(v) : v < low ? low : v > high ? high : v;
}
static float shaped(const ls_lstm_real* p, float v) {
  return activated(p->is_tanh, p->low, p->high, v);
}

static void project(const ls_lstm_real* p, const float* hidden, int8_t* codes, float* h) {
  const row r = row_of(p->is_coded, p->coding, hidden, p->cells, codes);
  int32_t o;
  for (o = 0; o < p->out; ++o) {
    const float v = p->projection_bias == NULL ? 0.0f : p->projection_bias[o];
    h[o] = clipped(v + product(&p->projection, o, &r), p->projection_clip);
  }
}

static void step(const ls_lstm_real* p, const float* x, float* h, float* cell, float* scratch) {
  float *forget = scratch, *fresh = forget + p->cells, *input = fresh + p->cells;
  int8_t *x_codes = (int8_t*)(input + p->cells), *h_codes = x_codes + p->in;
  const int coupled = p->w[0].reals == NULL && p->w[0].codes == NULL;
  const row now = row_of(p->is_coded, p->coding, x, p->in, x_codes),
            before = row_of(p->is_coded, p->coding, h, p->out, h_codes);
  int32_t k;
  for (k = 0; k < p->cells; ++k) {
    forget[k] = opened(p, gate(p, 1, k, &now, &before, cell));
    fresh[k] = shaped(p, gate(p, 2, k, &now, &before, cell));
    input[k] = coupled ? 1.0f - forget[k] : opened(p, gate(p, 0, k, &now, &before, cell));
  }
  for (k = 0; k < p->cells; ++k) {
    const float kept = forget[k] * cell[k], more = fresh[k] * input[k];
    cell[k] = clipped(kept + more, p->cell_clip);
  }
  for (k = 0; k < p->cells; ++k) forget[k] = opened(p, gate(p, 3, k, &now, &before, cell));
  for (k = 0; k < p->cells; ++k) forget[k] = forget[k] * shaped(p, cell[k]);
  if (p->projects)
    project(p, forget, h_codes + p->out, h);
  else
    memcpy(h, forget, (size_t)p->out * sizeof *h);
}

void ls_lstm_sequence_f32(const ls_lstm_real* p, const float* x, const float* h, const float* c,
                          float* y, float* h_after, float* c_after, float* scratch) {
  int32_t b, t;
  memmove(h_after, h, (size_t)(p->batch * p->out) * sizeof *h);
  memmove(c_after, c, (size_t)(p->batch * p->cells) * sizeof *c);
  for (b = 0; b < p->batch; ++b)
    for (t = 0; t < p->steps; ++t) {
      const int32_t at = p->time_major ? t * p->batch + b : b * p->steps + t;
      step(p, x + at * p->in, h_after + b * p->out, c_after + b * p->cells, scratch);
      memcpy(y + at * p->out, h_after + b * p->out, (size_t)p->out * sizeof *y);
    }
}

void ls_rnn_sequence_f32(const ls_rnn_real* p, const float* x, const float* h, float* y,
                         float* h_after, float* scratch) {
  int8_t *x_codes = (int8_t*)(scratch + p->units), *h_codes = x_codes + p->in;
  int32_t b, t, k;
  memmove(h_after, h, (size_t)(p->batch * p->units) * sizeof *h);
  for (b = 0; b < p->batch; ++b)
    for (t = 0; t < p->steps; ++t) {
      const int32_t at = p->time_major ? t * p->batch + b : b * p->steps + t;
      float* const state = h_after + b * p->units;
      const row now = row_of(p->is_coded, p->coding, x + at * p->in, p->in, x_codes),
                before = row_of(p->is_coded, p->coding, state, p->units, h_codes);
      for (k = 0; k < p->units; ++k) {
        float v = p->bias[k];
        v = v + product(&p->w, k, &now);
        v = v + product(&p->r, k, &before);
        scratch[k] = activated(p->is_tanh, p->low, p->high, v);
      }
      memcpy(state, scratch, (size_t)p->units * sizeof *h);
      memcpy(y + at * p->units, scratch, (size_t)p->units * sizeof *h);
    }
}
