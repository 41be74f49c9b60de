/* Reductions, means and normalizations of float32. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

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

static double term_of(const ls_reduce_real* p, double x) {
  return p->term == LS_SQUARED       ? x * x
         : p->term == LS_MAGNITUDE   ? fabs(x)
         : p->term == LS_EXPONENTIAL ? exp(x)
                                     : x;
}

static float extreme(const ls_reduce_real* p, const float* x, int32_t reduced) {
  float best = x[0];
  int32_t r;
  for (r = 1; r < reduced; ++r) {
    const float v = x[walk(p->axes.reduced, p->axes.reduced_stride, r)];
    if (p->kind == LS_GREATEST ? v > best : v < best) best = v;
  }
  return best;
}

static float summed(const ls_reduce_real* p, const float* x, int32_t reduced) {
  double sum = p->kind == LS_PRODUCT ? 1.0 : 0.0;
  int32_t r;
  for (r = 0; r < reduced; ++r) {
    const double v = (double)x[walk(p->axes.reduced, p->axes.reduced_stride, r)];
    if (p->kind == LS_PRODUCT)
      sum = sum * v;
    else if (p->single)
      sum = (double)((float)sum + (float)term_of(p, v));
    else
      sum = sum + term_of(p, v);
  }
  switch (p->kind) {
    case LS_MEAN:
      return (float)(sum / (double)reduced);
    case LS_ROOT:
      return (float)sqrt(sum);
    case LS_LOG_SUM:
      return (float)log(sum);
    default:
      return (float)sum;
  }
}

void ls_reduce_f32(const ls_reduce_real* p, const float* x, float* y) {
  const int32_t kept = count_of(p->axes.kept), reduced = count_of(p->axes.reduced);
  int32_t i;
  for (i = 0; i < kept; ++i) {
    const float* first = x + walk(p->axes.kept, p->axes.kept_stride, i);
    y[i] = p->kind == LS_GREATEST || p->kind == LS_LEAST ? extreme(p, first, reduced)
                                                         : summed(p, first, reduced);
  }
}

void ls_plane_mean_f32(const float* x, float* y, int32_t planes, int32_t count, int32_t step,
                       int32_t how) {
  int32_t p, i, l;
  for (p = 0; p < planes; ++p) {
    const float* const plane = x + p / step * step * count + p % step;
    float lane[4] = {0.0f, 0.0f, 0.0f, 0.0f}, sum = 0.0f;
    double wide = 0.0;
    i = 0;
    if (how == LS_LANES) {
      for (; i + 4 <= count; i += 4)
        for (l = 0; l < 4; ++l) lane[l] = lane[l] + plane[(i + l) * step];
      sum = (lane[0] + lane[2]) + (lane[1] + lane[3]);
    }
    if (how == LS_DOUBLE) {
      for (; i < count; ++i) wide = wide + (double)plane[i * step];
      y[p] = (float)(wide / (double)count);
      continue;
    }
    for (; i < count; ++i) sum = sum + plane[i * step];
    y[p] = sum / (float)count;
  }
}

void ls_normalize_f32(const ls_normal* p, const float* x, const float* scale, const float* bias,
                      float* y) {
  int32_t g, i;
  for (g = 0; g < p->groups; ++g) {
    const int32_t first = g * p->count;
    double sum = 0.0, squares = 0.0, mean, factor;
    for (i = 0; i < p->count; ++i) sum = sum + (double)x[first + i];
    mean = sum / (double)p->count;
    for (i = 0; i < p->count; ++i) {
      const double d = (double)x[first + i] - mean, square = d * d;
      squares = squares + square;
    }
    factor = 1.0 / sqrt(squares / (double)p->count + p->epsilon);
    for (i = 0; i < p->count; ++i) {
      const int32_t at = (first + i) / p->inner % p->extent;
      const double v = ((double)x[first + i] - mean) * factor, scaled = v * (double)scale[at];
      y[first + i] = (float)(scaled + (bias == NULL ? 0.0 : (double)bias[at]));
    }
  }
}

void ls_lp_normalize_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner,
                         int32_t power, int32_t single) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    double sum = 0.0, norm;
    float own = 0.0f;
    for (i = 0; single && i < count; ++i) {
      const float v = x[first + i * inner], term = power == 2 ? v * v : fabsf(v);
      own = own + term;
    }
    if (single) {
      if (power == 2) own = sqrtf(own);
      for (i = 0; i < count; ++i)
        y[first + i * inner] =
            own > 0.0f || own < 0.0f || own != own ? x[first + i * inner] / own : 0.0f;
      continue;
    }
    for (i = 0; i < count; ++i) {
      const double v = (double)x[first + i * inner], term = power == 2 ? v * v : fabs(v);
      sum = sum + term;
    }
    norm = power == 2 ? sqrt(sum) : sum;
    for (i = 0; i < count; ++i)
      y[first + i * inner] = norm == 0.0 ? 0.0f : (float)((double)x[first + i * inner] / norm);
  }
}

void ls_l2_normalize_f32(const float* x, float* y, int32_t rows, int32_t count) {
  int32_t i;
  for (; rows > 0; --rows, x += count, y += count) {
    float squares = 0.0f, length;
    for (i = 0; i < count; ++i) {
      const float square = x[i] * x[i];
      squares = squares + square;
    }
    length = sqrtf(squares);
    if (length < 1e-6f) length = 1e-6f;
    for (i = 0; i < count; ++i) y[i] = x[i] / length;
  }
}

void ls_log_softmax_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    double greatest = (double)x[first], sum = 0.0;
    for (i = 1; i < count; ++i)
      if (greatest < (double)x[first + i * inner]) greatest = (double)x[first + i * inner];
    for (i = 0; i < count; ++i) sum = sum + exp((double)x[first + i * inner] - greatest);
    for (i = 0; i < count; ++i)
      y[first + i * inner] = (float)((double)x[first + i * inner] - greatest - log(sum));
  }
}

void ls_softmax_plain_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner,
                          float beta) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    float greatest = x[first], sum = 0.0f;
    for (i = 1; i < count; ++i)
      if (greatest < x[first + i * inner]) greatest = x[first + i * inner];
    for (i = 0; i < count; ++i) {
      const float v = expf((x[first + i * inner] - greatest) * beta);
      y[first + i * inner] = v;
      sum = sum + v;
    }
    for (i = 0; i < count; ++i) y[first + i * inner] = y[first + i * inner] / sum;
  }
}
