// time of an epoch = max(multiply-accumulates / rate, weights / flash, tensors / memory) + its
// start; docs/neural-art.md, "The device"
#include <algorithm>
#include <cmath>

#include "device/device.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr DeviceMemory memories[] = {
    {"npuRAM3", "accelerator's bank 3", 0x34200000, 448 * 1024, 6400, false, false},
    {"npuRAM4", "accelerator's bank 4", 0x34270000, 448 * 1024, 6400, false, false},
    {"npuRAM5", "accelerator's bank 5", 0x342E0000, 448 * 1024, 6400, false, false},
    {"npuRAM6", "accelerator's bank 6", 0x34350000, 448 * 1024, 6400, false, false},
    {"cpuRAM2", "processor's bank 2", 0x34100000, 1024 * 1024, 3200, false, false},
    {"hyperRAM", "external, xSPI1", 0x90000000, 16 * 1024 * 1024, 400, false, true},
    {"octoFlash", "external, xSPI2, constants", 0x70000000, 64 * 1024 * 1024, 400, true, true},
};

bool coded(const Value& v) {
  return v.quant.quantized() && is_integer(v.dtype);
}
bool on_codes(const NodeView& n) {
  return n.has_input(0) && coded(n.input(0)) && coded(n.output(0));
}

struct Layer {
  std::int64_t in = 0, out = 0, rows = 1, columns = 1, group = 1;
};
// The kernel of a convolution or matrix product with constant weights; in == 0: no such layer.
Layer layer_of(const NodeView& n) {
  Layer l;
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

std::int64_t largest(const NodeView& n, std::string_view attribute) {
  std::int64_t most = 1;
  for (const std::int64_t v : n.attrs().integers(attribute)) most = std::max(most, v);
  return most;
}

bool is_op(const NodeView& n, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, n.node.op) != names.end();
}

