#include "import/tflite_variables.h"

#include "base/text.h"
#include "import/tflite_options.h"

namespace lockstep {
namespace {

std::int32_t operand(const flatbuffers::Vector<std::int32_t>* list, flatbuffers::uoffset_t i) {
  return list && i < list->size() ? list->Get(i) : -1;
}

std::string key_of(const tfl::Operator& op) {
  const Attrs options = tflite_options(op);
  return options.text("container", "") + "/" + options.text("shared_name", "");
}

std::string name_of_code(const tfl::Model& model, const tfl::Operator& op) {
  const auto* codes = model.operator_codes();
  if (!codes || op.opcode_index() >= codes->size()) return "";
  const tfl::OperatorCode& code = *codes->Get(op.opcode_index());
  return tflite_operator_name(
      std::max(static_cast<int>(code.code()), static_cast<int>(code.old_code())));
}

}  // namespace

bool TfliteVariables::handles(std::string_view name) {
  return name == "CALL_ONCE" || name == "VAR_HANDLE" || name == "READ_VARIABLE" ||
         name == "ASSIGN_VARIABLE";
}

Result<TfliteVariables::Variable*> TfliteVariables::variable(std::int32_t handle,
                                                             const std::string& where) {
  const auto it = handles_.find(handle);
  if (it == handles_.end())
    return Error{where, "tensor " + std::to_string(handle) + " as a variable",
                 "the output of a VAR_HANDLE before it",
                 "variables that are inputs of the network are not read"};
  return &variables_[it->second];
}

// The subgraph that runs before the first inference: constants into variables, nothing else.
Result<void> TfliteVariables::once(const tfl::Model& model, const tfl::Operator& op,
                                   const std::string& where, const ConstantOf& constant_of) {
  const std::int64_t index = tflite_options(op).integer("init_subgraph_index", 0);
  if (index <= 0 || index >= static_cast<std::int64_t>(model.subgraphs()->size()))
    return Error{
        where, "subgraph " + std::to_string(index),
        "one of the " + std::to_string(model.subgraphs()->size()) + " in the file, not the first",
        "the file is damaged"};
  const tfl::SubGraph& sub = *model.subgraphs()->Get(static_cast<flatbuffers::uoffset_t>(index));
  std::map<std::int32_t, std::string> local;
  for (flatbuffers::uoffset_t i = 0; sub.operators() && i < sub.operators()->size(); ++i) {
    const tfl::Operator& inner = *sub.operators()->Get(i);
    const std::string name = name_of_code(model, inner);
    if (name == "VAR_HANDLE") {
      local[operand(inner.outputs(), 0)] = key_of(inner);
      continue;
    }
    const auto target = local.find(operand(inner.inputs(), 0));
    if (name != "ASSIGN_VARIABLE" || target == local.end())
      return Error{where, "operator " + name + " in the subgraph that runs once",
                   "constants assigned to variables",
                   "export the network with its first state as constants"};
    LOCKSTEP_TRY(auto contents, constant_of(sub, operand(inner.inputs(), 1)));
    if (!contents)
      return Error{where, "a starting value that is computed", "constants assigned to variables",
                   "export the network with its first state as constants"};
    variables_[target->second].initial = std::move(contents);
  }
  return {};
}

// `out` becomes what the variable holds at this operator.
Result<void> TfliteVariables::give(Variable& v, ValueId out, const std::string& where,
                                   GraphBuilder& graph) const {
  if (v.now == no_id) {
    if (!v.initial)
      return Error{where, "a variable that is read before anything is assigned",
                   "CALL_ONCE that assigns it", ""};
    Value& read = graph.value(out);
    if (std::ranges::any_of(read.shape, [](std::int64_t extent) { return extent < 0; }))
      read.shape = v.initial->shape();  // the converter left it open
    if (v.initial->dtype() != read.dtype || v.initial->count() != count_of(read.shape))
      return Error{where,
                   "a starting value of " + shape_text(v.initial->shape()) + " for " +
                       shape_text(read.shape),
                   "as many codes of the same type", "the file is damaged"};
    v.before = v.now = out;
    return {};
  }
  Node copy;
  copy.op = "Identity";
  copy.name = graph.unique_node_name("READ_VARIABLE_" + graph.value(out).name);
  copy.inputs = {v.now};
  copy.outputs = {out};
  graph.add_node(std::move(copy));
  return {};
}

Result<void> TfliteVariables::read(const tfl::Model& model, const tfl::Operator& op,
                                   std::string_view name, const std::string& where,
                                   const ConstantOf& constant_of, std::span<const ValueId> ids,
                                   GraphBuilder& graph) {
  if (name == "CALL_ONCE") return once(model, op, where, constant_of);
  if (name == "VAR_HANDLE") {
    handles_[operand(op.outputs(), 0)] = key_of(op);
    return {};
  }
  LOCKSTEP_TRY(Variable* const v, variable(operand(op.inputs(), 0), where));
  const bool reads = name == "READ_VARIABLE";
  const std::int32_t index = reads ? operand(op.outputs(), 0) : operand(op.inputs(), 1);
  if (index < 0 || static_cast<std::size_t>(index) >= ids.size() ||
      ids[static_cast<std::size_t>(index)] == no_id)
    return Error{where, "tensor " + std::to_string(index), "a tensor of numbers",
                 "the file is damaged"};
  const ValueId id = ids[static_cast<std::size_t>(index)];
  if (!reads) {
    v->now = id;
    return {};
  }
  if (graph.value(id).producer != no_id || graph.value(id).constant)
    return Error{where, "output '" + graph.value(id).name + "' that is made twice",
                 "one maker for each tensor", "the file is damaged"};
  return give(*v, id, where, graph);
}

Result<void> TfliteVariables::finish(const std::string& where, GraphBuilder& graph) const {
  for (const auto& [key, v] : variables_) {
    if (v.before == no_id) continue;
    Value& before = graph.value(v.before);
    auto first = std::make_shared<const Tensor>(v.initial->reshaped(before.shape));
    if (v.now == v.before) {
      before.constant = std::move(first);
      continue;
    }
    const Value& after = graph.value(v.now);
    if (after.dtype != before.dtype || after.shape != before.shape)
      return Error{where + ": variable '" + key + "'",
                   shape_text(after.shape) + " assigned to " + shape_text(before.shape),
                   "a variable that keeps its shape and type", ""};
    graph.add_state({v.before, v.now, std::move(first)});
  }
  return {};
}

}  // namespace lockstep
