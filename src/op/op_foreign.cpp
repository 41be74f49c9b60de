#include "op/op_foreign.h"

#include <algorithm>

namespace lockstep {

Result<void> known_attributes(const ForeignNode& f, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : f.attrs.values)
    if (std::ranges::find(known, name) == known.end())
      return Error{f.where, "attribute '" + name + "'",
                   "an attribute that " + f.op + " is known to have",
                   "a newer definition of the operator would change the numbers"};
  return {};
}

bool has_input(const ForeignNode& f, std::size_t index) {
  return index < f.inputs.size() && f.inputs[index] != no_id;
}

const Value& input_of(const ForeignNode& f, const GraphBuilder& graph, std::size_t index) {
  static const Value none;  // a tensor that the file leaves out has no shape and no contents
  return has_input(f, index) ? graph.so_far().value(f.inputs[index]) : none;
}

Result<const Tensor*> constant_input(const ForeignNode& f, const GraphBuilder& graph,
                                     std::size_t index, std::string_view name) {
  if (!has_input(f, index)) return nullptr;
  const Value& v = input_of(f, graph, index);
  if (!v.constant)
    return Error{f.where,
                 "input '" + v.name + "' (" + std::string(name) + ") is computed from data",
                 "a constant: shapes are static here", "export the model with fixed shapes"};
  return v.constant.get();
}

std::vector<double> numbers_of(const Tensor& t) {
  std::vector<double> list(static_cast<std::size_t>(t.count()));
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = t.number(static_cast<std::int64_t>(i));
  return list;
}

Result<std::optional<std::vector<std::int64_t>>> integer_list(const ForeignNode& f,
                                                              const GraphBuilder& graph,
                                                              std::string_view name,
                                                              std::size_t index) {
  using List = std::optional<std::vector<std::int64_t>>;
  if (f.attrs.has(name)) return List(f.attrs.integers(name));
  LOCKSTEP_TRY(const Tensor* const t, constant_input(f, graph, index, name));
  if (!t) return List();
  if (!is_integer(t->dtype()) || t->shape().size() > 1)
    return Error{f.where, std::string(name) + " as " + std::string(name_of(t->dtype())),
                 "a list of integers", ""};
  return List(integers_of(*t));
}

ValueId add_constant(const ForeignNode& f, GraphBuilder& graph, std::string_view suffix,
                     Tensor tensor) {
  Value v;
  v.name = graph.unique_name(f.name + "/" + std::string(suffix));
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.origin.node = f.name;
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return graph.add_value(std::move(v));
}

ValueId add_inner(const ForeignNode& f, GraphBuilder& graph, std::string_view suffix) {
  Value v;
  v.name = graph.unique_name(f.name + "/" + std::string(suffix));
  v.shape = {0};
  v.origin.node = f.name;
  return graph.add_value(std::move(v));
}

Result<void> set_quant(const ForeignNode& f, GraphBuilder& graph, ValueId value, std::size_t scale,
                       std::size_t zero, int axis) {
  LOCKSTEP_TRY(const Tensor* const steps, constant_input(f, graph, scale, "scale"));
  LOCKSTEP_TRY(const Tensor* const zeros, constant_input(f, graph, zero, "zero point"));
  if (!steps || steps->dtype() != DType::f32 || steps->count() < 1)
    return Error{f.where, "no float32 scale", "a constant scale", ""};
  if (zeros && zeros->count() != 1 && zeros->count() != steps->count())
    return Error{f.where, std::to_string(zeros->count()) + " zero points",
                 std::to_string(steps->count()) + ", one per scale", ""};
  QuantParams quant;
  quant.scale = numbers_of(*steps);
  for (std::size_t i = 0; i < quant.scale.size(); ++i)
    quant.zero.push_back(!zeros ? 0
                                : static_cast<std::int32_t>(zeros->code(
                                      zeros->count() == 1 ? 0 : static_cast<std::int64_t>(i))));
  if (quant.per_channel()) quant.axis = axis;
  graph.value(value).quant = std::move(quant);
  return {};
}

}  // namespace lockstep
