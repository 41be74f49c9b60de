// y = act(alpha * A * B + beta * c), A = a or its transpose, B likewise; on codes a - a_zero, b -
// b_zero, requantized by a_scale * b_scale[o] / y_scale (N57); float a under b in codes: N69.
#include <cmath>

#include "base/text.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_fused.h"
#include "op/op_gemm.h"
#include "op/op_marks.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}, {"c", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"transA", "0", "1: a is read transposed"},
    {"transB", "0", "1: b is read transposed"},
    {"alpha", "1", "factor of the product"},
    {"beta", "1", "factor of c"},
    {"flatten", "0", "1: a of any rank is read as rows of as many elements as b takes"},
    {"keep_dims", "0", "with flatten: y keeps the outer axes of a"},
    {"sum_bits", "0", "16-bit a without c: 32 or 64, what the sums have where the file says so"},
    {"asymmetric", "0", "float a under b in codes: 1 codes the rows with a zero point"},
    {"activation", "none", "fused activation"},
    codes_mark,
    makes_mark,
    {"undelegated", "0",
     "1: XNNPACK does not take the node: uint8 weights that name an axis for one scale, or weights "
     "of four bits and an odd depth under float a"},
    {"kernel", "", "\"left\": rounded by LiteRT's own kernel (N80)"},
};

// The whole product in the arithmetic's own order of summation; it starts from the bias. With
// factors it starts from zero, and alpha times the sum is added to beta times the bias, fused.
void eval_in_order(EvalContext& c, const GemmSizes& s, const Tensor* bias,
                   std::pair<std::int64_t, std::int64_t> stride, float alpha, float beta) {
  const auto y = c.out[0].as<float>();
  const bool factors = alpha != 1 || (bias && beta != 1);
  const auto bias_at = [&](std::int64_t i) {
    return bias ? bias->as<float>()[static_cast<std::size_t>(i / s.n * stride.first +
                                                             i % s.n * stride.second)]
                : 0.0f;
  };
  for (std::int64_t i = 0; bias && !factors && i < std::ssize(y); ++i)
    y[static_cast<std::size_t>(i)] = bias_at(i);
  const Value& b = c.view.input(1);
  c.num.real.matrix({.m = s.m,
                     .n = s.n,
                     .k = s.k,
                     .a = c.in[0]->as<float>().data(),
                     .b = c.in[1]->as<float>().data(),
                     .y = y.data(),
                     .a_transposed = s.trans_a,
                     .b_transposed = s.trans_b,
                     .b_constant = b.constant && !b.folded,
                     .start = bias && !factors});
  for (std::int64_t i = 0; factors && i < std::ssize(y); ++i)
    y[static_cast<std::size_t>(i)] =
        std::fma(y[static_cast<std::size_t>(i)], alpha, beta * bias_at(i));
  const Activation act = activation_of(c.view);
  for (float& v : y) v = activate(act, v);
}

Result<void> eval_float(EvalContext& c, const GemmSizes& s) {
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  std::pair<std::int64_t, std::int64_t> stride{0, 0};
  if (bias) {
    LOCKSTEP_TRY(stride, gemm_bias_strides(c.view, s));
  }
  const auto alpha = static_cast<float>(c.view.attrs().real("alpha", 1)),
             beta = static_cast<float>(c.view.attrs().real("beta", 1));
  if (c.num.real.matrix) return eval_in_order(c, s, bias, stride, alpha, beta), Result<void>();
  const Activation act = activation_of(c.view);
  const auto y = c.out[0].as<float>();
  if (sums_from_bias(c.num) && c.view.input(1).constant && alpha == 1 && beta == 1) {  // N107
    const float *const a = c.in[0]->as<float>().data(), *const b = c.in[1]->as<float>().data();
    for (std::int64_t i = 0; i < s.m; ++i)
      for (std::int64_t j = 0; j < s.n; ++j) {
        const float start =
            bias ? bias->as<float>()[static_cast<std::size_t>(i * stride.first + j * stride.second)]
                 : 0.f;
        const float sum = fused_from(start, a + i * (s.trans_a ? 1 : s.k), s.trans_a ? s.m : 1,
                                     b + j * (s.trans_b ? s.k : 1), s.trans_b ? 1 : s.n, s.k);
        y[static_cast<std::size_t>(i * s.n + j)] = activate(act, sum);
      }
    return {};
  }
  gemm_products<float>(
      s, c.in[0]->as<float>(), c.in[1]->as<float>(),
      [&](std::int64_t i, std::int64_t j, float sum) {
        if (alpha != 1) sum *= alpha;
        if (bias) {
          const float term =
              bias->as<float>()[static_cast<std::size_t>(i * stride.first + j * stride.second)];
          sum += beta == 1 ? term : beta * term;
        }
        y[static_cast<std::size_t>(i * s.n + j)] = activate(act, sum);
      });
  return {};
}

