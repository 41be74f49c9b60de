#include "op/op_matrix.h"

#include "base/text.h"

namespace lockstep {
namespace {

Shape outer_of(const Shape& shape) {
  Shape outer;
  for (std::size_t d = 0; d + 2 < shape.size(); ++d) outer.push_back(shape[d]);
  return outer;
}

}  // namespace

Result<MatrixPlan> matrix_plan(const NodeView& v) {
  const Shape &a = v.input(0).shape, &b = v.input(1).shape;
  const bool row = a.size() == 1, column = b.size() == 1;
  const Error mismatch{v.where(), "a " + shape_text(a) + " and b " + shape_text(b),
                       "an inner extent that both share, and outer ones that spread", ""};
  if (a.empty() || b.empty()) return mismatch;
  MatrixPlan p;
  p.trans_a = !row && v.attrs().integer("transA", 0) != 0;
  p.trans_b = !column && v.attrs().integer("transB", 0) != 0;
  p.m = row ? 1 : a[a.size() - (p.trans_a ? 1 : 2)];
  p.k = p.trans_a ? a[a.size() - 2] : a.back();
  p.n = column ? 1 : b[b.size() - (p.trans_b ? 2 : 1)];
  if ((column || p.trans_b ? b.back() : b[b.size() - 2]) != p.k) return mismatch;
  const Shape a_outer = outer_of(a), b_outer = outer_of(b);
  const auto outer = broadcast(a_outer, b_outer);
  if (!outer) return mismatch;
  p.outer = p.y = *outer;
  p.a_strides = broadcast_strides(a_outer, p.outer);
  p.b_strides = broadcast_strides(b_outer, p.outer);
  if (!row) p.y.push_back(p.m);
  if (!column) p.y.push_back(p.n);
  return p;
}

}  // namespace lockstep
