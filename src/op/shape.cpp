// y = the extents of x from axis `start` to before axis `end`
#include <algorithm>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"start", "0", "first axis, negative from the end"},
    {"end", "rank", "axis after the last, negative from the end"},
    {"to", "int64", "type of y"},
};

Shape extents(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto rank = static_cast<std::int64_t>(x.size());
  const auto cut = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const std::int64_t start = cut(n.attrs().integer("start", 0)),
                     end = cut(n.attrs().integer("end", rank));
  if (end <= start) return {};
  return Shape(x.begin() + start, x.begin() + end);
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  const DType to = dtype_named(n.attrs().text("to", "int64")).value_or(DType::i64);
  return std::vector<Facts>{{to, {static_cast<std::int64_t>(extents(n).size())}, {}}};
}

Result<void> eval(EvalContext& c) {
  const Shape shape = extents(c.view);
  for (std::size_t i = 0; i < shape.size(); ++i)
    c.out[0].set_code(static_cast<std::int64_t>(i), shape[i]);
  return {};
}

Result<void> from_tflite(const ForeignNode& foreign, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set(
      "to", std::string(foreign.attrs.text("out_type", "FLOAT32") == "INT64" ? "int64" : "int32"));
  return add_like(foreign, graph, "Shape", foreign.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "Shape"}, {Format::tflite, "SHAPE", from_tflite}};

}  // namespace

extern constinit const OpDef op_shape = {
    .name = "Shape",
    .meaning = "y = the extents of x from axis `start` to before axis `end`",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .from = from,
    .of_shapes = true,
};

}  // namespace lockstep
