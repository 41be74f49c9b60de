/* LSTM layers as TFLite has them, step by step, on codes (8-bit activations and weights, 16-bit
   gates and cells). Gates enter their function as Q3.12 and leave it as Q0.15. */
#include <string.h>

#include "ls_fixed_more.h"
#include "ls_layer.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

/* x / 2^e, nearest, ties away from zero, cut to 16 bits. */
static int32_t lowered(int32_t x, int32_t e) {
  return ls_divide_by_power(x, e);
}
static int32_t narrow(int32_t v) {
  return (int32_t)(int16_t)(uint16_t)((uint32_t)v & 0xffffu);
}
static int32_t saturate16(int32_t v) {
  return ls_clamp(v, -32768, 32767);
}
static int32_t product15(int32_t a, int32_t b) {
  return saturate16((a * b + (1 << 14)) >> 15);
}

/* exp(a), a < 0 with `bits` integer bits of 16: a polynomial around -1/8, times exp(-2^e) of the
 * bits of the rest. */
static int32_t exp_16(int32_t a, int32_t bits) {
  static const int16_t factors[] = {25520, 19875, 12055, 4435, 600, 11, 0};
  const int32_t fraction = 15 - bits, quarter = (int32_t)1 << (fraction - 2);
  int32_t low, x, x2, x3, tail, result, rest, e;
  if (a == 0) return 32767;
  if (bits > 5 && a < -((int32_t)32 << fraction)) return 0;
  low = (a & (quarter - 1)) - quarter;
  x = narrow(saturate16(low * ((int32_t)1 << bits)) + (1 << 12));
  x2 = product15(x, x), x3 = product15(x2, x);
  tail = lowered(product15(x2, x2), 2);
  tail = lowered(narrow(product15(narrow(tail + x3), 10923) + x2), 1);
  result = saturate16(28918 + product15(28918, narrow(x + tail)));
  rest = narrow(low - a);
  for (e = -2; e < (bits < 5 ? bits : 5); ++e)
    if ((rest >> (fraction + e)) & 1) result = product15(result, factors[e + 2]);
  return result;
}

/* 2 / (1 + x) with two integer bits, x in [0, 1] of Q0.15: three Newton steps. */
static int32_t newton_16(int32_t x) {
  const int32_t sum = x + 32767, half = (sum + (sum >= 0 ? 1 : -1)) / 2;
  int32_t y = narrow(23130 + product15(half, -15420)), i; /* 48/17 - 32/17 x in Q2.13 */
  for (i = 0; i < 3; ++i) {
    const int32_t rest = narrow((1 << 13) - product15(half, y));
    y = narrow(y + saturate16(product15(y, rest) * 4));
  }
  return y;
}

static int32_t sigmoid_16(const ls_lstm_codes* p, int32_t x) {
  int32_t positive;
  if (p->samples != NULL) {
    int16_t y;
    const int16_t v = (int16_t)x;
    ls_sigmoid_16(p->samples, 3, 0, 0, &v, &y, 1);
    return y;
  }
  if (x == 0) return 1 << 14;
  positive = saturate16(newton_16(exp_16(x > 0 ? narrow(-x) : x, 3)) * 2);
  return x > 0 ? positive : narrow(32767 - positive);
}

static int32_t tanh_16(const ls_lstm_codes* p, int32_t x, int32_t bits) {
  int32_t size;
  if (p->samples != NULL) {
    int16_t y;
    const int16_t v = (int16_t)x;
    ls_sigmoid_16(p->samples, bits < 3 ? 3 : (int32_t)3 << (bits - 3), bits < 3 ? 3 - bits : 0, 1,
                  &v, &y, 1);
    return y;
  }
  if (x == 0) return 0;
  size = saturate16(narrow(newton_16(exp_16(x > 0 ? narrow(-x) : x, bits + 1)) - (1 << 13)) * 4);
  return x > 0 ? size : narrow(-size);
}

static int32_t scaled(const ls_lstm_codes* p, int32_t v, const ls_factor* f) {
  return p->once ? ls_rescale_once(v, f->multiplier, f->shift)
                 : ls_rescale(v, f->multiplier, f->shift);
}

/* a b / 2^down */
static int32_t product(const ls_lstm_codes* p, int32_t a, int32_t b, int32_t down) {
  ls_factor f;
  if (p->samples == NULL) return narrow(ls_divide_by_power(a * b, down));
  f.multiplier = (int32_t)1 << 30, f.shift = 1 - down;
  return saturate16(scaled(p, a * b, &f));
}

