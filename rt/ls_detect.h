/*
 * The end of detectors, in portable C: boxes that no better one overlaps by more than a bound.
 */
#ifndef LS_DETECT_H
#define LS_DETECT_H

#include <stddef.h>
#include <stdint.h>

/* Whether a stands below b in a heap of what `of` describes. */
typedef int (*ls_below)(const void* of, int32_t a, int32_t b);

/*
 * Binary heaps of numbers, the highest first. What is neither below nor above another (scores that
 * are not numbers) leaves in the order that GCC's C++ library has: a place that gets free goes down
 * to the bottom by the higher child, the second of two that are neither, and what fills it rises
 * from there.
 */
static inline void ls_heap_rise(int32_t* heap, int32_t at, int32_t top, int32_t v, ls_below below,
                                const void* of) {
  for (; at > top && below(of, heap[(at - 1) / 2], v); at = (at - 1) / 2)
    heap[at] = heap[(at - 1) / 2];
  heap[at] = v;
}
static inline void ls_heap_fill(int32_t* heap, int32_t top, int32_t count, int32_t v,
                                ls_below below, const void* of) {
  int32_t at = top, child;
  for (child = 2 * at + 2; child <= count; child = 2 * at + 2) {
    if (child == count || below(of, heap[child], heap[child - 1])) --child;
    heap[at] = heap[child];
    at = child;
  }
  ls_heap_rise(heap, at, top, v, below, of);
}
/* So many in any order become a heap. */
static inline void ls_heap_make(int32_t* heap, int32_t count, ls_below below, const void* of) {
  int32_t i;
  for (i = count / 2 - 1; i >= 0; --i) ls_heap_fill(heap, i, count, heap[i], below, of);
}
/* The highest of `count` goes to their end. */
static inline void ls_heap_pop(int32_t* heap, int32_t count, ls_below below, const void* of) {
  const int32_t v = heap[count - 1];
  heap[count - 1] = heap[0];
  ls_heap_fill(heap, 0, count - 1, v, below, of);
}

/* y = (batch, class, box), the best first in each class and of equal scores the first, -1 behind
 * those that stay. boxes [batches][boxes][4], scores [batches][classes][boxes]; least NULL: every
 * score counts. scratch: a number for each box. */
typedef struct ls_suppress {
  int32_t batches, classes, boxes;
  int32_t most;   /* that stay of a class */
  int32_t rows;   /* of y */
  uint8_t centre; /* boxes are x, y, width, height; else two corners, y before x */
} ls_suppress;
void ls_suppress_overlaps(const ls_suppress* p, const float* boxes, const float* scores,
                          const float* bound, const float* least, int64_t* y, int32_t* scratch);

/* Elements that are float32, or uint8 codes of this grid. */
typedef struct ls_reals {
  float scale, zero;
  uint8_t is_code;
} ls_reals;

/*
 * SSD's detections: encodings [boxes][width] around anchors [boxes][4] (y, x, height, width),
 * scores [boxes][columns]. What stays is written best first, of equal scores the first, zeros
 * behind it. scratch: four reals and a number for each box, then `most` numbers and, by class,
 * min(of_class, boxes) more.
 */
typedef struct ls_detections {
  int32_t boxes, width, columns;
  int32_t first;    /* column of the first class */
  int32_t most;     /* that stay */
  int32_t of_class; /* that stay of a class */
  int32_t rows;     /* of the result */
  uint8_t by_class; /* each class by itself; else each box by its best class */
  ls_reals encoding, score, anchor;
  double y_scale, x_scale, h_scale, w_scale;
  float least, bound;
} ls_detections;
void ls_detect(const ls_detections* p, const void* encodings, const void* scores,
               const void* anchors, float* boxes, float* classes, float* best, float* count,
               float* scratch);

#endif
