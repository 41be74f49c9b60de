// y[...,m,n] = sum_k (a[...,m,k] - a_zero[m]) * (b[...,k,n] - b_zero[n]), 32 bits, wrapping (N2)
#include "op/op_codes.h"
#include "op/op_matrix.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}, {"a_zero", Slot::optional}, {"b_zero", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::onnx, "MatMulInteger"}};
constexpr Rule rules[] = {
    {"a and b hold 8-bit codes",
     [](const NodeView& n) { return size_of(n.input(0).dtype) == 1 && size_of(n.input(1).dtype) == 1; }},
    {"a's zero points are one, or one for each row",
     [](const NodeView& n) {
       const Shape& a = n.input(0).shape;
       return !n.has_input(2) || count_of(n.input(2).shape) == 1 || (a.size() > 1 && count_of(n.input(2).shape) == a[a.size() - 2]);
     }},
    {"b's zero points are one, or one for each column",
     [](const NodeView& n) {
       const Shape& b = n.input(1).shape;
       return !n.has_input(3) || count_of(n.input(3).shape) == 1 || (!b.empty() && count_of(n.input(3).shape) == b.back());
     }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(n));
  return std::vector<Facts>{{DType::i32, p.y, {}}};
}

std::int64_t zero_of(const EvalContext& c, std::size_t slot, std::int64_t i) {
  const Tensor* const zero = c.in.size() > slot ? c.in[slot] : nullptr;
  return !zero ? 0 : zero->code(zero->count() == 1 ? 0 : i);
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(c.view));
  auto a = centred_codes(*c.in[0], 0), b = centred_codes(*c.in[1], 0);
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] -= static_cast<std::int32_t>(zero_of(c, 2, static_cast<std::int64_t>(i) / p.k % p.m));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] -= static_cast<std::int32_t>(zero_of(c, 3, static_cast<std::int64_t>(i) % p.n));
  const auto y = c.out[0].as<std::int32_t>();
  each_matrix(p, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
    matrix_products<std::int64_t>(p, a.data() + ia * p.m * p.k, b.data() + ib * p.k * p.n, iy * p.m * p.n,
                                  [&](std::int64_t at, std::int64_t, std::int64_t sum) {
                                    y[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(sum);
                                  });
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_mat_mul_integer = {
    .name = "MatMulInteger",
    .meaning = "y[...,m,n] = sum_k (a[...,m,k] - a_zero[m]) * (b[...,k,n] - b_zero[n])",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
