/* Windows of two or three axes, element by element. */
#ifndef LS_VOLUME_H
#define LS_VOLUME_H

#include "ls_rt.h"

/* The axis as written, or one of extent 1. */
static inline ls_depth ls_depth_of(ls_depth d) {
  const ls_depth none = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1, .front = 0};
  return d.kernel > 0 ? d : none;
}

/* The element of an input axis that tap k meets at output o; -1: none. */
static inline int32_t ls_source_of(int32_t o, int32_t k, int32_t stride, int32_t dilation,
                                   int32_t before, int32_t extent, uint8_t transposed) {
  int32_t at = o * stride - before + k * dilation;
  if (transposed) {
    at = o + before - k * dilation;
    if (at < 0 || at % stride != 0) return -1;
    at /= stride;
  }
  return at >= 0 && at < extent ? at : -1;
}

/* An output position, axis by axis. */
typedef struct {
  int32_t d, h, w;
} ls_spot;
static inline ls_spot ls_spot_of(const ls_window* w, int32_t position) {
  const ls_spot s = {position / w->out_w / w->out_h, position / w->out_w % w->out_h,
                     position % w->out_w};
  return s;
}

static inline int32_t ls_source_depth(const ls_depth* d, ls_spot o, int32_t k, uint8_t transposed) {
  return ls_source_of(o.d, k, d->stride, d->dilation, d->front, d->in, transposed);
}
static inline int32_t ls_source_row(const ls_window* w, ls_spot o, int32_t i, uint8_t transposed) {
  return ls_source_of(o.h, i, w->stride_h, w->dilation_h, w->top, w->in_h, transposed);
}
static inline int32_t ls_source_column(const ls_window* w, ls_spot o, int32_t j,
                                       uint8_t transposed) {
  return ls_source_of(o.w, j, w->stride_w, w->dilation_w, w->left, w->in_w, transposed);
}

/* The place of element `at` of channel c, in planes (or volumes) of `extent`. */
static inline int32_t ls_place(const ls_window* w, int32_t extent, int32_t c, int32_t at) {
  return w->channels_last ? at * w->in_c + c : c * extent + at;
}

#endif
