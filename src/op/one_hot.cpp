// y[.., d, ..] = on where indices[.., ..] = d, off elsewhere: a new axis of extent depth
#include <cstring>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"indices"}, {"depth"}, {"values"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "-1", "the new axis, counted in y"},
    {"from_end", "1", "1: a negative index counts from depth; 0: it is nowhere"},
};
constexpr Rule rules[] = {
    {"the depth is one constant",
     [](const NodeView& n) { return n.constant(1) && n.constant(1)->count() == 1; }},
    {"values are two elements, off and on",
     [](const NodeView& n) { return n.input(2).shape == Shape{2}; }},
    {"indices are no float16", [](const NodeView& n) { return n.input(0).dtype != DType::f16; }},
};

Result<std::size_t> new_axis(const NodeView& n) {
  return normal_axis(n, n.attrs().integer("axis", -1), n.input(0).shape.size() + 1);
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const std::size_t axis, new_axis(n));
  Shape y = n.input(0).shape;
  y.insert(y.begin() + static_cast<std::ptrdiff_t>(axis), n.constant(1)->code(0));
  return std::vector<Facts>{{n.input(2).dtype, std::move(y), n.input(2).quant}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const std::size_t axis, new_axis(c.view));
  Tensor& y = c.out[0];
  const std::int64_t depth = y.shape()[axis], inner = strides_of(y.shape())[axis];
  const bool from_end = c.view.attrs().integer("from_end", 1) != 0;
  const std::size_t size = size_of(y.dtype());
  fill(y, c.in[2]->bytes().data());
  for (std::int64_t i = 0; i < c.in[0]->count() && depth > 0; ++i) {
    std::int64_t index = c.in[0]->code(i);
    if (index < 0 && from_end) index += depth;
    if (index < 0 || index >= depth) continue;
    const std::int64_t at = (i / inner * depth + index) * inner + i % inner;
    std::memcpy(y.bytes().data() + static_cast<std::size_t>(at) * size,
                c.in[2]->bytes().data() + size, size);
  }
  return {};
}

// on and off are two inputs there; together, as off and on, they are the values.
Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_TRY(const Tensor* on, constant_of(f, graph, 2, "on_value"));
  LOCKSTEP_TRY(const Tensor* off, constant_of(f, graph, 3, "off_value"));
  if (on->dtype() != off->dtype()) return Error{f.where, "on and off of two types", "one type", ""};
  const std::size_t size = size_of(on->dtype());
  Tensor both(on->dtype(), {2});
  std::memcpy(both.bytes().data(), off->bytes().data(), size);
  std::memcpy(both.bytes().data() + size, on->bytes().data(), size);
  Value values;
  values.name = graph.unique_name(f.name + "/values");
  values.dtype = on->dtype();
  values.shape = {2};
  values.constant = std::make_shared<const Tensor>(std::move(both));
  Attrs canonical;
  canonical.set("axis", f.attrs.integer("axis", 0));
  canonical.set("from_end", std::int64_t{0});
  return add_like(f, graph, "OneHot",
                  {f.inputs[0], f.inputs[1], graph.add_value(std::move(values))},
                  std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "OneHot"}, {Format::tflite, "ONE_HOT", from_tflite}};

}  // namespace

extern constinit const OpDef op_one_hot = {
    .name = "OneHot",
    .meaning =
        "y[.., d, ..] = on where indices[.., ..] = d, off elsewhere: a new axis of extent depth",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
