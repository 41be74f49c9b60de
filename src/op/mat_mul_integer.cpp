// y[...,m,n] = sum_k (a[...,m,k] - a_zero[m]) * (b[...,k,n] - b_zero[n]), in int32.
#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_contrib.h"
#include "op/op_matrix.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}, {"a_zero", Slot::optional}, {"b_zero", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};

bool eight_bits(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}

constexpr Rule rules[] = {
    {"a and b are int8 or uint8, and each zero point has its type",
     [](const NodeView& n) {
       return eight_bits(n.input(0)) && eight_bits(n.input(1)) &&
              (!n.has_input(2) || n.input(2).dtype == n.input(0).dtype) &&
              (!n.has_input(3) || n.input(3).dtype == n.input(1).dtype);
     }},
};
constexpr Foreign from[] = {
    {Format::onnx, "MatMulInteger"},
    {Format::onnx, "com.microsoft:MatMulIntegerToFloat", from_matmul_integer_to_float}};

// One zero point, or one per row of a or column of b.
Result<void> check_zero(const NodeView& n, std::size_t i, std::int64_t many) {
  if (!n.has_input(i)) return {};
  const std::int64_t count = count_of(n.input(i).shape);
  if (count == 1 || count == many) return {};
  return Error{n.where(), "zero point of shape " + shape_text(n.input(i).shape),
               "1 or " + std::to_string(many) + " elements", ""};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(n));
  LOCKSTEP_CHECK(check_zero(n, 2, p.m));
  LOCKSTEP_CHECK(check_zero(n, 3, p.n));
  return std::vector<Facts>{{DType::i32, p.y, {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(c.view));
  const auto zero = [&](std::size_t i) {
    return c.in.size() > i && c.in[i] ? integers_of(*c.in[i]) : std::vector<std::int64_t>{0};
  };
  const auto a_zero = zero(2), b_zero = zero(3);
  auto a = centred_codes(*c.in[0], 0), b = centred_codes(*c.in[1], 0);
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] -= static_cast<std::int32_t>(
        a_zero[a_zero.size() > 1 ? i / static_cast<std::size_t>(p.k) % static_cast<std::size_t>(p.m)
                                 : 0]);
  for (std::size_t i = 0; i < b.size(); ++i)
    b[i] -= static_cast<std::int32_t>(
        b_zero[b_zero.size() > 1 ? i % static_cast<std::size_t>(p.n) : 0]);
  const auto y = c.out[0].as<std::int32_t>();
  each_matrix(p, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
    matrix_products<std::int64_t>(
        p, a.data() + ia * p.m * p.k, b.data() + ib * p.k * p.n, iy * p.m * p.n,
        [&](std::int64_t at, std::int64_t, std::int64_t sum) {
          y[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(sum);
        });
  });
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = matrix_plan(n);
  return p.ok() ? Cost{count_of(p.value().outer) * p.value().m * p.value().n * p.value().k}
                : Cost{};
}

}  // namespace

extern constinit const OpDef op_mat_mul_integer = {
    .name = "MatMulInteger",
    .meaning = "y[...,m,n] = sum_k (a - a_zero) * (b - b_zero), in int32",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
