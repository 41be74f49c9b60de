#include "op/op_reduce.h"

#include "num/xnnpack_float.h"

namespace lockstep {

Result<void> reduce_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string_view op) {
  Attrs canonical;
  canonical.set("keepdims", f.attrs.integer("keep_dims", 0));
  canonical.set("noop_with_empty_axes", std::int64_t{1});
  return add_like(f, graph, op, f.inputs, std::move(canonical));
}

Result<Reduction> reduction_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto asked = integers_at(n, 1, "axes");
  const bool none = !asked || asked->empty();
  const bool all = none && n.attrs().integer("noop_with_empty_axes", 0) == 0;
  Reduction r;
  r.reduced.assign(x.size(), all);
  if (!none) {
    LOCKSTEP_TRY(const auto axes, normal_axes(n, *asked, x.size()));
    for (const std::size_t a : axes) r.reduced[a] = true;
  }
  const bool keep = n.attrs().integer("keepdims", 1) != 0;
  for (std::size_t d = 0; d < x.size(); ++d) {
    r.kept.push_back(r.reduced[d] ? 1 : x[d]);
    if (r.reduced[d]) r.count *= x[d];
    if (!r.reduced[d] || keep) r.y.push_back(r.kept[d]);
  }
  return r;
}

bool reduced_by_own_steps(EvalContext& c, const Reduction& r, RealReduction kind) {
  const RealFunctions* const own = c.num.real.functions;
  if (!own || !own->reduce || c.in[0]->dtype() != DType::f32) return false;
  const std::vector<std::uint8_t> reduced(r.reduced.begin(), r.reduced.end());
  own->reduce(kind, c.in[0]->as<float>(), c.in[0]->shape(), reduced, c.out[0].as<float>());
  return true;
}

bool reduced_by_xnnpack(EvalContext& c, const Reduction& r, RealReduction kind) {
  const bool mean = kind == RealReduction::mean;
  if (!sums_from_bias(c.num) || c.in[0]->dtype() != DType::f32 ||
      (!mean && kind != RealReduction::sum))
    return false;
  const std::vector<std::uint8_t> reduced(r.reduced.begin(), r.reduced.end());
  xnnpack_float_reduce(c.in[0]->as<float>(), c.in[0]->shape(), reduced,
                       mean ? 1.0f / static_cast<float>(r.count) : 1.0f, c.out[0].as<float>());
  return true;
}

Result<std::vector<Facts>> infer_reduce(const NodeView& n) {
  LOCKSTEP_TRY(const Reduction r, reduction_of(n));
  return std::vector<Facts>{{n.input(0).dtype, r.y, {}}};
}

Result<std::vector<Facts>> infer_reduce_codes(const NodeView& n) {
  LOCKSTEP_TRY(const Reduction r, reduction_of(n));
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, r.y, x.quant.per_channel() ? QuantParams{} : x.quant}};
}

}  // namespace lockstep
