// y[t, b] = x[length[b] - 1 - t, b] where t < length[b], else x[t, b], t and b along two axes
#include <cstring>

#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"lengths"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"time_axis", "0", "the axis that is reversed"},
                              {"batch_axis", "1", "the axis that has the lengths"}};
constexpr Rule rules[] = {
    {codes_rule, first_keeps_codes},
    {"time and batch are two axes of x, and there is one integer length for each batch",
     [](const NodeView& n) {
       const auto rank = std::ssize(n.input(0).shape);
       const std::int64_t t = n.attrs().integer("time_axis", 0),
                          b = n.attrs().integer("batch_axis", 1);
       return t != b && t >= 0 && b >= 0 && t < rank && b < rank && is_integer(n.input(1).dtype) &&
              n.input(1).shape == Shape{n.input(0).shape[static_cast<std::size_t>(b)]};
     }},
};

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs a;
  a.set("time_axis", f.attrs.integer("seq_dim", 0));
  a.set("batch_axis", f.attrs.integer("batch_dim", 0));
  return add_like(f, graph, "ReverseSequence", f.inputs, std::move(a));
}
constexpr Foreign from[] = {{Format::onnx, "ReverseSequence"},
                            {Format::tflite, "REVERSE_SEQUENCE", from_tflite}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, x.shape, x.quant}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  const auto time = static_cast<std::size_t>(c.view.attrs().integer("time_axis", 0));
  const auto batch = static_cast<std::size_t>(c.view.attrs().integer("batch_axis", 1));
  const Shape strides = strides_of(x.shape());
  const std::size_t size = size_of(x.dtype());
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const std::int64_t t = i / strides[time] % x.shape()[time],
                       length = c.in[1]->code(i / strides[batch] % x.shape()[batch]);
    if (length < 0 || length > x.shape()[time])
      return Error{c.view.where(), "length " + std::to_string(length),
                   "0 .. " + std::to_string(x.shape()[time]), ""};
    const std::int64_t at = t < length ? i + (length - 1 - 2 * t) * strides[time] : i;
    std::memcpy(c.out[0].bytes().data() + static_cast<std::size_t>(i) * size,
                x.bytes().data() + static_cast<std::size_t>(at) * size, size);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_reverse_sequence = {
    .name = "ReverseSequence",
    .meaning = "y[t, b] = x[length[b] - 1 - t, b] where t < length[b], else x[t, b]",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
