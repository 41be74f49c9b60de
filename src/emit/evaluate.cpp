#include "emit/evaluate.h"

#include <algorithm>

namespace lockstep {

Result<Tensor> every_code(const NodeWriter& w) {
  const NodeView& v = w.view();
  const CodeRange range = code_range(v.input(0).dtype);
  const std::int64_t count = range.high - range.low + 1;
  Tensor x(v.input(0).dtype, {count});
  for (std::int64_t i = 0; i < count; ++i) x.set_code(i, range.low + i);
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < v.input_count(); ++i) in.push_back(i == 0 ? &x : v.constant(i));
  std::vector<Tensor> out;
  out.emplace_back(v.output(0).dtype, Shape{count});
  EvalContext context{v, w.num(), in, out};
  LOCKSTEP_CHECK(find_op(v.node.op)->eval(context));
  return std::move(out[0]);
}

Result<std::vector<std::int64_t>> index_map(const NodeWriter& w, std::size_t o) {
  const NodeView& v = w.view();
  // Beyond every code: what is smaller was filled in.
  constexpr std::int64_t first = 1 << 16;
  Tensor x(DType::i32, v.input(0).shape);
  for (std::int64_t i = 0; i < x.count(); ++i)
    x.as<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(first + i);
  const Tensor nowhere = Tensor::scalar<std::int32_t>(-1);
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < v.input_count(); ++i) in.push_back(i == 0 ? &x : v.constant(i));
  if (v.node.op == "Pad") {
    in.resize(std::max<std::size_t>(in.size(), 3), nullptr);
    in[2] = &nowhere;
  }
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < v.node.outputs.size(); ++i)
    out.emplace_back(DType::i32, v.output(i).shape);
  EvalContext context{v, w.num(), in, out};
  LOCKSTEP_CHECK(find_op(v.node.op)->eval(context));
  std::vector<std::int64_t> map;
  for (std::int64_t i = 0; i < out[o].count(); ++i)
    map.push_back(std::max<std::int64_t>(out[o].code(i) - first, -1));
  return map;
}

}  // namespace lockstep
