// y = product of x over the axes; of codes in fixed point, factor by factor (N113)
#include "num/tflite_policies.h"
#include "num/tflite_product.h"
#include "num/xnnpack.h"
#include "op/op_codes.h"
#include "op/op_reduce.h"

namespace lockstep {
namespace {

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return reduce_from_tflite(f, graph, "ReduceProd");
}

constexpr Foreign from[] = {{Format::onnx, "ReduceProd"},
                            {Format::tflite, "REDUCE_PROD", from_tflite}};

// As TFLite's kernels take it, which LiteRT alone has.
Result<void> eval_codes(EvalContext& c, const Reduction& r) {
  const Value &x = c.view.input(0), &y = c.view.output(0);
  const bool litert =
      c.num.sum && (c.num.sum->apply == tflite_sum.apply || c.num.sum->apply == xnnpack_sum.apply);
  if (!litert || !is_code(x) || !is_code(y) || x.dtype == DType::u8 || x.quant.per_channel() ||
      y.quant.per_channel())
    return no_policy(c.view, "ReduceProd");
  const Rescale rescale =
      product_rescale(x.quant.scale_at(0), y.quant.scale_at(0), std::max<std::int64_t>(1, r.count));
  if (rescale.shift > 7)  // more than the runtime's shifts have
    return Error{c.view.where(), "scale " + std::to_string(x.quant.scale_at(0)),
                 "x_scale / y_scale^(1/n) below 128", ""};
  const auto codes = centred_codes(*c.in[0], x.quant.zero_at(0));
  const CodeRange range = code_range(y.dtype);
  std::vector<std::optional<std::int32_t>> products(static_cast<std::size_t>(c.out[0].count()));
  each_reduced(r, c.in[0]->shape(), [&](std::size_t to, std::size_t at) {
    products[to] = products[to] ? product_step(*products[to], codes[at], rescale) : codes[at];
  });
  for (std::size_t i = 0; i < products.size(); ++i) {
    const std::int64_t code =
        std::int64_t{product_step(products[i].value_or(1), 1, rescale)} + y.quant.zero_at(0);
    c.out[0].set_code(static_cast<std::int64_t>(i), std::clamp(code, range.low, range.high));
  }
  return {};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Reduction r, reduction_of(c.view));
  const Tensor& x = *c.in[0];
  if (c.view.input(0).quant.quantized()) return eval_codes(c, r);
  if (x.dtype() == DType::f16 || x.dtype() == DType::boolean)
    return Error{c.view.where(), "x of type " + std::string(name_of(x.dtype())),
                 "numbers, not codes", ""};
  if (reduced_by_own_steps(c, r, RealReduction::product)) return {};
  std::vector<double> products(static_cast<std::size_t>(c.out[0].count()), 1);
  each_reduced(r, x.shape(), [&](std::size_t to, std::size_t at) {
    products[to] *= x.number(static_cast<std::int64_t>(at));
  });
  for (std::size_t i = 0; i < products.size(); ++i)
    c.out[0].set_number(static_cast<std::int64_t>(i), products[i]);
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
