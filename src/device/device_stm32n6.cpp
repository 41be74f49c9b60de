// time of an epoch = max(multiply-accumulates / rate, weights / flash, tensors / memory) + its
// start; docs/neural-art.md, "The device"
#include "device/device_stm32n6.h"

#include <algorithm>
#include <cmath>

#include "op/op.h"

namespace lockstep {
namespace {

bool coded(const Value& v) {
  return v.quant.quantized() && is_integer(v.dtype);
}
bool on_codes(const NodeView& n) {
  return n.has_input(0) && coded(n.input(0)) && coded(n.output(0));
}

}  // namespace

N6Layer n6_layer(const NodeView& n) {
  N6Layer l;
  if (n.node.op == "Gemm" || n.node.op == "MatMul") {
    const Shape& w = n.input(1).shape;
    if (w.size() != 2) return l;
    const bool t = n.attrs().integer("transB", 0) != 0;
    return {t ? w[1] : w[0], t ? w[0] : w[1], 1, 1, 1};
  }
  if (n.node.op != "Conv" && n.node.op != "ConvTranspose") return l;
  const Shape& w = n.input(1).shape;
  const std::string order = n.attrs().text("weights", "OIHW");
  if (w.size() < 3) return l;
  const bool last = order != "OIHW";
  l.rows = w.size() == 3 ? 1 : w[last ? 1 : 2];
  l.columns = w[last ? w.size() - 2 : w.size() - 1];
  l.group = n.attrs().integer("group", 1);
  const std::int64_t io[2] = {order == "OIHW"   ? w[1]
                              : order == "OHWI" ? w.back()
                                                : w[0],
                              order == "1HWO" ? w.back() : w[0]};
  l.in = io[0] * l.group, l.out = io[1];
  return l;
}

std::int64_t n6_largest(const NodeView& n, std::string_view attribute) {
  std::int64_t most = 1;
  for (const std::int64_t v : n.attrs().integers(attribute)) most = std::max(most, v);
  return most;
}

bool n6_is(const NodeView& n, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, n.node.op) != names.end();
}

namespace {

// A function of one tensor that the activation unit holds as a table.
bool is_table(const NodeView& n) {
  return n6_is(n, {"Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "PRelu",
                   "ThresholdedRelu", "Exp", "Erf", "Sqrt", "Sin", "Cos"});
}
const Node* maker_of(const NodeView& n) {
  const NodeId p = n.has_input(0) ? n.input(0).producer : no_id;
  return p == no_id ? nullptr : &n.graph.node(p);
}
// Written as dequantize, operation, quantize: codes in, codes out, no floats on the device.
bool has_codes_around(const NodeView& n) {
  const Node* before = maker_of(n);
  const auto after = n.graph.consumers(n.node.outputs[0]);
  return n.node.op != "QuantizeLinear" && before && before->op == "DequantizeLinear" &&
         !after.empty() && coded(n.graph.value(before->inputs[0])) &&
         std::ranges::all_of(after,
                             [&](NodeId id) { return n.graph.node(id).op == "QuantizeLinear"; });
}
bool is_between_codes(const NodeView& n) {
  if (n.node.op == "QuantizeLinear") {
    const Node* before = maker_of(n);
    return before && has_codes_around({n.graph, *before});
  }
  const auto after = n.graph.consumers(n.node.outputs[0]);
  return n.node.op == "DequantizeLinear" && !after.empty() &&
         std::ranges::all_of(after, [&](NodeId id) {
           return has_codes_around({n.graph, n.graph.node(id)});
         });
}

}  // namespace

DevicePlacement n6_place(const NodeView& n) {
  using enum DevicePlace;
  if (n6_is(n, {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}))
    return {nowhere, "no data moves"};
  if (n.node.op == "QuantizeLinear" && n.input(0).producer == no_id)
    return {nowhere, "the application feeds codes"};
  if (is_between_codes(n)) return {nowhere, "codes enter and leave the operation between"};
  if (n6_is(n, {"QuantizeLinear", "DequantizeLinear"}))
    return {cpu_float, "to and from floats: on the CPU"};
  if (!on_codes(n) && !has_codes_around(n))
    return {cpu_float, "only int8 with static scales runs on the accelerator"};
  if (n6_is(n, {"Conv", "ConvTranspose", "Gemm", "MatMul"})) {
    const N6Layer l = n6_layer(n);
    if (l.in > 128 && l.in % 8 != 0 && l.rows * l.columns == 1)
      return {cpu_integer,
              "1x1 over more than 128 channels that are no multiple of 8 (seen with 257)"};
    return {accelerator, "convolution units"};
  }
  if (n6_is(n, {"Add", "Sub", "Mul", "Sum", "Abs", "Neg", "Clip", "Relu", "BoundedRelu",
                "Requantize", "LogicalAnd", "LogicalOr", "LogicalNot", "Equal"}))
    return {accelerator, "arithmetic units"};
  if (n6_is(n, {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}))
    return {accelerator, "pooling units"};
  if (n6_is(n, {"ReduceMean", "ReduceMax"}))
    return n.input(0).shape.size() == 4
               ? DevicePlacement{accelerator, "a global pooling"}
               : DevicePlacement{cpu_float, "a reduction that is no global pooling"};
  if (is_table(n)) return {accelerator, "activation units"};
  if (n6_is(n, {"Transpose", "Slice", "StridedSlice", "Split", "Concat", "Pad", "Pack", "Unpack",
                "SpaceToDepth", "DepthToSpace", "Cast", "Expand"}))
    return {transfers, "moved by stream engines"};
  if (n6_is(n, {"ResizeNearest", "Resize"}))
    return n.attrs().text("mode", "nearest") == "nearest"
               ? DevicePlacement{accelerator, "nearest neighbour"}
               : DevicePlacement{cpu_integer, "only nearest, asymmetric and floor"};
  if (n6_is(n, {"Softmax", "Div"})) return {cpu_integer, "no unit computes it"};
  return {cpu_float, "no unit computes it"};
}

