#include "diff/spread.h"

#include <algorithm>
#include <functional>

#include "base/random.h"

namespace lockstep {
namespace {

bool rounds(const Graph& g, NodeId id) {
  const Node& node = g.node(id);
  if (only_moves(node) || node.op == "DequantizeLinear" || node.outputs.empty() ||
      node.outputs[0] == no_id)
    return false;
  const Value& y = g.value(node.outputs[0]);
  return y.dtype == DType::f32 || (is_integer(y.dtype) && y.quant.quantized());
}

RunOptions disturbed(const Graph& graph, std::span<const NodeId> nodes, std::uint64_t seed) {
  RunOptions options;
  for (const NodeId n : nodes) {
    if (!rounds(graph, n)) continue;
    options.node_hooks.push_back({n, [n, seed](auto, std::span<Tensor> out, auto) -> Result<void> {
                                    move_some_codes(out[0],
                                                    seed * 1000003 + static_cast<std::uint64_t>(n));
                                    return {};
                                  }});
  }
  return options;
}

// The samples that are farthest off come first: how much a network amplifies depends on its input.
std::vector<std::size_t> farthest_first(const std::vector<double>& distance) {
  std::vector<std::size_t> order;
  for (std::size_t s = 0; s < distance.size(); ++s) order.push_back(s);
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t s) { return distance[s]; });
  order.resize(std::min(order.size(), spread_samples));
  return order;
}

}  // namespace

void move_some_codes(Tensor& t, std::uint64_t seed) {
  Random random(seed);
  if (t.dtype() == DType::f32) {
    for (float& x : t.as<float>()) x *= 1.0f + static_cast<float>((random.unit() - 0.5) * 0x1p-21);
    return;
  }
  const CodeRange range = code_range(t.dtype());
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const double draw = random.unit();
    if (draw >= spread_share) continue;
    t.set_code(i,
               std::clamp(t.code(i) + (draw < spread_share / 2 ? 1 : -1), range.low, range.high));
  }
}

RunOptions rounding_otherwise(const Graph& graph, std::uint64_t seed) {
  std::vector<NodeId> nodes(graph.nodes().size());
  for (std::size_t n = 0; n < nodes.size(); ++n) nodes[n] = static_cast<NodeId>(n);
  return disturbed(graph, nodes, seed);
}

Result<std::optional<SimulatedSpread>> spread_of(const LocalTest& test, ValueId id,
                                                 const std::vector<double>& distance) {
  const Graph& g = test.reference().graph();
  const QuantParams step = step_of(g, id);
  SimulatedSpread spread;
  for (const std::size_t s : farthest_first(distance)) {
    const Cone cone = test.cone(id, s);
    const int operations =
        static_cast<int>(std::ranges::count_if(cone.nodes, [&](NodeId n) { return rounds(g, n); }));
    if (!cone.known || operations < 2) return std::optional<SimulatedSpread>();
    spread.operations = std::max(spread.operations, operations);
    LOCKSTEP_TRY(const Tensor clean, test.recompute(id, s));
    for (int run = 0; run < spread_runs; ++run) {
      const RunOptions noise =
          disturbed(g, cone.nodes, s * 100 + static_cast<std::uint64_t>(run) + 1);
      LOCKSTEP_TRY(const Tensor noisy, test.recompute(id, s, noise));
      LOCKSTEP_TRY(const Metrics m, measure(clean, noisy, step));
      spread.max_abs = std::max(spread.max_abs, m.max_abs);
      spread.max_lsb = std::max(spread.max_lsb, m.max_lsb);
      spread.rmse = std::max(spread.rmse, m.rmse);
    }
  }
  return std::optional<SimulatedSpread>(spread);
}

}  // namespace lockstep
