#include "npu/standing.h"

#include <algorithm>

#include "npu/whole_map.h"
#include "num/neural_art.h"

namespace lockstep {
namespace {

bool all_zero(const Value& v) {
  if (!v.constant) return false;
  for (std::int64_t i = 0; i < v.constant->count(); ++i)
    if (v.constant->number(i) != 0) return false;
  return true;
}

bool coded(const Graph& g, const Node& n) {
  const Value &x = g.value(n.inputs[0]), &y = g.value(n.outputs[0]);
  return x.quant.quantized() && y.quant.quantized() && is_integer(x.dtype) && is_integer(y.dtype);
}

// One convolution of each common kind, without bias, was compared with a board.
NpuStanding convolution(const Graph& g, const Node& n) {
  const Value& w = g.value(n.inputs[1]);
  if (!w.constant || w.shape.size() != 4) return NpuStanding::assumed;
  const std::string order = n.attrs.text("weights", "OIHW");
  const std::int64_t out = order == "1HWO" ? w.shape[3] : w.shape[0];
  const std::int64_t in = order == "OIHW" ? w.shape[1] : order == "OHWI" ? w.shape[3] : 1;
  const bool point = w.constant->count() == in * out, grouped = n.attrs.integer("group", 1) > 1;
  if (point && !grouped && in > 128 && in % 8 != 0) return NpuStanding::assumed;  // the CPU's
  const bool biased =
      n.inputs.size() > 2 && n.inputs[2] != no_id && !all_zero(g.value(n.inputs[2]));
  const bool sliced = point && !grouped && in > npu_channels_in_a_pass(out, 2);
  return biased || sliced || out > 512 ? NpuStanding::inferred : NpuStanding::proven;
}

constexpr std::string_view exact[] = {"QuantizeLinear", "Requantize",   "Relu",     "MaxPool",
                                      "GlobalMaxPool",  "Reshape",      "Flatten",  "Pad",
                                      "Squeeze",        "Unsqueeze",    "Identity", "Transpose",
                                      "Slice",          "StridedSlice", "Split",    "SpaceToDepth",
                                      "DepthToSpace",   "Pack",         "Unpack"};

// One window over the whole map.
bool global_average(const Graph& g, const Node& n) {
  const Shape &x = g.value(n.inputs[0]).shape, &y = g.value(n.outputs[0]).shape;
  if (x.size() != 4) return false;
  if (n.op == "GlobalAveragePool") return true;
  if (n.op == "ReduceMean") return npu_over_the_map(g, n);
  if (n.op != "AveragePool" || y.size() != 4) return false;
  const std::size_t first = n.attrs.text("layout", "NCHW") == "NHWC" ? 1 : 2;
  const auto kernel = n.attrs.integers("kernel_shape");
  return kernel.size() == 2 && y[first] == 1 && y[first + 1] == 1 && kernel[0] == x[first] &&
         kernel[1] == x[first + 1];
}

constexpr std::string_view compiled[] = {"Gemm", "Add", "AveragePool", "DequantizeLinear"};

}  // namespace

std::string_view name_of(NpuStanding s) {
  return s == NpuStanding::proven ? "proven" : s == NpuStanding::inferred ? "inferred" : "assumed";
}

NpuStanding standing_of(const Graph& g, const Node& n) {
  if (n.inputs.empty() || n.inputs[0] == no_id || n.outputs.empty() || n.outputs[0] == no_id)
    return NpuStanding::assumed;
  if (std::ranges::find(exact, n.op) != std::end(exact)) return NpuStanding::proven;
  if (n.op == "DequantizeLinear") return NpuStanding::inferred;
  if (!coded(g, n)) return NpuStanding::assumed;
  if (n.op == "Conv") return convolution(g, n);
  if (global_average(g, n)) return NpuStanding::proven;
  return std::ranges::find(compiled, n.op) != std::end(compiled) ? NpuStanding::inferred
                                                                 : NpuStanding::assumed;
}

}  // namespace lockstep
