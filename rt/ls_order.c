/* Elements in order of size, and running sums, along one axis: x is [outer][count][inner]. */
#include <string.h>

#include "ls_fixed.h"
#include "ls_number.h"

static int32_t bytes_of(uint8_t type) {
  static const uint8_t bytes[] = {1, 1, 2, 2, 4, 8, 4, 8, 1};
  return bytes[type];
}

/* Whether element a of x is greater than element b. */
static int greater(const void* x, uint8_t type, int32_t a, int32_t b) {
  switch (type) {
    case LS_F32:
      return ((const float*)x)[a] > ((const float*)x)[b];
    case LS_F64:
      return ((const double*)x)[a] > ((const double*)x)[b];
    case LS_S64:
      return ((const int64_t*)x)[a] > ((const int64_t*)x)[b];
    default:
      return ls_get(x, a, type) > ls_get(x, b, type);
  }
}

/* Whether a stands before b in the order: the first of equal ones first. */
static int before(const void* x, uint8_t type, int32_t a, int32_t b, int32_t largest) {
  if (greater(x, type, a, b)) return largest;
  if (greater(x, type, b, a)) return !largest;
  return a < b;
}

void ls_top_k(const void* x, uint8_t type, void* y, void* index, uint8_t index_type, int32_t outer,
              int32_t count, int32_t inner, int32_t k, int32_t largest) {
  const int32_t bytes = bytes_of(type);
  int32_t row, i, c;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner,
                  to = row / inner * inner * k + row % inner;
    int32_t last = -1;
    for (i = 0; i < k; ++i) {
      int32_t best = -1;
      for (c = 0; c < count; ++c) {
        const int32_t at = first + c * inner;
        if (last >= 0 && !before(x, type, last, at, largest)) continue;
        if (best < 0 || before(x, type, at, best, largest)) best = at;
      }
      if (best < 0) return; /* not a number among them */
      last = best;
      if (y != NULL)
        memcpy((uint8_t*)y + (to + i * inner) * bytes, (const uint8_t*)x + best * bytes,
               (size_t)bytes);
      if (index != NULL && index_type == LS_S64)
        ((int64_t*)index)[to + i * inner] = (best - first) / inner;
      else if (index != NULL)
        ((int32_t*)index)[to + i * inner] = (best - first) / inner;
    }
  }
}

void ls_cum_sum(const void* x, uint8_t type, void* y, int32_t outer, int32_t count, int32_t inner,
                int32_t exclusive, int32_t reverse) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    float real = 0.0f;
    uint64_t whole = 0;
    for (i = 0; i < count; ++i) {
      const int32_t at = first + (reverse ? count - 1 - i : i) * inner;
      if (type == LS_F32) {
        const float next = real + ((const float*)x)[at];
        ((float*)y)[at] = exclusive ? real : next;
        real = next;
      } else if (type == LS_S64) {
        const uint64_t next = whole + (uint64_t)((const int64_t*)x)[at];
        ((int64_t*)y)[at] = (int64_t)(exclusive ? whole : next);
        whole = next;
      } else {
        const uint64_t next = whole + (uint64_t)(int64_t)((const int32_t*)x)[at];
        ((int32_t*)y)[at] = (int32_t)(uint32_t)(exclusive ? whole : next);
        whole = next;
      }
    }
  }
}
