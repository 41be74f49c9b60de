/* Boxes that stay of those that overlap, class by class, as ONNX has them. */
#include "ls_detect.h"

typedef struct {
  float low, high;
} side;

static float least_of(float a, float b) {
  return b < a ? b : a;
}
static float most_of(float a, float b) {
  return a < b ? b : a;
}

/* axis 0: x, 1: y */
static side side_of(const float* box, int32_t axis, uint8_t centre) {
  const float a = centre ? box[axis] : box[1 - axis], b = centre ? box[2 + axis] : box[3 - axis];
  side s;
  s.low = centre ? a - b / 2.0f : least_of(a, b);
  s.high = centre ? a + b / 2.0f : most_of(a, b);
  return s;
}

/* The intersection over the union exceeds the bound. */
static int overlap(const float* a, const float* b, uint8_t centre, float bound) {
  const side ax = side_of(a, 0, centre), ay = side_of(a, 1, centre), bx = side_of(b, 0, centre),
             by = side_of(b, 1, centre);
  const float width = least_of(ax.high, bx.high) - most_of(ax.low, bx.low);
  const float height = least_of(ay.high, by.high) - most_of(ay.low, by.low);
  float common, area_a, area_b, together;
  if (!(width > 0.0f) || !(height > 0.0f)) return 0;
  common = width * height;
  area_a = (ax.high - ax.low) * (ay.high - ay.low);
  area_b = (bx.high - bx.low) * (by.high - by.low);
  together = area_a + area_b - common;
  if (common <= 0.0f || area_a <= 0.0f || area_b <= 0.0f || together <= 0.0f) return 0;
  return common / together > bound;
}

/* Of equal scores the first is the higher one. */
static int below(const void* scores, int32_t a, int32_t b) {
  const float x = ((const float*)scores)[a], y = ((const float*)scores)[b];
  return x < y || (x == y && a > b);
}

/* Rows of y that one class of one image gets: their third numbers. */
static int32_t boxes_of(const ls_suppress* p, const float* boxes, const float* scores, float bound,
                        const float* least, int64_t* y, int32_t* heap) {
  int32_t count = 0, kept = 0, i, k;
  for (i = 0; i < p->boxes; ++i)
    if (least == NULL || scores[i] > *least) heap[count++] = i;
  ls_heap_make(heap, count, below, scores);
  for (; count > 0 && kept < p->most; --count) {
    const int32_t box = heap[0];
    for (k = 0; k < kept; ++k)
      if (overlap(boxes + 4 * y[3 * k + 2], boxes + 4 * box, p->centre, bound)) break;
    if (k == kept) y[3 * kept++ + 2] = box;
    ls_heap_pop(heap, count, below, scores);
  }
  return kept;
}

void ls_suppress_overlaps(const ls_suppress* p, const float* boxes, const float* scores,
                          const float* bound, const float* least, int64_t* y, int32_t* scratch) {
  const int64_t* const end = y + 3 * p->rows;
  int32_t b, c, k;
  for (b = 0; b < p->batches; ++b, boxes += 4 * p->boxes)
    for (c = 0; c < p->classes; ++c, scores += p->boxes) {
      const int32_t kept =
          boxes_of(p, boxes, scores, bound == NULL ? 0.0f : *bound, least, y, scratch);
      for (k = 0; k < kept; ++k, y += 3) y[0] = b, y[1] = c;
    }
  while (y < end) *y++ = -1;
}
