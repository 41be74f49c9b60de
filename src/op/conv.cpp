// y[n,o,p] = act(bias[o] + sum_{t,c} x[n, g(o)*C + c, p*s - b + t*d] * w[o,t,c]); on codes x -
// x_zero, w - w_zero, requantized by x_scale * w_scale[o] / y_scale (N55, N56); float weights in
// codes: N69.
#include <algorithm>

#include "base/text.h"
#include "num/pairs.h"
#include "num/product.h"
#include "num/tflite_policies.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_conv.h"
#include "op/op_foreign.h"
#include "op/op_fused.h"
#include "op/op_hybrid.h"
#include "op/op_marks.h"
#include "op/op_qlinear.h"
#include "op/op_sums.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"bias", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"layout", "NCHW", "axes of x and y: NCHW or NHWC, with any number of spatial axes"},
    {"weights", "OIHW", "axes of w: OIHW, OHWI or 1HWO (depthwise)"},
    {"group", "1", "input channels are read in so many groups"},
    {"strides", "1", "step of the window on each spatial axis"},
    {"dilations", "1", "step of the taps on each spatial axis"},
    {"pads", "0", "zeros before and after each spatial axis, all befores first"},
    {"auto_pad", "NOTSET", "SAME_UPPER, SAME_LOWER or VALID instead of pads"},
    {"activation", "none", "none, relu, relu6, relu_n1_to_1 or tanh, applied last"},
    {"by_rule", "0", "1: the file says auto_pad; onnxruntime then fuses no Pad with it"},
    {"undelegated", "0",
     "1: XNNPACK does not take the node: uint8 weights that name an axis for one scale"},
    {"kernel", "",
     "\"blocked\": the runtime sums channels in blocks (N36); \"left\": rounded by LiteRT's own "
     "kernel (N80)"},
    {"off_centre", "0", "1: the file gives w a zero point, which is not read (N55)"},
    codes_mark,
    makes_mark,
};

// The whole convolution in the arithmetic's own order of summation, channels first and OIHW.
void eval_in_order(EvalContext& c, const Window& g, const ConvLayout& l) {
  ConvolutionProblem p{.batch = g.batch,
                       .groups = l.group,
                       .channels = l.in_per_group,
                       .filters = l.out_channels / l.group,
                       .rank = static_cast<int>(g.spatial_rank),
                       .x = c.in[0]->as<float>().data(),
                       .w = c.in[1]->as<float>().data(),
                       .y = c.out[0].as<float>().data(),
                       .blocked = c.view.attrs().text("kernel", "") == "blocked"};
  for (std::size_t d = 0; d < 3; ++d) {
    p.in[d] = g.in[d], p.kernel[d] = g.kernel[d], p.out[d] = g.out[d];
    p.strides[d] = g.strides[d], p.dilations[d] = g.dilations[d];
    p.pads_begin[d] = g.begin[d], p.pads_end[d] = g.end[d];
  }
  if (c.in.size() > 2 && c.in[2]) p.bias = c.in[2]->as<float>().data();
  c.num.real.convolution(p);
  const Activation act = activation_of(c.view);
  for (float& y : c.out[0].as<float>()) y = activate(act, y);
}

// N107: from the bias on, fused; taps outside x add nothing.
void eval_from_bias(EvalContext& c, const Window& g, const ConvLayout& l) {
  const auto x = packed_input(c.in[0]->as<float>(), g);
  const auto w = packed_weights(c.in[1]->as<float>(), l, g);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const Activation act = activation_of(c.view);
  const auto y = c.out[0].as<float>();
  const std::int64_t taps = g.kernel_count(), ic = l.in_per_group,
                     per_group = l.out_channels / l.group;
  const bool columns = ic == 1 && per_group == 1 && taps <= xnnpack_most_column_taps;
  for (std::int64_t n = 0; n < g.batch; ++n)
    each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      std::vector<std::pair<std::int64_t, std::int64_t>> met;  // tap, place in x
      each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) { met.emplace_back(tap, at); });
      if (columns)
        std::ranges::stable_sort(met, {}, [&](const auto& m) { return m.first % g.kernel[2]; });
      for (std::int64_t o = 0; o < l.out_channels; ++o) {
        float sum = bias ? bias->as<float>()[static_cast<std::size_t>(o)] : 0.f;
        for (const auto& [tap, at] : met)
          sum =
              fused_from(sum, x.data() + (n * g.in_count() + at) * g.channels + o / per_group * ic,
                         1, w.data() + (o * taps + tap) * ic, 1, ic);
        y[static_cast<std::size_t>(g.index(n, o, position, g.out_count(), l.out_channels))] =
            activate(act, sum);
      }
    });
}

