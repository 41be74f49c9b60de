// y = a or b
#include "op/op_logic.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Or"}, {Format::tflite, "LOGICAL_OR"}};

Result<void> eval(EvalContext& c) {
  const auto a = c.in[0]->as<std::uint8_t>(), b = c.in[1]->as<std::uint8_t>();
  const auto y = c.out[0].as<std::uint8_t>();
  each_pair(c.out[0].shape(), c.in[0]->shape(), c.in[1]->shape(),
            [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
              y[static_cast<std::size_t>(i)] =
                  (a[static_cast<std::size_t>(ia)] | b[static_cast<std::size_t>(ib)]) != 0;
            });
  return {};
}

}  // namespace

extern constinit const OpDef op_logical_or = {
    .name = "Or",
    .meaning = "y = a or b",
    .inputs = logic_inputs,
    .outputs = logic_outputs,
    .rules = truth_rules,
    .infer = infer_truth,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
