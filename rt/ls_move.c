/* Operators that move elements without computing, and resizing. */
#include <string.h>

#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>
#endif

/* `count` elements, `step` of them apart in x. */
static void copy_apart(uint8_t* y, const uint8_t* x, int32_t count, int32_t step, size_t bytes) {
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

#if LS_HELIUM
/* Bytes x_step apart go y_step apart: sixteen at a time by offsets of 8 bits, eight by offsets
 * of 16. */
static void move_sixteens(const uint8_t* x, int32_t x_step, uint8_t* y, int32_t y_step,
                          int32_t count) {
  const uint8x16_t from = vmulq_n_u8(vidupq_n_u8(0, 1), (uint8_t)x_step),
                   to = vmulq_n_u8(vidupq_n_u8(0, 1), (uint8_t)y_step);
  for (; count > 0; count -= 16, x += 16 * x_step, y += 16 * y_step) {
    const mve_pred16_t on = vctp8q((uint32_t)count);
    vstrbq_scatter_offset_p_u8(y, to, vldrbq_gather_offset_z_u8(x, from, on), on);
  }
}
static void move_eights(const uint8_t* x, int32_t x_step, uint8_t* y, int32_t y_step,
                        int32_t count) {
  const uint16x8_t from = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)x_step),
                   to = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)y_step);
  for (; count > 0; count -= 8, x += 8 * x_step, y += 8 * y_step) {
    const mve_pred16_t on = vctp16q((uint32_t)count);
    vstrbq_scatter_offset_p_u16(y, to, vldrbq_gather_offset_z_u16(x, from, on), on);
  }
}

/* The axis to run along: steps of at most `most` on both sides. -1: none. */
static int32_t axis_of_runs(const int32_t* extent, const int32_t* from, const int32_t* to,
                            int32_t most) {
  int32_t best = -1, d;
  for (d = 0; d < 6; ++d)
    if (extent[d] >= 8 && from[d] >= 0 && from[d] <= most && to[d] <= most &&
        (best < 0 || extent[d] > extent[best]))
      best = d;
  return best;
}

/* 0 where no axis is long and its steps short enough. */
static int copy_bytes(const ls_copy* p, const uint8_t* x, uint8_t* y) {
  int32_t extent[6], to[6], run, count, steps, i, d, step = 1;
  for (d = 5; d >= 0; --d) extent[d] = p->extent[d], to[d] = step, step *= extent[d];
  steps = 255 / 15;
  run = axis_of_runs(extent, p->stride, to, steps);
  if (run < 0) run = axis_of_runs(extent, p->stride, to, steps = 65535 / 7);
  if (run < 0) return 0;
  count = step / extent[run];
  extent[run] = 1;
  for (i = 0; i < count; ++i) {
    int32_t rest = i, x_at = p->base, y_at = 0;
    for (d = 5; d >= 0; --d)
      if (extent[d] > 1) {
        const int32_t at = rest % extent[d];
        rest /= extent[d];
        x_at += at * p->stride[d];
        y_at += at * to[d];
      }
    (steps == 255 / 15 ? move_sixteens : move_eights)(x + x_at, p->stride[run], y + y_at, to[run],
                                                      p->extent[run]);
  }
  return 1;
}
#endif

void ls_copy_strided(const ls_copy* p, const void* x, void* y) {
  const int32_t *e = p->extent, *s = p->stride;
  const size_t bytes = (size_t)p->bytes, run = bytes * (size_t)e[5];
  const uint8_t* in = (const uint8_t*)x;
  uint8_t* out = (uint8_t*)y;
  int32_t a, b, c, d, f;
#if LS_HELIUM
  if (bytes == 1 && s[5] != 1 && copy_bytes(p, in, out)) return;
#endif
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

void ls_copy_runs(const int32_t* from, int32_t count, int32_t bytes, const void* x,
                  const void* fill, int32_t size, void* y) {
  uint8_t* out = (uint8_t*)y;
  int32_t i;
  for (i = 0; i < count; ++i, out += bytes)
    if (from[i] < 0)
      ls_fill(out, fill, size, bytes / size);
    else
      memcpy(out, (const uint8_t*)x + (size_t)from[i] * (size_t)bytes, (size_t)bytes);
}

void ls_fill(void* y, const void* element, int32_t size, int32_t count) {
  uint8_t* out = (uint8_t*)y;
  int32_t i;
  if (size == 1) {
    memset(y, *(const uint8_t*)element, (size_t)count);
    return;
  }
  for (i = 0; i < count; ++i, out += size) memcpy(out, element, (size_t)size);
}

/* y may be x. */
static void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int32_t count) {
  int32_t i;
#if LS_HELIUM
  for (i = 0; i < count; i += 16) {
    const mve_pred16_t on = vctp8q((uint32_t)(count - i));
    vstrbq_p_u8(y + i, vldrbq_gather_offset_z_u8(table, vldrbq_z_u8(x + i, on), on), on);
  }
#else
  for (i = 0; i < count; ++i) y[i] = table[x[i]];
#endif
}

void ls_concat(const void* x, void* y, int32_t outer, int32_t part, int32_t row, int32_t offset,
               const uint8_t* table) {
  const uint8_t* in = (const uint8_t*)x;
  uint8_t* out = (uint8_t*)y + offset;
  int32_t o;
  for (o = 0; o < outer; ++o, in += part, out += row)
    if (table == NULL)
      memcpy(out, in, (size_t)part);
    else
      look_up(table, in, out, part);
}

void ls_place_rows(const void* x, void* y, int32_t rows, int32_t row, int32_t y_row,
                   int32_t offset) {
  const uint8_t* in = (const uint8_t*)x;
  uint8_t* out = (uint8_t*)y + offset;
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

void ls_resize_bilinear_s8(const ls_resize* p, const int8_t* x, int8_t* y) {
  int32_t n, h, w, c;
  for (n = 0; n < p->batch; ++n, x += p->in_h * p->in_w * p->channels)
    for (h = 0; h < p->out_h; ++h)
      for (w = 0; w < p->out_w; ++w) {
        const int32_t *ph = p->h_points + 3 * h, *pw = p->w_points + 3 * w;
        const int8_t *a = x + (ph[0] * p->in_w + pw[0]) * p->channels,
                     *b = x + (ph[1] * p->in_w + pw[0]) * p->channels;
        const int8_t *d = x + (ph[0] * p->in_w + pw[1]) * p->channels,
                     *e = x + (ph[1] * p->in_w + pw[1]) * p->channels;
        for (c = 0; c < p->channels; ++c) *y++ = ls_byte(mix(a[c], b[c], d[c], e[c], ph[2], pw[2]));
      }
}
