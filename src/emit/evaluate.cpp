#include "emit/evaluate.h"

#include <algorithm>

#include "emit/layout.h"

namespace lockstep {

Result<Tensor> every_code(const NodeWriter& w) {
  const NodeView& v = w.view();
  const CodeRange range = code_range(v.input(0).dtype);
  const std::int64_t count = range.high - range.low + 1;
  Tensor x(v.input(0).dtype, {count});
  // A negative number has no root: its code takes what zero takes.
  const bool root = v.node.op == "Sqrt" || v.node.op == "Rsqrt";
  const std::int64_t least = root ? v.input(0).quant.zero_at(0) : range.low;
  for (std::int64_t i = 0; i < count; ++i) x.set_code(i, std::max(range.low + i, least));
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < v.input_count(); ++i) in.push_back(i == 0 ? &x : v.constant(i));
  std::vector<Tensor> out;
  out.emplace_back(v.output(0).dtype, Shape{count});
  EvalContext context{v, w.num(), in, out};
  LOCKSTEP_CHECK(find_op(v.node.op)->eval(context));
  return std::move(out[0]);
}

Result<std::vector<std::int64_t>> index_map(const NodeWriter& w, std::size_t o) {
  return elements_as_they_lie(w.layout(), w.num(), w.id(), o);
}

}  // namespace lockstep
