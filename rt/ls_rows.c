/* Rows of codes: over their length, softmax and its logarithm. */
#include <math.h>

#include "ls_any.h"
#include "ls_fixed_more.h"

/* exp(a) for a <= 0 in Q5.26, as Q0.31. */
static int32_t exp_of_negative(int32_t a) {
  /* exp(-2^e), e = -2 .. 4 */
  static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                    39332535,   720401,     242};
  const int32_t quarter = (int32_t)1 << 24;
  int32_t low, rest, x, x2, x3, tail, result, e;
  if (a == 0) return INT32_MAX;
  low = (a & (quarter - 1)) - quarter;
  /* The Taylor polynomial of degree four around -1/8. */
  x = ls_saturating_shift(low, 5) + ((int32_t)1 << 28);
  x2 = ls_high_mul(x, x);
  x3 = ls_high_mul(x2, x);
  tail = ls_divide_by_power(ls_high_mul(x2, x2), 2);
  tail = ls_divide_by_power(ls_high_mul(tail + x3, 715827883) + x2, 1);
  result = ls_saturated((int64_t)1895147668 + ls_high_mul(1895147668, x + tail));
  rest = low - a;
  for (e = -2; e < 5; ++e)
    if ((rest >> (26 + e)) & 1) result = ls_high_mul(result, factors[e + 2]);
  return result;
}

/* log(x) of Q12.19 in Q5.26: a power of two and a quotient of polynomials near sqrt(sqrt(1/2)). */
static int32_t log_of_sum(int32_t x) {
  const int32_t root4_half = 1805811301, root_half = 1518500250, quarter = (int32_t)1 << 23;
  const int32_t zeros_a = ls_zeros_before((uint32_t)x);
  const int32_t r_a =
      ls_saturating_shift(ls_high_mul(ls_saturating_shift(x, zeros_a - 1), root_half), 1);
  const int32_t power_a =
      ls_saturated((int64_t)ls_saturated((int64_t)(12 - zeros_a) * (1 << 25)) + quarter);
  const int32_t zeros_b = ls_zeros_before((uint32_t)ls_high_mul(x, root_half)) - 1;
  const int32_t r_b = ls_saturating_shift(x, zeros_b);
  const int32_t power_b =
      ls_saturated((int64_t)ls_saturated((int64_t)(12 - zeros_b) * (1 << 25)) - quarter);
  const int32_t r = r_a < r_b ? r_a : r_b, power = power_a > power_b ? power_a : power_b;
  const int32_t p = ls_half_sum(r, root4_half);
  const int32_t q = ls_wrapped(2 * ((int64_t)r - root4_half));
  const int32_t square = ls_high_mul(q, q);
  const int32_t top =
      ls_wrapped((int64_t)ls_high_mul(q, r) + ls_high_mul(ls_high_mul(q, square), 117049297));
  const int32_t factor = ls_wrapped((int64_t)1057819769 + q + ls_high_mul(127690142, square));
  const int32_t bottom = ls_wrapped((int64_t)ls_high_mul(p, factor) + ls_high_mul(638450708, q));
  const int32_t quotient = ls_high_mul(ls_divide_by_power(top, 6), ls_inverse_of_one_plus(bottom));
  return ls_saturating_shift(ls_wrapped((int64_t)ls_high_mul(power, 1488522236) + quotient), 1);
}

/* 1 / sqrt(x) as multiplier * 2^shift / 2^31. */
static void inverse_root(int32_t x, int32_t* multiplier, int32_t* shift) {
  const int32_t half_three = ((int32_t)1 << 28) + ((int32_t)1 << 27);
  int32_t right = 11, pairs, half, y = (int32_t)1 << 28, i;
  *multiplier = INT32_MAX;
  *shift = 0;
  if (x <= 1) return;
  for (; x >= (int32_t)1 << 29; ++right) x /= 4;
  pairs = (ls_zeros_before((uint32_t)x) - 1) / 2 - 1;
  right -= pairs;
  x = ls_shift_left(x, 2 * pairs);
  half = ls_divide_by_power(x >> 1, 1);
  for (i = 0; i < 5; ++i) {
    const int32_t cube = ls_saturating_shift(ls_high_mul(ls_high_mul(y, y), y), 6);
    y = ls_saturating_shift(
        ls_wrapped((int64_t)ls_high_mul(half_three, y) - ls_high_mul(half, cube)), 3);
  }
  *multiplier = ls_high_mul(y, 1518500250);
  if (right < 0)
    *multiplier = ls_shift_left(*multiplier, -right);
  else
    *shift = -right;
}

