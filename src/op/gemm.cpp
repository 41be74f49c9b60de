// y = act(alpha * A * B + beta * c), A = a or its transpose, B likewise; on codes a - a_zero, b -
// b_zero, requantized by a_scale * b_scale[o] / y_scale (N57); float a under b in codes: N69.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "num/product.h"
#include "num/pairs.h"
#include "op/op_codes.h"
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
    {"asymmetric", "0", "float a under b in codes: 1 codes the rows with a zero point"},
    {"activation", "none", "fused activation"},
};

struct Sizes {
  std::int64_t m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false;
};

Result<Sizes> sizes_of(const NodeView& v) {
  const Shape &a = v.input(0).shape, &b = v.input(1).shape;
  Sizes s;
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

// Strides of the third operand, which spreads from (), (n), (1,n), (m,1) or (m,n).
Result<std::pair<std::int64_t, std::int64_t>> bias_strides(const NodeView& v, const Sizes& s) {
  const Shape& c = v.input(2).shape;
  const std::int64_t cols = c.empty() ? 1 : c.back(), rows = c.size() > 1 ? c[c.size() - 2] : 1;
  if (c.size() > 2 || (cols != 1 && cols != s.n) || (rows != 1 && rows != s.m))
    return Error{
        v.where(), "c of shape " + shape_text(c),
        "a shape that spreads to [" + std::to_string(s.m) + "," + std::to_string(s.n) + "]", ""};
  return std::pair{rows == 1 ? std::int64_t{0} : cols,
                   cols == 1 ? std::int64_t{0} : std::int64_t{1}};
}

template <class Sum, class T, class Take>
void products(const Sizes& s, std::span<const T> a, std::span<const T> b, Take&& take) {
  const std::int64_t am = s.trans_a ? 1 : s.k, ak = s.trans_a ? s.m : 1;
  const std::int64_t bn = s.trans_b ? s.k : 1, bk = s.trans_b ? 1 : s.n;
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      Sum sum = 0;
      for (std::int64_t k = 0; k < s.k; ++k)
        sum += static_cast<Sum>(a[static_cast<std::size_t>(i * am + k * ak)]) *
               static_cast<Sum>(b[static_cast<std::size_t>(j * bn + k * bk)]);
      take(i, j, sum);
    }
}

// The whole product in the arithmetic's own order of summation; it starts from the bias. With factors it starts from
// zero, and alpha times the sum is added to beta times the bias, fused.
void eval_in_order(EvalContext& c, const Sizes& s, const Tensor* bias,
                   std::pair<std::int64_t, std::int64_t> stride, float alpha, float beta) {
  const auto y = c.out[0].as<float>();
  const bool factors = alpha != 1 || (bias && beta != 1);
  const auto bias_at = [&](std::int64_t i) {
    return bias ? bias->as<float>()[static_cast<std::size_t>(i / s.n * stride.first + i % s.n * stride.second)] : 0.0f;
  };
  for (std::int64_t i = 0; bias && !factors && i < std::ssize(y); ++i) y[static_cast<std::size_t>(i)] = bias_at(i);
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
    y[static_cast<std::size_t>(i)] = std::fma(y[static_cast<std::size_t>(i)], alpha, beta * bias_at(i));
  const Activation act = activation_of(c.view);
  for (float& v : y) v = activate(act, v);
}

