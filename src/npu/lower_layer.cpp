#include "npu/lower_layer.h"

#include <algorithm>

#include <fmt/core.h>

#include "num/neural_art.h"
#include "op/op_codes.h"
#include "op/op_conv.h"
#include "op/op_gemm.h"

namespace lockstep {
namespace {

NpuProduct between_ends(const NodeView& v) {
  return {.node = &v.node,
          .name = {},
          .x = v.node.inputs[0],
          .y = v.node.outputs[0],
          .rows = {},
          .columns = {},
          .weights = {},
          .plan = {}};
}

Result<NpuProduct> convolution_layer(const NodeView& v) {
  LOCKSTEP_TRY(const ConvLayout l, conv_layout(v));
  LOCKSTEP_TRY(const Window g, window_of(v, v.input(0).shape, l.kernel));
  if (g.batch != 1 || g.spatial_rank > 2)
    return no_npu_form(v.graph, v.node, fmt::format("{} maps of {} axes", g.batch, g.spatial_rank),
                       "one map of two axes");
  NpuProduct out = between_ends(v);
  out.rows = {g.in[1], g.out[1], g.kernel[1], g.strides[1], g.dilations[1], g.begin[1]};
  out.columns = {g.in[2], g.out[2], g.kernel[2], g.strides[2], g.dilations[2], g.begin[2]};
  out.kernels = l.out_channels, out.channels = l.in_per_group, out.groups = l.group;
  out.weights = packed_weights<std::int32_t>(centred_codes(*v.constant(1), 0), l, g);
  const std::size_t depth = out.weights.size() / static_cast<std::size_t>(l.out_channels);
  for (std::size_t i = 0; i < out.weights.size(); ++i)
    out.weights[i] -= v.input(1).quant.zero_at(i / depth);
  return out;
}

Result<NpuProduct> matrix_layer(const NodeView& v) {
  LOCKSTEP_TRY(const GemmSizes s, gemm_sizes_of(v));
  if ((s.trans_a && s.m > 1) || v.attrs().real("alpha", 1) != 1 ||
      (v.has_input(2) && count_of(v.input(2).shape) != s.n))
    return no_npu_form(v.graph, v.node, "a transposed, scaled or shared operand",
                       "rows times constant weights, a bias for each column");
  NpuProduct out = between_ends(v);
  out.columns.in = out.columns.out = s.m;
  out.kernels = s.n, out.channels = s.k;
  const auto b = centred_codes(*v.constant(1), 0);
  for (std::int64_t j = 0; j < s.n; ++j)
    for (std::int64_t k = 0; k < s.k; ++k)
      out.weights.push_back(b[static_cast<std::size_t>(s.trans_b ? j * s.k + k : k * s.n + j)] -
                            v.input(1).quant.zero_at(static_cast<std::size_t>(j)));
  return out;
}

// What the units do not hold: more than 2048 channels a group, constants above 32 bits, weights of
// more than 8, greater shifts and strides. Multipliers and biases of more than 512 kernels are
// streamed.
std::string beyond(const NpuProduct& l) {
  if (std::ranges::any_of(l.weights, [](std::int32_t w) { return w < -128 || w > 127; }))
    return "weights less their zero point outside 8 bits";
  if (l.plan.pieces.empty()) return "";  // of the CPU
  if (l.plan.sum_shift > 31) return "a shift of the sums above 31";
  if (l.channels > 2048) return fmt::format("{} channels in a group", l.channels);
  if (l.plan.product_shift > 47 || l.plan.product_shift < 0)
    return "a shift of the product outside 0 .. 47";
  for (const std::int64_t c : l.plan.constant)
    if (c < INT32_MIN || c > INT32_MAX) return "a constant of more than 32 bits";
  if (l.kernels > npu_coefficients && l.plan.final_shift > 39) return "a final shift above 39";
  for (const NpuSide& s : {l.rows, l.columns})
    if (s.stride > 15 || s.kernel * s.dilation > 255)
      return "a stride above 15 or a kernel above 255";
  return "";
}

}  // namespace

NpuDeal deal_of(const NpuProduct& l) {
  if (l.groups == 1) {
    std::int64_t n = std::min<std::int64_t>(l.kernels, 16);
    while (l.kernels % n != 0) --n;
    return {l.kernels / n, n, l.channels, 0};
  }
  const std::int64_t per_group = l.kernels / l.groups;
  const std::int64_t together = l.channels == 1 && l.groups % 8 == 0 && per_group <= 8 ? 8 : 1;
  return {l.groups / together, per_group * together, l.channels * together, l.channels * together};
}

NpuSeen seen_of(const NpuSide& s, std::int64_t at, std::int64_t taps) {
  const std::int64_t low = at * s.dilation - s.before;
  const std::int64_t high = low + (s.out - 1) * s.stride + (taps - 1) * s.dilation;
  return {std::max<std::int64_t>(low, 0), std::min(high, s.in - 1), std::max<std::int64_t>(-low, 0),
          std::max<std::int64_t>(high - (s.in - 1), 0)};
}

std::vector<std::int64_t> kernels_of(const NpuProduct& l, const ProductPiece& p, const NpuDeal& f) {
  const std::int64_t rows = (p.rows - 1) * l.rows.dilation + 1,
                     columns = (p.columns - 1) * l.columns.dilation + 1;
  const std::int64_t depth = l.groups == 1 ? p.channels : f.channels;
  std::vector<std::int64_t> out(static_cast<std::size_t>(l.kernels * rows * columns * depth), 0);
  for (std::int64_t k = 0; k < l.kernels; ++k) {
    const std::int64_t group = k / (l.kernels / l.groups);
    const std::int64_t beside = l.groups == 1 ? 0 : group % (f.channels / l.channels) * l.channels;
    for (std::int64_t i = 0; i < p.rows; ++i)
      for (std::int64_t j = 0; j < p.columns; ++j)
        for (std::int64_t c = 0; c < p.channels; ++c) {
          const std::int64_t from =
              ((k * l.rows.kernel + p.row + i) * l.columns.kernel + p.column + j) * l.channels +
              p.channel + c;
          const std::int64_t to =
              ((k * rows + i * l.rows.dilation) * columns + j * l.columns.dilation) * depth +
              beside + (l.groups == 1 ? c : p.channel + c);
          out[static_cast<std::size_t>(to)] = l.weights[static_cast<std::size_t>(from)];
        }
  }
  return out;
}

std::vector<std::int64_t> deep_kernels_of(const NpuProduct& l, const ProductPiece& p,
                                          const NpuDeal& f) {
  const std::vector<std::int64_t> plain = kernels_of(l, p, f);
  std::vector<std::int64_t> out;
  for (std::int64_t first = 0; first < l.kernels; first += f.kernels) {
    for (std::int64_t block = 0; block < f.kernels; block += 8)
      for (std::int64_t c = 0; c < p.channels; ++c)
        for (std::int64_t k = block; k < std::min(block + 8, f.kernels); ++k)
          out.push_back(plain[static_cast<std::size_t>((first + k) * p.channels + c)]);
    while (out.size() % 3 != 0) out.push_back(0);
  }
  return out;
}

Result<NpuProduct> npu_product_of(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  const Value& y = v.output(0);
  if (!v.constant(1) || (v.has_input(2) && !v.constant(2)))
    return no_npu_form(g, node, "computed weights", "constant weights");
  if (!is_integer(v.input(0).dtype) || !is_integer(y.dtype) || !y.quant.quantized())
    return no_npu_form(g, node, "a layer of reals", "codes on both sides");
  LOCKSTEP_TRY(NpuProduct l, node.op == "Conv" ? convolution_layer(v) : matrix_layer(v));
  l.name = fmt::format("Conv2D_{}", values.draft().epoch() + 1);
  const CodeRange codes = code_range(y.dtype);
  const auto bias = v.has_input(2) ? centred_codes(*v.constant(2), 0) : std::vector<std::int32_t>();
  l.plan = neural_art_product.prepare({.x_scale = v.input(0).quant.scale_at(0),
                                       .y_scale = y.quant.scale_at(0),
                                       .x_zero = v.input(0).quant.zero_at(0),
                                       .y_zero = y.quant.zero_at(0),
                                       .y_low = static_cast<std::int32_t>(codes.low),
                                       .y_high = static_cast<std::int32_t>(codes.high),
                                       .w_scale = v.input(1).quant.scale,
                                       .weights = l.weights,
                                       .bias = bias,
                                       .kernels = l.kernels,
                                       .rows = l.rows.kernel,
                                       .columns = l.columns.kernel,
                                       .channels = l.channels,
                                       .groups = l.groups,
                                       .row_stride = l.rows.stride,
                                       .column_stride = l.columns.stride,
                                       .pixels = l.rows.out * l.columns.out});
  if (const std::string what = beyond(l); !what.empty())
    return no_npu_form(g, node, what, "a layer of the accelerator");
  const CodeClamp clamp = clamp_of(v);
  if (const NpuValues::Padded p = values.padded(l.x); p.of != l.x) {
    const NpuExtents e = values.extents(p.of);
    l.x = p.of;
    l.rows.in = e.rows, l.rows.before += p.top, l.columns.in = e.columns,
    l.columns.before += p.left;
  }
  l.low = clamp.low - l.plan.offset, l.high = clamp.high - l.plan.offset;
  return l;
}

}  // namespace lockstep
