// y = x, then y[i0, .., indices[i0, .., ia, ..], ..] = updates[i0, .., ia, ..] with the index on
// `axis`, or that sum, product, greatest or least.
#include <algorithm>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"indices"}, {"updates"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axis", "0", "-rank .. rank-1"},
                              {"reduction", "none", "none, add, mul, max or min"}};
constexpr Foreign from[] = {{Format::onnx, "ScatterElements"}, {Format::onnx, "Scatter"}};
constexpr Rule rules[] = {
    {"indices are int32 or int64",
     [](const NodeView& n) {
       return n.input(1).dtype == DType::i32 || n.input(1).dtype == DType::i64;
     }},
    {"updates have the type of x and the shape of indices, which have as many axes as x",
     [](const NodeView& n) {
       return n.input(2).dtype == n.input(0).dtype && n.input(2).shape == n.input(1).shape &&
              n.input(0).shape.size() == n.input(1).shape.size();
     }},
    {"codes are replaced, not added",
     [](const NodeView& n) {
       return !n.input(0).quant.quantized() || n.attrs().text("reduction", "none") == "none";
     }},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  const std::string how = n.attrs().text("reduction", "none");
  if (how != "none" && how != "add" && how != "mul" && how != "max" && how != "min")
    return Error{n.where(), "reduction " + how, "none, add, mul, max or min", ""};
  LOCKSTEP_TRY([[maybe_unused]] const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", 0), x.shape.size()));
  return std::vector<Facts>{{x.dtype, x.shape, x.quant.per_channel() ? QuantParams{} : x.quant}};
}

template <class T>
T joined(std::string_view how, T old, T next) {
  if (how == "add") return static_cast<T>(old + next);
  if (how == "mul") return static_cast<T>(old * next);
  if (how == "max") return std::max(old, next);
  if (how == "min") return std::min(old, next);
  return next;
}

Result<void> eval(EvalContext& c) {
  const Tensor &x = *c.in[0], &indices = *c.in[1];
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", 0), x.shape().size()));
  if (x.dtype() == DType::f16)
    return Error{c.view.where(), "x of type float16", "another element type", ""};
  const Shape strides = strides_of(x.shape()), steps = strides_of(indices.shape());
  const std::int64_t extent = x.shape()[axis];
  const std::string how = c.view.attrs().text("reduction", "none");
  std::copy(x.bytes().begin(), x.bytes().end(), c.out[0].bytes().begin());
  std::vector<std::size_t> places;
  for (std::int64_t i = 0; i < indices.count(); ++i) {
    std::int64_t index = indices.code(i), at = 0;
    if (index < -extent || index >= extent)
      return Error{c.view.where(), "index " + std::to_string(index),
                   std::to_string(-extent) + " .. " + std::to_string(extent - 1), ""};
    if (index < 0) index += extent;
    for (std::size_t d = 0; d < steps.size(); ++d) {
      const std::int64_t own = i / steps[d] % indices.shape()[d];
      if (d != axis && own >= x.shape()[d])
        return Error{c.view.where(), "indices of shape " + shape_text(indices.shape()),
                     "at most " + shape_text(x.shape()), ""};
      at += strides[d] * (d == axis ? index : own);
    }
    places.push_back(static_cast<std::size_t>(at));
  }
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto updates = c.in[2]->as<T>();
    const auto y = c.out[0].as<T>();
    for (std::size_t i = 0; i < places.size(); ++i)
      y[places[i]] = joined<T>(how, y[places[i]], updates[i]);
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_scatter_elements = {
    .name = "ScatterElements",
    .meaning = "y = x but for y[i0, .., indices[i0, .., ia, ..], ..] = updates[i0, .., ia, ..]",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