Result<void> eval_float(EvalContext& c, const Sizes& s) {
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  std::pair<std::int64_t, std::int64_t> stride{0, 0};
  if (bias) {
    LOCKSTEP_TRY(stride, bias_strides(c.view, s));
  }
  const auto alpha = static_cast<float>(c.view.attrs().real("alpha", 1)),
             beta = static_cast<float>(c.view.attrs().real("beta", 1));
  if (c.num.real.matrix) return eval_in_order(c, s, bias, stride, alpha, beta), Result<void>();
  const Activation act = activation_of(c.view);
  const auto y = c.out[0].as<float>();
  products<float>(
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

// alpha enters the first operand's scale, in float32.
double scaled_by(double alpha, double scale) {
  return alpha == 1 ? scale
                    : static_cast<double>(static_cast<float>(alpha) * static_cast<float>(scale));
}

// b minus its zero point, which may differ from column to column.
std::vector<std::int32_t> centred_weights(const Tensor& t, const QuantParams& quant,
                                          const Sizes& s) {
  auto b = centred_codes(t, quant.zero.size() > 1 ? 0 : quant.zero_at(0));
  if (quant.zero.size() > 1)
    for (std::size_t i = 0; i < b.size(); ++i)
      b[i] -= quant.zero_at(s.trans_b ? i / static_cast<std::size_t>(s.k)
                                      : i % static_cast<std::size_t>(s.n));
  return b;
}

// N46: what each sum loses to saturation, row by row; empty where nothing saturates.
std::vector<std::int64_t> losses(const EvalContext& c, const Sizes& s) {
  if (!saturates_in_pairs(c)) return {};
  const auto a = centred_codes(*c.in[0], -runtime_shift(c.view)), b = centred_codes(*c.in[1], 0);
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      PairLoss loss;
      for (std::int64_t k = 0; k < s.k; ++k)
        loss.add(a[static_cast<std::size_t>(s.trans_a ? k * s.m + i : i * s.k + k)] *
                 b[static_cast<std::size_t>(s.trans_b ? j * s.k + k : k * s.n + j)]);
      out.push_back(loss.total());
    }
  return out;
}

// N22 without an output scale: codes in, reals out.
Result<void> eval_codes_to_reals(EvalContext& c, const Sizes& s) {
  if (!c.num.to_real) return no_policy(c.view, "Gemm with a float result");
  const QuantParams &aq = c.view.input(0).quant, &bq = c.view.input(1).quant;
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  std::pair<std::int64_t, std::int64_t> stride{0, 0};
  if (bias) {
    LOCKSTEP_TRY(stride, bias_strides(c.view, s));
  }
  const auto a = centred_codes(*c.in[0], aq.zero_at(0));
  const auto b = centred_weights(*c.in[1], bq, s);
  const double alpha = c.view.attrs().real("alpha", 1);
  const auto y = c.out[0].as<float>();
  const auto lost = losses(c, s);
  products<std::int64_t, std::int32_t>(
      s, a, b, [&](std::int64_t i, std::int64_t j, std::int64_t sum) {
        if (bias) sum += bias->code(i * stride.first + j * stride.second);
        if (!lost.empty()) sum += lost[static_cast<std::size_t>(i * s.n + j)];
        y[static_cast<std::size_t>(i * s.n + j)] =
            c.num.to_real(static_cast<std::int32_t>(sum), alpha, aq.scale_at(0),
                          bq.scale_at(static_cast<std::size_t>(j)));
      });
  return {};
}

// A layer of constant weights whose bias, where there is one, belongs to the columns.
bool product_fits(const EvalContext& c, const Sizes& s) {
  const bool by_column = !c.view.has_input(2) || count_of(c.view.input(2).shape) == s.n;
  return c.num.product && c.view.input(1).constant && by_column;
}

Result<void> eval_codes(EvalContext& c, const Sizes& s) {
  const Value &av = c.view.input(0), &bv = c.view.input(1), &yv = c.view.output(0);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const bool wide = av.dtype == DType::i16;
  const RequantPolicy* const policy = wide && c.num.dense_int16                             ? c.num.dense_int16
                                      : bv.quant.per_channel() && c.num.dense_by_channel ? c.num.dense_by_channel
                                                                                         : c.num.dense;
  if (!policy || (wide && !policy->apply_wide)) return no_policy(c.view, "Gemm");
  std::pair<std::int64_t, std::int64_t> stride{0, 0};
  if (bias) {
    LOCKSTEP_TRY(stride, bias_strides(c.view, s));
  }
  std::vector<Rescale> rescale(static_cast<std::size_t>(s.n));
  for (std::size_t j = 0; j < rescale.size(); ++j)
    rescale[j] =
        policy->prepare(scaled_by(c.view.attrs().real("alpha", 1), av.quant.scale_at(0)),
                             bv.quant.scale_at(j), yv.quant.scale_at(0));
  const auto a = centred_codes(*c.in[0], av.quant.zero_at(0));
  const auto b = centred_weights(*c.in[1], bv.quant, s);
  const CodeClamp clamp = clamp_of(c.view);
  const auto lost = losses(c, s);
  products<std::int64_t, std::int32_t>(
      s, a, b, [&](std::int64_t i, std::int64_t j, std::int64_t sum) {
        if (bias) sum += bias->code(i * stride.first + j * stride.second);
        if (!lost.empty()) sum += lost[static_cast<std::size_t>(i * s.n + j)];
        const Rescale& r = rescale[static_cast<std::size_t>(j)];
        const std::int64_t scaled = wide ? policy->apply_wide(sum, r)
                                         : policy->apply(static_cast<std::int32_t>(sum), r);
        store_code(c.out[0], i * s.n + j,
                   clamp_code(scaled + yv.quant.zero_at(0), clamp.low, clamp.high));
      });
  return {};
}

// The layer as 1x1 kernels in pieces, the running sum rounded after each (docs/neural-art.md).
Result<void> eval_pieces(EvalContext& c, const Sizes& s) {
  const Value &av = c.view.input(0), &bv = c.view.input(1), &yv = c.view.output(0);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const auto a = centred_codes(*c.in[0], av.quant.zero_at(0));
  const auto b = centred_weights(*c.in[1], bv.quant, s);
  std::vector<std::int32_t> w(b.size());
  for (std::int64_t j = 0; j < s.n; ++j)
    for (std::int64_t k = 0; k < s.k; ++k)
      w[static_cast<std::size_t>(j * s.k + k)] = b[static_cast<std::size_t>(s.trans_b ? j * s.k + k : k * s.n + j)];
  const auto added = bias ? centred_codes(*bias, 0) : std::vector<std::int32_t>();
  const CodeClamp clamp = clamp_of(c.view);
  const CodeRange codes = code_range(c.out[0].dtype());
  const ProductPlan plan = c.num.product->prepare(
      {.x_scale = scaled_by(c.view.attrs().real("alpha", 1), av.quant.scale_at(0)), .y_scale = yv.quant.scale_at(0),
       .x_zero = av.quant.zero_at(0), .y_zero = yv.quant.zero_at(0), .y_low = static_cast<std::int32_t>(codes.low),
       .y_high = static_cast<std::int32_t>(codes.high), .w_scale = bv.quant.scale, .weights = w, .bias = added,
       .kernels = s.n, .channels = s.k, .pixels = s.m});
  if (plan.pieces.empty()) return eval_codes(c, s);
  const std::int64_t row = s.trans_a ? 1 : s.k, step = s.trans_a ? s.m : 1;
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      std::int64_t run = 0;
      for (const ProductPiece& p : plan.pieces) {
        std::int64_t sum = 0;
        for (std::int64_t k = p.channel; k < p.channel + p.channels; ++k)
          sum += std::int64_t{a[static_cast<std::size_t>(i * row + k * step)]} * w[static_cast<std::size_t>(j * s.k + k)];
        run = c.num.product->add(run, sum, plan);
      }
      store_code(c.out[0], i * s.n + j, clamp_code(c.num.product->leave(run, static_cast<std::size_t>(j), plan), clamp.low, clamp.high));
    }
  return {};
}

