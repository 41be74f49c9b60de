/*
 * Elements and blocks at places that are computed, in portable C. An index counts from the end of
 * its axis where it is negative; one beyond the axis means the nearest place, so that nothing
 * outside a tensor is touched.
 */
#ifndef LS_INDEX_H
#define LS_INDEX_H

#include "ls_number.h"

/*
 * Tuples of indices, each naming the block of x that begins at batch_step * (tuple / per_batch) +
 * the sum of index * stride. Extents and strides are those of the axes that a tuple names; strides,
 * batch_step and block count elements of x.
 */
typedef struct ls_places {
  int32_t tuples, named, per_batch, batch_step, block, bytes; /* bytes: of an element */
  int32_t extent[6], stride[6];
  uint8_t index_type;
} ls_places;
void ls_gather_nd(const ls_places* p, const void* x, const void* index, void* y);
/* y holds x; `how`: an update replaces what is there, or meets it as LS_PLUS, LS_TIMES, LS_MIN or
 * LS_MAX. */
enum { LS_REPLACE = -1 };
void ls_scatter_nd(const ls_places* p, int32_t how, uint8_t type, const void* index,
                   const void* updates, void* y);

/* One index for each element of a tensor of these extents: its place in x along one axis, its own
   place along the others (stride 0 stands at that axis). */
typedef struct ls_elements {
  int32_t extent[6], stride[6];
  int32_t axis_extent, axis_stride, bytes;
  uint8_t index_type;
} ls_elements;
void ls_gather_elements(const ls_elements* p, const void* x, const void* index, void* y);
void ls_scatter_elements(const ls_elements* p, int32_t how, uint8_t type, const void* index,
                         const void* updates, void* y);

/* y[outer][depth][inner] = values[1] where the index is d, else values[0]; without from_end a
 * negative one is nowhere. */
void ls_one_hot(const void* index, uint8_t index_type, const void* values, void* y, int32_t outer,
                int32_t depth, int32_t inner, int32_t bytes, uint8_t from_end);

/* A block of these extents goes to y from `start` on, held so that it lies inside: 0 .. room. */
typedef struct ls_block {
  int32_t extent[6], stride[6], room[6];
  int32_t bytes;
  uint8_t start_type;
} ls_block;
void ls_update_block(const ls_block* p, const void* start, const void* update, void* y);

#endif
