// Greatest or mean code of a window, or of the whole map; operations of the CPU behind the last
// codes
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/lower_values.h"
#include "npu/whole_map.h"
#include "num/neural_art.h"
#include "op/op_codes.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

struct Pool {
  bool mean = false, global = false;
  Window::Axes kernel{1, 1, 1}, strides{1, 1, 1}, begin{0, 0, 0}, end{0, 0, 0};
};

Result<Pool> pool_of(const NodeView& v) {
  Pool p;
  const std::string& op = v.node.op;
  p.mean = op != "MaxPool" && op != "GlobalMaxPool";
  p.global = op.starts_with("Global") || op == "ReduceMean";
  if (op == "ReduceMean" && !npu_over_the_map(v.graph, v.node))
    return no_npu_form(v.graph, v.node, "a mean over other axes", "both axes of the map");
  if (p.global) return p;
  LOCKSTEP_TRY(const Window w, pool_window(v));
  if (w.batch != 1 || w.spatial_rank > 2 || w.dilations != Window::Axes{1, 1, 1})
    return no_npu_form(v.graph, v.node, "a window of another form", "two axes, no dilation");
  const Window::Axes none{0, 0, 0};
  p.global = p.mean && w.kernel == w.in && w.begin == none && w.end == none;
  if (p.global) return p;
  p.kernel = w.kernel, p.strides = w.strides, p.begin = w.begin;
  for (std::size_t a = 1; a < 3; ++a) {
    p.end[a] = std::max<std::int64_t>(
        (w.out[a] - 1) * w.strides[a] + w.kernel[a] - w.begin[a] - w.in[a], 0);
    if (w.kernel[a] > 7 || w.strides[a] > 15 || p.begin[a] > 7 || p.end[a] > 7)
      return no_npu_form(v.graph, v.node,
                         fmt::format("a window of {} in steps of {}", w.kernel[a], w.strides[a]),
                         "at most 7 and 15");
    if (p.mean && (p.begin[a] > 0 || p.end[a] > 0))
      return no_npu_form(v.graph, v.node, "an average that meets padding",
                         "an average over whole windows");
  }
  return p;
}

// What takes a map's codes to the result's, behind the mean: (n.a * sum, then r.a * mean + c).
struct PoolConstants {
  NpuRatio n, r;
  std::int64_t c = 0;
};

Result<PoolConstants> constants_of(const NodeView& v, std::int64_t window) {
  const Value &x = v.input(0), &y = v.output(0);
  const double ratio = x.quant.scale_at(0) / y.quant.scale_at(0);
  PoolConstants k{npu_ratio(1.0 / static_cast<double>(window)), npu_ratio(ratio)};
  k.c = static_cast<std::int64_t>(std::trunc(std::ldexp(
      static_cast<double>(NpuValues::zero(y)) - static_cast<double>(NpuValues::zero(x)) * ratio,
      k.r.shift)));
  if (k.r.shift < 0 || k.c < INT32_MIN || k.c > INT32_MAX || k.n.shift < 8)
    return no_npu_form(v.graph, v.node, fmt::format("a ratio of scales of {:.3g}", ratio),
                       "constants of 32 bits");
  return k;
}

// The unit hands the greatest code on as it is.
Result<void> check_greatest(const NodeView& v) {
  const Value &x = v.input(0), &y = v.output(0);
  if (x.dtype != y.dtype || x.quant.scale_at(0) != y.quant.scale_at(0) ||
      x.quant.zero_at(0) != y.quant.zero_at(0))
    return no_npu_form(v.graph, v.node, "a greatest code at another scale or zero point",
                       "one quantization on both sides");
  const CodeClamp clamp = clamp_of(v);
  const CodeRange range = code_range(y.dtype);
  if (clamp.low > range.low || clamp.high < range.high)
    return no_npu_form(v.graph, v.node,
                       "a greatest code clamped by " + v.attrs().text("activation", "none"),
                       "a window without an activation that cuts codes");
  return {};
}

NpuFields pool_fields(const Pool& p, const NpuExtents& in, std::int64_t depth, const NpuRatio& n) {
  return npu_fields({{"inputX", in.columns},
                     {"inputY", in.rows},
                     {"poolWinX", p.kernel[2]},
                     {"poolWinY", p.kernel[1]},
                     {"strideX", p.strides[2]},
                     {"strideY", p.strides[1]},
                     {"topPad", p.begin[1]},
                     {"bottomPad", p.end[1]},
                     {"leftPad", p.begin[2]},
                     {"rightPad", p.end[2]},
                     {"bottomCrop", in.rows - 1},
                     {"rightCrop", in.columns - 1},
                     {"batchSize", depth},
                     {"inbytes_f", 1},
                     {"outbytes_f", 1},
                     {"rounding_o", 1},
                     {"saturation_o", 1},
                     {"round_mode_o", 1},
                     {"outbytes_o", p.mean ? 2 : 1},
                     {"shift_o", p.mean ? n.shift - 8 : 0},
                     {"mulval", p.mean ? n.a : 0}},
                    {{"operation", p.mean     ? p.global ? "POOL_GAVG" : "POOL_AVG"
                                   : p.global ? "POOL_GMAX"
                                              : "POOL_MAX"}});
}

