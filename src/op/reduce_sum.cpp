// y = sum of x over the axes
#include "op/op_codes.h"
#include "op/op_reduce.h"

namespace lockstep {
namespace {

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return reduce_from_tflite(f, graph, "ReduceSum");
}

constexpr Foreign from[] = {{Format::onnx, "ReduceSum"}, {Format::tflite, "SUM", from_tflite}};

Result<void> eval_codes(EvalContext& c) {
  if (!c.num.sum || !is_code(c.view.output(0))) return no_policy(c.view, "ReduceSum");
  LOCKSTEP_TRY(const Reduction r, reduction_of(c.view));
  const Value &xv = c.view.input(0), &yv = c.view.output(0);
  const bool bytes = c.num.sums_bytes_unsigned && size_of(xv.dtype) == 1;
  const CodeRange range = bytes ? CodeRange{0, 255} : code_range(yv.dtype);
  const AverageScales s{xv.quant.scale_at(0),
                        yv.quant.scale_at(0),
                        xv.quant.zero_at(0),
                        yv.quant.zero_at(0),
                        static_cast<std::int32_t>(range.low),
                        static_cast<std::int32_t>(range.high)};
  const auto x = centred_codes(*c.in[0], 0);
  std::vector<std::int32_t> sums(static_cast<std::size_t>(c.out[0].count()), 0);
  each_reduced(r, c.in[0]->shape(),
               [&](std::size_t to, std::size_t at) { sums[to] += bytes ? x[at] & 0xff : x[at]; });
  for (std::size_t i = 0; i < sums.size(); ++i)
    store_code(c.out[0], static_cast<std::int64_t>(i),
               c.num.sum->apply(sums[i], static_cast<std::int32_t>(r.count), s));
  return {};
}

Result<void> eval(EvalContext& c) {
  if (is_code(c.view.input(0))) return eval_codes(c);
  return reduce_reals(
      c, RealReduction::sum, [](double x) { return x; }, [](double sum, double) { return sum; });
}

}  // namespace

extern constinit const OpDef op_reduce_sum = {
    .name = "ReduceSum",
    .meaning = "y = sum of x over the axes",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
