// y[i0, .., ia, ..] = x[i0, .., indices[i0, .., ia, ..], ..] with the index on `axis`
#include <cstring>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"indices"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axis", "0", "-rank .. rank-1"}};
constexpr Foreign from[] = {{Format::onnx, "GatherElements"}};
constexpr Rule rules[] = {
    {"indices are int32 or int64",
     [](const NodeView& n) {
       return n.input(1).dtype == DType::i32 || n.input(1).dtype == DType::i64;
     }},
    {"indices have as many axes as x",
     [](const NodeView& n) { return n.input(0).shape.size() == n.input(1).shape.size(); }},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value &x = n.input(0), &indices = n.input(1);
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", 0), x.shape.size()));
  for (std::size_t d = 0; d < x.shape.size(); ++d)
    if (d != axis && indices.shape[d] > x.shape[d])
      return Error{n.where(), "indices of shape " + shape_text(indices.shape),
                   "at most " + shape_text(x.shape) + " but for axis " + std::to_string(axis), ""};
  return std::vector<Facts>{
      {x.dtype, indices.shape, x.quant.per_channel() ? QuantParams{} : x.quant}};
}

Result<void> eval(EvalContext& c) {
  const Tensor &x = *c.in[0], &indices = *c.in[1];
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", 0), x.shape().size()));
  const Shape strides = strides_of(x.shape()), steps = strides_of(indices.shape());
  const std::int64_t extent = x.shape()[axis];
  const std::size_t size = size_of(x.dtype());
  for (std::int64_t i = 0; i < indices.count(); ++i) {
    std::int64_t index = indices.code(i), at = 0;
    if (index < -extent || index >= extent)
      return Error{c.view.where(), "index " + std::to_string(index),
                   std::to_string(-extent) + " .. " + std::to_string(extent - 1), ""};
    if (index < 0) index += extent;
    for (std::size_t d = 0; d < steps.size(); ++d)
      at += strides[d] * (d == axis ? index : i / steps[d] % indices.shape()[d]);
    std::memcpy(c.out[0].bytes().data() + static_cast<std::size_t>(i) * size,
                x.bytes().data() + static_cast<std::size_t>(at) * size, size);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_gather_elements = {
    .name = "GatherElements",
    .meaning =
        "y[i0, .., ia, ..] = x[i0, .., indices[i0, .., ia, ..], ..] with the index on `axis`",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
