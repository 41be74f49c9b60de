/* Plain numbers of any type: casts, pairs, choices. */
#include <math.h>
#include <string.h>

#include "ls_element.h"

/* Reals to integers: cut toward zero, saturated; not a number becomes 0. */
static int64_t cut(double v, uint8_t type) {
  static const double least[] = {-128.0, 0.0, -32768.0, 0.0, -2147483648.0, -9223372036854775808.0};
  static const double most[] = {127.0,   255.0,        32767.0,
                                65535.0, 2147483647.0, 9223372036854775808.0};
  if (v != v) return 0;
  if (type == LS_S64 && v >= most[type]) return INT64_MAX;
  return (int64_t)(v <= least[type] ? least[type] : v >= most[type] ? most[type] : v);
}

void ls_cast(const void* x, uint8_t x_type, void* y, uint8_t y_type, size_t count) {
  int32_t i;
  for (i = 0; i < (int32_t)count; ++i) {
    if (ls_is_real(y_type)) {
      if (x_type == LS_S64 && y_type == LS_F32)
        ((float*)y)[i] = (float)((const int64_t*)x)[i];
      else
        ls_put_real(y, i, y_type, ls_real_at(x, i, x_type));
    } else if (ls_is_real(x_type)) {
      const double v = ls_real_at(x, i, x_type);
      if (y_type == LS_BOOL)
        ((uint8_t*)y)[i] = v < 0.0 || v > 0.0 || v != v;
      else
        ls_put_integer(y, i, y_type, cut(v, y_type));
    } else {
      ls_put_integer(y, i, y_type, ls_integer_at(x, i, x_type));
    }
  }
}

