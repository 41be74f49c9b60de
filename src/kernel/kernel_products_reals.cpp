#include "kernel/kernel_products_reals.h"

#include "num/xnnpack_float.h"
#include "op/op_matrix.h"

namespace lockstep {
namespace {

std::optional<RealProducts> gemm(const KernelProblem& p) {
  const Shape &a = p.view.input(0).shape, &b = p.view.input(1).shape;
  RealProducts r;
  r.trans_a = p.view.attrs().integer("transA", 0) != 0;
  r.trans_b = p.view.attrs().integer("transB", 0) != 0;
  if (b.size() != 2) return {};
  r.k = r.trans_b ? b[1] : b[0];
  r.n = r.trans_b ? b[0] : b[1];
  if (r.k < 1 || r.n < 1) return {};
  if (p.view.attrs().integer("flatten", 0) != 0) {
    if (r.trans_a || count_of(a) % r.k != 0) return {};
    r.m = count_of(a) / r.k;
  } else {
    if (a.size() != 2 || (r.trans_a ? a[0] : a[1]) != r.k) return {};
    r.m = r.trans_a ? a[1] : a[0];
  }
  r.alpha = static_cast<float>(p.view.attrs().real("alpha", 1));
  r.beta = static_cast<float>(p.view.attrs().real("beta", 1));
  r.list.push_back({0, 0, 0});
  r.biased = p.view.has_input(2);
  if (!r.biased) return r;
  const Shape& c = p.view.input(2).shape;
  const std::int64_t cols = c.empty() ? 1 : c.back(), rows = c.size() > 1 ? c[c.size() - 2] : 1;
  if (!p.constants[2] || p.view.input(2).dtype != DType::f32 || c.size() > 2 ||
      (cols != 1 && cols != r.n) || (rows != 1 && rows != r.m))
    return {};
  r.bias_row = rows == 1 ? 0 : cols;
  r.bias_column = cols == 1 ? 0 : 1;
  return r;
}

}  // namespace

bool products_from_bias(const KernelProblem& p, const RealProducts& r) {
  return sums_from_bias(p.num) &&
         (p.view.node.op != "Gemm" || (p.constants[1] && r.alpha == 1 && r.beta == 1));
}

std::optional<RealProducts> real_products_of(const KernelProblem& p) {
  if (p.view.input_count() < 2 || !p.view.has_input(1)) return {};
  for (const std::size_t i : {0, 1})
    if (p.view.input(i).dtype != DType::f32) return {};
  if (p.constants[0] || p.view.output(0).dtype != DType::f32) return {};
  if (p.view.node.op == "Gemm") return gemm(p);
  const auto plan = matrix_plan(p.view);
  if (!plan.ok()) return {};
  RealProducts r;
  r.m = plan->m, r.n = plan->n, r.k = plan->k;
  r.trans_a = plan->trans_a, r.trans_b = plan->trans_b;
  each_matrix(*plan, [&](std::int64_t y, std::int64_t a, std::int64_t b) {
    r.list.push_back({y, a, b});
  });
  return r;
}

}  // namespace lockstep
