#include "op/op.h"

#include <unordered_map>

namespace lockstep {

const OpDef* find_op(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const OpDef*> map;
    for (const OpDef* op : op_table()) map.emplace(op->name, op);
    return map;
  }();
  const auto it = by_name.find(name);
  return it == by_name.end() ? nullptr : it->second;
}

ForeignMatch find_foreign(Format format, std::string_view name) {
  for (const OpDef* op : op_table())
    for (const Foreign& foreign : op->from)
      if (foreign.format == format && foreign.op == name) return {op, &foreign};
  return {};
}

namespace {

Result<void> check_slots(const NodeView& n, const OpDef& op) {
  for (std::size_t i = 0; i < op.inputs.size(); ++i)
    if (op.inputs[i].kind == Slot::required && !n.has_input(i))
      return Error{n.where(), "no input '" + std::string(op.inputs[i].name) + "'", "it is required",
                   ""};
  for (std::size_t i = 0; i < op.outputs.size(); ++i)
    if (op.outputs[i].kind == Slot::required &&
        (i >= n.node.outputs.size() || n.node.outputs[i] == no_id))
      return Error{n.where(), "no output '" + std::string(op.outputs[i].name) + "'",
                   "it is required", ""};
  const bool variadic = !op.inputs.empty() && op.inputs.back().kind == Slot::variadic;
  if (!variadic && n.input_count() > op.inputs.size())
    return Error{n.where(), std::to_string(n.input_count()) + " inputs",
                 "at most " + std::to_string(op.inputs.size()), ""};
  return {};
}

}  // namespace

Result<void> check_node(const NodeView& n) {
  const OpDef* op = find_op(n.node.op);
  if (!op) return Error{n.where(), "operator " + n.node.op, "an operator of docs/ops.md", ""};
  LOCKSTEP_CHECK(check_slots(n, *op));
  for (const Rule& rule : op->rules)
    if (!rule.holds(n)) return Error{n.where(), "a rule is broken", std::string(rule.text), ""};
  return {};
}

}  // namespace lockstep
