/* Elements of a type that is known when the kernel runs. */
#ifndef LS_ELEMENT_H
#define LS_ELEMENT_H

#include "ls_fixed_more.h"
#include "ls_number.h"

static inline int64_t ls_integer_at(const void* x, int32_t i, uint8_t type) {
  return type == LS_S64 ? ((const int64_t*)x)[i] : (int64_t)ls_get(x, i, type);
}
static inline double ls_real_at(const void* x, int32_t i, uint8_t type) {
  if (type == LS_F32) return (double)((const float*)x)[i];
  if (type == LS_F64) return ((const double*)x)[i];
  return (double)ls_integer_at(x, i, type);
}
static inline int ls_is_real(uint8_t type) {
  return type == LS_F32 || type == LS_F64;
}

/* Integers wrap in the type's width. */
static inline void ls_put_integer(void* y, int32_t i, uint8_t type, int64_t v) {
  if (type == LS_S64)
    ((int64_t*)y)[i] = v;
  else if (type == LS_BOOL)
    ((uint8_t*)y)[i] = v != 0;
  else
    ls_put(y, i, type, ls_wrapped(v));
}
static inline void ls_put_real(void* y, int32_t i, uint8_t type, double v) {
  if (type == LS_F32)
    ((float*)y)[i] = (float)v;
  else
    ((double*)y)[i] = v;
}

#endif
