/* Local response normalization of float32. */
#include <math.h>

#include "ls_number.h"

/* The square of channel c, of which there is none outside. */
static float square_at(const float* x, int32_t c, int32_t channels, int32_t step) {
  const float v = c < 0 || c >= channels ? 0.0f : x[c * step];
  return v * v;
}

/* What enters the window is added to the sum before, what leaves it is taken off. */
static void along(const ls_neighbours* p, const float* x, float* y) {
  const int32_t before = (p->size - 1) / 2;
  float sum = p->bias;
  int32_t c;
  for (c = 0; c < p->size; ++c) {
    const float term = p->factor * square_at(x, c - before, p->channels, p->inner);
    sum = sum + term;
  }
  for (c = 0; c < p->channels; ++c) {
    if (c > 0) {
      const float enters =
          p->factor * square_at(x, c + p->size - 1 - before, p->channels, p->inner);
      const float leaves = -p->factor * square_at(x, c - 1 - before, p->channels, p->inner);
      sum = sum + enters;
      sum = sum + leaves;
    }
    y[c * p->inner] = powf(sum, -p->beta) * x[c * p->inner];
  }
}

static void anew(const ls_neighbours* p, const float* x, float* y) {
  const int32_t radius = p->size / 2;
  int32_t c, k;
  for (c = 0; c < p->channels; ++c) {
    float sum = 0.0f, base;
    for (k = c - radius; k < c + radius; ++k) sum = sum + square_at(x, k, p->channels, p->inner);
    sum = p->factor * sum;
    base = p->bias + sum;
    y[c * p->inner] = powf(base, -p->beta) * x[c * p->inner];
  }
}

void ls_normalize_neighbours_f32(const ls_neighbours* p, const float* x, float* y) {
  int32_t row;
  for (row = 0; row < p->outer * p->inner; ++row) {
    const int32_t first = row / p->inner * p->inner * p->channels + row % p->inner;
    if (p->along)
      along(p, x + first, y + first);
    else
      anew(p, x + first, y + first);
  }
}
