// Which products of two computed operands LiteRT's XNNPACK delegate takes (N80), and which
// transposed convolutions not.
#include "pass/qdq.h"

namespace lockstep {

Result<Patch> delegate_products(const Graph& g) {
  Patch patch(g, "delegate-products");
  for (std::size_t i = 0; i < g.nodes().size(); ++i) {
    const Node& n = g.nodes()[i];
    if (n.op == "ConvTranspose" && n.attrs.integer("beyond", 0) != 0 && !n.attrs.has("kernel")) {
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

}  // namespace lockstep
