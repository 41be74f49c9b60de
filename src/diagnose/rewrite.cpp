// What a rewrite of the model would cost, predicted by running it: one scale for both operands of
// the operations that the cause reaches only because their scales differ.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "diagnose/judge.h"
#include "diagnose/scope.h"

namespace lockstep {
namespace {

// The operand rounded to the grid of another step, held in its own type.
Tensor on_grid(const Tensor& x, const Value& v, const QuantParams& own, double step,
               const QuantizePolicy& num) {
  Tensor y = x;
  const CodeRange codes = code_range(is_integer(v.dtype) ? v.dtype : DType::i8);
  const auto low = static_cast<std::int32_t>(codes.low),
             high = static_cast<std::int32_t>(codes.high);
  const auto s = static_cast<float>(step);
  const std::int32_t zero = own.zero_at(0);
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const float real = is_integer(v.dtype) ? num.dequantize(static_cast<std::int32_t>(x.code(i)),
                                                            static_cast<float>(own.scale[0]), zero)
                                           : static_cast<float>(x.number(i));
    const float coarse = num.dequantize(num.quantize(real, s, zero, low, high), s, zero);
    if (is_integer(v.dtype))
      y.set_code(i, num.quantize(coarse, static_cast<float>(own.scale[0]), zero, low, high));
    else
      y.set_number(i, coarse);
  }
  return y;
}

struct Operands {
  QuantParams a, b;
  double step() const { return std::max(a.scale[0], b.scale[0]); }
  double coarser() const { return step() / std::min(a.scale[0], b.scale[0]); }
};

// The scales of a node's two operands, when both are quantized per tensor.
bool operands_of(const Graph& g, const Node& node, Operands& pair) {
  if (node.inputs.size() < 2 || node.inputs[0] == no_id || node.inputs[1] == no_id) return false;
  pair = {step_of(g, node.inputs[0]), step_of(g, node.inputs[1])};
  return pair.a.scale.size() == 1 && pair.b.scale.size() == 1;
}

}  // namespace

Result<std::vector<Rewrite>> predict_rewrites(const Case& c, const Verdict& v) {
  std::vector<Rewrite> rewrites;
  const Graph& g = c.reference.graph();
  const QuantizePolicy* num = c.reference.arithmetic().numerics->quantize;
  RunOptions options;
  options.state = c.recorded.state;
  double worst = 1;
  for (const FaultSpec& spec : believed(v)) {
    const NodeId n = spec.fault->stage == Stage::node ? g.find_node(spec.node) : no_id;
    Operands pair;
    if (n == no_id || spec.fault->scope != Scope::unequal_scales ||
        !operands_of(g, g.node(n), pair))
      continue;
    worst = std::max(worst, pair.coarser());
    options.node_hooks.push_back(
        {n,
         [&g, &c, n, pair, num](std::span<const Tensor* const> in, std::span<Tensor> out,
                                auto) -> Result<void> {
           const Node& node = g.node(n);
           const Tensor a = on_grid(*in[0], g.value(node.inputs[0]), pair.a, pair.step(), *num);
           const Tensor b = on_grid(*in[1], g.value(node.inputs[1]), pair.b, pair.step(), *num);
           std::vector<const Tensor*> again(
               in.begin(), in.begin() + static_cast<std::ptrdiff_t>(node.inputs.size()));
           again[0] = &a;
           again[1] = &b;
           LOCKSTEP_TRY(std::vector<Tensor> made, c.reference.run_node(n, again));
           for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::move(made[i]);
           return {};
         }});
  }
  if (options.node_hooks.empty() || !num || worst <= 1 || c.recorded.sent.empty() ||
      c.recorded.sent[0].empty())
    return rewrites;
  std::vector<std::string> outputs;
  for (const ValueId id : g.outputs()) outputs.push_back(g.value(id).name);
  LOCKSTEP_TRY(const Capture made, c.reference.run(c.recorded.sent, outputs, options));
  double cosine = 1;
  for (const ValueId id : g.outputs()) {
    Meter meter;
    const std::string& name = g.value(id).name;
    for (std::size_t s = 0; s < made.samples.size(); ++s)
      if (const auto it = c.recorded.expected[s].find(name); it != c.recorded.expected[s].end())
        LOCKSTEP_CHECK(
            meter.add(it->second, step_of(g, id), made.samples[s].at(name), step_of(g, id)));
    cosine = std::min(cosine, meter.metrics().cosine);
  }
  rewrites.push_back({fmt::format("one scale for both operands ({:.3g} x coarser for one of them), "
                                  "if the fault needs unequal scales",
                                  worst),
                      cosine, cosine >= rewrite_gate});
  return rewrites;
}

}  // namespace lockstep