Result<void> eval_float(EvalContext& c, const Window& g, const ConvLayout& l) {
  if (sums_from_bias(c.num) && g.spatial_rank <= 2 && c.view.input(1).constant)
    return eval_from_bias(c, g, l), Result<void>();
  if (c.num.real.convolution && !g.channels_last && l.out_axis == 0 && l.in_axis == 1)
    return eval_in_order(c, g, l), Result<void>();
  const auto x = packed_input(c.in[0]->as<float>(), g);
  const auto w = packed_weights(c.in[1]->as<float>(), l, g);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const Activation act = activation_of(c.view);
  const auto y = c.out[0].as<float>();
  convolve<float>(g, l, x, w, [&](std::int64_t n, std::int64_t o, std::int64_t p, float sum) {
    if (bias) sum += bias->as<float>()[static_cast<std::size_t>(o)];
    y[static_cast<std::size_t>(g.index(n, o, p, g.out_count(), l.out_channels))] =
        activate(act, sum);
  });
  return {};
}

// N46: what each sum loses to saturation, by element of y; empty where nothing saturates. Taps
// outside x hold its zero point; a depthwise convolution is summed in 32 bits.
std::vector<std::int64_t> losses(const EvalContext& c, const Window& g, const ConvLayout& l) {
  const std::int64_t taps = g.kernel_count(), ic = l.in_per_group,
                     per_group = l.out_channels / l.group;
  if (!saturates_in_pairs(c) || (ic == 1 && per_group == 1)) return {};
  const std::int32_t shift = runtime_shift(c.view);
  const auto x = packed_input<std::int32_t>(centred_codes(*c.in[0], -shift), g);
  const auto w = packed_weights<std::int32_t>(centred_codes(*c.in[1], 0), l, g);
  std::vector<std::int64_t> out(static_cast<std::size_t>(c.out[0].count()));
  std::vector<std::int32_t> row(static_cast<std::size_t>(taps * ic));
  for (std::int64_t n = 0; n < g.batch; ++n)
    each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      for (std::int64_t o = 0; o < l.out_channels; ++o) {
        if (o % per_group == 0) {
          std::ranges::fill(row, c.view.input(0).quant.zero_at(0) + shift);
          each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) {
            std::copy_n(x.data() + (n * g.in_count() + at) * g.channels + o / per_group * ic, ic,
                        row.data() + tap * ic);
          });
        }
        PairLoss loss;
        for (std::size_t k = 0; k < row.size(); ++k)
          loss.add(row[k] * w[static_cast<std::size_t>(o) * row.size() + k]);
        out[static_cast<std::size_t>(g.index(n, o, position, g.out_count(), l.out_channels))] =
            loss.total();
      }
    });
  return out;
}

Result<void> eval_codes(EvalContext& c, const Window& g, const ConvLayout& l) {
  const auto [policy, wide] = conv_sums(c.view, c.num);
  const Value &xv = c.view.input(0), &wv = c.view.input(1), &yv = c.view.output(0);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  if (!policy || (wide && !policy->apply_wide)) return no_policy(c.view, "Conv");
  std::vector<Rescale> rescale(static_cast<std::size_t>(l.out_channels));
  for (std::size_t o = 0; o < rescale.size(); ++o)
    rescale[o] = policy->prepare(xv.quant.scale_at(0), wv.quant.scale_at(o), yv.quant.scale_at(0));
  const auto x = packed_input<std::int32_t>(centred_codes(*c.in[0], xv.quant.zero_at(0)), g);
  auto w = packed_weights<std::int32_t>(centred_codes(*c.in[1], 0), l, g);
  const std::size_t depth = w.size() / rescale.size();
  for (std::size_t i = 0; i < w.size(); ++i) w[i] -= wv.quant.zero_at(i / depth);
  const CodeClamp clamp = clamp_of(c.view);
  const std::int32_t zero = yv.quant.zero_at(0);
  const auto lost = losses(c, g, l);
  convolve<std::int64_t>(
      g, l, x, w,
      [&, wide = wide, policy = policy](std::int64_t n, std::int64_t o, std::int64_t p,
                                        std::int64_t sum) {
        if (bias) sum += bias->code(o);
        if (!lost.empty())
          sum += lost[static_cast<std::size_t>(g.index(n, o, p, g.out_count(), l.out_channels))];
        const Rescale& r = rescale[static_cast<std::size_t>(o)];
        const std::int64_t code =
            std::int64_t{wide ? policy->apply_wide(sum, r)
                              : policy->apply(static_cast<std::int32_t>(sum), r)} +
            zero;
        store_code(c.out[0], g.index(n, o, p, g.out_count(), l.out_channels),
                   clamp_code(code, clamp.low, clamp.high));
      });
  return {};
}