// N69, one scale for each row of a. When every element is zero, y is the bias.
Result<void> eval_hybrid(EvalContext& c, const Sizes& s) {
  if (!c.num.hybrid) return no_policy(c.view, "Gemm of float activations and coded weights");
  const auto x = c.in[0]->as<float>();
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const QuantParams& bq = c.view.input(1).quant;
  const bool asymmetric = c.num.hybrid->always_asymmetric || c.view.attrs().integer("asymmetric", 0) != 0,
             by_channel = bq.per_channel();
  const auto k = static_cast<std::size_t>(s.k);
  std::vector<std::int8_t> codes(x.size());
  std::vector<std::int32_t> a(x.size());
  std::vector<float> scale(static_cast<std::size_t>(s.m));
  for (std::size_t i = 0; i < scale.size(); ++i) {
    std::int32_t zero = 0;
    const std::span<std::int8_t> out(codes.data() + i * k, k);
    if (asymmetric)
      c.num.hybrid->asymmetric(x.subspan(i * k, k), out, scale[i], zero);
    else
      c.num.hybrid->symmetric(x.subspan(i * k, k), out, scale[i]);
    for (std::size_t e = 0; e < k; ++e) a[i * k + e] = out[e] - zero;
    if (!by_channel) scale[i] *= static_cast<float>(bq.scale_at(0));
  }
  const bool silent = std::ranges::all_of(x, [](float v) { return v == 0; });
  const Activation act = activation_of(c.view);
  const auto b = centred_codes(*c.in[1], 0);
  const auto y = c.out[0].as<float>();
  products<std::int64_t, std::int32_t>(
      s, a, b, [&](std::int64_t i, std::int64_t j, std::int64_t sum) {
        float real = bias ? bias->as<float>()[static_cast<std::size_t>(j)] : 0.f;
        const float step = by_channel
                               ? static_cast<float>(bq.scale_at(static_cast<std::size_t>(j))) *
                                     scale[static_cast<std::size_t>(i)]
                               : scale[static_cast<std::size_t>(i)];
        if (!silent) real += static_cast<float>(sum) * step;
        y[static_cast<std::size_t>(i * s.n + j)] = activate(act, real);
      });
  return {};
}

Result<std::vector<Facts>> infer(const NodeView& v) {
  LOCKSTEP_TRY(const Sizes s, sizes_of(v));
  if (v.has_input(2))
    LOCKSTEP_CHECK([&]() -> Result<void> {
      LOCKSTEP_TRY([[maybe_unused]] const auto stride, bias_strides(v, s));
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
  LOCKSTEP_TRY(const Sizes s, sizes_of(c.view));
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (is_code(a) && is_code(b) && is_code(c.view.output(0)))
    return product_fits(c, s) ? eval_pieces(c, s) : eval_codes(c, s);
  if (is_code(a) && is_code(b) && c.out[0].dtype() == DType::f32) return eval_codes_to_reals(c, s);
  if (a.dtype == DType::f32 && is_code(b)) return eval_hybrid(c, s);
  if (a.dtype == DType::f32 && b.dtype == DType::f32) return eval_float(c, s);
  return Error{c.view.where(),
               "a " + std::string(name_of(a.dtype)) + ", b " + std::string(name_of(b.dtype)),
               "float32 throughout, codes throughout, or float32 a and coded b", ""};
}

Cost cost(const NodeView& v) {
  const auto s = sizes_of(v);
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
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::onnx, "QLinearMatMul", from_qlinear_matmul},
                            {Format::onnx, "com.microsoft:QGemm", from_qgemm},
                            {Format::onnx, "Gemm"},
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