Result<std::vector<Facts>> infer(const NodeView& v) {
  LOCKSTEP_TRY(const GemmSizes s, gemm_sizes_of(v));
  if (v.has_input(2))
    LOCKSTEP_CHECK([&]() -> Result<void> {
      LOCKSTEP_TRY([[maybe_unused]] const auto stride, gemm_bias_strides(v, s));
      return {};
    }());
  if (v.has_input(2) && v.input(0).dtype == DType::f32 && v.input(2).dtype != DType::f32)
    return Error{v.where(), "c of type " + std::string(name_of(v.input(2).dtype)), "float32 as a",
                 ""};
  Shape shape{s.m, s.n};
  if (v.attrs().integer("flatten", 0) != 0 && v.attrs().integer("keep_dims", 0) != 0) {
    shape = v.input(0).shape;
    if (shape.empty() || shape.back() != s.k)
      return Error{v.where(), "a of shape " + shape_text(shape),
                   "a last axis of " + std::to_string(s.k), ""};
    shape.back() = s.n;
  }
  return std::vector<Facts>{{code_type(v), shape, {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const GemmSizes s, gemm_sizes_of(c.view));
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (is_code(a) && is_code(b) && is_code(c.view.output(0))) return gemm_codes(c, s);
  if (is_code(a) && is_code(b) && c.out[0].dtype() == DType::f32) return gemm_codes_to_reals(c, s);
  if (a.dtype == DType::f32 && is_code(b)) return gemm_hybrid(c, s);
  if (a.dtype == DType::f32 && b.dtype == DType::f32) return eval_float(c, s);
  return Error{c.view.where(),
               "a " + std::string(name_of(a.dtype)) + ", b " + std::string(name_of(b.dtype)),
               "float32 throughout, codes throughout, or float32 a and coded b", ""};
}

Cost cost(const NodeView& v) {
  const auto s = gemm_sizes_of(v);
  return s.ok() ? Cost{s.value().m * s.value().n * s.value().k} : Cost{};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (f.attrs.text("weights_format", "DEFAULT") != "DEFAULT")
    return foreign_error(f, "weights_format " + f.attrs.text("weights_format", ""), "DEFAULT");
  Node node = node_from(f, "Gemm");
  node.attrs.set("transB", std::int64_t{1});
  node.attrs.set("flatten", std::int64_t{1});
  if (f.attrs.integer("keep_num_dims", 0) != 0) node.attrs.set("keep_dims", std::int64_t{1});
  if (f.attrs.integer("asymmetric_inputs", 0) != 0) node.attrs.set("asymmetric", std::int64_t{1});
  const bool narrow = f.attrs.integer("filter_bits", 8) == 4 && has_input(f, 0) &&
                      has_input(f, 1) && input_of(f, graph, 0).dtype == DType::f32 &&
                      !input_of(f, graph, 1).shape.empty() &&
                      input_of(f, graph, 1).shape.back() % 2 != 0;
  if (f.attrs.integer("filter_axis", 0) != 0 || narrow)
    node.attrs.set("undelegated", std::int64_t{1});
  const std::string bias = f.attrs.text("quantized_bias_type", "");
  if (node.inputs.size() < 3 || node.inputs[2] == no_id) {
    if (bias == "INT32" || bias == "INT64")
      node.attrs.set("sum_bits", std::int64_t{bias == "INT32" ? 32 : 64});
  }
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

Result<void> from_fused_gemm(const ForeignNode& f, GraphBuilder& graph) {
  return from_fused(f, graph, [](const ForeignNode& layer, GraphBuilder& g) {
    return add_like(layer, g, "Gemm", layer.inputs, layer.attrs);
  });
}

constexpr Foreign from[] = {{Format::onnx, "QLinearMatMul", from_qlinear_matmul},
                            {Format::onnx, "com.microsoft:QGemm", from_qgemm},
                            {Format::onnx, "Gemm"},
                            {Format::onnx, "com.microsoft:FusedGemm", from_fused_gemm},
                            {Format::tflite, "FULLY_CONNECTED", from_tflite}};

}  // namespace

extern constinit const OpDef op_gemm = {
    .name = "Gemm",
    .meaning = "y = act(alpha * A * B + beta * c)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep