#include <algorithm>

#include "num/pairs.h"
#include "num/product.h"
#include "num/tflite_policies.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_gemm.h"
#include "op/op_hybrid.h"
#include "op/op_qlinear.h"
#include "op/op_sums.h"

namespace lockstep {
namespace {

// alpha enters the first operand's scale, in float32.
double scaled_by(double alpha, double scale) {
  return alpha == 1 ? scale
                    : static_cast<double>(static_cast<float>(alpha) * static_cast<float>(scale));
}

// b minus its zero point, which may differ from column to column.
std::vector<std::int32_t> centred_weights(const Tensor& t, const QuantParams& quant,
                                          const GemmSizes& s) {
  auto b = centred_codes(t, quant.zero.size() > 1 ? 0 : quant.zero_at(0));
  if (quant.zero.size() > 1)
    for (std::size_t i = 0; i < b.size(); ++i)
      b[i] -= quant.zero_at(s.trans_b ? i / static_cast<std::size_t>(s.k)
                                      : i % static_cast<std::size_t>(s.n));
  return b;
}

// N46: what each sum loses to saturation, row by row; empty where nothing saturates.
std::vector<std::int64_t> losses(const EvalContext& c, const GemmSizes& s) {
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

// A layer of constant weights whose bias, where there is one, belongs to the columns.
bool product_fits(const EvalContext& c, const GemmSizes& s) {
  const bool by_column = !c.view.has_input(2) || count_of(c.view.input(2).shape) == s.n;
  return c.num.product && c.view.input(1).constant && by_column;
}

Result<void> eval_codes(EvalContext& c, const GemmSizes& s) {
  const Value &av = c.view.input(0), &bv = c.view.input(1), &yv = c.view.output(0);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const auto [policy, wide] = dense_sums(c.view, c.num);
  if (!policy || (av.dtype == DType::i16 && !policy->apply_wide)) return no_policy(c.view, "Gemm");
  std::pair<std::int64_t, std::int64_t> stride{0, 0};
  if (bias) {
    LOCKSTEP_TRY(stride, gemm_bias_strides(c.view, s));
  }
  std::vector<Rescale> rescale(static_cast<std::size_t>(s.n));
  for (std::size_t j = 0; j < rescale.size(); ++j)
    rescale[j] = policy->prepare(scaled_by(c.view.attrs().real("alpha", 1), av.quant.scale_at(0)),
                                 bv.quant.scale_at(j), yv.quant.scale_at(0));
  const auto a = centred_codes(*c.in[0], av.quant.zero_at(0));
  const auto b = centred_weights(*c.in[1], bv.quant, s);
  const CodeClamp clamp = clamp_of(c.view);
  const auto lost = losses(c, s);
  gemm_products<std::int64_t, std::int32_t>(
      s, a, b, [&, wide = wide, policy = policy](std::int64_t i, std::int64_t j, std::int64_t sum) {
        if (bias) sum += bias->code(i * stride.first + j * stride.second);
        if (!lost.empty()) sum += lost[static_cast<std::size_t>(i * s.n + j)];
        const Rescale& r = rescale[static_cast<std::size_t>(j)];
        const std::int64_t scaled =
            wide ? policy->apply_wide(sum, r) : policy->apply(static_cast<std::int32_t>(sum), r);
        store_code(c.out[0], i * s.n + j,
                   clamp_code(scaled + yv.quant.zero_at(0), clamp.low, clamp.high));
      });
  return {};
}

// The layer as 1x1 kernels in pieces, the running sum rounded after each (docs/neural-art.md).
Result<void> eval_pieces(EvalContext& c, const GemmSizes& s) {
  const Value &av = c.view.input(0), &bv = c.view.input(1), &yv = c.view.output(0);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const auto a = centred_codes(*c.in[0], av.quant.zero_at(0));
  const auto b = centred_weights(*c.in[1], bv.quant, s);
  std::vector<std::int32_t> w(b.size());
  for (std::int64_t j = 0; j < s.n; ++j)
    for (std::int64_t k = 0; k < s.k; ++k)
      w[static_cast<std::size_t>(j * s.k + k)] =
          b[static_cast<std::size_t>(s.trans_b ? j * s.k + k : k * s.n + j)];
  const auto added = bias ? centred_codes(*bias, 0) : std::vector<std::int32_t>();
  const CodeClamp clamp = clamp_of(c.view);
  const CodeRange codes = code_range(c.out[0].dtype());
  const ProductPlan plan = c.num.product->prepare(
      {.x_scale = scaled_by(c.view.attrs().real("alpha", 1), av.quant.scale_at(0)),
       .y_scale = yv.quant.scale_at(0),
       .x_zero = av.quant.zero_at(0),
       .y_zero = yv.quant.zero_at(0),
       .y_low = static_cast<std::int32_t>(codes.low),
       .y_high = static_cast<std::int32_t>(codes.high),
       .w_scale = bv.quant.scale,
       .weights = w,
       .bias = added,
       .kernels = s.n,
       .channels = s.k,
       .pixels = s.m});
  if (plan.pieces.empty()) return eval_codes(c, s);
  const std::int64_t row = s.trans_a ? 1 : s.k, step = s.trans_a ? s.m : 1;
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      std::int64_t run = 0;
      for (const ProductPiece& p : plan.pieces) {
        std::int64_t sum = 0;
        for (std::int64_t k = p.channel; k < p.channel + p.channels; ++k)
          sum += std::int64_t{a[static_cast<std::size_t>(i * row + k * step)]} *
                 w[static_cast<std::size_t>(j * s.k + k)];
        run = c.num.product->add(run, sum, plan);
      }
      store_code(c.out[0], i * s.n + j,
                 clamp_code(c.num.product->leave(run, static_cast<std::size_t>(j), plan), clamp.low,
                            clamp.high));
    }
  return {};
}

}  // namespace

// N22 without an output scale: codes in, reals out.
Result<void> gemm_codes_to_reals(EvalContext& c, const GemmSizes& s) {
  if (!c.num.to_real) return no_policy(c.view, "Gemm with a float result");
  const QuantParams &aq = c.view.input(0).quant, &bq = c.view.input(1).quant;
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  std::pair<std::int64_t, std::int64_t> stride{0, 0};
  if (bias) {
    LOCKSTEP_TRY(stride, gemm_bias_strides(c.view, s));
  }
  const auto a = centred_codes(*c.in[0], aq.zero_at(0));
  const auto b = centred_weights(*c.in[1], bq, s);
  const double alpha = c.view.attrs().real("alpha", 1);
  const auto y = c.out[0].as<float>();
  const auto lost = losses(c, s);
  gemm_products<std::int64_t, std::int32_t>(
      s, a, b, [&](std::int64_t i, std::int64_t j, std::int64_t sum) {
        if (bias) sum += bias->code(i * stride.first + j * stride.second);
        if (!lost.empty()) sum += lost[static_cast<std::size_t>(i * s.n + j)];
        y[static_cast<std::size_t>(i * s.n + j)] =
            c.num.to_real(static_cast<std::int32_t>(sum), alpha, aq.scale_at(0),
                          bq.scale_at(static_cast<std::size_t>(j)));
      });
  return {};
}

Result<void> gemm_codes(EvalContext& c, const GemmSizes& s) {
  return product_fits(c, s) ? eval_pieces(c, s) : eval_codes(c, s);
}

// N69, one scale for each row of a. When every element is zero, y is the bias.
Result<void> gemm_hybrid(EvalContext& c, const GemmSizes& s) {
  if (!c.num.hybrid) return no_policy(c.view, "Gemm of float activations and coded weights");
  const auto x = c.in[0]->as<float>();
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const QuantParams& bq = c.view.input(1).quant;
  const bool old = c.in[1]->dtype() == DType::u8 || c.view.attrs().text("kernel", "") == "left",
             fused = sums_from_bias(c.num) && !old;  // old: left to LiteRT
  const HybridPolicy& coding = old ? tflite_hybrid : *c.num.hybrid;
  const bool asymmetric = coding.always_asymmetric || c.view.attrs().integer("asymmetric", 0) != 0,
             by_channel = bq.per_channel();
  const auto k = static_cast<std::size_t>(s.k);
  std::vector<std::int8_t> codes(x.size());
  std::vector<std::int32_t> a(x.size());
  std::vector<float> scale(static_cast<std::size_t>(s.m));
  for (std::size_t i = 0; i < scale.size(); ++i) {
    std::int32_t zero = 0;
    const std::span<std::int8_t> out(codes.data() + i * k, k);
    if (asymmetric)
      coding.asymmetric(x.subspan(i * k, k), out, scale[i], zero);
    else
      coding.symmetric(x.subspan(i * k, k), out, scale[i]);
    for (std::size_t e = 0; e < k; ++e) a[i * k + e] = out[e] - zero;
    if (!by_channel && !fused) scale[i] *= static_cast<float>(bq.scale_at(0));
  }
  const bool silent = std::ranges::all_of(x, [](float v) { return v == 0; });
  const Activation act = activation_of(c.view);
  const auto b = hybrid_weights(*c.in[1]);
  const auto y = c.out[0].as<float>();
  gemm_products<std::int64_t, std::int32_t>(
      s, a, b, [&](std::int64_t i, std::int64_t j, std::int64_t sum) {
        float real = bias ? bias->as<float>()[static_cast<std::size_t>(j)] : 0.f;
        if (fused) {  // N88
          real = fused_hybrid(
              static_cast<float>(sum), scale[static_cast<std::size_t>(i)],
              static_cast<float>(bq.scale_at(by_channel ? static_cast<std::size_t>(j) : 0)), real);
          y[static_cast<std::size_t>(i * s.n + j)] = activate(act, real);
          return;
        }
        const float step = by_channel
                               ? static_cast<float>(bq.scale_at(static_cast<std::size_t>(j))) *
                                     scale[static_cast<std::size_t>(i)]
                               : scale[static_cast<std::size_t>(i)];
        if (!silent) real += static_cast<float>(sum) * step;
        y[static_cast<std::size_t>(i * s.n + j)] = activate(act, real);
      });
  return {};
}

}  // namespace lockstep
