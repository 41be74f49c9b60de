#include <algorithm>
#include <string_view>

#include "import/import.h"
#include "import/tflite_options.h"
#include "import/tflite_reader.h"

namespace lockstep {

Result<std::vector<ValueId>> TfliteReader::operands(const flatbuffers::Vector<std::int32_t>* list,
                                                    const std::string& where) const {
  std::vector<ValueId> out;
  if (!list) return out;
  for (const std::int32_t t : *list) {
    if (t == -1) {
      out.push_back(no_id);
      continue;
    }
    if (t < 0 || static_cast<std::size_t>(t) >= ids.size())
      return Error{where, "tensor " + std::to_string(t),
                   "one of the " + std::to_string(ids.size()) + " tensors", "the file is damaged"};
    const ValueId id = ids[static_cast<std::size_t>(t)];
    if (id == no_id)
      return Error{where,
                   tensor_where(static_cast<std::size_t>(t)).substr(path.size() + 2) + " of type " +
                       tfl::EnumNameTensorType(tensor(static_cast<std::size_t>(t)).type()),
                   "numbers or booleans", ""};
    out.push_back(id);
  }
  return out;
}

// Scales of numbers inside an operator that are no tensors of the network (LSTMs): two attributes.
Result<void> TfliteReader::read_intermediates(const tfl::Operator& op, ForeignNode& node) const {
  if (!op.intermediates() || op.intermediates()->size() == 0) return {};
  std::vector<double> scales;
  std::vector<std::int64_t> zeros;
  for (const std::int32_t t : *op.intermediates()) {
    if (t < 0 || static_cast<std::size_t>(t) >= ids.size())
      return Error{node.where, "intermediate tensor " + std::to_string(t),
                   "one of the " + std::to_string(ids.size()) + " tensors", "the file is damaged"};
    LOCKSTEP_TRY(const QuantParams q, quantization(static_cast<std::size_t>(t), {}));
    scales.push_back(q.quantized() ? q.scale_at(0) : 0);
    zeros.push_back(q.quantized() ? q.zero_at(0) : 0);
  }
  node.attrs.set("intermediate_scales", std::move(scales));
  node.attrs.set("intermediate_zeros", std::move(zeros));
  return {};
}

// The axis that unsigned weights name though they have one scale: XNNPACK wants 0 there (N80).
std::int64_t TfliteReader::filter_axis(const tfl::Operator& op, const std::string& name) const {
  static constexpr std::string_view layers[] = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED",
                                                "TRANSPOSE_CONV"};
  if (std::ranges::find(layers, name) == std::ranges::end(layers) || !op.inputs() ||
      op.inputs()->size() < 2)
    return 0;
  const std::int32_t at = op.inputs()->Get(1);
  if (at < 0 || static_cast<std::size_t>(at) >= ids.size()) return 0;
  const auto& weights = tensor(static_cast<std::size_t>(at));
  return weights.type() == tfl::TensorType::UINT8 && weights.quantization()
             ? weights.quantization()->quantized_dimension()
             : 0;
}

// Weights of a fully connected layer whose file holds them in four bits.
bool TfliteReader::has_narrow_filter(const tfl::Operator& op, const std::string& name) const {
  if (name != "FULLY_CONNECTED" || !op.inputs() || op.inputs()->size() < 2) return false;
  const std::int32_t at = op.inputs()->Get(1);
  return at >= 0 && static_cast<std::size_t>(at) < ids.size() &&
         tensor(static_cast<std::size_t>(at)).type() == tfl::TensorType::INT4;
}

Result<void> TfliteReader::read_operator(std::size_t i) {
  const tfl::Operator& op = *main.operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
  const std::string place = path + ": operator " + std::to_string(i);
  const auto* codes = model.operator_codes();
  if (!codes || op.opcode_index() >= codes->size())
    return Error{place, "operator code " + std::to_string(op.opcode_index()),
                 "one of the " + std::to_string(codes ? codes->size() : 0) + " codes",
                 "the file is damaged"};
  const tfl::OperatorCode& code = *codes->Get(op.opcode_index());
  const int number = std::max(static_cast<int>(code.code()), static_cast<int>(code.old_code()));
  const std::string known = tflite_operator_name(number),
                    name = known.empty() ? std::to_string(number) : known;
  ForeignNode node{Format::tflite,
                   name,
                   code.version(),
                   graph.unique_node_name(prefix + name + "_" + std::to_string(i)),
                   "",
                   {},
                   {},
                   {}};
  node.where = path + ": " + name + " '" + node.name + "'";
  if (TfliteVariables::handles(name))
    return variables.read(
        model, op, name, node.where,
        [this](const tfl::SubGraph& sub, std::int32_t t) { return constant_elsewhere(sub, t); },
        ids, graph);
  if (calls(name)) return read_call(op, name, node.where);
  LOCKSTEP_TRY(node.inputs, operands(op.inputs(), node.where));
  LOCKSTEP_TRY(node.outputs, operands(op.outputs(), node.where));
  for (const ValueId out : node.outputs)
    if (out != no_id && (graph.value(out).producer != no_id || graph.value(out).constant))
      return Error{node.where, "output '" + graph.value(out).name + "' that is made twice",
                   "one maker for each tensor", "the file is damaged"};
  node.attrs = tflite_options(op);
  if (const std::int64_t axis = filter_axis(op, name); axis != 0)
    node.attrs.set("filter_axis", axis);
  if (has_narrow_filter(op, name)) node.attrs.set("filter_bits", std::int64_t{4});
  if (name == "CUSTOM")
    LOCKSTEP_CHECK(read_custom(op, code.custom_code() ? code.custom_code()->str() : "", node));
  LOCKSTEP_CHECK(read_intermediates(op, node));
  return add_foreign(node, place);
}

Result<void> TfliteReader::add_foreign(const ForeignNode& node, const std::string& place) {
  const ForeignMatch match = find_foreign(Format::tflite, node.op);
  if (!match.op) return Error{place, "operator " + node.op, "an operator of docs/ops.md", ""};
  const auto first = static_cast<NodeId>(graph.so_far().nodes().size());
  LOCKSTEP_CHECK(map_foreign(node, match, graph));
  for (NodeId id = first; static_cast<std::size_t>(id) < graph.so_far().nodes().size(); ++id)
    for (const ValueId out : graph.node(id).outputs)
      if (out != no_id && graph.value(out).origin.node.empty())
        graph.value(out).origin.node = node.name;
  return settle_nodes(graph, first);
}

Result<void> TfliteReader::read_operators() {
  for (std::size_t i = 0; i < main.operators()->size(); ++i) LOCKSTEP_CHECK(read_operator(i));
  return {};
}

}  // namespace lockstep
