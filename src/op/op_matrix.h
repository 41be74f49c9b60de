#pragma once

#include "op/op_move.h"

namespace lockstep {

// What products of stacked matrices share: a[...,m,k] times b[...,k,n], outer axes spread as NumPy
// does. A vector is a row as a and a column as b; that axis leaves y again.
struct MatrixPlan {
  std::int64_t m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false;  // the last two axes of a (of b) stand the other way round
  Shape outer, a_strides, b_strides;      // of whole matrices
  Shape y;
};

// Of inputs 0 and 1 (attributes transA, transB), or an error that names both shapes.
Result<MatrixPlan> matrix_plan(const NodeView& v);

// visit(matrix of y, matrix of a, matrix of b), counted in whole matrices.
template <class Visit>
void each_matrix(const MatrixPlan& p, Visit&& visit) {
  const std::int64_t count = count_of(p.outer);
  const Shape steps = strides_of(p.outer);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t a = 0, b = 0;
    for (std::size_t d = 0; d < p.outer.size(); ++d) {
      const std::int64_t at = i / steps[d] % p.outer[d];
      a += at * p.a_strides[d];
      b += at * p.b_strides[d];
    }
    visit(i, a, b);
  }
}

// take(place in y, column, sum).
template <class Sum, class T, class Take>
void matrix_products(const MatrixPlan& p, const T* a, const T* b, std::int64_t first, Take&& take) {
  const std::int64_t ai = p.trans_a ? 1 : p.k, ak = p.trans_a ? p.m : 1, bj = p.trans_b ? p.k : 1,
                     bk = p.trans_b ? 1 : p.n;
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      Sum sum = 0;
      for (std::int64_t k = 0; k < p.k; ++k)
        sum += static_cast<Sum>(a[i * ai + k * ak]) * static_cast<Sum>(b[j * bj + k * bk]);
      take(first + i * p.n + j, j, sum);
    }
}

}  // namespace lockstep
