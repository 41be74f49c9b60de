/* Averages of codes over windows of three axes, by reals. */
#include "ls_fixed.h"
#include "ls_layer.h"
#include "ls_volume.h"

static int8_t average(const ls_average_volume* p, const ls_depth* z, const int8_t* x, int32_t c,
                      ls_spot o) {
  const ls_window* w = &p->window;
  const float far = 1048576.0f; /* beyond every code */
  const int32_t extent = z->in * w->in_h * w->in_w;
  float sum = 0.0f, mean;
  int32_t taps = 0, k, i, j;
  for (k = 0; k < z->kernel; ++k)
    for (i = 0; i < w->kernel_h; ++i)
      for (j = 0; j < w->kernel_w; ++j) {
        const int32_t d = ls_source_depth(z, o, k, 0), h = ls_source_row(w, o, i, 0),
                      v = ls_source_column(w, o, j, 0);
        int32_t code;
        float real;
        if (d < 0 || h < 0 || v < 0) continue;
        code = ls_code(x[ls_place(w, extent, c, (d * w->in_h + h) * w->in_w + v)], p->is_unsigned);
        real = p->x_scale * (float)(code - p->x_zero);
        sum = sum + real;
        ++taps;
      }
  if (p->include_pad) taps = z->kernel * w->kernel_h * w->kernel_w;
  mean = sum / (float)taps;
  mean = mean / p->y_scale;
  mean = mean + p->y_zero;
  return ls_byte(ls_clamp(ls_nearest_even(ls_clamp_real(mean, -far, far)), p->low, p->high) -
                 p->y_offset);
}

void ls_average_volume_8(const ls_average_volume* p, const void* x, void* y) {
  const ls_window* w = &p->window;
  const ls_depth z = ls_depth_of(p->depth);
  const int32_t positions = z.out * w->out_h * w->out_w;
  const int8_t* in = (const int8_t*)x;
  int8_t* out = (int8_t*)y;
  int32_t n, c, position;
  for (n = 0; n < w->batch; ++n) {
    for (position = 0; position < positions; ++position)
      for (c = 0; c < w->in_c; ++c)
        out[w->channels_last ? position * w->in_c + c : c * positions + position] =
            average(p, &z, in, c, ls_spot_of(w, position));
    in += z.in * w->in_h * w->in_w * w->in_c;
    out += positions * w->in_c;
  }
}
