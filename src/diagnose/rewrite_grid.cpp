#include "diagnose/rewrite_grid.h"

#include "measure/reals.h"

namespace lockstep {

std::optional<Grid> grid_of(const Graph& g, ValueId id) {
  const QuantParams q = step_of(g, id);
  if (q.scale.size() != 1) return {};
  const DType t = is_integer(g.value(id).dtype) ? g.value(id).dtype : DType::i8;
  const bool bytes = code_range(t).low <= q.zero_at(0) && q.zero_at(0) <= code_range(t).high;
  const CodeRange range = bytes ? code_range(t) : code_range(DType::u8);
  return Grid{q.scale[0], q.zero_at(0), range.low, range.high};
}

ValueId codes_behind(const Graph& g, ValueId id) {
  if (is_float(g.value(id).dtype))
    for (const NodeId n : g.consumers(id))
      if (g.node(n).op == "QuantizeLinear") return g.node(n).outputs[0];
  return id;
}

std::optional<Grid> grid_behind(const Graph& g, ValueId id) {
  return grid_of(g, codes_behind(g, id));
}

Tensor on_grid(const Tensor& x, const QuantParams& own, const Grid& grid,
               const QuantizePolicy& num) {
  Tensor y = x;
  const auto step = static_cast<float>(grid.step);
  const std::vector<double> reals = reals_of(x, own);
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const std::int32_t code =
        num.quantize(static_cast<float>(reals[static_cast<std::size_t>(i)]), step, grid.zero,
                     static_cast<std::int32_t>(grid.low), static_cast<std::int32_t>(grid.high));
    const float real = num.dequantize(code, step, grid.zero);
    if (is_float(x.dtype())) {
      y.set_number(i, real);
    } else {
      const CodeRange range = code_range(x.dtype());
      y.set_code(i, num.quantize(real, static_cast<float>(own.scale[0]), own.zero_at(0),
                                 static_cast<std::int32_t>(range.low),
                                 static_cast<std::int32_t>(range.high)));
    }
  }
  return y;
}

}  // namespace lockstep
