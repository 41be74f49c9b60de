/* Operators that move elements without computing, and resizing. */
#include <string.h>

#include "ls_fixed.h"

/* `count` elements, `step` of them apart in x. */
static void copy_apart(uint8_t *y, const uint8_t *x, int32_t count, int32_t step, size_t bytes) {
  int32_t i;
  if (bytes == 1) {
    for (i = 0; i < count; ++i, x += step) y[i] = *x;
    return;
  }
  if (bytes == 4) { /* of a known size: no call */
    for (i = 0; i < count; ++i, y += 4, x += step * 4) memcpy(y, x, 4);
    return;
  }
  for (i = 0; i < count; ++i, y += bytes, x += step * (int32_t)bytes) memcpy(y, x, bytes);
}

void ls_copy_strided(const ls_copy *p, const void *x, void *y) {
  const int32_t *e = p->extent, *s = p->stride;
  const size_t bytes = (size_t)p->bytes, run = bytes * (size_t)e[5];
  const uint8_t *in = (const uint8_t *)x;
  uint8_t *out = (uint8_t *)y;
  int32_t a, b, c, d, f;
  for (a = 0; a < e[0]; ++a)
    for (b = 0; b < e[1]; ++b)
      for (c = 0; c < e[2]; ++c)
        for (d = 0; d < e[3]; ++d)
          for (f = 0; f < e[4]; ++f) {
            const int32_t from = p->base + a * s[0] + b * s[1] + c * s[2] + d * s[3] + f * s[4];
            if (s[5] == 1) {
              memcpy(out, in + (size_t)from * bytes, run);
              out += run;
              continue;
            }
            copy_apart(out, in + (size_t)from * bytes, e[5], s[5], bytes);
            out += run;
          }
}

void ls_copy_runs(const int32_t *from, int32_t count, int32_t bytes, const void *x, const void *fill,
                  int32_t size, void *y) {
  uint8_t *out = (uint8_t *)y;
  int32_t i;
  for (i = 0; i < count; ++i, out += bytes)
    if (from[i] < 0)
      ls_fill(out, fill, size, bytes / size);
    else
      memcpy(out, (const uint8_t *)x + (size_t)from[i] * (size_t)bytes, (size_t)bytes);
}

void ls_fill(void *y, const void *element, int32_t size, int32_t count) {
  uint8_t *out = (uint8_t *)y;
  int32_t i;
  if (size == 1) {
    memset(y, *(const uint8_t *)element, (size_t)count);
    return;
  }
  for (i = 0; i < count; ++i, out += size) memcpy(out, element, (size_t)size);
}

void ls_concat(const void *x, void *y, int32_t outer, int32_t part, int32_t row, int32_t offset,
               const uint8_t *table) {
  const uint8_t *in = (const uint8_t *)x;
  uint8_t *out = (uint8_t *)y + offset;
  int32_t o, i;
  for (o = 0; o < outer; ++o, in += part, out += row)
    if (table == NULL)
      memcpy(out, in, (size_t)part);
    else
      for (i = 0; i < part; ++i) out[i] = table[in[i]];
}

void ls_place_rows(const void *x, void *y, int32_t rows, int32_t row, int32_t y_row, int32_t offset) {
  const uint8_t *in = (const uint8_t *)x;
  uint8_t *out = (uint8_t *)y + offset;
  int32_t r;
  for (r = 0; r < rows; ++r, in += row, out += y_row) memcpy(out, in, (size_t)row);
}

/* Four neighbours with shares in 1/1024, ties away from zero. */
static int32_t mix(int32_t y0x0, int32_t y1x0, int32_t y0x1, int32_t y1x1, int32_t y, int32_t x) {
  const int64_t unit = 1 << 10;
  const int64_t sum = y0x0 * (unit - y) * (unit - x) + y1x0 * (int64_t)y * (unit - x) +
                      y0x1 * (unit - y) * x + y1x1 * (int64_t)y * x;
  return (int32_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

void ls_resize_bilinear_s8(const ls_resize *p, const int8_t *x, int8_t *y) {
  int32_t n, h, w, c;
  for (n = 0; n < p->batch; ++n, x += p->in_h * p->in_w * p->channels)
    for (h = 0; h < p->out_h; ++h)
      for (w = 0; w < p->out_w; ++w) {
        const int32_t *ph = p->h_points + 3 * h, *pw = p->w_points + 3 * w;
        const int8_t *a = x + (ph[0] * p->in_w + pw[0]) * p->channels, *b = x + (ph[1] * p->in_w + pw[0]) * p->channels;
        const int8_t *d = x + (ph[0] * p->in_w + pw[1]) * p->channels, *e = x + (ph[1] * p->in_w + pw[1]) * p->channels;
        for (c = 0; c < p->channels; ++c) *y++ = ls_byte(mix(a[c], b[c], d[c], e[c], ph[2], pw[2]));
      }
}
