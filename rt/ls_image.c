/* Bilinear resize of images of any type, channels last. */
#include "ls_any.h"
#include "ls_fixed.h"

static float mixed(float a, float b, float d, float e, float y, float x) {
  const float first = a * (1.0f - y) * (1.0f - x), second = b * y * (1.0f - x);
  const float third = d * (1.0f - y) * x, fourth = e * y * x;
  return first + second + third + fourth;
}

/* a, b: upper and lower row of the left column; d, e: of the right one. */
static int32_t mixed_codes(int32_t how, int32_t a, int32_t b, int32_t d, int32_t e, int32_t y,
                           int32_t x) {
  if (how == LS_MIX_2048) {
    const int32_t top = a * 2048 + (d - a) * x, bottom = b * 2048 + (e - b) * x;
    return (int32_t)(((int64_t)top * 2048 + (int64_t)(bottom - top) * y + (1 << 21)) >> 22);
  } else {
    const int64_t unit = 1 << 10;
    const int64_t sum = a * (unit - y) * (unit - x) + b * (int64_t)y * (unit - x) +
                        d * (unit - y) * x + e * (int64_t)y * x;
    return (int32_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
  }
}

void ls_resize_bilinear_any(const ls_resize* p, int32_t how, uint8_t type, const void* x, void* y) {
  int32_t n, h, w, c, at = 0;
  for (n = 0; n < p->batch; ++n)
    for (h = 0; h < p->out_h; ++h)
      for (w = 0; w < p->out_w; ++w) {
        const int32_t *ph = p->h_points + 3 * h, *pw = p->w_points + 3 * w;
        const int32_t image = n * p->in_h * p->in_w;
        const int32_t ia = (image + ph[0] * p->in_w + pw[0]) * p->channels,
                      ib = (image + ph[1] * p->in_w + pw[0]) * p->channels;
        const int32_t id = (image + ph[0] * p->in_w + pw[1]) * p->channels,
                      ie = (image + ph[1] * p->in_w + pw[1]) * p->channels;
        for (c = 0; c < p->channels; ++c, ++at) {
          if (how == LS_MIX_REALS) {
            const float* f = (const float*)x;
            ((float*)y)[at] =
                mixed(f[ia + c], f[ib + c], f[id + c], f[ie + c], p->h_shares[h], p->w_shares[w]);
          } else if (how == LS_MIX_STEPS) {
            const float* f = (const float*)x;
            const float top = (f[id + c] - f[ia + c]) * p->w_shares[w],
                        bottom = (f[ie + c] - f[ib + c]) * p->w_shares[w];
            const float upper = f[ia + c] + top, lower = f[ib + c] + bottom,
                        step = (lower - upper) * p->h_shares[h];
            ((float*)y)[at] = upper + step;
          } else if (how == LS_MIX_HALF_UP) {
            const float v = mixed((float)ls_get(x, ia + c, type), (float)ls_get(x, ib + c, type),
                                  (float)ls_get(x, id + c, type), (float)ls_get(x, ie + c, type),
                                  p->h_shares[h], p->w_shares[w]);
            ls_put(y, at, type, (int32_t)(v + 0.5f));
          } else {
            ls_put(y, at, type,
                   mixed_codes(how, ls_get(x, ia + c, type), ls_get(x, ib + c, type),
                               ls_get(x, id + c, type), ls_get(x, ie + c, type), ph[2], pw[2]));
          }
        }
      }
}