static int32_t dot(const int8_t* a, const int8_t* b, int32_t count) {
  int32_t sum = 0, k;
#if LS_HELIUM
  for (k = 0; k < count; k += 16) {
    const mve_pred16_t on = vctp8q((uint32_t)(count - k));
    sum = vmladavaq_s8(sum, vldrbq_z_s8(a + k, on), vldrbq_z_s8(b + k, on));
  }
#else
  for (k = 0; k < count; ++k) sum += a[k] * b[k];
#endif
  return sum;
}

static int32_t added(const ls_lstm_codes* p, int32_t acc, const ls_factor* f, int32_t before) {
  return saturate16(ls_wrapped((int64_t)scaled(p, acc, f) + before));
}

/* One gate of every cell; `bits`: integer bits of a tanh, else a sigmoid. */
static void gate(const ls_lstm_codes* p, const ls_gate* g, int32_t is_tanh, const int8_t* x,
                 const int8_t* h, const int16_t* cell, int16_t* out) {
  int32_t k;
  for (k = 0; k < p->cells; ++k) {
    int32_t v = added(p, g->from_x[k] + dot(g->w + k * p->in, x, p->in), &g->x_scale, 0);
    v = added(p, g->from_h[k] + dot(g->r + k * p->out, h, p->out), &g->h_scale, v);
    if (g->peephole != NULL) v = added(p, g->peephole[k] * cell[k], &g->peephole_scale, v);
    out[k] = (int16_t)(is_tanh ? tanh_16(p, v, 3) : sigmoid_16(p, v));
  }
}

static void step(const ls_lstm_codes* p, const int8_t* x, int8_t* h, int16_t* cell,
                 int16_t* scratch) {
  int16_t *forget = scratch, *fresh = forget + p->cells, *input = fresh + p->cells;
  int8_t* hidden = p->projection == NULL ? h : (int8_t*)(input + p->cells);
  int32_t k, o;
  gate(p, &p->gates[1], 0, x, h, cell, forget);
  gate(p, &p->gates[2], 1, x, h, cell, fresh);
  if (!p->coupled) gate(p, &p->gates[0], 0, x, h, cell, input);
  for (k = 0; k < p->cells; ++k) {
    const int32_t kept = product(p, forget[k], cell[k], 15),
                  let = p->coupled ? 32767 - forget[k] : input[k];
    const int32_t c = saturate16(kept + product(p, let, fresh[k], 30 + p->cell_power));
    cell[k] = (int16_t)(p->cell_clip > 0 ? ls_clamp(c, -p->cell_clip, p->cell_clip) : c);
  }
  gate(p, &p->gates[3], 0, x, h, cell, forget);
  for (k = 0; k < p->cells; ++k)
    hidden[k] = (int8_t)ls_clamp_wide(
        (int64_t)scaled(p, forget[k] * tanh_16(p, cell[k], 15 + p->cell_power), &p->hidden_scale) +
            p->hidden_zero,
        -128, 127);
  if (p->projection == NULL) return;
  for (o = 0; o < p->out; ++o) {
    const int32_t acc = p->projected[o] + dot(p->projection + o * p->cells, hidden, p->cells);
    const int32_t code =
        ls_clamp_wide((int64_t)scaled(p, acc, &p->project_scale) + p->state_zero, -128, 127);
    h[o] = (int8_t)(p->projection_clip > 0 ? ls_clamp(code, -p->projection_clip, p->projection_clip)
                                           : code);
  }
}

void ls_lstm_codes_8(const ls_lstm_codes* p, const int8_t* x, const int8_t* h, const int16_t* c,
                     int8_t* y, int8_t* h_after, int16_t* c_after, int16_t* scratch) {
  int32_t b, t;
  memmove(h_after, h, (size_t)(p->batch * p->out));
  memmove(c_after, c, (size_t)(p->batch * p->cells) * sizeof *c);
  for (b = 0; b < p->batch; ++b)
    for (t = 0; t < p->steps; ++t) {
      const int32_t at = p->time_major ? t * p->batch + b : b * p->steps + t;
      step(p, x + at * p->in, h_after + b * p->out, c_after + b * p->cells, scratch);
      memcpy(y + at * p->out, h_after + b * p->out, (size_t)p->out);
    }
}
