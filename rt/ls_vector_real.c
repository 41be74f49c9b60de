/* Sums of float32 in the order of onnxruntime's vectors, and what it normalizes by them. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

/* Terms that are joined, element by element. */
typedef struct {
  const float* x;
  float mean; /* of LS_FROM_MEAN */
  uint8_t term, product;
} terms;
enum { LS_FROM_MEAN = LS_EXPONENTIAL + 1 }; /* square of the distance from the mean */

static float term_at(const terms* t, int32_t i) {
  const float v = t->x[i];
  switch (t->term) {
    case LS_MAGNITUDE:
      return fabsf(v);
    case LS_SQUARED:
      return v * v;
    case LS_FROM_MEAN:
      return (v - t->mean) * (v - t->mean);
    default:
      return v;
  }
}
static float join(const terms* t, float a, float b) {
  return t->product ? a * b : a + b;
}

/* `count` terms from `first` on, that stand `offset` elements behind a boundary of four: two
   vectors of four in turn, joined, then what stands before and behind the aligned part. */
static float by_vectors(const terms* t, int32_t first, int32_t count, int32_t offset) {
  const int32_t lead = (4 - offset % 4) % 4, head = count < lead ? count : lead;
  const int32_t fours = (count - head) / 4 * 4, eights = (count - head) / 8 * 8, at = first + head;
  float even[4], odd[4], s;
  int32_t i, l;
  if (fours == 0) {
    s = count > 0 ? term_at(t, first) : join(t, 0.0f, 0.0f);
    for (i = 1; i < count; ++i) s = join(t, s, term_at(t, first + i));
    return s;
  }
  for (l = 0; l < 4; ++l) even[l] = term_at(t, at + l);
  if (fours > 4) {
    for (l = 0; l < 4; ++l) odd[l] = term_at(t, at + 4 + l);
    for (i = 8; i < eights; i += 8)
      for (l = 0; l < 4; ++l) {
        even[l] = join(t, even[l], term_at(t, at + i + l));
        odd[l] = join(t, odd[l], term_at(t, at + i + 4 + l));
      }
    for (l = 0; l < 4; ++l) even[l] = join(t, even[l], odd[l]);
    if (fours > eights)
      for (l = 0; l < 4; ++l) even[l] = join(t, even[l], term_at(t, at + eights + l));
  }
  s = join(t, join(t, even[0], even[2]), join(t, even[1], even[3]));
  for (i = 0; i < head; ++i) s = join(t, s, term_at(t, first + i));
  for (i = head + fours; i < count; ++i) s = join(t, s, term_at(t, first + i));
  return s;
}

/* A column: four terms, then two, then one at a time. */
static float in_fours(const float* x, int32_t count, int32_t step) {
  float sum = 0.0f;
  int32_t at = 0, i;
  while (at < count) {
    const int32_t n = count - at >= 4 ? 4 : count - at >= 2 ? 2 : 1;
    float t = x[at * step];
    for (i = 1; i < n; ++i) t = t + x[(at + i) * step];
    sum = t + sum;
    at += n;
  }
  return sum;
}

static int32_t walk(const int32_t* extent, const int32_t* stride, int32_t i) {
  int32_t at = 0, d;
  for (d = 3; d >= 0; --d) {
    at += i % extent[d] * stride[d];
    i /= extent[d];
  }
  return at;
}

static float one_by_one(const ls_reduce_vector* p, const terms* t, int32_t first) {
  float sum = p->form == LS_FROM_FIRST ? term_at(t, first)
              : t->product             ? 1.0f
                                       : 0.0f,
        top = -INFINITY;
  int32_t r;
  if (p->term != LS_EXPONENTIAL) {
    for (r = p->form == LS_FROM_FIRST; r < p->reduced; ++r)
      sum = join(t, sum, term_at(t, first + walk(p->axes.reduced, p->axes.reduced_stride, r)));
    return sum;
  }
  for (r = 0; r < p->reduced; ++r) {
    const float v = t->x[first + walk(p->axes.reduced, p->axes.reduced_stride, r)];
    if (top < v) top = v;
  }
  if (isinf(top)) top = 0.0f;
  for (r = 0; r < p->reduced; ++r)
    sum = sum + expf(t->x[first + walk(p->axes.reduced, p->axes.reduced_stride, r)] - top);
  return logf(sum) + top;
}

static float finished(const ls_reduce_vector* p, float sum) {
  if (p->term == LS_EXPONENTIAL) return sum;
  switch (p->kind) {
    case LS_MEAN:
      return sum / (float)p->divisor;
    case LS_ROOT:
      return sqrtf(sum);
    case LS_LOG_SUM:
      return logf(sum);
    default:
      return sum;
  }
}

