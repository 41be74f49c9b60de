#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "op/op_move.h"

namespace lockstep {

// What mappings from a file's operator to a node share.

// Refuses an attribute that none of `known` names: it would change the numbers.
Result<void> known_attributes(const ForeignNode& f, std::initializer_list<std::string_view> known);

bool has_input(const ForeignNode& f, std::size_t index);
const Value& input_of(const ForeignNode& f, const GraphBuilder& graph, std::size_t index);
// The contents of input `index`, null when absent. Error: computed from data.
Result<const Tensor*> constant_input(const ForeignNode& f, const GraphBuilder& graph,
                                     std::size_t index, std::string_view name);
// A list that older opsets hold as attribute `name` and newer ones as constant input `index`.
Result<std::optional<std::vector<std::int64_t>>> integer_list(const ForeignNode& f,
                                                              const GraphBuilder& graph,
                                                              std::string_view name,
                                                              std::size_t index);
std::vector<double> numbers_of(const Tensor& t);

// One more tensor that a mapping needs: a constant, or (without contents) one that a node will
// make.
ValueId add_constant(const ForeignNode& f, GraphBuilder& graph, std::string_view suffix,
                     Tensor tensor);
ValueId add_inner(const ForeignNode& f, GraphBuilder& graph, std::string_view suffix);

// Gives `value` the scale and zero point that the constant inputs `scale` and `zero` hold (zero may
// be absent), per channel along `axis` when there are several. Error: computed from data, or not as
// many zero points as scales.
Result<void> set_quant(const ForeignNode& f, GraphBuilder& graph, ValueId value, std::size_t scale,
                       std::size_t zero, int axis = -1);

}  // namespace lockstep