static int64_t combined_integers(int32_t what, int64_t a, int64_t b) {
  switch (what) {
    case LS_PLUS:
      return (int64_t)((uint64_t)a + (uint64_t)b);
    case LS_MINUS:
      return (int64_t)((uint64_t)a - (uint64_t)b);
    case LS_TIMES:
      return (int64_t)((uint64_t)a * (uint64_t)b);
    case LS_OVER:
      return b == 0 ? 0 : b == -1 ? (int64_t)(0u - (uint64_t)a) : a / b;
    case LS_FLOOR_OVER: {
      const int64_t part = b == 0 ? 0 : b == -1 ? (int64_t)(0u - (uint64_t)a) : a / b;
      return b != 0 && part * b != a && (a < 0) != (b < 0) ? part - 1 : part;
    }
    case LS_MIN:
      return b < a ? b : a;
    case LS_FMOD:
      return b == 0 || b == -1 ? 0 : a % b;
    case LS_MOD: {
      const int64_t rest = b == 0 || b == -1 ? 0 : a % b;
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    default:
      return b > a ? b : a;
  }
}
/* The rest of a / b, of b's sign. */
static double floored_rest(double a, double b) {
  const double rest = fmod(a, b);
  return (rest < 0.0 || rest > 0.0) && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
}
/* In float32; squares and cubes are products. */
static double single_power(float a, float b) {
  const float square = a * a;
  if (b >= 2.0f && b <= 2.0f) return (double)square;
  if (b >= 3.0f && b <= 3.0f) return (double)(square * a);
  return (double)powf(a, b);
}
static double combined_reals(int32_t what, double a, double b) {
  switch (what) {
    case LS_PLUS:
      return a + b;
    case LS_TIMES:
      return a * b;
    case LS_FLOOR_OVER:
      return floor((double)(float)(a / b));
    case LS_FMOD:
      return fmod(a, b);
    case LS_MOD:
      return floored_rest(a, b);
    case LS_POWER_SINGLE:
      return (double)powf((float)a, (float)b);
    case LS_POWER_ONE:
      return single_power((float)a, (float)b);
    case LS_ATAN2:
      return atan2(a, b);
    case LS_ATAN2_SINGLE:
      return (double)atan2f((float)a, (float)b);
    case LS_MIN:
      return b < a || b != b ? b : a;
    case LS_MAX:
      return b > a || b != b ? b : a;
    default:
      return pow(a, b);
  }
}

/* Calls for every element of the spread. */
#define EACH(s, index, ia, ib, action)                                         \
  {                                                                            \
    int32_t i_, j_, k_, l_, index = 0;                                         \
    for (i_ = 0; i_ < (s)->extent[0]; ++i_)                                    \
      for (j_ = 0; j_ < (s)->extent[1]; ++j_)                                  \
        for (k_ = 0; k_ < (s)->extent[2]; ++k_)                                \
          for (l_ = 0; l_ < (s)->extent[3]; ++l_, ++index) {                   \
            const int32_t ia = i_ * (s)->a_stride[0] + j_ * (s)->a_stride[1] + \
                               k_ * (s)->a_stride[2] + l_ * (s)->a_stride[3];  \
            const int32_t ib = i_ * (s)->b_stride[0] + j_ * (s)->b_stride[1] + \
                               k_ * (s)->b_stride[2] + l_ * (s)->b_stride[3];  \
            action;                                                            \
          }                                                                    \
  }

void ls_combine(const ls_pair* p, const void* a, const void* b, void* y) {
  if (ls_is_real(p->type)) {
    EACH(&p->spread, at, ia, ib,
         ls_put_real(
             y, at, p->type,
             combined_reals(p->what, ls_real_at(a, ia, p->type), ls_real_at(b, ib, p->b_type))))
  } else {
    EACH(&p->spread, at, ia, ib,
         ls_put_integer(y, at, p->type,
                        combined_integers(p->what, ls_integer_at(a, ia, p->type),
                                          ls_integer_at(b, ib, p->type))))
  }
}

static uint8_t holds(int32_t what, int less, int equal) {
  switch (what) {
    case LS_EQUAL:
      return (uint8_t)equal;
    case LS_NOT_EQUAL:
      return (uint8_t)!equal;
    case LS_LESS:
      return (uint8_t)less;
    default:
      return (uint8_t)(less || equal);
  }
}
static uint8_t compared_reals(int32_t what, double a, double b) {
  if (what == LS_GREATER || what == LS_GREATER_EQUAL)
    return holds(what == LS_GREATER ? LS_LESS : LS_LESS_EQUAL, b < a, b <= a && b >= a);
  return holds(what, a < b, a <= b && a >= b);
}
static uint8_t compared_integers(int32_t what, int64_t a, int64_t b) {
  if (what == LS_AND) return a != 0 && b != 0;
  if (what == LS_OR) return a != 0 || b != 0;
  if (what == LS_XOR) return (a != 0) != (b != 0);
  if (what == LS_GREATER || what == LS_GREATER_EQUAL)
    return holds(what == LS_GREATER ? LS_LESS : LS_LESS_EQUAL, b < a, a == b);
  return holds(what, a < b, a == b);
}

void ls_compare(const ls_pair* p, const void* a, const void* b, uint8_t* y) {
  EACH(&p->spread, at, ia, ib,
       y[at] = ls_is_real(p->type)
                   ? compared_reals(p->what, ls_real_at(a, ia, p->type), ls_real_at(b, ib, p->type))
                   : compared_integers(p->what, ls_integer_at(a, ia, p->type),
                                       ls_integer_at(b, ib, p->type)))
}

static int32_t comparable(int32_t distance, int32_t multiplier, int32_t shift) {
  return ls_divide_by_power(ls_high_mul(distance * 256, multiplier), -shift);
}
void ls_compare_codes(const ls_compare_codes_p* p, const void* a, const void* b, uint8_t* y) {
  EACH(&p->pair.spread, at, ia, ib,
       y[at] = compared_integers(
           p->pair.what,
           comparable(ls_get(a, ia, p->pair.type) - p->a_zero, p->a_multiplier, p->a_shift),
           comparable(ls_get(b, ib, p->pair.type) - p->b_zero, p->b_multiplier, p->b_shift)))
}

void ls_not(const uint8_t* x, uint8_t* y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = x[i] == 0;
}

void ls_choose(const ls_spread* s, const uint8_t* condition, int32_t where, const void* a,
               int32_t bytes, void* y) {
  EACH(s, at, ia, ib,
       if ((condition[ia] != 0) == where)
           memcpy((uint8_t*)y + at * bytes, (const uint8_t*)a + ib * bytes, (size_t)bytes))
}

void ls_arg(const void* x, uint8_t x_type, void* y, uint8_t y_type, int32_t outer, int32_t count,
            int32_t inner, int32_t sign, int32_t last) {
  int32_t o, i;
  for (o = 0; o < outer * inner; ++o) {
    const int32_t first = o / inner * inner * count + o % inner;
    int32_t best = 0;
    for (i = 1; i < count; ++i) {
      const double v = ls_real_at(x, first + i * inner, x_type),
                   kept = ls_real_at(x, first + best * inner, x_type);
      const int better = sign > 0 ? v > kept : v < kept, equal = v <= kept && v >= kept;
      if (better || (last && equal)) best = i;
    }
    ls_put_integer(y, o, y_type, best);
  }
}

void ls_gather(const void* x, const void* index, uint8_t index_type, void* y, int32_t outer,
               int32_t extent, int32_t count, int32_t bytes) {
  const uint8_t* in = (const uint8_t*)x;
  uint8_t* out = (uint8_t*)y;
  int32_t o, i;
  for (o = 0; o < outer; ++o, in += extent * bytes)
    for (i = 0; i < count; ++i, out += bytes) {
      int64_t at = ls_integer_at(index, i, index_type);
      if (at < 0) at += extent;
      memcpy(out, in + ls_clamp_wide(at, 0, extent - 1) * bytes, (size_t)bytes);
    }
}