// The mean's 8 fraction bits away, into the result's codes.
NpuFields rescale_fields(const NodeView& v, const PoolConstants& k, const NpuExtents& out,
                         std::int64_t depth) {
  NpuFields f = npu_fields({{"inbytes_x", 2},
                            {"outbytes_x", 2},
                            {"inbytes_y", 1},
                            {"outbytes_y", 1},
                            {"combinebc", 1},
                            {"rounding_o", 1},
                            {"saturation_o", 1},
                            {"round_mode_o", 1},
                            {"outbytes_o", 1},
                            {"shift_o", k.r.shift},
                            {"scalar", 1},
                            {"Ax_shift", 8},
                            {"A_scalar", k.r.a},
                            {"B_scalar", (k.c >> 16) & 0xffff},
                            {"C_scalar", k.c & 0xffff},
                            {"fWidth", out.columns},
                            {"fHeight", out.rows},
                            {"fChannels", out.channels},
                            {"batchDepth", depth}},
                           {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_SCALAR"}});
  const CodeClamp limits = clamp_of(v);
  const std::int64_t offset = NpuValues::offset(v.output(0));
  npu_clip(f, limits.low - offset, limits.high - offset);
  return f;
}

// `depth` channels at a time.
NpuWalk in_slices(const NpuExtents& e, std::int64_t depth) {
  return {.width = e.columns,
          .height = e.rows,
          .depth = depth,
          .pixel = e.channels,
          .line = e.columns * e.channels,
          .count = e.channels / depth,
          .step = depth};
}

}  // namespace

Result<void> lower_pool(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  if (!is_code(v.input(0)) || !is_code(v.output(0)))
    return no_npu_form(g, node, "a window over reals", "codes on both sides");
  if (node.outputs.size() > 1 && node.outputs[1] != no_id)
    return no_npu_form(g, node, "the places of the greatest codes", "the codes alone");
  LOCKSTEP_TRY(const Pool p, pool_of(v));
  const NpuExtents in = values.extents(node.inputs[0]), out = values.extents(node.outputs[0]);
  PoolConstants k;
  if (p.mean) {
    LOCKSTEP_TRY(k, constants_of(v, p.global ? in.rows * in.columns : p.kernel[1] * p.kernel[2]));
  } else {
    LOCKSTEP_CHECK(check_greatest(v));
  }
  const NpuHeld from = values.in_channels_last(node.inputs[0]);
  NpuDraft& d = values.draft();
  const std::string name = fmt::format("{}Pool_{}", p.mean ? "Average" : "Max", d.begin_epoch());
  d.node(name, p.mean ? "AveragePool" : "MaxPool");
  std::int64_t depth = std::min<std::int64_t>(in.channels, 8);
  while (in.channels % depth != 0) --depth;
  values.make(node.outputs[0]);
  NpuUnitId unit = d.unit(NpuKind::pool, name, pool_fields(p, in, depth, k.n));
  d.link(d.read(from.buffer, in_slices(in, depth), name), unit);
  if (p.mean) {
    const std::string scale = fmt::format("RequantizeLinear_inserted_id{}", d.epoch());
    d.node(scale, "Add");
    const NpuUnitId rescale = d.unit(NpuKind::arith, scale, rescale_fields(v, k, out, depth));
    d.link(unit, rescale);
    unit = rescale;
  }
  npu_write(values, unit, node.outputs[0], name, in_slices(out, depth),
            {out.rows, out.columns, depth});
  return {};
}

Result<void> lower_on_cpu(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  const std::string& op = node.op;
  const Shape& s = v.output(0).shape;
  if (op == "Softmax") {
    const std::int64_t axis = v.attrs().integer("axis", -1);
    if (s.size() != 2 || (axis != -1 && axis != 1))
      return no_npu_form(g, node, "a Softmax along another axis, or over a map", "one row");
  }
  const bool coded =
      op == "Softmax" && v.input(0).quant.quantized() && v.output(0).quant.quantized();
  const bool from_codes = op == "DequantizeLinear" || coded,
             to_codes = op == "QuantizeLinear" || coded;
  if (from_codes == (v.input(0).dtype == DType::f32) ||
      to_codes == (v.output(0).dtype == DType::f32) ||
      (from_codes && !v.input(0).quant.quantized()) || (to_codes && !v.output(0).quant.quantized()))
    return no_npu_form(g, node, op + " of codes", "an operation of the CPU on reals");
  const NpuHeld from = values.in_file_order(node.inputs[0]);
  NpuDraft& d = values.draft();
  d.begin_epoch();
  d.node(fmt::format("{}_{}", op, d.epoch()), op);
  const int to = values.make(node.outputs[0], true);
  d.call(op == "DequantizeLinear" ? "ll_sw_forward_dequantizelinear"
         : op == "QuantizeLinear" ? "ll_sw_forward_quantizelinear"
         : op == "Softmax"        ? "ll_sw_forward_softmax"
                                  : "ll_sw_forward_activ",
         from.buffer, to);
  return {};
}

}  // namespace lockstep
