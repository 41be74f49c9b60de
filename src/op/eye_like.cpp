// y[i,j] = 1 where j = i + k, else 0; of x's shape
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"k", "0", "the diagonal, counted upward from the main one"},
                              {"dtype", "that of x", "ONNX's number of y's element type"}};
constexpr Rule rules[] = {
    {"x has two axes", [](const NodeView& n) { return n.input(0).shape.size() == 2; }}};
constexpr Foreign from[] = {{Format::onnx, "EyeLike"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const auto dtype = n.attrs().has("dtype") ? dtype_of_onnx_number(n.attrs().integer("dtype", 1))
                                            : n.input(0).dtype;
  if (!dtype || *dtype == DType::f16)
    return Error{n.where(), "dtype " + std::to_string(n.attrs().integer("dtype", 0)),
                 "a type of 8 to 64 bits, float16 excepted", ""};
  return std::vector<Facts>{{*dtype, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  Tensor& y = c.out[0];
  const std::int64_t columns = y.shape()[1], k = c.view.attrs().integer("k", 0);
  for (std::int64_t i = 0; i < y.count(); ++i)
    y.set_number(i, i % columns - i / columns == k ? 1 : 0);
  return {};
}

}  // namespace

extern constinit const OpDef op_eye_like = {
    .name = "EyeLike",
    .meaning = "y[i,j] = 1 where j = i + k, else 0",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
    .of_shapes = true,
};

}  // namespace lockstep
