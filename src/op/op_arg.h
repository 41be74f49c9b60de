#pragma once

#include "op/op_move.h"

namespace lockstep {

// Shared by ArgMax and ArgMin: slots, attributes, shape rule, evaluation, mappings.
inline constexpr Slot arg_inputs[] = {{"x"}, {"axis", Slot::optional}};
inline constexpr Slot arg_outputs[] = {{"y"}};
inline constexpr AttrSpec arg_attrs[] = {
    {"axis", "0", "-rank .. rank-1, when it is no input"},
    {"keepdims", "1", "1: y keeps the axis with extent 1"},
    {"select_last_index", "0", "1: the last of equal elements, else the first"},
    {"to", "int64", "type of y"},
};
inline constexpr Rule arg_rules[] = {
    {"the axis is a constant", constants_if_there<1>},
    {"x is no float16", [](const NodeView& n) { return n.input(0).dtype != DType::f16; }},
};

Result<std::vector<Facts>> arg_infer(const NodeView& n);
// Index of the greatest (or least) element along the axis. NaN is never greater nor less.
Result<void> arg_eval(EvalContext& c, bool greatest);
Result<void> arg_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string_view op);

}  // namespace lockstep
