#include "device/device_analyze.h"

#include <algorithm>
#include <map>

#include "op/op.h"
#include "pass/pass.h"
#include "plan/arena.h"

namespace lockstep {
namespace {

std::int64_t bytes_of(const Value& v) {
  return count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype));
}

DeviceNode look_at(const NodeView& n, const DeviceDef& device) {
  DeviceNode d;
  d.node = n.node.name, d.op = n.node.op;
  d.output = n.output(0).name, d.shape = n.output(0).shape;
  d.placement = device.place(n);
  d.cost = device.cost(n, d.placement.place);
  if (const OpDef* op = find_op(n.node.op); op && op->cost) d.macs = op->cost(n).macs;
  const bool products = n.node.op == "Conv" || n.node.op == "Gemm" || n.node.op == "MatMul" ||
                        n.node.op == "ConvTranspose";
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (n.has_input(i) && n.constant(i) && (products || n.input(i).quant.quantized()))
      d.parameters += count_of(n.input(i).shape), d.parameter_bytes += bytes_of(n.input(i));
  const bool last = n.attrs().text("layout", "NCHW") == "NHWC";
  if (d.shape.size() == 4) d.channels = last ? d.shape[3] : d.shape[1];
  d.aligned = d.channels % device.channel_group == 0;
  return d;
}

void examine_scales(const NodeView& n, const DeviceDef& device, std::vector<DeviceScales>& found) {
  if ((n.node.op != "Conv" && n.node.op != "Gemm") || !n.has_input(1) ||
      n.input(1).quant.scale.size() < 2)
    return;
  const auto& scale = n.input(1).quant.scale;
  const double most = *std::ranges::max_element(scale), least = *std::ranges::min_element(scale);
  if (least <= 0 || most / least < device.largest_weight_ratio / 8) return;
  DeviceScales s{n.node.name, static_cast<std::int64_t>(scale.size()), 0, most / least};
  // The largest multiplier has 15 bits; fewer than 7 are left below 1/256 of the largest scale.
  for (const double v : scale) s.lost += v * 256 < most;
  if (s.lost > 0) found.push_back(s);
}

void find_edits(const NodeView& n, const DeviceNode& d, const DeviceDef& device,
                std::vector<DeviceEdit>& edits) {
  for (const DeviceLimit& limit : device.limits)
    if (limit.applies(n))
      edits.push_back({n.node.name, std::string(limit.text), std::string(limit.advice),
                       limit.share * d.cost.microseconds});
}

// Activations in one arena, laid over the working memories in their order; constants in the first
// read-only one.
void place_memories(const Graph& g, DeviceReport& r) {
  std::map<ValueId, LiveRange> live;
  for (const ValueId v : g.inputs())
    live[v] = {static_cast<std::size_t>(bytes_of(g.value(v))), 0, 0};
  for (std::size_t step = 0; step < g.nodes().size(); ++step) {
    const Node& n = g.nodes()[step];
    for (const ValueId v : n.outputs)
      if (v != no_id) live[v] = {static_cast<std::size_t>(bytes_of(g.value(v))), step, step};
    for (const ValueId v : n.inputs)
      if (const auto it = live.find(v); it != live.end()) it->second.last = step;
  }
  for (const ValueId v : g.outputs())
    if (const auto it = live.find(v); it != live.end()) it->second.last = g.nodes().size();
  std::vector<LiveRange> ranges;
  for (const auto& [v, range] : live) ranges.push_back(range);
  r.activation_bytes = static_cast<std::int64_t>(plan_arena(ranges, 32).bytes);
  auto left = static_cast<std::uint64_t>(r.activation_bytes),
       weights = static_cast<std::uint64_t>(r.weight_bytes);
  for (const DeviceMemory& m : r.device->memories) {
    std::uint64_t& want = m.read_only ? weights : left;
    const std::uint64_t used = std::min(m.size, want);
    want -= used;
    r.memories.push_back({&m, used});
  }
}

}  // namespace

Result<DeviceReport> analyze_for(const Graph& model, const DeviceDef& device) {
  const Arithmetic* arithmetic = find_arithmetic(device.arithmetic);
  LOCKSTEP_TRY(const Graph g, apply_passes(model, arithmetic->passes));
  DeviceReport r;
  r.device = &device;
  r.model = model.file();
  for (const Node& node : g.nodes()) {
    const NodeView n{g, node};
    if (node.outputs.empty() || node.outputs[0] == no_id || g.value(node.outputs[0]).constant)
      continue;  // computed beforehand
    DeviceNode d = look_at(n, device);
    r.macs += d.macs, r.parameters += d.parameters, r.weight_bytes += d.parameter_bytes;
    r.microseconds += d.cost.microseconds, r.epochs += d.cost.epochs;
    find_edits(n, d, device, r.edits);
    examine_scales(n, device, r.scales);
    r.nodes.push_back(std::move(d));
  }
  std::ranges::stable_sort(r.edits, [](const DeviceEdit& a, const DeviceEdit& b) {
    return a.microseconds > b.microseconds;
  });
  place_memories(g, r);
  return r;
}

}  // namespace lockstep
