#include "arith/arith_ort.h"

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

}  // namespace

std::string unsupported_by_optimized_ort(const NodeView& node) {
  if (weights_only(node))
    return "onnxruntime codes the activations of products with weights only in 8 bits or fewer "
           "block by block (MatMulNBits), which is not imitated; "
           "ort-noopt computes the product as it is written";
  return unsupported_by_ort(node);
}

}  // namespace lockstep
