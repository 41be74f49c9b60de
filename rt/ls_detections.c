/* SSD's detections out of encoded boxes and scores, as TFLite has them. A detection is a number:
 * the place of its score. */
#include <math.h>
#include <string.h>

#include "ls_detect.h"

typedef struct {
  const ls_detections* p;
  const void* scores;
  const float* boxes; /* top, left, bottom, right */
} work;

static float real_at(const ls_reals* r, const void* x, int32_t i) {
  if (!r->is_code) return ((const float*)x)[i];
  return ((float)((const uint8_t*)x)[i] - r->zero) * r->scale;
}
static float score_of(const work* w, int32_t place) {
  return real_at(&w->p->score, w->scores, place);
}
static const float* box_of(const work* w, int32_t place) {
  return w->boxes + 4 * (place / w->p->columns);
}

/* Of equal scores the first is the higher one. */
static int after(const void* of, int32_t a, int32_t b) {
  const float x = score_of((const work*)of, a), y = score_of((const work*)of, b);
  return x < y || (!(y < x) && a > b);
}
static int better(const void* of, int32_t a, int32_t b) {
  return score_of((const work*)of, a) > score_of((const work*)of, b);
}

static void decode(const ls_detections* p, const void* encodings, const void* anchors,
                   float* boxes) {
  float e[4], a[4];
  int32_t i, k;
  for (i = 0; i < p->boxes; ++i, boxes += 4) {
    float y, x, half_h, half_w;
    double along_y, along_x;
    for (k = 0; k < 4; ++k) {
      e[k] = real_at(&p->encoding, encodings, i * p->width + k);
      a[k] = real_at(&p->anchor, anchors, i * 4 + k);
    }
    along_y = (double)e[0] / p->y_scale * (double)a[2];
    along_x = (double)e[1] / p->x_scale * (double)a[3];
    y = (float)(along_y + (double)a[0]);
    x = (float)(along_x + (double)a[1]);
    half_h = (float)(0.5 * exp((double)e[2] / p->h_scale) * (double)a[2]);
    half_w = (float)(0.5 * exp((double)e[3] / p->w_scale) * (double)a[3]);
    boxes[0] = y - half_h, boxes[1] = x - half_w;
    boxes[2] = y + half_h, boxes[3] = x + half_w;
  }
}

static float extent(float low_a, float high_a, float low_b, float high_b) {
  const float high = high_b < high_a ? high_b : high_a, low = low_a < low_b ? low_b : low_a;
  const float common = high - low;
  return common < 0.0f ? 0.0f : common;
}
static float overlap(const float* a, const float* b) {
  const float area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
  float common;
  if (area_a <= 0.0f || area_b <= 0.0f) return 0.0f;
  common = extent(a[0], a[2], b[0], b[2]) * extent(a[1], a[3], b[1], b[3]);
  return common / (area_a + area_b - common);
}

/* Those of a heap that stay, best first; how many. */
static int32_t kept_of(const work* w, int32_t* heap, int32_t count, int32_t most, int32_t* found) {
  int32_t kept = 0, k;
  for (; count > 0 && kept < most; --count) {
    const int32_t place = heap[0];
    for (k = 0; k < kept; ++k)
      if (overlap(box_of(w, found[k]), box_of(w, place)) > w->p->bound) break;
    if (k == kept) found[kept++] = place;
    ls_heap_pop(heap, count, after, w);
  }
  return kept;
}

/* The place joins the heap if its score suffices. */
static int32_t join(const work* w, int32_t* heap, int32_t count, int32_t place) {
  if (!(score_of(w, place) >= w->p->least)) return count;
  ls_heap_rise(heap, count, 0, place, after, w);
  return count + 1;
}

static int32_t by_best_class(const work* w, int32_t* heap, int32_t* found) {
  const ls_detections* p = w->p;
  int32_t count = 0, i, c;
  for (i = 0; i < p->boxes; ++i) {
    int32_t best = i * p->columns + p->first;
    for (c = p->first + 1; c < p->columns; ++c)
      if (better(w, i * p->columns + c, best)) best = i * p->columns + c;
    count = join(w, heap, count, best);
  }
  return kept_of(w, heap, count, p->most, found);
}

/* Places from `sorted` on go behind those before them that are as good. */
static void sort_in(const work* w, int32_t* found, int32_t sorted, int32_t count) {
  int32_t i, at;
  for (i = sorted; i < count; ++i) {
    const int32_t place = found[i];
    for (at = i; at > 0 && better(w, place, found[at - 1]); --at) found[at] = found[at - 1];
    found[at] = place;
  }
}

/* After each class the best of all so far stay. */
static int32_t by_class(const work* w, int32_t* heap, int32_t* found) {
  const ls_detections* p = w->p;
  int32_t kept = 0, i, c;
  for (c = p->first; c < p->columns; ++c) {
    int32_t count = 0;
    for (i = 0; i < p->boxes; ++i) count = join(w, heap, count, i * p->columns + c);
    count = kept + kept_of(w, heap, count, p->of_class, found + kept);
    sort_in(w, found, kept, count);
    kept = count < p->most ? count : p->most;
  }
  return kept;
}

void ls_detect(const ls_detections* p, const void* encodings, const void* scores,
               const void* anchors, float* boxes, float* classes, float* best, float* count,
               float* scratch) {
  int32_t* const heap = (int32_t*)(void*)(scratch + 4 * p->boxes);
  int32_t* const found = heap + p->boxes;
  work w;
  int32_t kept, i;
  w.p = p, w.scores = scores, w.boxes = scratch;
  decode(p, encodings, anchors, scratch);
  kept = p->by_class ? by_class(&w, heap, found) : by_best_class(&w, heap, found);
  memset(boxes, 0, (size_t)p->rows * 4 * sizeof *boxes);
  memset(classes, 0, (size_t)p->rows * sizeof *classes);
  memset(best, 0, (size_t)p->rows * sizeof *best);
  for (i = 0; i < kept; ++i) {
    memcpy(boxes + 4 * i, box_of(&w, found[i]), 4 * sizeof *boxes);
    classes[i] = (float)(found[i] % p->columns - p->first);
    best[i] = score_of(&w, found[i]);
  }
  *count = (float)kept;
}
