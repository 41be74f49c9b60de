// y = the number of axes of x
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::tflite, "RANK"}};

Result<std::vector<Facts>> infer(const NodeView&) {
  return std::vector<Facts>{{DType::i32, {}, {}}};
}

Result<void> eval(EvalContext& c) {
  c.out[0].set_code(0, static_cast<std::int64_t>(c.view.input(0).shape.size()));
  return {};
}

}  // namespace

extern constinit const OpDef op_rank = {
    .name = "Rank",
    .meaning = "y = the number of axes of x",
    .inputs = inputs,
    .outputs = outputs,
    .infer = infer,
    .eval = eval,
    .from = from,
    .of_shapes = true,
};

}  // namespace lockstep