// The layer in pieces of its kernels, the running sum rounded after each (docs/neural-art.md).
Result<void> eval_pieces(EvalContext& c, const Window& g, const ConvLayout& l) {
  const Value &xv = c.view.input(0), &wv = c.view.input(1), &yv = c.view.output(0);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const auto x = packed_input<std::int32_t>(centred_codes(*c.in[0], xv.quant.zero_at(0)), g);
  auto w = packed_weights<std::int32_t>(centred_codes(*c.in[1], 0), l, g);
  const std::size_t depth = w.size() / static_cast<std::size_t>(l.out_channels);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] -= wv.quant.zero_at(i / depth);
  const auto b = bias ? centred_codes(*bias, 0) : std::vector<std::int32_t>();
  const CodeClamp clamp = clamp_of(c.view);
  const CodeRange codes = code_range(c.out[0].dtype());
  const ProductPlan plan = c.num.product->prepare({.x_scale = xv.quant.scale_at(0),
                                                   .y_scale = yv.quant.scale_at(0),
                                                   .x_zero = xv.quant.zero_at(0),
                                                   .y_zero = yv.quant.zero_at(0),
                                                   .y_low = static_cast<std::int32_t>(codes.low),
                                                   .y_high = static_cast<std::int32_t>(codes.high),
                                                   .w_scale = wv.quant.scale,
                                                   .weights = w,
                                                   .bias = b,
                                                   .kernels = l.out_channels,
                                                   .rows = g.kernel[1],
                                                   .columns = g.kernel[2],
                                                   .channels = l.in_per_group,
                                                   .groups = l.group,
                                                   .row_stride = g.strides[1],
                                                   .column_stride = g.strides[2],
                                                   .pixels = g.out_count()});
  if (plan.pieces.empty()) return eval_codes(c, g, l);
  const std::int64_t taps = g.kernel_count(), ic = l.in_per_group,
                     per_group = l.out_channels / l.group;
  for (std::int64_t n = 0; n < g.batch; ++n)
    each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      for (std::int64_t o = 0; o < l.out_channels; ++o) {
        std::int64_t run = 0;
        for (const ProductPiece& p : plan.pieces) {
          std::int64_t sum = 0;
          each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) {
            const std::int64_t row = tap / g.kernel[2], column = tap % g.kernel[2];
            if (row < p.row || row >= p.row + p.rows || column < p.column ||
                column >= p.column + p.columns)
              return;
            const std::int32_t* const a =
                x.data() + (n * g.in_count() + at) * g.channels + o / per_group * ic;
            const std::int32_t* const k = w.data() + (o * taps + tap) * ic;
            for (std::int64_t q = p.channel; q < p.channel + p.channels; ++q)
              sum += std::int64_t{a[q]} * k[q];
          });
          run = c.num.product->add(run, sum, plan);
        }
        store_code(c.out[0], g.index(n, o, position, g.out_count(), l.out_channels),
                   clamp_code(c.num.product->leave(run, static_cast<std::size_t>(o), plan),
                              clamp.low, clamp.high));
      }
    });
  return {};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const ConvLayout l, conv_layout(n));
  LOCKSTEP_TRY(const Window g, window_of(n, n.input(0).shape, l.kernel));
  if (n.has_input(2) && count_of(n.input(2).shape) != l.out_channels)
    return Error{n.where(), "a bias of shape " + shape_text(n.input(2).shape),
                 std::to_string(l.out_channels) + " elements", ""};
  if (n.has_input(2) && n.input(0).dtype == DType::f32 && n.input(2).dtype != DType::f32)
    return Error{n.where(), "a bias of type " + std::string(name_of(n.input(2).dtype)),
                 "float32 as x", ""};
  return std::vector<Facts>{{code_type(n), g.output_shape(l.out_channels), {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const ConvLayout l, conv_layout(c.view));
  LOCKSTEP_TRY(const Window g, window_of(c.view, c.view.input(0).shape, l.kernel));
  const Value &x = c.view.input(0), &w = c.view.input(1);
  if (is_code(x) && is_code(w) && is_code(c.view.output(0)))
    return c.num.product && g.spatial_rank <= 2 && c.view.input(1).constant ? eval_pieces(c, g, l)
                                                                            : eval_codes(c, g, l);
  if (x.dtype == DType::f32 && is_code(w)) return conv_hybrid(c, g, l);
  if (x.dtype == DType::f32 && w.dtype == DType::f32) return eval_float(c, g, l);
  return Error{c.view.where(),
               "x " + std::string(name_of(x.dtype)) + ", w " + std::string(name_of(w.dtype)),
               "float32 throughout, codes throughout, or float32 x and coded w", ""};
}

Cost cost(const NodeView& n) {
  const Shape& w = n.input(1).shape;
  const auto l = conv_layout(n);
  if (!l.ok()) return {};
  return {count_of(n.output(0).shape) * (count_of(w) / l.value().out_channels)};
}

constexpr Foreign from[] = {{Format::onnx, "QLinearConv", from_qlinear_conv},
                            {Format::onnx, "Conv", conv_from_onnx},
                            {Format::onnx, "com.microsoft:FusedConv",
                             [](const ForeignNode& f, GraphBuilder& graph) {
                               return from_fused(f, graph, conv_from_onnx);
                             }},
                            {Format::tflite, "CONV_2D", conv_from_tflite},
                            {Format::tflite, "CONV_3D", conv3d_from_tflite},
                            {Format::tflite, "DEPTHWISE_CONV_2D", conv_from_tflite}};

}  // namespace

extern constinit const OpDef op_conv = {
    .name = "Conv",
    .meaning = "y = act(bias + sum of x * w over the window), in groups of channels",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
