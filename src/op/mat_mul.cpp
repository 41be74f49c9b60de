// y[...,m,n] = sum_k a[...,m,k] * b[...,k,n], outer axes spread; on codes a - a_zero, b - b_zero,
// requantized by a_scale * b_scale[n] / y_scale.
#include "base/text.h"
#include "num/pairs.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_contrib.h"
#include "op/op_marks.h"
#include "op/op_matrix.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"transA", "0", "1: the last two axes of a change places"},
    {"transB", "0", "1: those of b"},
    {"kernel", "", "\"layer\": codes are requantized as a fully connected layer's (N80)"},
    codes_mark,
    makes_mark};

template <class T>
void multiply(EvalContext& c, const MatrixPlan& p) {
  const auto a = c.in[0]->as<T>(), b = c.in[1]->as<T>();
  const auto y = c.out[0].as<T>();
  [[maybe_unused]] const bool stored = c.view.input(1).constant && !c.view.input(1).folded;
  if constexpr (std::is_same_v<T, float>) {
    // One matrix b: the rows of all of a's matrices are one product.
    if (c.num.real.matrix && !p.trans_a && !p.trans_b && p.k > 0 && c.in[1]->shape().size() == 2 &&
        c.in[0]->shape().size() >= 2) {
      MatrixProblem m{c.in[0]->count() / p.k, p.n, p.k, a.data(), b.data(), y.data()};
      m.b_constant = stored;
      return c.num.real.matrix(m);
    }
  }
  using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  each_matrix(p, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
    const T* const left = a.data() + ia * p.m * p.k;
    const T* const right = b.data() + ib * p.k * p.n;
    if constexpr (std::is_same_v<T, float>) {
      if (sums_from_bias(c.num)) {  // N107
        for (std::int64_t i = 0; i < p.m * p.n; ++i)
          y[static_cast<std::size_t>(iy * p.m * p.n + i)] =
              fused_from(0, left + i / p.n * (p.trans_a ? 1 : p.k), p.trans_a ? p.m : 1,
                         right + i % p.n * (p.trans_b ? p.k : 1), p.trans_b ? 1 : p.n, p.k);
        return;
      }
      if (c.num.real.matrix && !p.trans_a && c.in[1]->shape().size() == 1 &&
          p.k > 0) {  // N106: row by row
        for (std::int64_t i = 0; i < p.m; ++i)
          c.num.real.matrix({1, 1, p.k, left + i * p.k, right, y.data() + iy * p.m + i});
        return;
      }
      if (c.num.real.matrix && !p.trans_a && !p.trans_b) {
        MatrixProblem m{p.m, p.n, p.k, left, right, y.data() + iy * p.m * p.n};
        m.b_constant = stored && c.in[1]->shape().size() == 2;
        return c.num.real.matrix(m);
      }
    }
    matrix_products<Sum>(p, left, right, iy * p.m * p.n,
                         [&](std::int64_t at, std::int64_t, Sum sum) {
                           y[static_cast<std::size_t>(at)] = static_cast<T>(sum);
                         });
  });
}

// N46: what element `at` of the product of two matrices loses to saturation, 0 where nothing
// saturates.
class Losses {
 public:
  Losses(const EvalContext& c, const MatrixPlan& p) : p_(p), on_(saturates_in_pairs(c)) {
    if (!on_) return;
    a_ = centred_codes(*c.in[0], -runtime_shift(c.view));
    b_ = centred_codes(*c.in[1], 0);
  }
  std::int64_t of(std::int64_t ia, std::int64_t ib, std::int64_t at) const {
    if (!on_) return 0;
    const std::int32_t *const a = a_.data() + ia * p_.m * p_.k, *const b =
                                                                    b_.data() + ib * p_.k * p_.n;
    const std::int64_t i = at / p_.n, j = at % p_.n;
    PairLoss loss;
    for (std::int64_t k = 0; k < p_.k; ++k)
      loss.add(a[p_.trans_a ? k * p_.m + i : i * p_.k + k] *
               b[p_.trans_b ? j * p_.k + k : k * p_.n + j]);
    return loss.total();
  }

 private:
  const MatrixPlan& p_;
  bool on_;
  std::vector<std::int32_t> a_, b_;
};

