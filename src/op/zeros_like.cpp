// y[i] = 0, as many as x has
#include <algorithm>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::tflite, "ZEROS_LIKE"}};
constexpr Rule rules[] = {
    {"x is not of codes", [](const NodeView& n) { return !n.input(0).quant.quantized(); }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{n.input(0).dtype, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  std::ranges::fill(c.out[0].bytes(), std::byte{0});
  return {};
}

}  // namespace

extern constinit const OpDef op_zeros_like = {
    .name = "ZerosLike",
    .meaning = "y[i] = 0, as many as x has",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
    .of_shapes = true,
};

}  // namespace lockstep