static int32_t at_of(const ls_rows* p, int32_t row, int32_t i) {
  return (row / p->inner * p->count + i) * p->inner + row % p->inner;
}
static int32_t greatest_of(const ls_rows* p, const void* x, int32_t row) {
  int32_t best = ls_get(x, at_of(p, row, 0), p->x_type), i;
  for (i = 1; i < p->count; ++i) {
    const int32_t code = ls_get(x, at_of(p, row, i), p->x_type);
    if (code > best) best = code;
  }
  return best;
}

void ls_l2_normalize(const ls_rows* p, const void* x, void* y) {
  int32_t row, i, multiplier, shift;
  for (row = 0; row < p->outer * p->inner; ++row) {
    int32_t squares = 0;
    for (i = 0; i < p->count; ++i) {
      const int32_t d = ls_get(x, at_of(p, row, i), p->x_type) - p->x_zero;
      squares += d * d;
    }
    inverse_root(squares, &multiplier, &shift);
    for (i = 0; i < p->count; ++i) {
      const int32_t d = ls_get(x, at_of(p, row, i), p->x_type) - p->x_zero;
      const int32_t code = p->low == 0
                               ? ls_divide_by_power(ls_high_mul(128 * d, multiplier), -shift) + 128
                               : ls_rescale(d, multiplier, shift + 7);
      ls_put(y, at_of(p, row, i), p->y_type, ls_clamp(code, p->low, p->high));
    }
  }
}

void ls_log_softmax_fixed(const ls_rows* p, const void* x, void* y) {
  int32_t row, i;
  for (row = 0; row < p->outer * p->inner; ++row) {
    const int32_t best = greatest_of(p, x, row);
    int32_t sum = 0, log, cut;
    for (i = 0; i < p->count; ++i) {
      const int32_t d = ls_get(x, at_of(p, row, i), p->x_type) - best;
      if (d >= p->least)
        sum += ls_divide_by_power(exp_of_negative(ls_rescale(d, p->multiplier, p->shift)), 12);
    }
    log = log_of_sum(sum);
    cut = ls_rescale(ls_wrapped((int64_t)log + INT32_MIN), p->back_multiplier, p->back_shift);
    if (cut < p->least - 1) cut = p->least - 1;
    for (i = 0; i < p->count; ++i) {
      const int32_t d = ls_get(x, at_of(p, row, i), p->x_type) - best;
      int32_t code = p->low;
      if (d > cut) {
        code = ls_divide_by_power(ls_wrapped((int64_t)ls_rescale(d, p->multiplier, p->shift) - log),
                                  22) +
               p->high;
        code = ls_clamp(code, p->low, p->high);
      }
      ls_put(y, at_of(p, row, i), p->y_type, code);
    }
  }
}

static float sum_of_terms(const ls_rows* p, const void* x, int32_t row, int32_t best) {
  float sum = 0.0f;
  int32_t i;
  for (i = 0; i < p->count; ++i)
    sum = sum + p->terms[best - ls_get(x, at_of(p, row, i), p->x_type)];
  return sum;
}

void ls_log_softmax_real(const ls_rows* p, const void* x, void* y) {
  const float ratio = p->x_scale / p->y_scale;
  int32_t row, i;
  for (row = 0; row < p->outer * p->inner; ++row) {
    const int32_t best = greatest_of(p, x, row);
    const float shift = p->x_scale * (float)best;
    const float offset = (shift + logf(sum_of_terms(p, x, row, best))) / p->y_scale;
    for (i = 0; i < p->count; ++i) {
      const float scaled = ratio * (float)ls_get(x, at_of(p, row, i), p->x_type);
      const float v = ls_clamp_real(scaled - offset, -2097152.0f, 2097152.0f);
      ls_put(y, at_of(p, row, i), p->y_type,
             ls_clamp(ls_nearest_even(v) + p->y_zero, p->low, p->high));
    }
  }
}

