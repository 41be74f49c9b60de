/* A sum of float32 products as onnxruntime forms those of one row. */
#ifndef LS_EIGHTS_H
#define LS_EIGHTS_H

#include <stdint.h>

/* Eight interleaved sums of a[i a_step] b[i b_step], i < count, each product rounded; joined by
   where column `column` of `columns` stands. */
static inline float ls_in_eights(const float* a, int32_t a_step, const float* b, int32_t b_step,
                                 int32_t count, int32_t column, int32_t columns) {
  const int32_t in_fours = columns / 4 * 4;
  float s[8] = {0.0f};
  int32_t i;
  for (i = 0; i < count; ++i) {
    const float product = a[i * a_step] * b[i * b_step];
    s[i % 8] = s[i % 8] + product;
  }
  if (column < in_fours) return (((s[0] + s[1]) + s[2]) + s[3]) + (((s[4] + s[5]) + s[6]) + s[7]);
  if (columns - in_fours >= 2 && column < in_fours + 2)
    return ((s[2] + s[0]) + (s[6] + s[4])) + ((s[3] + s[1]) + (s[7] + s[5]));
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

#endif