// Codes in, reals out.
Result<void> multiply_to_reals(EvalContext& c, const MatrixPlan& p) {
  if (!c.num.to_real) return no_policy(c.view, "MatMul with a float result");
  const QuantParams &aq = c.view.input(0).quant, &bq = c.view.input(1).quant;
  const auto a = centred_codes(*c.in[0], aq.zero_at(0));
  auto b = centred_codes(*c.in[1], 0);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] -= bq.zero_at(i % static_cast<std::size_t>(p.n));
  const auto y = c.out[0].as<float>();
  const Losses lost(c, p);
  each_matrix(p, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
    matrix_products<std::int64_t>(
        p, a.data() + ia * p.m * p.k, b.data() + ib * p.k * p.n, iy * p.m * p.n,
        [&](std::int64_t at, std::int64_t j, std::int64_t sum) {
          sum += lost.of(ia, ib, at - iy * p.m * p.n);
          y[static_cast<std::size_t>(at)] =
              c.num.to_real(static_cast<std::int32_t>(sum), 1, aq.scale_at(0),
                            bq.scale_at(static_cast<std::size_t>(j)));
        });
  });
  return {};
}

Result<void> multiply_codes(EvalContext& c, const MatrixPlan& p) {
  const bool layer = c.view.attrs().text("kernel", "") == "layer";
  const RequantPolicy* const policy = c.num.matmul && !layer ? c.num.matmul : c.num.dense;
  const bool wide = c.view.input(0).dtype == DType::i16;
  if (!policy || (wide && !policy->apply_wide)) return no_policy(c.view, "MatMul");
  const Value &av = c.view.input(0), &bv = c.view.input(1), &yv = c.view.output(0);
  std::vector<Rescale> rescale(static_cast<std::size_t>(p.n));
  for (std::size_t j = 0; j < rescale.size(); ++j)
    rescale[j] = policy->prepare(av.quant.scale_at(0), bv.quant.scale_at(j), yv.quant.scale_at(0));
  const auto a = centred_codes(*c.in[0], av.quant.zero_at(0));
  auto b = centred_codes(*c.in[1], 0);
  for (std::size_t i = 0; i < b.size(); ++i)
    b[i] -= bv.quant.zero_at(p.trans_b ? 0 : i % static_cast<std::size_t>(p.n));
  const CodeClamp clamp = clamp_of(c.view);
  const Losses lost(c, p);
  each_matrix(p, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
    matrix_products<std::int64_t>(
        p, a.data() + ia * p.m * p.k, b.data() + ib * p.k * p.n, iy * p.m * p.n,
        [&](std::int64_t at, std::int64_t j, std::int64_t sum) {
          sum += lost.of(ia, ib, at - iy * p.m * p.n);
          const Rescale& r = rescale[static_cast<std::size_t>(j)];
          const std::int64_t scaled =
              wide ? policy->apply_wide(sum, r) : policy->apply(static_cast<std::int32_t>(sum), r);
          store_code(c.out[0], at, clamp_code(scaled + yv.quant.zero_at(0), clamp.low, clamp.high));
        });
  });
  return {};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(n));
  return std::vector<Facts>{{code_type(n), p.y, {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(c.view));
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (is_code(a) && is_code(b) && is_code(c.view.output(0))) return multiply_codes(c, p);
  if (is_code(a) && is_code(b) && c.out[0].dtype() == DType::f32) return multiply_to_reals(c, p);
  if (a.dtype != b.dtype || a.dtype == DType::f16)
    return Error{c.view.where(),
                 "a " + std::string(name_of(a.dtype)) + ", b " + std::string(name_of(b.dtype)),
                 "one type for both, or codes throughout", ""};
  with_type(a.dtype, [&](auto type) { multiply<decltype(type)>(c, p); });
  return {};
}

Cost cost(const NodeView& n) {
  const auto p = matrix_plan(n);
  return p.ok() ? Cost{count_of(p.value().outer) * p.value().m * p.value().n * p.value().k}
                : Cost{};
}

constexpr Rule rules[] = {
    {"b's scales, when there are several, lie along its last axis",
     [](const NodeView& n) {
       const Value& b = n.input(1);
       return !b.quant.per_channel() || (b.quant.axis == static_cast<int>(b.shape.size()) - 1 &&
                                         n.attrs().integer("transB", 0) == 0);
     }},
};

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  if (f.attrs.integer("adj_x", 0) != 0) canonical.set("transA", std::int64_t{1});
  if (f.attrs.integer("adj_y", 0) != 0) canonical.set("transB", std::int64_t{1});
  return add_like(f, graph, "MatMul", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "MatMul"},
                            {Format::onnx, "com.microsoft:FusedMatMul", from_fused_matmul},
                            {Format::tflite, "BATCH_MATMUL", from_tflite}};

}  // namespace

extern constinit const OpDef op_mat_mul = {
    .name = "MatMul",
    .meaning = "y[...,m,n] = sum_k a[...,m,k] * b[...,k,n]",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
