// What follows for tensors from the operators that read and make them: quantization and layout.
#include <algorithm>
#include <array>

#include "import/onnx_reader.h"
#include "op/op.h"

namespace lockstep {

// The codes that QuantizeLinear makes and DequantizeLinear reads carry that node's scale and zero
// point.
void OnnxReader::note_quantization(const ForeignNode& foreign) {
  const bool makes = foreign.op.ends_with("QuantizeLinear") && !foreign.op.starts_with("Dynamic");
  const bool reads = foreign.op.ends_with("DequantizeLinear");
  if ((!makes && !reads) || foreign.inputs.size() < 2 || foreign.outputs.empty()) return;
  if (foreign.inputs[0] == no_id || foreign.inputs[1] == no_id) return;
  const ValueId codes = reads ? foreign.inputs[0] : foreign.outputs[0];
  const Tensor* scale = graph_.so_far().value(foreign.inputs[1]).constant.get();
  const bool has_zero = foreign.inputs.size() > 2 && foreign.inputs[2] != no_id;
  const Tensor* zero = has_zero ? graph_.so_far().value(foreign.inputs[2]).constant.get() : nullptr;
  if (codes == no_id || !scale || (has_zero && !zero) || scale->dtype() != DType::f32 ||
      scale->count() == 0)
    return;
  Value& v = graph_.value(codes);
  const bool usable =
      std::ranges::all_of(scale->as<float>(), [](float step) { return step > 0 && step < 1e30f; });
  if (!usable || v.quant.quantized() || scale->shape().size() > 1 ||
      foreign.attrs.integer("block_size", 0) != 0)
    return;
  QuantParams quant;
  for (std::int64_t i = 0; i < scale->count(); ++i) {
    quant.scale.push_back(scale->number(i));
    quant.zero.push_back(zero && i < zero->count() ? static_cast<std::int32_t>(zero->code(i)) : 0);
  }
  if (quant.per_channel()) {
    const auto rank =
        static_cast<std::int64_t>(graph_.so_far().value(foreign.inputs[0]).shape.size());
    const std::int64_t axis = foreign.attrs.integer("axis", 1);
    quant.axis = static_cast<int>(axis < 0 ? axis + rank : axis);
  }
  v.quant = std::move(quant);
}

// Layout is a fact of some operators (their attribute `layout`): noted on what they read and make.
void OnnxReader::note_layout(NodeId first) {
  for (NodeId id = first; static_cast<std::size_t>(id) < graph_.so_far().nodes().size(); ++id) {
    const Node node = graph_.node(id);
    if (!node.attrs.has("layout")) continue;
    for (const ValueId v : {node.inputs.at(0), node.outputs.at(0)})
      if (v != no_id && graph_.so_far().value(v).shape.size() == 4)
        graph_.value(v).origin.layout = node.attrs.text("layout", "");
  }
}

// From tensors of known layout to those that elementwise nodes and quantizers make of them, both
// ways.
void OnnxReader::spread_layout() {
  const auto count = static_cast<NodeId>(graph_.so_far().nodes().size());
  const auto carry = [&](ValueId from, ValueId to) {
    if (from == no_id || to == no_id || graph_.value(from).shape != graph_.value(to).shape) return;
    if (graph_.value(to).origin.layout.empty())
      graph_.value(to).origin.layout = graph_.value(from).origin.layout;
  };
  const auto keeps_axes = [&](const Node& n) {
    return !n.inputs.empty() && !n.outputs.empty() && n.op != "Transpose" && n.op != "Reshape" &&
           n.op != "MatMul";
  };
  for (NodeId id = count; id-- > 0;)
    if (const Node& n = graph_.node(id); keeps_axes(n))
      for (const ValueId in : n.inputs) carry(n.outputs[0], in);
  for (NodeId id = 0; id < count; ++id)
    if (const Node& n = graph_.node(id); keeps_axes(n)) carry(n.inputs[0], n.outputs[0]);
}

}  // namespace lockstep
