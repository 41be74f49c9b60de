// y = product of x over the axes
#include "op/op_reduce.h"

namespace lockstep {
namespace {

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) { return reduce_from_tflite(f, graph, "ReduceProd"); }

constexpr Foreign from[] = {{Format::onnx, "ReduceProd"}, {Format::tflite, "REDUCE_PROD", from_tflite}};

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Reduction r, reduction_of(c.view));
  const Tensor& x = *c.in[0];
  if (c.view.input(0).quant.quantized() || x.dtype() == DType::f16 || x.dtype() == DType::boolean)
    return Error{c.view.where(), "x of type " + std::string(name_of(x.dtype())), "numbers, not codes", ""};
  if (reduced_by_own_steps(c, r, RealReduction::product)) return {};
  std::vector<double> products(static_cast<std::size_t>(c.out[0].count()), 1);
  each_reduced(r, x.shape(), [&](std::size_t to, std::size_t at) { products[to] *= x.number(static_cast<std::int64_t>(at)); });
  for (std::size_t i = 0; i < products.size(); ++i) c.out[0].set_number(static_cast<std::int64_t>(i), products[i]);
  return {};
}

}  // namespace

extern constinit const OpDef op_reduce_prod = {
    .name = "ReduceProd",
    .meaning = "y = product of x over the axes",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
