/* Codes of any type: other scales, two operands. */
#include <math.h>

#include "ls_any.h"
#include "ls_fixed_more.h"

/* Nearest integer, ties to even, of what may lie far beyond every code. */
static int32_t nearest_code(float v) { return ls_nearest_even(ls_clamp_real(v, -2097152.0f, 2097152.0f)); }

/* As ls_rescale, the second rounding ties up. */
static int32_t rescale_half_up(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t down = shift < 0 ? -shift : 0;
  const int64_t half = down > 0 ? (int64_t)1 << (down - 1) : 0;
  return (int32_t)((ls_high_mul(shift > 0 ? ls_shift_left(x, shift) : x, multiplier) + half) >> down);
}

int32_t ls_scaled(const ls_scaler *s, int64_t sum, int32_t channel) {
  const int32_t at = s->by ? channel : 0, narrow = ls_wrapped(sum);
  int64_t code;
  double n;
  switch (s->steps) {
    case LS_TWICE:
      code = channel < s->half_up ? rescale_half_up(narrow, s->q.multiplier[at], s->q.shift[at])
                                  : ls_rescale(narrow, s->q.multiplier[at], s->q.shift[at]);
      break;
    case LS_ONCE: code = ls_rescale_once(narrow, s->q.multiplier[at], s->q.shift[at]); break;
    case LS_REAL32: code = nearest_code((float)narrow * s->q.factor[at]); break;
    case LS_REAL64:
      n = round((s->wide ? (double)sum : (double)narrow) * s->q.real[at]);
      code = n >= -2147483648.0 && n <= 2147483647.0 ? (int32_t)n : INT32_MIN;
      break;
    default: code = ls_rescale_wide(sum, s->q.multiplier[at], s->q.shift[at]);
  }
  return ls_clamp_wide(code + s->q.zero, s->q.low, s->q.high);
}

void ls_requantize_any(const ls_change *p, const void *x, void *y, size_t count) {
  int32_t i;
  for (i = 0; i < (int32_t)count; ++i) {
    const int32_t scaled = ls_rescale(ls_get(x, i, p->x_type) - p->x_zero, p->multiplier, p->shift);
    ls_put(y, i, p->y_type, ls_clamp(ls_wrapped((int64_t)scaled + p->y_zero), p->low, p->high));
  }
}

static int32_t finished(const ls_binary_any_p *p, int32_t v) {
  const int32_t scaled = p->once ? ls_rescale_once(v, p->y_multiplier, p->y_shift) : ls_rescale(v, p->y_multiplier, p->y_shift);
  return ls_clamp_wide((int64_t)scaled + p->y_zero, p->low, p->high);
}

static int32_t on_grid(const ls_binary_any_p *p, int32_t v, int32_t multiplier, int32_t shift) {
  const int32_t wide = ls_wrapped((int64_t)v * ((int64_t)1 << p->left));
  return p->once ? ls_rescale_once(wide, multiplier, shift) : ls_rescale(wide, multiplier, shift);
}

static int32_t sum_on_grid(const ls_binary_any_p *p, int32_t a, int32_t b) {
  const int64_t left = on_grid(p, a, p->a_multiplier, p->a_shift), right = on_grid(p, b, p->b_multiplier, p->b_shift);
  return ls_wrapped(p->minus ? left - right : left + right);
}

static int32_t shifted(int32_t v, int32_t by) {
  if (by >= 0) return ls_wrapped((int64_t)v * ((int64_t)1 << by));
  return v >> (by < -31 ? 31 : -by);
}

static int32_t low_16(int32_t v) { return (int32_t)(int16_t)(uint16_t)((uint32_t)v & 0xffffu); }

static int32_t on_vector_grid(const ls_binary_any_p *p, int32_t v, int32_t multiplier, int32_t shift) {
  if (p->vectors == LS_VECTORS_ONCE) return ls_high_mul(shifted(v, p->left + shift), multiplier);
  return shifted(ls_high_mul(shifted(v, p->left), multiplier), shift);
}

/* The sum as vectors take it; 8-bit results pass through 16 bits. */
static int32_t sum_in_vectors(const ls_binary_any_p *p, int32_t a, int32_t b) {
  const int64_t sum = (int64_t)on_vector_grid(p, a, p->a_multiplier, p->a_shift) + on_vector_grid(p, b, p->b_multiplier, p->b_shift);
  const int32_t y = ls_rescale(ls_wrapped(sum), p->y_multiplier, p->y_shift);
  if (p->y_type == LS_S16) return ls_clamp_wide((int64_t)y + p->y_zero, p->low, p->high);
  return ls_clamp(low_16(low_16(y) + p->y_zero), p->low, p->high);
}

static int32_t quotient(const ls_binary_any_p *p, int32_t top, int32_t bottom) {
  int32_t headroom, magnitude, power, inverse, q;
  if (bottom < 0) top = -top, bottom = -bottom;
  inverse = ls_reciprocal(bottom, 31, &power);
  magnitude = top < 0 ? ~top : top;
  headroom = magnitude == 0 ? 31 : ls_zeros_before((uint32_t)magnitude) - 1;
  q = ls_high_mul(ls_wrapped((int64_t)top * ((int64_t)1 << headroom)), inverse);
  q = ls_divide_by_power(ls_high_mul(q, p->y_multiplier), -(p->y_shift - power - headroom));
  return ls_clamp_wide((int64_t)q + p->y_zero, p->low, p->high);
}

static int32_t combined(const ls_binary_any_p *p, int32_t a, int32_t b) {
  int64_t sum;
  switch (p->steps) {
    case LS_ADD: return finished(p, sum_on_grid(p, a, b));
    case LS_SQUARE: a = sum_on_grid(p, a, b); return finished(p, ls_wrapped((int64_t)a * a));
    case LS_MUL: return finished(p, a * b);
    case LS_PRELU:
      if (a < 0) return finished(p, a * b);
      return ls_clamp_wide((int64_t)ls_rescale(a, p->a_multiplier, p->a_shift) + p->y_zero, p->low, p->high);
    case LS_DIV: return quotient(p, a, b);
    case LS_MUL_LATE: return ls_clamp(nearest_code((float)(a * b) * p->factor) + p->y_zero, p->low, p->high);
    default:
      sum = (int64_t)a * p->a_multiplier + (int64_t)(p->minus ? -b : b) * p->b_multiplier;
      sum = (sum + ((int64_t)1 << (p->y_shift - 1))) >> p->y_shift;
      return ls_clamp_wide(sum + p->y_zero, p->low, p->high);
  }
}

void ls_binary_any(const ls_binary_any_p *p, const void *a, const void *b, void *y) {
  const ls_spread *s = &p->spread;
  int32_t i, j, k, l, at = 0;
  for (i = 0; i < s->extent[0]; ++i)
    for (j = 0; j < s->extent[1]; ++j)
      for (k = 0; k < s->extent[2]; ++k) {
        const int32_t ra = i * s->a_stride[0] + j * s->a_stride[1] + k * s->a_stride[2];
        const int32_t rb = i * s->b_stride[0] + j * s->b_stride[1] + k * s->b_stride[2];
        for (l = 0; l < s->extent[3]; ++l, ++at)
        {
          const int32_t left = ls_get(a, ra + l * s->a_stride[3], p->a_type) - p->a_zero;
          const int32_t right = ls_get(b, rb + l * s->b_stride[3], p->b_type) - p->b_zero;
          const int in_vector = p->vectors && at % p->row < p->whole;
          ls_put(y, at, p->y_type, in_vector ? sum_in_vectors(p, left, right) : combined(p, left, right));
        }
      }
}
