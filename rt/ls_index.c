/* Gathers, scatters and one-hot codes by computed indices. */
#include "ls_index.h"

#include <string.h>

#include "ls_element.h"

static int32_t place_of(const void* index, int32_t i, uint8_t type, int32_t extent) {
  int64_t at = ls_integer_at(index, i, type);
  if (at < 0) at += extent;
  return at < 0 ? 0 : at >= extent ? extent - 1 : (int32_t)at;
}

static int32_t block_of(const ls_places* p, const void* index, int32_t tuple) {
  int32_t at = tuple / p->per_batch * p->batch_step, k;
  for (k = 0; k < p->named; ++k)
    at += place_of(index, tuple * p->named + k, p->index_type, p->extent[k]) * p->stride[k];
  return at;
}

static int64_t joined_integers(int32_t how, int64_t a, int64_t b) {
  switch (how) {
    case LS_PLUS:
      return (int64_t)((uint64_t)a + (uint64_t)b);
    case LS_TIMES:
      return (int64_t)((uint64_t)a * (uint64_t)b);
    case LS_MIN:
      return b < a ? b : a;
    default:
      return a < b ? b : a;
  }
}
static double joined_reals(int32_t how, double a, double b) {
  switch (how) {
    case LS_PLUS:
      return a + b;
    case LS_TIMES:
      return a * b;
    case LS_MIN:
      return b < a ? b : a;
    default:
      return a < b ? b : a;
  }
}
static void join(int32_t how, uint8_t type, void* y, int32_t to, const void* updates,
                 int32_t from) {
  if (ls_is_real(type))
    ls_put_real(y, to, type,
                joined_reals(how, ls_real_at(y, to, type), ls_real_at(updates, from, type)));
  else
    ls_put_integer(
        y, to, type,
        joined_integers(how, ls_integer_at(y, to, type), ls_integer_at(updates, from, type)));
}
static void copy_element(void* y, int32_t to, const void* x, int32_t from, int32_t bytes) {
  memcpy((uint8_t*)y + to * bytes, (const uint8_t*)x + from * bytes, (size_t)bytes);
}

void ls_gather_nd(const ls_places* p, const void* x, const void* index, void* y) {
  const int32_t bytes = p->block * p->bytes;
  int32_t i;
  for (i = 0; i < p->tuples; ++i)
    memcpy((uint8_t*)y + i * bytes, (const uint8_t*)x + block_of(p, index, i) * p->bytes,
           (size_t)bytes);
}

void ls_scatter_nd(const ls_places* p, int32_t how, uint8_t type, const void* index,
                   const void* updates, void* y) {
  const int32_t bytes = p->block * p->bytes;
  int32_t i, j;
  for (i = 0; i < p->tuples; ++i) {
    const int32_t to = block_of(p, index, i);
    if (how == LS_REPLACE)
      memcpy((uint8_t*)y + to * p->bytes, (const uint8_t*)updates + i * bytes, (size_t)bytes);
    else
      for (j = 0; j < p->block; ++j) join(how, type, y, to + j, updates, i * p->block + j);
  }
}

/* Where element i stands, by its own places along all axes of stride. */
static int32_t own_place(const int32_t* extent, const int32_t* stride, int32_t i) {
  int32_t at = 0, d;
  for (d = 5; d >= 0; --d) {
    at += i % extent[d] * stride[d];
    i /= extent[d];
  }
  return at;
}
static int32_t count_of(const int32_t* extent) {
  return extent[0] * extent[1] * extent[2] * extent[3] * extent[4] * extent[5];
}
static int32_t element_place(const ls_elements* p, const void* index, int32_t i) {
  return own_place(p->extent, p->stride, i) +
         place_of(index, i, p->index_type, p->axis_extent) * p->axis_stride;
}

void ls_gather_elements(const ls_elements* p, const void* x, const void* index, void* y) {
  const int32_t count = count_of(p->extent);
  int32_t i;
  for (i = 0; i < count; ++i) copy_element(y, i, x, element_place(p, index, i), p->bytes);
}

void ls_scatter_elements(const ls_elements* p, int32_t how, uint8_t type, const void* index,
                         const void* updates, void* y) {
  const int32_t count = count_of(p->extent);
  int32_t i;
  for (i = 0; i < count; ++i) {
    const int32_t to = element_place(p, index, i);
    if (how == LS_REPLACE)
      copy_element(y, to, updates, i, p->bytes);
    else
      join(how, type, y, to, updates, i);
  }
}

void ls_one_hot(const void* index, uint8_t index_type, const void* values, void* y, int32_t outer,
                int32_t depth, int32_t inner, int32_t bytes, uint8_t from_end) {
  int32_t o, d, i;
  for (o = 0; o < outer; ++o)
    for (d = 0; d < depth; ++d)
      for (i = 0; i < inner; ++i) {
        int64_t at = ls_integer_at(index, o * inner + i, index_type);
        if (at < 0 && from_end) at += depth;
        copy_element(y, (o * depth + d) * inner + i, values, at == d, bytes);
      }
}

void ls_update_block(const ls_block* p, const void* start, const void* update, void* y) {
  const int32_t count = count_of(p->extent);
  int32_t first = 0, d, i;
  for (d = 0; d < 6; ++d) {
    const int64_t at = p->stride[d] == 0 ? 0 : ls_integer_at(start, d, p->start_type);
    first += (at < 0 ? 0 : at > p->room[d] ? p->room[d] : (int32_t)at) * p->stride[d];
  }
  for (i = 0; i < count; ++i)
    copy_element(y, first + own_place(p->extent, p->stride, i), update, i, p->bytes);
}
