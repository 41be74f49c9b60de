// y[...,m,n] = sum_k a[...,m,k] * b[...,k,n], outer axes spread; on codes a - a_zero, b - b_zero,
// requantized by a_scale * b_scale[n] / y_scale.
#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};

Shape outer_of(const Shape& shape) {
  Shape outer;
  for (std::size_t d = 0; d + 2 < shape.size(); ++d) outer.push_back(shape[d]);
  return outer;
}

// A vector is a row as a and a column as b; that axis leaves y again.
struct Plan {
  std::int64_t m = 0, n = 0, k = 0;
  Shape outer, a_strides, b_strides;  // of whole matrices
  Shape y;
};

Result<Plan> plan_of(const NodeView& v) {
  const Shape &a = v.input(0).shape, &b = v.input(1).shape;
  const bool row = a.size() == 1, column = b.size() == 1;
  const Error mismatch{v.where(), "a " + shape_text(a) + " and b " + shape_text(b),
                       "an inner extent that both share, and outer ones that spread", ""};
  if (a.empty() || b.empty()) return mismatch;
  Plan p;
  p.m = row ? 1 : a[a.size() - 2];
  p.k = a.back();
  p.n = column ? 1 : b.back();
  if ((column ? b[0] : b[b.size() - 2]) != p.k) return mismatch;
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

// visit(matrix of y, matrix of a, matrix of b), counted in whole matrices.
template <class Visit>
void each_matrix(const Plan& p, Visit&& visit) {
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
void products(const Plan& p, const T* a, const T* b, std::int64_t first, Take&& take) {
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      Sum sum = 0;
      for (std::int64_t k = 0; k < p.k; ++k) sum += static_cast<Sum>(a[i * p.k + k]) * static_cast<Sum>(b[k * p.n + j]);
      take(first + i * p.n + j, j, sum);
    }
}

template <class T>
void multiply(EvalContext& c, const Plan& p) {
  const auto a = c.in[0]->as<T>(), b = c.in[1]->as<T>();
  const auto y = c.out[0].as<T>();
  using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  each_matrix(p, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
    const T* const left = a.data() + ia * p.m * p.k;
    const T* const right = b.data() + ib * p.k * p.n;
    if constexpr (std::is_same_v<T, float>) {
      if (c.num.real.matrix) {
        MatrixProblem m{p.m, p.n, p.k, left, right, y.data() + iy * p.m * p.n};
        m.b_constant = c.view.constant(1) != nullptr;
        return c.num.real.matrix(m);
      }
    }
    products<Sum>(p, left, right, iy * p.m * p.n, [&](std::int64_t at, std::int64_t, Sum sum) {
      y[static_cast<std::size_t>(at)] = static_cast<T>(sum);
    });
  });
}

Result<void> multiply_codes(EvalContext& c, const Plan& p) {
  const RequantPolicy* const policy = c.num.matmul ? c.num.matmul : c.num.dense;
  if (!policy) return no_policy(c.view, "MatMul");
  const Value &av = c.view.input(0), &bv = c.view.input(1), &yv = c.view.output(0);
  std::vector<Rescale> rescale(static_cast<std::size_t>(p.n));
  for (std::size_t j = 0; j < rescale.size(); ++j)
    rescale[j] = policy->prepare(av.quant.scale_at(0), bv.quant.scale_at(j), yv.quant.scale_at(0));
  const auto a = centred_codes(*c.in[0], av.quant.zero_at(0));
  auto b = centred_codes(*c.in[1], 0);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] -= bv.quant.zero_at(i % static_cast<std::size_t>(p.n));
  const CodeClamp clamp = clamp_of(c.view);
  each_matrix(p, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
    products<std::int64_t>(p, a.data() + ia * p.m * p.k, b.data() + ib * p.k * p.n, iy * p.m * p.n,
                           [&](std::int64_t at, std::int64_t j, std::int64_t sum) {
      const std::int64_t scaled = policy->apply(static_cast<std::int32_t>(sum), rescale[static_cast<std::size_t>(j)]);
      store_code(c.out[0], at, clamp_code(scaled + yv.quant.zero_at(0), clamp.low, clamp.high));
    });
  });
  return {};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Plan p, plan_of(n));
  return std::vector<Facts>{{code_type(n), p.y, {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Plan p, plan_of(c.view));
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (is_code(a) && is_code(b) && is_code(c.view.output(0))) return multiply_codes(c, p);
  if (a.dtype != b.dtype || a.dtype == DType::f16)
    return Error{c.view.where(), "a " + std::string(name_of(a.dtype)) + ", b " + std::string(name_of(b.dtype)),
                 "one type for both, or codes throughout", ""};
  with_type(a.dtype, [&](auto type) { multiply<decltype(type)>(c, p); });
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = plan_of(n);
  return p.ok() ? Cost{count_of(p.value().outer) * p.value().m * p.value().n * p.value().k} : Cost{};
}

constexpr Rule rules[] = {
    {"b's scales, when there are several, lie along its last axis",
     [](const NodeView& n) {
       const Value& b = n.input(1);
       return !b.quant.per_channel() || b.quant.axis == static_cast<int>(b.shape.size()) - 1;
     }},
};

constexpr Foreign from[] = {{Format::onnx, "MatMul"}};

}  // namespace

extern constinit const OpDef op_mat_mul = {
    .name = "MatMul",
    .meaning = "y[...,m,n] = sum_k a[...,m,k] * b[...,k,n]",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