// A function of one tensor that the activation unit holds as a table.
bool is_table(const NodeView& n) {
  return is_op(n, {"Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "PRelu",
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

DevicePlacement place(const NodeView& n) {
  using enum DevicePlace;
  if (is_op(n, {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}))
    return {nowhere, "no data moves"};
  if (n.node.op == "QuantizeLinear" && n.input(0).producer == no_id)
    return {nowhere, "the application feeds codes"};
  if (is_between_codes(n)) return {nowhere, "codes enter and leave the operation between"};
  if (is_op(n, {"QuantizeLinear", "DequantizeLinear"}))
    return {cpu_float, "to and from floats: on the CPU"};
  if (!on_codes(n) && !has_codes_around(n))
    return {cpu_float, "only int8 with static scales runs on the accelerator"};
  if (is_op(n, {"Conv", "ConvTranspose", "Gemm", "MatMul"})) {
    const Layer l = layer_of(n);
    if (l.in > 128 && l.in % 8 != 0 && l.rows * l.columns == 1)
      return {cpu_integer,
              "1x1 over more than 128 channels that are no multiple of 8 (seen with 257)"};
    return {accelerator, "convolution units"};
  }
  if (is_op(n, {"Add", "Sub", "Mul", "Sum", "Abs", "Neg", "Clip", "Relu", "BoundedRelu",
                "Requantize", "LogicalAnd", "LogicalOr", "LogicalNot", "Equal"}))
    return {accelerator, "arithmetic units"};
  if (is_op(n, {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}))
    return {accelerator, "pooling units"};
  if (is_op(n, {"ReduceMean", "ReduceMax"}))
    return n.input(0).shape.size() == 4
               ? DevicePlacement{accelerator, "a global pooling"}
               : DevicePlacement{cpu_float, "a reduction that is no global pooling"};
  if (is_table(n)) return {accelerator, "activation units"};
  if (is_op(n, {"Transpose", "Slice", "StridedSlice", "Split", "Concat", "Pad", "Pack", "Unpack",
                "SpaceToDepth", "DepthToSpace", "Cast", "Expand"}))
    return {transfers, "moved by stream engines"};
  if (is_op(n, {"ResizeNearest", "Resize"}))
    return n.attrs().text("mode", "nearest") == "nearest"
               ? DevicePlacement{accelerator, "nearest neighbour"}
               : DevicePlacement{cpu_integer, "only nearest, asymmetric and floor"};
  if (is_op(n, {"Softmax", "Div"})) return {cpu_integer, "no unit computes it"};
  return {cpu_float, "no unit computes it"};
}

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
  return is_table(n) || is_op(n, {"Add", "Sub", "Mul", "Sum", "Abs", "Neg", "Clip", "Relu",
                                  "BoundedRelu", "Requantize"});
}

// Element by element behind an operation of the accelerator: part of its epoch.
bool joins_epoch(const NodeView& n) {
  if (!works_on_elements(n)) return false;
  for (const ValueId v : n.node.inputs) {
    NodeId p = v == no_id ? no_id : n.graph.value(v).producer;
    if (p != no_id && is_between_codes({n.graph, n.graph.node(p)}))
      p = n.graph.value(n.graph.node(p).inputs[0]).producer;
    if (p != no_id && place({n.graph, n.graph.node(p)}).place == DevicePlace::accelerator)
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

DeviceCost layer_cost(const NodeView& n, const Layer& l, double macs, double rest) {
  const bool depthwise = l.group > 1;
  const double units = depthwise                 ? busy_depthwise
                       : l.rows * l.columns == 1 ? busy_pointwise
                                                 : busy_kernels;
  const double waste =
      depthwise ? 1 : static_cast<double>((l.out + 7) / 8 * 8) / static_cast<double>(l.out);
  DeviceCost c{std::max(macs * waste / (72 * units * 1000), rest), 1};
  if (!depthwise) c.microseconds += epoch_us;  // a depthwise one starts while its neighbour works
  if (depthwise && l.in >= 512) ++c.epochs;    // a copy into another layout before it
  if (largest(n, "dilations") > 1) c.epochs += 4, c.microseconds += phases_us;
  return c;
}

DeviceCost cost(const NodeView& n, DevicePlace where) {
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
  const Layer l = layer_of(n);
  const double rest = std::max(constants, tensors);
  return l.in > 0 ? layer_cost(n, l, macs, rest) : DeviceCost{rest + epoch_us, 1};
}

constexpr DeviceLimit limits[] = {
    {"a convolution over more than 128 input channels that are no multiple of 8 runs on the CPU",
     "pad the channels to a multiple of 8",
     [](const NodeView& n) {
       return place(n).place == DevicePlace::cpu_integer && layer_of(n).in > 0;
     },
     0.9},
    {"a dilated convolution is cut into phases: four more epochs",
     "dilation 1 with a larger kernel, or a stride before it",
     [](const NodeView& n) { return layer_of(n).in > 0 && largest(n, "dilations") > 1; }, 0.7},
    {"kernels higher than 3 rows or wider than 6 columns (12 when columns are skipped) are cut, "
     "and the sum is rounded to 16 bits after each piece",
     "kernels of 3 rows and 3, 6 or 12 columns",
     [](const NodeView& n) {
       const Layer l = layer_of(n);
       return l.in > 0 && (l.rows > 3 || l.columns > (largest(n, "strides") > 1 ? 12 : 6));
     },
     0.4},
    {"output channels that are no multiple of 8 waste cycles",
     "a multiple of 8; of 16 .. 24 for 1x1 kernels",
     [](const NodeView& n) {
       const Layer l = layer_of(n);
       return l.in > 0 && l.out % 8 != 0 && l.out > 8;
     },
     0.1},
    {"a stride other than 1, 2 or 4 is inefficient", "stride 1, 2 or 4",
     [](const NodeView& n) {
       const std::int64_t s = largest(n, "strides");
       return layer_of(n).in > 0 && s != 1 && s != 2 && s != 4;
     },
     0.3},
    {"depthwise convolution of stride 2 stalls the accelerator with Core 4.0.1",
     "stride 1 and a subsampling slice behind it: the same numbers, or another release",
     [](const NodeView& n) {
       const Layer l = layer_of(n);
       return l.group > 1 && largest(n, "strides") == 2;
     },
     0},
    {"a pooling window larger than 3x3 is decomposed", "windows up to 3x3",
     [](const NodeView& n) {
       return is_op(n, {"MaxPool", "AveragePool"}) && largest(n, "kernel_shape") > 3;
     },
     0.3},
    {"floats run on the CPU", "quantize this operation, or take it off the device",
     [](const NodeView& n) { return place(n).place == DevicePlace::cpu_float; }, 0.9},
    {"no unit computes it: an integer kernel of the CPU", "take it off the device, or replace it",
     [](const NodeView& n) {
       return place(n).place == DevicePlace::cpu_integer && layer_of(n).in == 0;
     },
     0.9},
    {"more than 512 output channels: constants are streamed and the bias has 16 bits",
     "at most 512 output channels a layer", [](const NodeView& n) { return layer_of(n).out > 512; },
     0.1},
    {"more than 256 input channels of a 1x1 kernel are summed in passes, rounded to 16 bits after "
     "each",
     "at most 256 input channels a layer",
     [](const NodeView& n) {
       const Layer l = layer_of(n);
       return l.rows * l.columns == 1 && l.in > 256;
     },
     0.1},
    {"a change of layout moves every element", "the layout of the neighbours",
     [](const NodeView& n) { return n.node.op == "Transpose"; }, 1},
};

constexpr std::string_view zoo = "STM32N6570-DK, Core 2.0 to 3.0, 1 GHz";
constexpr DeviceFigure figures[] = {
    {"MobileNetV2 0.35, 128, food101", 3.33, zoo},
    {"MobileNetV2 0.35, 224, food101", 6.12, zoo},
    {"MobileNetV2 1.0, 224, food101", 18.08, zoo},
    {"MobileNetV2 1.0, 224, ImageNet", 21.08, zoo},
    {"MobileNetV2 1.4, 224, ImageNet", 35.34, zoo},
    {"YOLOv8n 192", 18.91, zoo},
    {"YOLOv8n 256", 28.6, zoo},
    {"YOLOv8n 320", 38.32, zoo},
    {"YOLOv8n 416", 63.03, zoo},
    {"st_yoloxn d033 w025 192", 6.63, zoo},
    {"st_yoloxn d033 w025 256", 9.42, zoo},
    {"st_yoloxn d033 w025 320", 13.29, zoo},
    {"st_yoloxn d033 w025 416", 21.3, zoo},
    {"YAMNet-256", 1.07, zoo},
    {"YAMNet-1024", 9.88, zoo},
    {"BlazeFace front 128", 4.48, zoo},
    {"residual TCN, 2.37 M multiply-accumulates", 1.124, "STM32N6570-DK"},
};

}  // namespace

extern constinit const DeviceDef device_stm32n6 = {
    .name = "stm32n6",
    .meaning =
        "STM32N6 with Neural-ART: 4 convolution, 4 arithmetic, 2 pooling and 2 activation units, "
        "10 stream engines, 1 GHz",
    .arithmetic = "neural-art",
    .memories = memories,
    .limits = limits,
    .figures = figures,
    .error = "10 % at most on the 13 published figures it was fitted to, 22 % on 4 of an assumed network",
    .channel_group = 8,
    .largest_weight_ratio = 1024,
    .place = place,
    .cost = cost,
};

}  // namespace lockstep
