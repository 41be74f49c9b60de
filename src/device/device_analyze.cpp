#include "device/device_analyze.h"

#include <algorithm>
#include <map>

#include "op/op.h"
#include "pass/pass.h"
#include "plan/plan.h"

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
  const bool last = n.graph.format() == "tflite" || n.attrs().text("layout", "NCHW") == "NHWC";
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

// Tensors with their live ranges: a network input lives from the start, an output to the end.
std::vector<Buffer> buffers_of(const Graph& g) {
  std::map<ValueId, Buffer> live;
  for (const ValueId v : g.inputs()) live[v] = {g.value(v).name, bytes_of(g.value(v)), 0, 0, -1};
  for (std::size_t step = 0; step < g.nodes().size(); ++step) {
    const Node& n = g.nodes()[step];
    const int at = static_cast<int>(step);
    for (const ValueId v : n.outputs)
      if (v != no_id && !g.value(v).constant)
        live[v] = {g.value(v).name, bytes_of(g.value(v)), at, at, -1};
    for (const ValueId v : n.inputs)
      if (const auto it = live.find(v); it != live.end()) it->second.last = at;
  }
  for (const ValueId v : g.outputs())
    if (const auto it = live.find(v); it != live.end())
      it->second.last = static_cast<int>(g.nodes().size());
  std::vector<Buffer> buffers;
  for (auto& [v, b] : live) buffers.push_back(std::move(b));
  return buffers;
}

// Working memories as pools, neighbours of one speed joined; `members` says
// which memories a pool is.
std::vector<Pool> pools_of(const DeviceDef& device,
                           std::vector<std::vector<const DeviceMemory*>>& members) {
  std::vector<Pool> pools;
  for (const DeviceMemory& m : device.memories) {
    if (m.read_only) continue;
    const bool joins = !pools.empty() &&
                       members.back().back()->base + members.back().back()->size == m.base &&
                       members.back().back()->bytes_per_us == m.bytes_per_us;
    if (joins) {
      pools.back().size += static_cast<std::int64_t>(m.size);
      members.back().push_back(&m);
      continue;
    }
    pools.push_back({std::string(m.name), static_cast<std::int64_t>(m.base),
                     static_cast<std::int64_t>(m.size), static_cast<int>(m.bytes_per_us), "rwn",
                     32});
    members.push_back({&m});
  }
  return pools;
}

Result<void> place_memories(const Graph& g, DeviceReport& r) {
  std::vector<std::vector<const DeviceMemory*>> members;
  std::vector<Pool> pools = pools_of(*r.device, members);
  Pool nowhere;  // takes what fits nowhere else
  nowhere.name = "none", nowhere.speed = -1, nowhere.alignment = 32;
  pools.push_back(nowhere);
  LOCKSTEP_TRY(const MemoryPlan plan, plan_memory(buffers_of(g), std::move(pools)));
  r.activation_bytes = plan.total;
  for (std::size_t i = 0; i < plan.buffers.size(); ++i)
    if (plan.places[i].pool == static_cast<int>(members.size()))
      r.homeless.push_back({plan.buffers[i].name, plan.buffers[i].bytes});
  std::map<const DeviceMemory*, std::uint64_t> used;
  for (std::size_t p = 0; p < members.size(); ++p) {
    auto left = static_cast<std::uint64_t>(plan.used[p]);
    for (const DeviceMemory* m : members[p]) {
      used[m] = std::min(m->size, left);
      left -= used[m];
    }
  }
  auto weights = static_cast<std::uint64_t>(r.weight_bytes);
  for (const DeviceMemory& m : r.device->memories) {
    if (m.read_only) used[&m] = std::min(m.size, weights), weights -= used[&m];
    r.memories.push_back({&m, used[&m]});
  }
  if (weights > 0) r.homeless.push_back({"weights", static_cast<std::int64_t>(weights)});
  return {};
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
  LOCKSTEP_CHECK(place_memories(g, r));
  return r;
}

}  // namespace lockstep
