// y[...,i,j] = x where j - i >= k (upper) or <= k (lower), else 0
#include <algorithm>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"k", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"upper", "1", "1: the part above the diagonal k stays, 0: the part below"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {"x has two axes at least", [](const NodeView& n) { return n.input(0).shape.size() >= 2; }},
    {"x holds numbers, not codes", [](const NodeView& n) { return !n.input(0).quant.quantized(); }},
};
constexpr Foreign from[] = {{Format::onnx, "Trilu"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{n.input(0).dtype, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  const std::int64_t k = c.in.size() > 1 && c.in[1] ? c.in[1]->code(0) : 0;
  const bool upper = c.view.attrs().integer("upper", 1) != 0;
  const std::int64_t columns = x.shape().back(), rows = x.shape()[x.shape().size() - 2];
  const std::size_t size = size_of(x.dtype());
  std::ranges::copy(x.bytes(), c.out[0].bytes().begin());
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const std::int64_t distance = i % columns - i / columns % rows;
    if (upper ? distance >= k : distance <= k) continue;
    const auto bytes = c.out[0].bytes().subspan(static_cast<std::size_t>(i) * size, size);
    std::ranges::fill(bytes, std::byte{0});
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_trilu = {
    .name = "Trilu",
    .meaning = "y[...,i,j] = x where j - i >= k (upper) or <= k (lower), else 0",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