namespace {

std::int64_t bytes_of(const Value& v) {
  return count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype));
}

// Rates fitted to 13 of the published figures below; scripts/device_figures prints what is left.
constexpr double epoch_us = 5, moving_us = 35, phases_us = 174, flash_bytes_per_us = 340,
                 bytes_per_us = 1210, moved_bytes_per_us = 810, element_bytes_per_us = 1570,
                 cpu_macs_per_us = 400, cpu_elements_per_us = 57;
// Convolution units that are busy at 72 multiply-accumulates a cycle each.
constexpr double busy_pointwise = 1.25, busy_kernels = 4, busy_depthwise = 0.067;

bool works_on_elements(const NodeView& n) {
  return is_table(n) || n6_is(n, {"Add", "Sub", "Mul", "Sum", "Abs", "Neg", "Clip", "Relu",
                                  "BoundedRelu", "Requantize"});
}

// Element by element behind an operation of the accelerator: part of its epoch.
bool joins_epoch(const NodeView& n) {
  if (!works_on_elements(n)) return false;
  for (const ValueId v : n.node.inputs) {
    NodeId p = v == no_id ? no_id : n.graph.value(v).producer;
    if (p != no_id && is_between_codes({n.graph, n.graph.node(p)}))
      p = n.graph.value(n.graph.node(p).inputs[0]).producer;
    if (p != no_id && n6_place({n.graph, n.graph.node(p)}).place == DevicePlace::accelerator)
      return true;
  }
  return false;
}

std::int64_t moved_by(const NodeView& n) {
  std::int64_t moved = 0;
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (n.has_input(i) && !n.constant(i)) moved += bytes_of(n.input(i));
  for (std::size_t i = 0; i < n.node.outputs.size(); ++i) moved += bytes_of(n.output(i));
  return moved;
}
std::int64_t constants_of(const NodeView& n) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (n.has_input(i) && n.constant(i)) bytes += bytes_of(n.input(i));
  return bytes;
}

DeviceCost layer_cost(const NodeView& n, const N6Layer& l, double macs, double rest) {
  const bool depthwise = l.group > 1;
  const double units = depthwise                 ? busy_depthwise
                       : l.rows * l.columns == 1 ? busy_pointwise
                                                 : busy_kernels;
  const double waste =
      depthwise ? 1 : static_cast<double>((l.out + 7) / 8 * 8) / static_cast<double>(l.out);
  DeviceCost c{std::max(macs * waste / (72 * units * 1000), rest), 1};
  if (!depthwise) c.microseconds += epoch_us;  // a depthwise one starts while its neighbour works
  if (depthwise && l.in >= 512) ++c.epochs;    // a copy into another layout before it
  if (n6_largest(n, "dilations") > 1) c.epochs += 4, c.microseconds += phases_us;
  return c;
}

}  // namespace

DeviceCost n6_cost(const NodeView& n, DevicePlace where) {
  if (where == DevicePlace::nowhere) return {};
  double macs = 0;
  if (const OpDef* op = find_op(n.node.op); op && op->cost)
    macs = static_cast<double>(op->cost(n).macs);
  const double tensors = static_cast<double>(moved_by(n)) / bytes_per_us,
               constants = static_cast<double>(constants_of(n)) / flash_bytes_per_us;
  if (where == DevicePlace::transfers)
    return {static_cast<double>(moved_by(n)) / moved_bytes_per_us + moving_us, 1};
  if (where == DevicePlace::cpu_integer || where == DevicePlace::cpu_float) {
    const double elements = static_cast<double>(count_of(n.output(0).shape)) / cpu_elements_per_us;
    return {std::max(elements, macs / cpu_macs_per_us) + moving_us, 1};
  }
  if (joins_epoch(n)) return {static_cast<double>(bytes_of(n.output(0))) / element_bytes_per_us, 0};
  const N6Layer l = n6_layer(n);
  const double rest = std::max(constants, tensors);
  return l.in > 0 ? layer_cost(n, l, macs, rest) : DeviceCost{rest + epoch_us, 1};
}

}  // namespace lockstep
