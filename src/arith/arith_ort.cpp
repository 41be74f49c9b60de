#include "arith/arith_ort.h"

#include <algorithm>

namespace lockstep {
namespace {

const Node* maker(const Graph& g, ValueId v) {
  return v == no_id || g.value(v).producer == no_id ? nullptr : &g.node(g.value(v).producer);
}

// One scale and zero point for all weights [k, n], or for each column, or for blocks of 16, 32, ...
// rows.
bool scales_fit(const Graph& g, const Node& dq, const Shape& w) {
  const Shape& scale = g.value(dq.inputs[1]).shape;
  if (dq.inputs.size() > 2 && dq.inputs[2] != no_id && g.value(dq.inputs[2]).shape != scale)
    return false;
  const std::int64_t block = dq.attrs.integer("block_size", 0), axis = dq.attrs.integer("axis", 1);
  if (block == 0) return scale.empty() || (scale == Shape{w[1]} && axis == 1);
  const bool power = block >= 16 && (block & (block - 1)) == 0;
  return power && axis == 0 && scale == Shape{(w[0] + block - 1) / block, w[1]};
}

// A product of reals with stored codes of at most 8 bits behind a dequantizer of its own, its
// result read by no quantizer.
bool weights_only(const NodeView& n) {
  const Graph& g = n.graph;
  if ((n.node.op != "MatMul" && n.node.op != "Gemm") || n.input_count() < 2 ||
      n.input(0).dtype != DType::f32 || n.input(1).dtype != DType::f32)
    return false;
  const Node *const dq = maker(g, n.node.inputs[1]), *const x = maker(g, n.node.inputs[0]);
  if (!dq || dq->op != "DequantizeLinear" || (x && x->op == "DequantizeLinear")) return false;
  const Value& codes = g.value(dq->inputs[0]);
  const bool bytes = codes.dtype == DType::i8 || codes.dtype == DType::u8;
  if (!codes.constant || !bytes || codes.shape.size() != 2 || !scales_fit(g, *dq, codes.shape))
    return false;
  const Attrs& a = n.attrs();
  if (n.node.op == "Gemm" &&
      (a.integer("transA", 0) != 0 || a.integer("transB", 0) != 0 || a.real("alpha", 1) != 1))
    return false;
  if (n.has_input(2) && (a.real("beta", 1) != 1 || n.input(2).shape != Shape{codes.shape[1]}))
    return false;
  for (const ValueId out : g.outputs())
    if (out == n.node.inputs[1]) return false;
  for (const NodeId reader : g.consumers(n.node.outputs[0]))
    if (g.node(reader).op == "QuantizeLinear") return false;
  return g.consumers(n.node.inputs[1]).size() == 1;
}

// A pool whose stride leaves gaps between windows that auto_pad places: its pads are negative.
bool cuts_by_padding(const NodeView& n) {
  const Attrs& a = n.attrs();
  if ((n.node.op != "MaxPool" && n.node.op != "AveragePool") || n.input(0).dtype != DType::f32 ||
      !a.text("auto_pad", "").starts_with("SAME") || a.text("layout", "NCHW") == "NHWC")
    return false;
  // What does not go through its matrix library: averages of opset 19 and later, and maxima with
  // dilations or indices.
  if (n.node.op == "AveragePool" ? a.text("kernel", "") == "straight" : n.node.outputs.size() > 1)
    return false;
  for (const std::int64_t step : a.integers("dilations"))
    if (step != 1) return false;
  const auto kernel = a.integers("kernel_shape"), strides = a.integers("strides");
  const Shape& x = n.input(0).shape;
  for (std::size_t i = 0; i < kernel.size() && i < strides.size() && i + 2 < x.size(); ++i) {
    const std::int64_t windows =
        (x[i + 2] + strides[i] - 1) / std::max<std::int64_t>(1, strides[i]);
    if ((windows - 1) * strides[i] + kernel[i] < x[i + 2]) return true;
  }
  return false;
}

// Channels in sixteens, which the runtime pools in blocks.
bool pools_in_blocks(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  return x.size() == 4 && x[1] % 16 == 0;
}

// A MaxPool between codes of one scale and zero point, which the runtime runs on the codes.
bool moves_codes(const NodeView& n) {
  const Graph& g = n.graph;
  const Node* const dq = maker(g, n.node.inputs[0]);
  const auto readers = g.consumers(n.node.outputs[0]);
  if (n.node.op != "MaxPool" || n.attrs().integer("opset", 12) < 12 || !dq ||
      dq->op != "DequantizeLinear" || readers.size() != 1 ||
      g.node(readers[0]).op != "QuantizeLinear")
    return false;
  const auto number = [&](const Node& q, std::size_t i) {
    const Tensor* const t =
        i < q.inputs.size() && q.inputs[i] != no_id ? g.value(q.inputs[i]).constant.get() : nullptr;
    return t && t->count() == 1 ? t->number(0) : 0;
  };
  const Node& q = g.node(readers[0]);
  return number(*dq, 1) == number(q, 1) && number(*dq, 2) == number(q, 2);
}

}  // namespace

std::string unsupported_by_ort(const NodeView& node) {
  const Attrs& a = node.attrs();
  if (node.node.op == "MatMulNBits" && a.integer("accuracy_level", 0) == 4)
    return "onnxruntime codes the activations of MatMulNBits with accuracy_level 4 in 8 bits block "
           "by block, which is not imitated; "
           "levels 0 and 1 are";
  if (node.node.op == "DequantizeLinear" && a.integer("misaxed", 0) != 0)
    return "the scales of the bias row lie along axis 0, whose extent is 1: onnxruntime refuses "
           "that unless a Gemm of codes takes the row";
  if (cuts_by_padding(node))
    return "auto_pad SAME of windows whose stride leaves gaps: onnxruntime refuses the negative "
           "pads "
           "that it computes, but for codes";
  if (node.node.op != "Resize") return "";
  const Value& x = node.input(0);
  if (a.text("mode", "") == "cubic" && is_integer(x.dtype) && a.integer("antialias", 0) == 0 &&
      a.text("kernel", "").empty() && node.output(0).shape != x.shape)
    return "onnxruntime has no cubic Resize of integers, channels first";
  return "";
}

std::string unsupported_by_optimized_ort(const NodeView& node) {
  if (weights_only(node))
    return "onnxruntime codes the activations of products with weights only in 8 bits or fewer "
           "block by block (MatMulNBits), which is not imitated; "
           "ort-noopt computes the product as it is written";
  if (cuts_by_padding(node) && (moves_codes(node) || pools_in_blocks(node))) return "";
  return unsupported_by_ort(node);
}

}  // namespace lockstep
