#include "npu/map_nodes.h"

#include <algorithm>

namespace lockstep {
namespace {

// Behind quantizers and clamps: the operation that the user knows.
const Node* operation_of(const Graph& g, ValueId v) {
  const Node* n = nullptr;
  for (int hops = 0; hops < 4 && v != no_id && g.value(v).producer != no_id; ++hops) {
    n = &g.node(g.value(v).producer);
    if (n->op != "QuantizeLinear" && n->op != "Relu" && n->op != "Clip") return n;
    v = n->inputs.empty() ? no_id : n->inputs[0];
  }
  return n;
}

bool made_before(const NpuProgram& p, int epoch, const std::string& value, const NpuMapping& map) {
  return std::ranges::any_of(p.buffers, [&](const NpuBuffer& b) {
    const NpuPair* pair = b.is_param || b.epoch >= epoch ? nullptr : map.find(b.name);
    return pair && pair->value == value;
  });
}

}  // namespace

std::vector<std::string> npu_nodes_of(const NpuProgram& program, int epoch,
                                      const NpuMapping& mapping, const Graph& model) {
  std::vector<std::string> nodes;
  for (const NpuBuffer* b : program.made_by(epoch)) {
    const NpuPair* pair = mapping.find(b->name);
    if (!pair || made_before(program, epoch, pair->value, mapping)) continue;
    const Node* n = operation_of(model, model.find_value(pair->value));
    if (n && std::ranges::find(nodes, n->name) == nodes.end()) nodes.push_back(n->name);
  }
  return nodes;
}

}  // namespace lockstep
