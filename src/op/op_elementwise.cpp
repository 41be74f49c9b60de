#include "op/op_elementwise.h"

#include "op/op_foreign.h"

namespace lockstep {

Result<void> map_codes(EvalContext& c, const TablePolicy* policy, double alpha, double beta) {
  const Value& x = c.view.input(0);
  const Value& y = c.view.output(0);
  if (!policy || size_of(x.dtype) > 2 || !y.quant.quantized()) return not_computed(c.view, x.dtype);
  const CodeRange in = code_range(x.dtype), out = code_range(y.dtype);
  const TableScales scales{x.quant.scale_at(0),
                           y.quant.scale_at(0),
                           x.quant.zero_at(0),
                           y.quant.zero_at(0),
                           static_cast<std::int32_t>(in.low),
                           static_cast<std::int32_t>(out.low),
                           static_cast<std::int32_t>(out.high),
                           alpha,
                           beta};
  std::vector<std::int32_t> table(std::size_t{1} << (8 * size_of(x.dtype)));
  policy->fill(scales, table);
  for (std::int64_t i = 0; i < c.in[0]->count(); ++i)
    c.out[0].set_code(i, table[static_cast<std::size_t>(c.in[0]->code(i) - in.low)]);
  return {};
}

Result<void> no_code_below_zero(const EvalContext& c) {
  const std::int32_t zero = c.view.input(0).quant.zero_at(0);
  for (std::int64_t i = 0; i < c.in[0]->count(); ++i)
    if (c.in[0]->code(i) < zero)
      return Error{c.view.where(),
                   "code " + std::to_string(c.in[0]->code(i)) + " at element " + std::to_string(i),
                   "codes from the zero point " + std::to_string(zero) + " on",
                   "a negative number has no root"};
  return {};
}

Result<void> map_qlinear_unary(const ForeignNode& f, GraphBuilder& graph, std::string_view op,
                               std::initializer_list<std::string_view> known) {
  LOCKSTEP_CHECK(known_attributes(f, known));
  if (!has_input(f, 0) || !has_input(f, 1) || !has_input(f, 3) || f.outputs.empty())
    return Error{f.where, std::to_string(f.inputs.size()) + " inputs",
                 "x, its scale and zero point, y's scale and zero point", ""};
  LOCKSTEP_CHECK(set_quant(f, graph, f.inputs[0], 1, 2));
  LOCKSTEP_CHECK(set_quant(f, graph, f.outputs[0], 3, 4));
  return add_like(f, graph, op, {f.inputs[0]}, f.attrs);
}

}  // namespace lockstep
