// y_k[..] = x[.., k, ..]: as many outputs as the axis has elements, without that axis
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y", Slot::variadic}};
constexpr AttrSpec attrs[] = {{"axis", "0", "-rank .. rank-1"}};
constexpr Rule rules[] = {{codes_rule, first_keeps_codes}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", 0), x.shape.size()));
  if (static_cast<std::size_t>(x.shape[axis]) != n.node.outputs.size())
    return Error{n.where(), std::to_string(n.node.outputs.size()) + " outputs",
                 std::to_string(x.shape[axis]) + ", the extent of the axis", ""};
  Shape y = x.shape;
  y.erase(y.begin() + static_cast<std::ptrdiff_t>(axis));
  const int channels = x.quant.axis - (x.quant.axis > static_cast<int>(axis) ? 1 : 0);
  const QuantParams quant =
      quant_on_axis(x.quant, x.quant.axis == static_cast<int>(axis) ? -1 : channels);
  return std::vector<Facts>(n.node.outputs.size(), Facts{x.dtype, y, quant});
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", 0), x.shape().size()));
  for (std::size_t k = 0; k < c.out.size(); ++k) {
    Sources sources = all_of(x.shape());
    sources[axis] = {static_cast<std::int64_t>(k)};
    if (c.view.node.outputs[k] != no_id) copy_from_sources(x, sources, c.out[k]);
  }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("axis", f.attrs.integer("axis", 0));
  return add_like(f, graph, "Unpack", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::tflite, "UNPACK", from_tflite}};

}  // namespace

extern constinit const OpDef op_unpack = {
    .name = "Unpack",
    .meaning =
        "y_k[..] = x[.., k, ..]: as many outputs as the axis has elements, without that axis",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
