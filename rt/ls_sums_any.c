/* Sums over codes of any type: matrix products, reductions. */
#include <math.h>

#include "ls_any.h"
#include "ls_fixed_more.h"

void ls_matmul_any(const ls_matmul_any_p* p, const void* a, const void* b, void* y) {
  int32_t t, i, j, k, at = 0;
  for (t = 0; t < p->count; ++t)
    for (i = 0; i < p->m; ++i)
      for (j = 0; j < p->n; ++j, ++at) {
        const int32_t b_zero = p->b_zeros == NULL ? p->b_zero : p->b_zeros[j];
        int64_t sum = 0;
        for (k = 0; k < p->k; ++k)
          sum += (int64_t)(ls_get(a, t * p->a_step + i * p->a_row + k * p->a_col, p->a_type) -
                           p->a_zero) *
                 (ls_get(b, t * p->b_step + k * p->b_row + j * p->b_col, p->b_type) - b_zero);
        ls_put(y, at, p->scale.type, ls_scaled(&p->scale, sum, j));
      }
}

/* The place in x of the i-th of `extent`, innermost last. */
static int32_t walk(const int32_t* extent, const int32_t* stride, int32_t i) {
  int32_t at = 0, d;
  for (d = 3; d >= 0; --d) {
    at += i % extent[d] * stride[d];
    i /= extent[d];
  }
  return at;
}
static int32_t count_of(const int32_t* extent) {
  return extent[0] * extent[1] * extent[2] * extent[3];
}

void ls_sum_any(const ls_sum_any_p* p, const void* x, void* y) {
  const int32_t kept = count_of(p->axes.kept), reduced = count_of(p->axes.reduced);
  uint8_t* out = (uint8_t*)y;
  int32_t i, r;
  for (i = 0; i < kept; ++i, out += p->y_bytes) {
    const int32_t first = walk(p->axes.kept, p->axes.kept_stride, i);
    int32_t sum = p->start;
    for (r = 0; r < reduced; ++r)
      sum += ls_get(x, first + walk(p->axes.reduced, p->axes.reduced_stride, r), p->x_type);
    p->finish(&p->q, &sum, 1, 0, 1, out, 0);
  }
}

void ls_extreme_any(const ls_extreme* p, const void* x, void* y) {
  const ls_axes* a = &p->axes;
  const int32_t kept = count_of(a->kept), reduced = count_of(a->reduced);
  int32_t i, r;
  for (i = 0; i < kept; ++i) {
    const int32_t first = walk(a->kept, a->kept_stride, i);
    int32_t best = ls_get(x, first, p->type);
    for (r = 1; r < reduced; ++r) {
      const int32_t code = ls_get(x, first + walk(a->reduced, a->reduced_stride, r), p->type);
      if (p->sign > 0 ? code > best : code < best) best = code;
    }
    ls_put(y, i, p->type, best);
  }
}

void ls_product_any(const ls_product* p, const void* x, void* y) {
  const ls_axes* a = &p->axes;
  const int32_t kept = count_of(a->kept), reduced = count_of(a->reduced);
  int32_t i, r;
  for (i = 0; i < kept; ++i) {
    const int32_t first = walk(a->kept, a->kept_stride, i);
    int32_t product = reduced > 0 ? ls_get(x, first, p->type) - p->x_zero : 1;
    for (r = 1; r < reduced; ++r) {
      const int32_t factor =
          ls_get(x, first + walk(a->reduced, a->reduced_stride, r), p->type) - p->x_zero;
      product = ls_rescale_wide((int64_t)product * factor, p->multiplier, p->shift);
    }
    product = ls_rescale_wide(product, p->multiplier, p->shift);
    ls_put(y, i, p->type, ls_clamp_wide((int64_t)product + p->y_zero, p->low, p->high));
  }
}

void ls_finish_offset(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                      int32_t rows, void* y, int32_t step) {
  int8_t* out = (int8_t*)y;
  int32_t i;
  (void)channel;
  for (; rows > 0; --rows, acc += LS_RUN, out += step)
    for (i = 0; i < count; ++i) {
      const float scaled = (float)acc[i] * q->factor[0];
      const float v = ls_clamp_real(scaled + q->offset, -2097152.0f, 2097152.0f);
      out[i] = ls_byte(ls_clamp(ls_nearest_even(v), q->low, q->high));
    }
}

void ls_finish_offset_16(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                         int32_t rows, void* y, int32_t step) {
  uint8_t* out = (uint8_t*)y;
  int32_t i;
  (void)channel;
  for (; rows > 0; --rows, acc += LS_RUN, out += step)
    for (i = 0; i < count; ++i) {
      const float scaled = (float)acc[i] * q->factor[0];
      const float v = ls_clamp_real(roundf(scaled + q->offset), -2097152.0f, 2097152.0f);
      ((int16_t*)(void*)out)[i] = (int16_t)ls_clamp((int32_t)v + q->zero, q->low, q->high);
    }
}

void ls_finish_fixed_16(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                        int32_t rows, void* y, int32_t step) {
  uint8_t* out = (uint8_t*)y;
  int32_t i;
  (void)channel;
  for (; rows > 0; --rows, acc += LS_RUN, out += step)
    for (i = 0; i < count; ++i) {
      const int32_t scaled = ls_rescale(acc[i], q->multiplier[0], q->shift[0]);
      ((int16_t*)(void*)out)[i] =
          (int16_t)(ls_clamp(scaled, q->low - q->zero, q->high - q->zero) + q->zero);
    }
}

/* a + b as 32 bits hold it: scrambled or badly scaled weights reach beyond. */
static int32_t wrapped(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

void ls_svdf_any(const ls_svdf* p, const void* x, const void* state, void* y, void* after) {
  const int32_t all = p->batch * p->filters * p->memory, units = p->filters / p->rank;
  int32_t b, f, u, i;
  for (i = 0; i + 1 < all; ++i)
    ls_put(after, i, p->state_type, ls_get(state, i + 1, p->state_type));
  ls_put(after, all - 1, p->state_type, ls_get(state, all - 1, p->state_type));
  for (b = 0; b < p->batch; ++b)
    for (f = 0; f < p->filters; ++f) {
      int32_t sum = 0;
      for (i = 0; i < p->in; ++i)
        sum = wrapped(sum, (ls_get(x, b * p->in + i, p->x_type) - p->x_zero) *
                               (ls_get(p->w, f * p->in + i, p->w_type) - p->w_zero));
      sum = ls_rescale(sum, p->in_scale.multiplier, p->in_scale.shift);
      ls_put(after, (b * p->filters + f + 1) * p->memory - 1, p->state_type,
             ls_clamp(sum, p->in_scale.low, p->in_scale.high) + p->state_zero);
    }
  for (b = 0; b < p->batch; ++b)
    for (u = 0; u < units; ++u) {
      const int32_t first = u * p->rank * p->memory;
      int64_t wide;
      int32_t sum = p->bias == NULL ? 0 : p->bias[u];
      for (i = first; i < first + p->rank * p->memory; ++i)
        sum = wrapped(sum, (ls_get(p->v, i, p->v_type) - p->v_zero) *
                               (ls_get(after, b * p->filters * p->memory + i, p->state_type) -
                                p->state_zero));
      wide = (int64_t)ls_rescale(sum, p->out_scale.multiplier, p->out_scale.shift) +
             p->out_scale.y_zero;
      wide = wide < p->out_scale.low    ? p->out_scale.low
             : wide > p->out_scale.high ? p->out_scale.high
                                        : wide;
      ls_put(y, b * units + u, p->out_scale.y_type, (int32_t)wide);
    }
}
