// One tensor at another scale, tensors joined, tensors under another shape
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/lower_values.h"
#include "num/neural_art.h"
#include "num/npu_rules.h"
#include "op/op_codes.h"
#include "op/op_pad.h"

namespace lockstep {
namespace {

bool codes(const Value& v) {
  return (v.dtype == DType::i8 || v.dtype == DType::u8) && v.quant.quantized();
}

// A 32-bit constant as the unit's two halves.
void constant(NpuFields& f, std::int64_t c) {
  f["combinebc"] = NpuField::of(1);
  f["B_scalar"] = NpuField::of((c >> 16) & 0xffff);
  f["C_scalar"] = NpuField::of(c & 0xffff);
}

}  // namespace

Result<void> lower_requantize(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  const Value &x = v.input(0), &y = v.output(0);
  if (!codes(x) || !codes(y)) return no_npu_form(g, node, "reals", "codes on both sides");
  const NpuExtents e = values.extents(node.outputs[0]);
  const double ratio = x.quant.scale_at(0) / y.quant.scale_at(0);
  NpuRatio r = npu_ratio(ratio);
  auto c = static_cast<std::int64_t>(std::trunc(std::ldexp(
      static_cast<double>(NpuValues::zero(y)) - static_cast<double>(NpuValues::zero(x)) * ratio,
      r.shift)));
  if (x.quant.scale_at(0) == y.quant.scale_at(0) && x.quant.zero_at(0) == y.quant.zero_at(0)) {
    if (x.dtype != y.dtype)
      return no_npu_form(g, node, "codes of another type at one zero point", "a scale of its own");
    r = {1 << 14, 14}, c = 0;
  }
  if (r.shift < 0 || c < INT32_MIN || c > INT32_MAX)
    return no_npu_form(g, node, fmt::format("a ratio of {:.3g}", ratio), "a constant of 32 bits");
  const NpuHeld from = values.in_channels_last(node.inputs[0]);
  NpuDraft& d = values.draft();
  const std::string name = fmt::format("RequantizeLinear_{}", d.begin_epoch());
  d.node(name, "Add");
  NpuFields f = npu_scalar_fields(e, 1);
  f["A_scalar"] = NpuField::of(r.a);
  f["shift_o"] = NpuField::of(r.shift);
  constant(f, c);
  const CodeRange range = code_range(y.dtype);
  npu_clip(f, range.low - NpuValues::offset(y), range.high - NpuValues::offset(y));
  values.make(node.outputs[0]);
  const NpuUnitId unit = d.unit(NpuKind::arith, name, std::move(f));
  d.link(d.read(from.buffer, npu_whole(e), name), unit);
  npu_write(values, unit, node.outputs[0], name, npu_whole(e), e);
  return {};
}

Result<void> lower_concat(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  const Value& y = v.output(0);
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    if (v.constant(i) || !codes(v.input(i)) ||
        v.input(i).quant.scale_at(0) != y.quant.scale_at(0) ||
        v.input(i).quant.zero_at(0) != y.quant.zero_at(0) || v.input(i).dtype != y.dtype)
      return no_npu_form(g, node, "operands of other scales, or constants", "codes of one scale");
  const auto rank = static_cast<std::int64_t>(y.shape.size());
  std::int64_t axis = v.attrs().integer("axis", 0);
  if (axis < 0) axis += rank;
  if (rank != 4 || axis == 0)
    return no_npu_form(g, node, fmt::format("axis {} of {}", axis, rank),
                       "an axis behind the first of four");
  const bool last = g.format() == "tflite";
  const int place = axis == (last ? 3 : 1)   ? 2
                    : axis == (last ? 1 : 2) ? 0
                                             : 1;  // rows, columns, channels
  std::vector<NpuHeld> from;
  for (const ValueId x : node.inputs) from.push_back(values.in_channels_last(x));
  NpuDraft& d = values.draft();
  const NpuExtents all = values.extents(node.outputs[0]);
  constexpr std::size_t at_once =
      4;  // each wants two stream engines and may want an arithmetic unit
  std::int64_t at = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i % at_once == 0) d.begin_epoch();
    const std::string name =
        fmt::format("Concat_{}{}", d.epoch(), i % at_once == 0 ? "" : fmt::format("_part_{}", i));
    d.node(name, "Concat");
    if (i == 0) values.make(node.outputs[0]);
    const NpuExtents e = values.extents(node.inputs[i]);
    NpuWalk to = npu_whole(e);
    to.pixel = all.channels, to.line = all.columns * all.channels;
    to.offset = at * (place == 2 ? 1 : place == 1 ? to.pixel : to.line);
    at += place == 2 ? e.channels : place == 1 ? e.columns : e.rows;
    npu_write(values, d.read(from[i].buffer, npu_whole(e), name), node.outputs[0], name, to, e);
  }
  d.complete_now(values.held(node.outputs[0]).buffer);
  return {};
}

// Padding alone has no epoch: convolutions pad for themselves.
Result<void> lower_pad(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  const ValueId y = node.outputs[0];
  const auto readers = g.consumers(y);
  const bool output = std::ranges::count(g.outputs(), y) > 0;
  const bool windows = !readers.empty() && !output && std::ranges::all_of(readers, [&](NodeId n) {
    return g.node(n).op == "Conv" && g.node(n).inputs[0] == y;
  });
  const bool known = codes(v.input(0)) && (!v.has_input(2) || v.constant(2));
  if (!windows || v.attrs().text("mode", "constant") != "constant" || !known ||
      pad_element(v, v.constant(2)).code(0) != v.input(0).quant.zero_at(0))
    return no_npu_form(g, node, "padding that no convolution takes over",
                       "zeros before convolutions alone");
  LOCKSTEP_TRY(const auto ends, pad_ends(v));
  const bool last = g.format() == "tflite";
  if (v.input(0).shape.size() != 4)
    return no_npu_form(g, node, "padding of another rank", "maps of two axes");
  for (std::size_t a = 0; a < 4; ++a) {
    const bool spatial = last ? a == 1 || a == 2 : a > 1;
    if (ends[a].begin < 0 || ends[a].end < 0 || (!spatial && ends[a].begin + ends[a].end > 0))
      return no_npu_form(g, node, "padding of channels, or cuts",
                         "rows and columns around the map");
  }
  const std::size_t first = last ? 1 : 2;
  values.pad(y, node.inputs[0], ends[first].begin, ends[first + 1].begin);
  return {};
}

Result<void> lower_shape(const Node& node, NpuValues& values) {
  values.alias(node.outputs[0], values.in_file_order(node.inputs[0]));
  return {};
}

}  // namespace lockstep
