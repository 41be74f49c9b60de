#include "op/op_gemm.h"

#include "base/text.h"

namespace lockstep {

Result<GemmSizes> gemm_sizes_of(const NodeView& v) {
  const Shape &a = v.input(0).shape, &b = v.input(1).shape;
  GemmSizes s;
  s.trans_a = v.attrs().integer("transA", 0) != 0;
  s.trans_b = v.attrs().integer("transB", 0) != 0;
  const auto mismatch = [&] {
    return Error{v.where(), "a " + shape_text(a) + " and b " + shape_text(b),
                 "an inner extent that both share", ""};
  };
  if (b.size() != 2) return Error{v.where(), "b of shape " + shape_text(b), "two axes", ""};
  s.k = s.trans_b ? b[1] : b[0];
  s.n = s.trans_b ? b[0] : b[1];
  if (v.attrs().integer("flatten", 0) != 0) {
    if (s.k < 1 || count_of(a) % s.k != 0) return mismatch();
    s.m = count_of(a) / s.k;
    return s;
  }
  if (a.size() != 2) return Error{v.where(), "a of shape " + shape_text(a), "two axes", ""};
  s.m = s.trans_a ? a[1] : a[0];
  if ((s.trans_a ? a[0] : a[1]) != s.k) return mismatch();
  return s;
}

Result<std::pair<std::int64_t, std::int64_t>> gemm_bias_strides(const NodeView& v,
                                                                const GemmSizes& s) {
  const Shape& c = v.input(2).shape;
  const std::int64_t cols = c.empty() ? 1 : c.back(), rows = c.size() > 1 ? c[c.size() - 2] : 1;
  if (c.size() > 2 || (cols != 1 && cols != s.n) || (rows != 1 && rows != s.m))
    return Error{
        v.where(), "c of shape " + shape_text(c),
        "a shape that spreads to [" + std::to_string(s.m) + "," + std::to_string(s.n) + "]", ""};
  return std::pair{rows == 1 ? std::int64_t{0} : cols,
                   cols == 1 ? std::int64_t{0} : std::int64_t{1}};
}

}  // namespace lockstep
