// Matrix products to C.
#include <algorithm>

#include "emit/any.h"
#include "emit/hybrid.h"
#include "emit/window.h"
#include "op/op_codes.h"
#include "op/op_gemm.h"
#include "op/op_matrix.h"

namespace lockstep {
namespace {

// One product of rows with constant weights.
struct Dense {
  std::int64_t rows = 0, depth = 0, outputs = 0;
  double alpha = 1;
  const RequantPolicy* policy = nullptr;
  std::vector<std::int64_t> weights;  // [output][depth], less 128 where uint8
  std::vector<std::int64_t> bias;     // by output
};

Result<void> write_dense_finish(NodeWriter& w, const Dense& d) {
  const NodeView& v = w.view();
  const QuantParams &a = v.input(0).quant, &b = v.input(1).quant;
  if (v.output(0).dtype == DType::f32) {
    if (!w.num().to_real) return w.unsupported("a float result of codes");
    std::vector<float> factors;
    for (std::int64_t o = 0; o < d.outputs; ++o)
      factors.push_back(
          w.num().to_real(1, d.alpha, a.scale_at(0), b.scale_at(static_cast<std::size_t>(o))));
    return write_finish_real(w, factors);
  }
  if (!d.policy) return w.unsupported("products of codes");
  const double scale =
      d.alpha == 1
          ? a.scale_at(0)
          : static_cast<double>(static_cast<float>(d.alpha) * static_cast<float>(a.scale_at(0)));
  std::vector<Rescale> rescales;
  for (std::int64_t o = 0; o < d.outputs; ++o)
    rescales.push_back(d.policy->prepare(scale, b.scale_at(static_cast<std::size_t>(o)),
                                         v.output(0).quant.scale_at(0)));
  const CodeClamp clamp = clamp_of(v);
  return write_finish(w, requant_steps(*d.policy), rescales, v.output(0).quant.zero_at(0),
                      clamp.low, clamp.high);
}

Result<void> write_dense(NodeWriter& w, Dense d) {
  const NodeView& v = w.view();
  const WeightZeros zeros = centred_weights(d.weights, d.outputs, v.input(1));
  const std::int64_t x_zero = v.input(0).quant.zero_at(0) - flip_of(v.input(0));
  std::vector<std::int64_t> bias;
  for (std::int64_t o = 0; o < d.outputs; ++o) {
    std::int64_t sum = d.bias.empty() ? 0 : d.bias[static_cast<std::size_t>(o)];
    for (std::int64_t k = 0; k < d.depth; ++k)
      sum -= x_zero * (d.weights[static_cast<std::size_t>(o * d.depth + k)] - zeros.of(o));
    bias.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(sum)));
  }
  if (bias.size() % 2 != 0) bias.push_back(0);
  const auto packed = pack_rows(d.weights, d.depth);
  w.field("rows", d.rows);
  w.field("depth", d.depth);
  w.field("out", d.outputs);
  write_weight_zeros(w, zeros);
  w.field("flip", flip_of(v.input(0)));
  w.field("y_bytes", static_cast<std::int64_t>(size_of(v.output(0).dtype)));
  w.field("weights", w.constants().add("int8_t", std::span<const std::int64_t>(packed),
                                       w.label() + "_weights"));
  w.field("bias",
          w.constants().add("int32_t", std::span<const std::int64_t>(bias), w.label() + "_bias"));
  LOCKSTEP_CHECK(write_dense_finish(w, d));
  w.uses("ls_dense.c");
  w.line("ls_dense_8(" + w.params("ls_dense") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

bool codes_throughout(const NodeView& v) {
  const bool real = v.output(0).dtype == DType::f32;
  return is_code(v.input(0)) && is_code(v.input(1)) && is_narrow(v.input(0)) &&
         is_narrow(v.input(1)) && (real || (is_code(v.output(0)) && is_narrow(v.output(0))));
}

std::string operand_types(const NodeView& v) {
  return std::string(name_of(v.input(0).dtype)) + " by " + std::string(name_of(v.input(1).dtype));
}

// Rows as positions of a 1x1 convolution.
Result<void> write_dense_any(NodeWriter& w, const Dense& d) {
  const NodeView& v = w.view();
  if (d.alpha != 1) return w.unsupported("alpha of 16-bit codes");
  if (v.has_input(2) && v.constant(2)->count() != 1 && v.constant(2)->count() != d.outputs)
    return w.unsupported("a bias that differs by row");
  Window g;
  g.batch = d.rows, g.channels = d.depth, g.channels_last = true;
  const SumRules rules(dense_sums(v, w.num()), d.outputs);
  if (is_plain_16(v, g)) return write_conv_16(w, g, d.weights, 1, rules);
  w.field("group", 1);
  return write_conv_any(w, g, d.weights, rules);
}

Result<void> emit_gemm(NodeWriter& w) {
  const NodeView& v = w.view();
  if (is_hybrid(v)) return write_hybrid_gemm(w);
  if (is_real(v)) return write_real_gemm(w);
  LOCKSTEP_CHECK(plain_products(w));
  const bool wide = is_short_code(v.input(0)) && is_short_code(v.output(0)) &&
                    is_code(v.input(1)) && is_narrow(v.input(1)) &&
                    !(is_narrow(v.input(0)) && is_narrow(v.output(0)));
  if ((!codes_throughout(v) && !wide) || !v.constant(1))
    return w.unsupported("Gemm of " + operand_types(v));
  if (v.attrs().integer("transA", 0) != 0) return w.unsupported("a transposed first operand");
  if (v.has_input(2) && !v.constant(2)) return w.unsupported("a computed bias");
  const Tensor& b = *v.constant(1);
  const bool transposed = v.attrs().integer("transB", 0) != 0;
  Dense d;
  d.depth = transposed ? b.shape()[1] : b.shape()[0];
  d.outputs = transposed ? b.shape()[0] : b.shape()[1];
  d.rows = count_of(v.input(0).shape) / std::max<std::int64_t>(d.depth, 1);
  d.alpha = v.attrs().real("alpha", 1);
  d.policy = dense_sums(v, w.num()).policy;
  for (std::int64_t o = 0; o < d.outputs; ++o)
    for (std::int64_t k = 0; k < d.depth; ++k)
      d.weights.push_back(b.code(transposed ? o * d.depth + k : k * d.outputs + o) -
                          flip_of(v.input(1)));
  if (wide) return write_dense_any(w, d);
  if (const Tensor* c = v.constant(2)) {
    if (c->count() != 1 && c->count() != d.outputs)
      return w.unsupported("a bias that differs by row");
    for (std::int64_t o = 0; o < d.outputs; ++o) d.bias.push_back(c->code(c->count() == 1 ? 0 : o));
  }
  return write_dense(w, d);
}

// b is one constant matrix: rows of all of a's matrices with it.
Result<void> emit_constant_matmul(NodeWriter& w, const MatrixPlan& p, const RequantPolicy* policy) {
  const NodeView& v = w.view();
  const Tensor& b = *v.constant(1);
  Dense d{.rows = count_of(v.input(0).shape) / std::max<std::int64_t>(p.k, 1),
          .depth = p.k,
          .outputs = p.n,
          .alpha = 1,
          .policy = policy,
          .weights = {},
          .bias = {}};
  for (std::int64_t o = 0; o < p.n; ++o)
    for (std::int64_t k = 0; k < p.k; ++k)
      d.weights.push_back(b.code(p.trans_b ? o * p.k + k : k * p.n + o) - flip_of(v.input(1)));
  return write_dense(w, d);
}

Result<void> emit_matmul(NodeWriter& w) {
  const NodeView& v = w.view();
  if (is_real(v)) return write_real_matmul(w);
  LOCKSTEP_CHECK(plain_products(w));
  const bool layer = v.attrs().text("kernel", "") == "layer";
  const RequantPolicy* policy = w.num().matmul && !layer ? w.num().matmul : w.num().dense;
  const bool shorts =
      is_short_code(v.input(0)) && is_short_code(v.input(1)) && is_short_code(v.output(0));
  if (!codes_throughout(v))
    return shorts ? write_matmul_any(w, policy) : w.unsupported("MatMul of " + operand_types(v));
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(v));
  if (v.constant(1) && v.input(1).shape.size() == 2 && !p.trans_a)
    return emit_constant_matmul(w, p, policy);
  const std::int64_t count = count_of(p.outer);
  std::vector<std::int64_t> a_at, b_at;
  each_matrix(p, [&](std::int64_t, std::int64_t a, std::int64_t b) {
    a_at.push_back(a), b_at.push_back(b);
  });
  const auto step = [&](const std::vector<std::int64_t>& at) {
    return count > 1 ? at[1] - at[0] : 0;
  };
  for (std::size_t i = 0; i < a_at.size(); ++i)
    if (a_at[i] != static_cast<std::int64_t>(i) * step(a_at) ||
        b_at[i] != static_cast<std::int64_t>(i) * step(b_at))
      return w.unsupported("matrices spread over inner axes");
  if (v.input(1).quant.per_channel())
    return w.unsupported("a computed operand with several scales");
  w.field("count", count);
  w.field("m", p.m), w.field("n", p.n), w.field("k", p.k);
  w.field("a_step", step(a_at) * p.m * p.k), w.field("b_step", step(b_at) * p.k * p.n);
  w.field("a_row", p.trans_a ? 1 : p.k), w.field("a_col", p.trans_a ? p.m : 1);
  w.field("b_row", p.trans_b ? 1 : p.n), w.field("b_col", p.trans_b ? p.k : 1);
  w.field("a_zero", v.input(0).quant.zero_at(0) - flip_of(v.input(0)));
  w.field("b_zero", v.input(1).quant.zero_at(0) - flip_of(v.input(1)));
  w.field("a_flip", flip_of(v.input(0))), w.field("b_flip", flip_of(v.input(1)));
  w.field("y_bytes", static_cast<std::int64_t>(size_of(v.output(0).dtype)));
  Dense d;
  d.outputs = p.n;
  d.policy = policy;
  LOCKSTEP_CHECK(write_dense_finish(w, d));
  w.uses("ls_matmul.c");
  w.line("ls_matmul_8(" + w.params("ls_matmul") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
  return {};
}

NodeMemory gemm_memory(const NodeView& v, const Numerics& num) {
  const Shape& b = v.input(1).shape;
  if (is_real(v)) return {hybrid_scratch(v, num), {}};
  if (!v.constant(1) || b.size() != 2) return {};
  Window g;
  g.channels = b[v.attrs().integer("transB", 0) != 0 ? 1 : 0], g.channels_last = true;
  return is_plain_16(v, g) ? NodeMemory{scratch_16(g, 1), {}} : NodeMemory{};
}

constexpr NodeEmitter table[] = {{"Gemm", gemm_memory, emit_gemm},
                                 {"MatMul", nullptr, emit_matmul},
                                 {"MatMulNBits", matrix_codes_memory, write_matrix_codes}};

}  // namespace

std::span<const NodeEmitter> matrix_emitters() {
  return table;
}

}  // namespace lockstep