void ls_reduce_vector_f32(const ls_reduce_vector* p, const float* x, float* y) {
  const int32_t outputs = p->form == LS_BY_ROW             ? p->outer
                          : p->form == LS_BY_ROW_AND_BLOCK ? p->inner
                                                           : p->outer * p->inner;
  terms t;
  int32_t i, o;
  t.x = x, t.mean = 0.0f, t.term = p->term, t.product = p->kind == LS_PRODUCT;
  for (i = 0; i < outputs; ++i) {
    float s = 0.0f;
    switch (p->form) {
      case LS_BY_ROW:
        s = by_vectors(&t, i * p->reduced, p->reduced, i * p->reduced);
        break;
      case LS_BY_FOURS:
        s = in_fours(x + i / p->inner * p->reduced * p->inner + i % p->inner, p->reduced, p->inner);
        break;
      case LS_BY_ROW_AND_BLOCK:
        for (o = 0; o < p->outer; ++o) {
          const int32_t first = (o * p->inner + i) * p->reduced;
          const float row = by_vectors(&t, first, p->reduced, first);
          s = o == 0 ? row : s + row;
        }
        break;
      default:
        s = one_by_one(p, &t, walk(p->axes.kept, p->axes.kept_stride, i));
    }
    y[i] = finished(p, s);
  }
}

/* Fewer than eight elements: mean and squares as they come. */
static void few_moments(const float* x, int32_t n, float* mean, float* squares) {
  int32_t i;
  *mean = *squares = 0.0f;
  for (i = 0; i < n; ++i) {
    const float d = x[i] - *mean;
    *mean = *mean + d / (float)(i + 1);
    *squares = *squares + d * (x[i] - *mean);
  }
}

/* The mean in double; squares in eight fused lanes, the rest in fours, then fused. */
static void moments(const float* x, int32_t n, float* mean, float* squares) {
  const int32_t whole = n / 8 * 8, four = whole + (n - whole) / 4 * 4;
  float lane[8] = {0.0f};
  double sum = 0.0;
  int32_t i, half;
  for (i = 0; i < n; ++i) sum = sum + (double)x[i];
  *mean = (float)(sum / (double)n);
  for (i = 0; i < whole; ++i) lane[i % 8] = fmaf(x[i] - *mean, x[i] - *mean, lane[i % 8]);
  for (half = 4; half > 0; half /= 2)
    for (i = 0; i < half; ++i) lane[i] = lane[i] + lane[i + half];
  *squares = lane[0];
  for (i = whole; i < four; ++i) {
    const float square = (x[i] - *mean) * (x[i] - *mean);
    *squares = *squares + square;
  }
  for (i = four; i < n; ++i) *squares = fmaf(x[i] - *mean, x[i] - *mean, *squares);
}

void ls_normalize_rows_f32(const ls_normal* p, const float* x, const float* scale,
                           const float* bias, float* y) {
  const int32_t n = p->count;
  int32_t g, i;
  for (g = 0; g < p->groups; ++g, x += n, y += n) {
    float mean, squares, deviation, factor;
    if (n < 8)
      few_moments(x, n, &mean, &squares);
    else
      moments(x, n, &mean, &squares);
    deviation = sqrtf(squares / (float)n + (float)p->epsilon);
    factor = 1.0f / deviation;
    for (i = 0; i < n; ++i) {
      const float v = n < 8 ? (x[i] - mean) / deviation : (x[i] - mean) * factor;
      const float scaled = v * scale[i];
      y[i] = bias == NULL ? scaled : n < 8 ? scaled + bias[i] : fmaf(v, scale[i], bias[i]);
    }
  }
}

void ls_normalize_planes_f32(const ls_normal* p, const float* x, const float* scale,
                             const float* bias, float* y) {
  int32_t g, i;
  for (g = 0; g < p->groups; ++g) {
    const int32_t first = g * p->count, channel = g % p->extent;
    float factor, addend;
    terms t;
    t.x = x, t.mean = 0.0f, t.term = LS_AS_IT_IS, t.product = 0;
    t.mean = by_vectors(&t, first, p->count, first) / (float)p->count;
    t.term = LS_FROM_MEAN;
    factor = 1.0f /
             sqrtf(by_vectors(&t, first, p->count, 0) / (float)p->count + (float)p->epsilon) *
             scale[channel];
    addend = bias[channel] - t.mean * factor;
    for (i = first; i < first + p->count; ++i) {
      const float scaled = x[i] * factor;
      y[i] = scaled + addend;
    }
  }
}

void ls_normalize_groups_f32(const ls_normal* p, const float* x, const float* scale,
                             const float* bias, float* y) {
  int32_t g, i;
  terms t;
  t.x = x, t.mean = 0.0f, t.product = 0;
  for (g = 0; g < p->groups; ++g) {
    const int32_t first = g * p->count;
    float mean, squares, deviation;
    t.term = LS_AS_IT_IS;
    mean = by_vectors(&t, first, p->count, first) / (float)p->count;
    t.term = LS_SQUARED;
    squares = by_vectors(&t, first, p->count, first) / (float)p->count;
    squares = squares - mean * mean;
    deviation = sqrtf(squares + (float)p->epsilon);
    for (i = first; i < first + p->count; ++i) {
      const int32_t channel = i / p->inner % p->extent;
      const float scaled = (x[i] - mean) / deviation * scale[channel];
      y[i] = scaled + bias[channel];
    }
  }
}
