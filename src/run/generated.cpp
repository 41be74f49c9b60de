#include "run/generated.h"

#include <algorithm>

#include "base/random.h"

namespace lockstep {
namespace {

struct Range {
  double low = -1, high = 1;
};

// The reals that the codes of the first quantizer of `id` stand for.
Range range_of(const Graph& g, ValueId id) {
  for (const NodeId n : g.consumers(id)) {
    const Node& node = g.node(n);
    if (node.op != "QuantizeLinear" || node.inputs[0] != id) continue;
    const Value& y = g.value(node.outputs[0]);
    if (!y.quant.quantized() || !is_integer(y.dtype)) continue;
    const CodeRange codes = code_range(y.dtype);
    const double scale = y.quant.scale_at(0), zero = y.quant.zero_at(0);
    return {scale * (static_cast<double>(codes.low) - zero),
            scale * (static_cast<double>(codes.high) - zero)};
  }
  return {};
}

void fill(Tensor& t, const Value& v, Range range, Random& random) {
  const bool codes = is_integer(v.dtype) && size_of(v.dtype) == 1;
  const CodeRange whole = codes ? code_range(v.dtype) : CodeRange{0, 1};
  for (std::int64_t i = 0; i < t.count(); ++i)
    if (is_float(v.dtype))
      t.set_number(i, range.low + random.unit() * (range.high - range.low));
    else
      t.set_code(i, random.between(whole.low, whole.high));
}

}  // namespace

std::vector<Sample> generated_inputs(const Graph& graph, int samples, std::uint64_t seed) {
  std::vector<Sample> made(static_cast<std::size_t>(samples));
  Random random(seed);
  for (Sample& sample : made)
    for (const ValueId id : graph.inputs()) {
      const Value& v = graph.value(id);
      Tensor t(v.dtype, v.shape);
      fill(t, v, range_of(graph, id), random);
      sample.emplace(v.name, std::move(t));
    }
  return made;
}

}  // namespace lockstep