void ls_softmax_real(const ls_rows* p, const void* x, void* y) {
  int32_t row, i;
  for (row = 0; row < p->outer * p->inner; ++row) {
    const int32_t best = greatest_of(p, x, row);
    const float inverse = 1.0f / (sum_of_terms(p, x, row, best) * p->y_scale);
    for (i = 0; i < p->count; ++i) {
      const float share = p->terms[best - ls_get(x, at_of(p, row, i), p->x_type)] * inverse;
      const int32_t code =
          p->low == 0 ? (int32_t)(share + 0.5f) : (int32_t)roundf(share) + p->y_zero;
      ls_put(y, at_of(p, row, i), p->y_type, ls_clamp(code, p->low, p->high));
    }
  }
}

/* Between samples 128 codes apart. */
static int32_t between(const int16_t* samples, int32_t code) {
  const int32_t at = 256 + (code >> 7), slope = (int16_t)(samples[at + 1] - samples[at]);
  return (int16_t)(samples[at] + ((slope * (code & 0x7f) + 64) >> 7));
}

void ls_table_16(const int16_t* table, const int16_t* x, int16_t* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = table[x[i] + 32768];
}

void ls_samples_16(const int16_t* samples, const int16_t* x, int16_t* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = (int16_t)between(samples, x[i]);
}

void ls_softmax_16(const ls_rows* p, const int16_t* exponentials, const int16_t* inverses,
                   const int16_t* x, int16_t* y) {
  int32_t row, i;
  for (row = 0; row < p->outer * p->inner; ++row) {
    const int32_t best = greatest_of(p, x, row);
    int32_t sum = 0, headroom, shifted, inverse;
    for (i = 0; i < p->count; ++i) {
      const int32_t at = at_of(p, row, i),
                    d = ls_rescale(x[at] - best, p->multiplier, p->shift) + 32767;
      y[at] = (int16_t)between(exponentials, ls_clamp(d, -32768, 32767));
      sum += y[at];
    }
    headroom = ls_zeros_before((uint32_t)sum);
    shifted = (int32_t)((((int64_t)sum << (headroom - 1)) + (1 << 13)) >> 14);
    inverse = between(inverses, ls_clamp(shifted - ((1 << 15) + (1 << 16)), -32768, 32767));
    for (i = 0; i < p->count; ++i) {
      const int32_t at = at_of(p, row, i);
      const int64_t product = (int64_t)y[at] * inverse + ((int64_t)1 << (30 - headroom));
      y[at] = (int16_t)ls_clamp_wide(product >> (31 - headroom), 0, 32767);
    }
  }
}

void ls_sigmoid_16(const uint16_t* samples, int32_t multiplier, int32_t shift, int32_t tanh,
                   const int16_t* x, int16_t* y, size_t count) {
  const int32_t bits = tanh ? 8 : 9, round = shift > 0 ? (int32_t)1 << (shift - 1) : 0;
  const int32_t one = (int32_t)1 << (tanh ? 23 : 25), limit = tanh ? 0xffff << 8 : 0x7fff << 10;
  size_t i;
  for (i = 0; i < count; ++i) {
    const int32_t v = (x[i] * multiplier + round) >> shift;
    const uint32_t magnitude = (uint32_t)(v < 0 ? -v : v), at = magnitude >> bits;
    int32_t s = limit; /* the sigmoid of |v|, with `bits` bits more than the samples */
    if (at < 255) {
      const uint32_t fraction = magnitude & ((1u << bits) - 1u);
      s = (int32_t)(((uint32_t)samples[at] << bits) +
                    fraction * ((uint32_t)samples[at + 1] - samples[at]));
    }
    if (tanh)
      s = (v >= 0 ? s - one + 128 : one - s + 127) >> 8;
    else
      s = (v >= 0 ? s + 512 : one - s + 511) >> 10;
    y[i] = (int16_t)s;
  }
}
