// What runtimes of TFLite's files do otherwise than the operator says: which products of two
// computed operands LiteRT's XNNPACK delegate takes (N80) and which layers not; what
// TFLite Micro fills blocks with.
#include "pass/qdq.h"

namespace lockstep {

Result<Patch> delegate_products(const Graph& g) {
  Patch patch(g, "delegate-products");
  for (std::size_t i = 0; i < g.nodes().size(); ++i) {
    const Node& n = g.nodes()[i];
    if ((n.op == "Conv" || n.op == "ConvTranspose" || n.op == "Gemm") &&
        n.attrs.integer("undelegated", 0) != 0 && !n.attrs.has("kernel")) {
      Node left = n;
      left.attrs.set("kernel", std::string("left"));
      patch.replace_node(static_cast<NodeId>(i), std::move(left));
    }
    if (n.op != "MatMul" || n.attrs.has("kernel")) continue;
    const Value &a = g.value(n.inputs[0]), &b = g.value(n.inputs[1]);
    if (a.dtype != DType::i8 || b.dtype != DType::i8 || !b.quant.quantized() ||
        b.quant.zero_at(0) != 0)
      continue;
    Node next = n;
    next.attrs.set("kernel", std::string("layer"));
    patch.replace_node(static_cast<NodeId>(i), std::move(next));
  }
  return patch;
}

// TFLite Micro's SPACE_TO_BATCH_ND never learns the zero point (N114).
Result<Patch> fill_blocks_with_zero(const Graph& g) {
  Patch patch(g, "blocks-outside-are-code-zero");
  for (std::size_t i = 0; i < g.nodes().size(); ++i) {
    const Node& n = g.nodes()[i];
    if (n.op != "SpaceToBatch" || n.attrs.has("fill")) continue;
    Node next = n;
    next.attrs.set("fill", std::string("zero"));
    patch.replace_node(static_cast<NodeId>(i), std::move(next));
  }
  return patch;
}

}  // namespace lockstep
